"""Where a function's code is: with SAM's defaults, packed, noted by CDK, or in S3."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.iac.writing import refusal, write
from tuner.iac import read_template

if TYPE_CHECKING:
    from pathlib import Path

SAM = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.11
"""
CDK = """\
Parameters:
  BootstrapVersion: {Type: "AWS::SSM::Parameter::Value<String>", Default: /cdk/version}
Conditions:
  CDKMetadataAvailable: !Or [!Equals [!Ref "AWS::Region", us-east-1], !Equals [a, b]]
Resources:
  Role1: {Type: AWS::IAM::Role, Metadata: {"aws:cdk:path": S/R}}
  Shared:
    Type: AWS::Lambda::LayerVersion
    Properties:
      Content: {S3Bucket: !Sub "cdk-assets-${AWS::AccountId}", S3Key: 0a.zip}
    Metadata: {"aws:asset:path": asset.0a.zip, "aws:asset:property": Content}
  Work7F:
    Type: AWS::Lambda::Function
    Properties:
      Code: {S3Bucket: !Sub "cdk-assets-${AWS::AccountId}-${AWS::Region}", S3Key: 1b.zip}
      Role: !GetAtt Role1.Arn
      Handler: app.handler
      Runtime: python3.11
      Layers: [!Ref Shared]
    DependsOn: [Role1]
    Metadata:
      "aws:cdk:path": S/Work/Resource
      "aws:asset:path": ASSET
      "aws:asset:is-bundled": false
      "aws:asset:property": Code
  CDKMetadata: {Type: "AWS::CDK::Metadata", Condition: CDKMetadataAvailable}
Rules: {CheckBootstrapVersion: {Assertions: []}}
"""


def packed(path: Path, name: str = "app.py") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "def handler(event, context):\n    return 1\n")
    return path


def test_without_code_uri_the_templates_folder_is_the_code(tmp_path: Path) -> None:
    """As SAM takes it; a plain function of CloudFormation still needs Code."""
    path = write(tmp_path, SAM)
    assert read_template(path).functions[0].code_dir == tmp_path.resolve()
    plain = write(tmp_path, SAM.replace("Serverless::Function", "Lambda::Function"))
    assert refusal(plain) == ":3: F has no code: Code is needed, such as Code: ./folder"


def test_a_zip_is_code_as_a_folder_is(tmp_path: Path) -> None:
    """For functions and for layers, with nothing to install beside it."""
    packed(tmp_path / "app.zip")
    packed(tmp_path / "shared.zip", "python/shared.py")
    own = "      CodeUri: ./app.zip\n      Layers: [!Ref L]\n"
    layer = "  L: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared.zip}}\n"
    [function] = read_template(write(tmp_path, SAM + own + layer)).functions
    assert function.code_dir == (tmp_path / "app.zip").resolve()
    assert [each.folder for each in function.layers] == [(tmp_path / "shared.zip").resolve()]
    assert not function.has_requirements


@pytest.mark.parametrize("where", [".", "cdk.out"])
def test_what_cdk_notes_is_the_code(tmp_path: Path, where: str) -> None:
    """`aws:asset:path` counts, seen from the template, whatever Code says of S3."""
    folder = tmp_path / where
    (folder / "asset.1b").mkdir(parents=True)
    packed(folder / "asset.0a.zip", "python/shared.py")
    path = write(folder, CDK.replace("ASSET", "asset.1b"), "Stack.template.json")
    [function] = read_template(path).functions
    assert function.code_dir == (folder / "asset.1b").resolve()
    assert [each.folder for each in function.layers] == [(folder / "asset.0a.zip").resolve()]
    missing = write(folder, CDK.replace("ASSET", "asset.2c"), "Stack.template.json")
    assert "there is no folder or ZIP 'asset.2c' (aws:asset:path)" in refusal(missing)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Serverless", "CodeUri: s3://bucket/key"),
        ("Serverless", "CodeUri: {Bucket: b, Key: k}"),
        ("Serverless", "CodeUri: https://s3.amazonaws.com/b/k.zip"),
        ("Lambda", "Code: {S3Bucket: b, S3Key: !Ref Unknown}"),
    ],
)
def test_code_in_s3_says_so_and_how_to_measure_it(tmp_path: Path, kind: str, code: str) -> None:
    """However it is written: that it is in S3, and the two ways there are."""
    line = refusal(write(tmp_path, SAM.replace("Serverless::F", f"{kind}::F") + f"      {code}\n"))
    assert "is in S3" in line
    assert "the template from before that" in line
    assert "`code=" in line
