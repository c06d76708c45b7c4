"""What templates name as code is deployed: a folder, the template's own, or a ZIP."""

from __future__ import annotations

import io
import shutil
import sys
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import run_here
from tests.local_api.conftest import make_client, make_zip
from tests.scripted_executor import ScriptedExecutor
from tuner.local import LocalLambda

if TYPE_CHECKING:
    from pathlib import Path

ZIPPED = """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Handler: app.handler, Runtime: python3.11}}
Resources:
  Packed: {Type: AWS::Serverless::Function, Properties: {CodeUri: app.zip}}
  Beside: {Type: AWS::Serverless::Function}
"""

HEAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Description: >
  app
"""
PYTHON = f"Handler: app.handler, Runtime: python3.{sys.version_info.minor}"
NODE = "Handler: app.handler, Runtime: nodejs22.x"
SAM = "Type: AWS::Serverless::Function"
HELLO = f"F: {{{SAM}, Properties: {{CodeUri: code/, {PYTHON}, Architectures: [x86_64]"
SHAPES = {
    "hello world": f"""
Globals: {{Function: {{Timeout: 3, LoggingConfig: {{LogFormat: JSON}}}}}}
Resources:
  F:
    {SAM}
    Properties:
      CodeUri: code/
      {PYTHON.replace(", ", chr(10) + "      ")}
      Events: {{Hello: {{Type: Api, Properties: {{Path: /hello, Method: get}}}}}}
Outputs:
  Url: {{Value: !Sub "https://${{ServerlessRestApi}}.execute-api.${{AWS::Region}}.amazonaws.com/Prod"}}
  Role: {{Value: !GetAtt FRole.Arn}}
""",
    "hello world of node": f"""
Resources:
  F: {{{SAM}, Metadata: {{BuildMethod: nodejs22.x}}, Properties: {{CodeUri: code/, {NODE}}}}}
""",
    "no code uri": f"""
Resources:
  F: {{{SAM}, Properties: {{{PYTHON}}}}}
""",
    "zip": f"""
Resources:
  F: {{{SAM}, Properties: {{CodeUri: ./code.zip, {PYTHON}}}}}
""",
    "layers": f"""
Resources:
  {HELLO}, Layers: [!Ref Shared]}}}}
  Shared:
    Type: AWS::Serverless::LayerVersion
    Metadata: {{BuildMethod: python3.12}}
    Properties: {{ContentUri: code, CompatibleRuntimes: [python3.12], RetentionPolicy: Retain}}
""",
    "queue": f"""
Resources:
  Jobs: {{Type: AWS::SQS::Queue}}
  {HELLO}, Events: {{J: {{Type: SQS, Properties: {{Queue: !GetAtt Jobs.Arn, BatchSize: 10}}}}}},
      Environment: {{Variables: {{QUEUE: !Ref Jobs}}}}}}}}
""",
    "bucket": f"""
Parameters: {{AppBucketName: {{Type: String, Default: app}}}}
Resources:
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: !Sub "${{F}}-${{AppBucketName}}"}}}}
  {HELLO}, Policies: [S3ReadPolicy: {{BucketName: !Ref AppBucketName}}],
      Events: {{S: {{Type: S3, Properties:
        {{Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}}}}}}}}}
""",
    "schedule": f"""
Resources:
  {HELLO}, Events: {{S: {{Type: Schedule, Properties: {{Schedule: rate(1 hour)}}}}}}}}}}
  Lines: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: !Sub "/aws/lambda/${{F}}"}}}}
""",
    "event bus": f"""
Resources:
  {HELLO}, Events: {{E: {{Type: EventBridgeRule, Properties:
      {{Pattern: {{source: [aws.ec2]}}}}}}}}}}}}
""",
    "step functions": f"""
Resources:
  {HELLO}}}}}
  Second: {{{SAM}, Properties: {{CodeUri: code/, {NODE}}}}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: flow.asl.json
      DefinitionSubstitutions: {{First: !GetAtt F.Arn, Table: !Ref Table}}
      Policies: [LambdaInvokePolicy: {{FunctionName: !Ref F}}]
  Table: {{Type: AWS::Serverless::SimpleTable}}
""",
    "web backend": f"""
Resources:
  Get: {{{SAM}, Properties: {{CodeUri: code, {NODE},
    Environment: {{Variables: {{TABLE: !Ref T}}}}}}}}
  Put: {{{SAM}, Properties: {{CodeUri: code, {NODE},
    Environment: {{Variables: {{TABLE: !Ref T}}}}}}}}
  T: {{Type: AWS::Serverless::SimpleTable, Properties: {{PrimaryKey: {{Name: id, Type: String}}}}}}
""",
    "globals": f"""
Globals:
  Api: {{Cors: "'*'"}}
  Function: {{CodeUri: code, {PYTHON}, MemorySize: 256,
    Environment: {{Variables: {{STAGE: test}}}}}}
Resources:
  F: {{{SAM}}}
  G: {{{SAM}, Description: an attribute, Properties: {{MemorySize: 512, AutoPublishAlias: live}}}}
""",
    "parameters": f"""
Parameters:
  Memory: {{Type: Number, Default: 512, AllowedValues: [256, 512]}}
  Stage: {{Type: String, Default: dev}}
Mappings: {{Stages: {{dev: {{Timeout: 5}}}}}}
Resources:
  {HELLO}, MemorySize: !Ref Memory, Timeout: !FindInMap [Stages, !Ref Stage, Timeout]}}}}
""",
    "nested conditions": f"""
Parameters: {{Stage: {{Type: String, Default: dev}}}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsLarge: !And [!Condition IsProd, !Not [!Equals [!Ref "AWS::Region", us-east-1]]]
Resources:
  {HELLO}, MemorySize: !If [IsLarge, 2048, !If [IsProd, 1024, 256]]}}}}
  Audit: {{{SAM}, Condition: IsProd, Properties: {{CodeUri: nowhere, {PYTHON}}}}}
""",
    "plain CloudFormation": f"""
Resources:
  Role: {{Type: AWS::IAM::Role}}
  F:
    Type: AWS::Lambda::Function
    Properties: {{Code: code, {PYTHON}, Role: !GetAtt Role.Arn, TracingConfig: {{Mode: Active}}}}
""",
    "CDK": f"""
Resources:
  F7A1B:
    Type: AWS::Lambda::Function
    Properties: {{Code: {{S3Bucket: !Sub "cdk-${{AWS::AccountId}}", S3Key: 1b.zip}}, {PYTHON}}}
    Metadata: {{"aws:cdk:path": App/F/Resource, "aws:asset:path": code, "aws:asset:property": Code}}
  CDKMetadata: {{Type: "AWS::CDK::Metadata", Properties: {{Analytics: "v2:deflate64:x"}}}}
""",
}
"""As `sam init` and `cdk synth` lay them out."""


def laid_out(folder: Path, shape: str) -> Path:
    """Write a template of that shape, with its code."""
    (folder / "code").mkdir()
    source = "def handler(event, context):\n    return {'statusCode': 200}\n"
    for place in (folder, folder / "code"):
        (place / "app.py").write_text(source)
    (folder / "code" / "app.js").write_text("exports.handler = async () => ({ok: true});\n")
    with zipfile.ZipFile(folder / "code.zip", "w") as archive:
        archive.writestr("app.py", source)
    path = folder / "template.yaml"
    head = HEAD if shape not in {"CDK", "plain CloudFormation"} else ""
    path.write_text(head + SHAPES[shape])
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_what_sam_init_and_cdk_lay_out_is_deployed(tmp_path: Path, shape: str) -> None:
    """Every function of the template, none left out, nothing that could not be made."""
    with deployed(laid_out(tmp_path, shape)) as server:
        status: Any = server.status()
        codes = {finding.code for finding in server.findings}
    assert status["functions"]
    assert status["left_out"] == {}

    assert "function_left_out" not in codes


TUNED = {"CDK": "F7A1B", "globals": "G", "web backend": "Get"}
"""The function that is tuned, where it is not called F."""


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_they_are_tuned_on_this_machine(tmp_path: Path, shape: str) -> None:
    """`tuner tune --local` invokes the real handler and answers."""
    if NODE in SHAPES[shape] and shutil.which("node") is None:
        pytest.skip("no node on PATH")
    function = TUNED.get(shape, "F")
    path = str(laid_out(tmp_path, shape))
    ran = run_here(
        "tune", function, "--local", path, "--memory-sizes", "512,1024", "--max-invocations", "4",
        "--yes",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"{function} · local")


ALIASED = f"""\
Transform: AWS::Serverless-2016-10-31
Globals: {{Function: {{CodeUri: code, {PYTHON}, AutoPublishAlias: all}}}}
Resources:
  F:
    {SAM}
    Properties: {{AutoPublishAlias: live, Environment: {{Variables: {{OTHER: !Ref Stable}}}}}}
  Shared: {{{SAM}}}
  G: {{{SAM}, IgnoreGlobals: [AutoPublishAlias]}}
  Stable: {{Type: AWS::Lambda::Alias, Properties: {{FunctionName: !Ref G, Name: stable}}}}
  H: {{{SAM}, IgnoreGlobals: [AutoPublishAlias]}}
  Numbered: {{Type: AWS::Lambda::Version, Properties: {{FunctionName: !Ref H}}}}
  Far: {{Type: AWS::Lambda::Alias, Properties: {{FunctionName: elsewhere, Name: far}}}}
"""


def test_aliases_and_versions_of_a_template_are_made(tmp_path: Path) -> None:
    """SAM's own and those that stand there; one of a function that is not here is named so."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text("def handler(event, context): return 1\n")
    path = tmp_path / "template.yaml"
    path.write_text(ALIASED)
    with deployed(path) as server:
        client: Any = make_client(server)
        for name, alias in (("F", "live"), ("G", "stable"), ("Shared", "all")):
            found = client.get_function(FunctionName=f"{name}:{alias}")["Configuration"]
            assert found["Version"] == "1"
        assert client.get_function(FunctionName="H:1")["Configuration"]["Version"] == "1"
        assert client.list_aliases(FunctionName="H")["Aliases"] == []
        client.close()
        told = {finding.code: finding.message for finding in server.findings}
    assert told["template_resources_left_out"].endswith(": AWS::Lambda::Alias")
    assert not {"template_resource_not_here", "template_ignored"} & told.keys()


@pytest.mark.slow
def test_an_alias_of_a_template_is_tuned_on_this_machine(tmp_path: Path) -> None:
    """The function is measured, and the alias is what it is compared with."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text("def handler(event, context): return 1\n")
    path = tmp_path / "template.yaml"
    path.write_text(ALIASED)
    ran = run_here("tune", "F:live", "--local", str(path), "--max-invocations", "4", "--json")
    assert ran.returncode == 0, ran.stderr
    assert '"name": "F"' in ran.stdout


def deployed(path: Path) -> LocalLambda:
    return LocalLambda.from_template(path, executor=ScriptedExecutor(), emulated_services=False)


def package_of(client: Any, function: str) -> bytes:
    url = client.get_function(FunctionName=function)["Code"]["Location"]
    with urllib.request.urlopen(url) as reply:
        return bytes(reply.read())


def test_a_zip_is_deployed_as_it_stands_and_the_templates_folder_packed(tmp_path: Path) -> None:
    """The ZIP's own bytes; of the template's folder neither what git nor what SAM keeps there."""
    (tmp_path / "app.zip").write_bytes(make_zip())
    (tmp_path / "app.py").write_text("def handler(event, context): return 1\n")
    for hidden in (".git", ".aws-sam"):
        (tmp_path / hidden).mkdir()
        (tmp_path / hidden / "kept").write_text("x")
    path = tmp_path / "template.yaml"
    path.write_text(ZIPPED)
    with deployed(path) as server:
        client: Any = make_client(server)
        packed, beside = (package_of(client, name) for name in ("Packed", "Beside"))
        client.close()
    assert packed == (tmp_path / "app.zip").read_bytes()
    assert sorted(zipfile.ZipFile(io.BytesIO(beside)).namelist()) == [
        "app.py",
        "app.zip",
        "template.yaml",
    ]
