"""What a template says of its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.iac.writing import read, refusal, with_properties, write
from tuner.iac import read_template

if TYPE_CHECKING:
    from pathlib import Path


def test_every_setting_is_read(tmp_path: Path) -> None:
    """A function that says everything is read as it stands, with its line."""
    path = write(
        tmp_path,
        """\
        AWSTemplateFormatVersion: "2010-09-09"
        Transform: AWS::Serverless-2016-10-31
        Description: Two functions
        Resources:
          Resize:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: resize-images
              Description: Makes images smaller.
              CodeUri: code/
              Handler: app.handler
              Runtime: python3.13
              MemorySize: 3008
              Timeout: 60
              Architectures: [arm64]
              PackageType: Zip
              EphemeralStorage:
                Size: 1024
              LoggingConfig:
                LogFormat: JSON
                SystemLogLevel: WARN
              Environment:
                Variables:
                  BUCKET: thumbs
                  LIMIT: 010
                  RATIO: 1.50
                  DEBUG: yes
                  SINCE: 2026-11-20
                  EMPTY: ""
        """,
    )
    template = read_template(path)
    [function] = template.functions
    assert (function.logical_id, function.name) == ("Resize", "resize-images")
    assert function.description == "Makes images smaller."
    assert function.code_dir == (tmp_path / "code").resolve()
    assert (function.handler, function.runtime) == ("app.handler", "python3.13")
    assert (function.memory_mb, function.timeout_s) == (3008, 60)
    assert (function.architecture, function.ephemeral_storage_mb) == ("arm64", 1024)
    assert function.logging == (("LogFormat", "JSON"), ("SystemLogLevel", "WARN"))
    assert dict(function.environment) == {
        "BUCKET": "thumbs", "LIMIT": "010", "RATIO": "1.50", "DEBUG": "true",
        "SINCE": "2026-11-20", "EMPTY": "",
    }  # fmt: skip
    assert function.origin == f"{path}:5"
    assert not function.has_requirements
    assert (template.path, template.ignored) == (path, ())


def test_defaults_are_those_of_sam(tmp_path: Path) -> None:
    """128 MB, 3 s, x86_64, 512 MB of /tmp, and the logical id for a name."""
    [function] = read(tmp_path).functions
    assert (function.name, function.memory_mb, function.timeout_s) == ("F", 128, 3)
    assert (function.architecture, function.ephemeral_storage_mb) == ("x86_64", 512)
    assert (function.description, function.environment) == ("", ())


def test_globals_hold_for_all_and_a_functions_own_settings_win(tmp_path: Path) -> None:
    """Environments are merged variable by variable, other properties replaced."""
    path = write(
        tmp_path,
        """\
        Globals:
          Function:
            Runtime: python3.11
            Handler: app.handler
            CodeUri: code
            MemorySize: 256
            Environment: {Variables: {STAGE: test, LEVEL: info}}
        Resources:
          First: {Type: AWS::Serverless::Function}
          Second:
            Type: AWS::Serverless::Function
            Properties:
              MemorySize: 512
              Environment: {Variables: {LEVEL: debug, MORE: "1"}}
        """,
    )
    first, second = read_template(path).functions
    assert (first.memory_mb, second.memory_mb) == (256, 512)
    assert dict(first.environment) == {"STAGE": "test", "LEVEL": "info"}
    assert dict(second.environment) == {"STAGE": "test", "LEVEL": "debug", "MORE": "1"}
    assert (first.origin, second.origin) == (f"{path}:9", f"{path}:10")


def test_a_template_may_be_json(tmp_path: Path) -> None:
    """JSON is YAML enough."""
    path = write(
        tmp_path,
        """
        {"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties":
        {"CodeUri": "code", "Handler": "a.b", "Runtime": "python3.11", "MemorySize": 512,
         "Architectures": ["arm64"]}}}}
        """,
        "template.json",
    )
    [function] = read_template(path).functions
    assert (function.memory_mb, function.architecture) == (512, "arm64")


@pytest.mark.parametrize("name", ["template.yaml", "template.yml"])
def test_a_folder_stands_for_the_template_in_it(tmp_path: Path, name: str) -> None:
    """The folder of a project is enough."""
    path = with_properties(tmp_path).rename(tmp_path / name)
    assert read_template(tmp_path).path == path


def test_requirements_beside_the_code_are_seen(tmp_path: Path) -> None:
    """They are not installed here, which a caller can say."""
    path = with_properties(tmp_path)
    (tmp_path / "code" / "requirements.txt").write_text("requests\n")
    assert read_template(path).functions[0].has_requirements


def test_packages_of_node_js_beside_the_code_are_seen(tmp_path: Path) -> None:
    """Dependencies of a package.json count until they are there."""
    path = with_properties(tmp_path, "Runtime: nodejs22.x")
    package = tmp_path / "code" / "package.json"
    for text, missing in (('{"type": "module"}', False), ('{"dependencies": {"a": "1"}}', True)):
        package.write_text(text)
        assert read_template(path).functions[0].has_requirements is missing
    (tmp_path / "code" / "node_modules").mkdir()
    assert not read_template(path).functions[0].has_requirements
    package.write_text("no JSON")
    assert not read_template(path).functions[0].has_requirements


def test_a_package_json_that_is_nested_too_deep_is_refused_in_a_line(tmp_path: Path) -> None:
    """One that no parser takes is told by its name."""
    path = with_properties(tmp_path, "Runtime: nodejs22.x")
    (tmp_path / "code" / "package.json").write_text("[" * 200_000)
    assert refusal(path).endswith("package.json is nested too deeply to be read: fix it")


def test_code_may_lie_beside_the_templates_folder(tmp_path: Path) -> None:
    """A path that leads upwards is allowed as long as it stays in the repository."""
    for name in ("deploy", "app", ".git"):
        (tmp_path / name).mkdir()
    path = with_properties(tmp_path / "deploy", "CodeUri: ../app")
    assert read_template(path).functions[0].code_dir == (tmp_path / "app").resolve()


@pytest.mark.parametrize("written", ["../app", "/etc", "link"])
def test_code_outside_the_repository_is_refused_unless_allowed(
    tmp_path: Path, written: str
) -> None:
    """A template reads nothing of the machine that did not come with it, links followed."""
    for name in ("deploy/.git", "app"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "deploy/link").symlink_to(tmp_path / "app")
    path = with_properties(tmp_path / "deploy", f"CodeUri: {written}")
    assert ":7: CodeUri" in refusal(path)
    assert "`allow_outside=True`" in refusal(path)
    [allowed] = read_template(path, allow_outside=True).functions
    assert allowed.code_dir == (tmp_path / "deploy" / written).resolve()


def test_what_has_no_effect_here_is_noted_with_its_line(tmp_path: Path) -> None:
    """Triggers, permissions and the like are passed over, and it is said."""
    path = write(
        tmp_path,
        """\
        Transform: [AWS::Serverless-2016-10-31]
        Metadata: {Anything: !Sub "${AWS::Region}"}
        Parameters: {Stage: {Type: String}}
        Globals:
          Api: {Cors: "'*'"}
          Function: {Tracing: Active, CodeUri: code, Handler: app.handler, Runtime: python3.11}
        Resources:
          Gate:
            Type: AWS::Serverless::Api
            Properties: {StageName: !Ref Stage}
          Role: {Type: AWS::IAM::Role}
          F:
            Type: AWS::Serverless::Function
            DependsOn: Gate
            Properties:
              Policies: [S3ReadPolicy: {BucketName: !Ref Bucket}]
              Events: {Get: {Type: Api, Properties: {Path: /, RestApiId: !GetAtt Gate.Id}}}
              VpcConfig: {SubnetIds: [!Ref Subnet]}
              Tags: {team: images}
        Outputs: {Url: {Value: !GetAtt F.Arn}}
        """,
    )
    template = read_template(path)
    assert len(template.functions) == 1
    assert [f"{part.line}: {part.name}{part.whose}" for part in template.ignored] == [
        "2: Metadata",
        "20: Outputs",
        "5: Api in Globals",
        "6: Tracing of Globals",
        "14: DependsOn of F",
        "16: Policies of F",
        "17: Events of F",
        "18: VpcConfig of F",
        "19: Tags of F",
    ]  # fmt: skip
    assert template.skipped == ("AWS::Serverless::Api", "AWS::IAM::Role")
    assert template.resources == ()


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        (["MemorySize: 127"], ":8: MemorySize is 127: it must be 128 to 10240 MB"),
        (["MemorySize: 10241"], ":8: MemorySize is 10241"),
        (["MemorySize: 1_024"], ":8: MemorySize must be a whole number"),
        (["MemorySize: 512.0"], ":8: MemorySize must be a whole number"),
        (["MemorySize: -512"], ":8: MemorySize must be a whole number"),
        (["MemorySize: large"], ":8: MemorySize must be a whole number"),
        (["MemorySize: " + "9" * 5000], ":8: MemorySize must be a whole number"),
        (["MemorySize:"], ":8: MemorySize has no value"),
        (["MemorySize: [512]"], ":8: MemorySize must be a single value"),
        (["MemorySize: !Ref Size"], ":8: MemorySize refers to Size, which is neither"),
        (["MemorySize: {Ref: Size}"], ":8: MemorySize refers to Size"),
        (["MemorySize:", "  Fn::If: [A, 1, 2]"], ":9: there is no condition A"),
        (["MemorySize: !!python/object:os.system 512"], ":8: MemorySize has the tag !!python"),
        (["Timeout: 0"], ":8: Timeout is 0: it must be 1 to 1800 s"),
        (["Timeout: 1801"], ":8: Timeout is 1801"),
        (["Architectures: arm64"], ":8: Architectures must be a list"),
        (["Architectures: [x86_64, arm64]"], ":8: Architectures must be a list of one"),
        (["Architectures: [i386]"], ":8: Architectures must be a list of one"),
        (["EphemeralStorage: {Size: 511}"], ":8: EphemeralStorage is 511: it must be 512 to 10240"),
        (["EphemeralStorage: {}"], ":8: EphemeralStorage has no Size"),
        (["EphemeralStorage: 1024"], ":8: EphemeralStorage must be a mapping"),
        (["LoggingConfig: {Level: INFO}"], ":8: Level isn't part of LoggingConfig: LogFormat, "),
        (["EphemeralStorage: {Mb: 1}"], ":8: Mb of EphemeralStorage is not"),
        (["FunctionName: two words"], ":8: a function's name has at most 64 letters"),
        (["FunctionName: " + "x" * 65], ":8: a function's name has at most 64 letters"),
        (["Description: " + "x" * 257], ":8: Description is over 256 characters"),
        (["Environment: {Variables: {1A: x}}"], ":8: an environment variable's name"),
        (["Environment: {Variables: {KEY: !Ref Key}}"], ":8: the environment variable KEY ref"),
        (["Environment: {Variables: {KEY: [hunter2]}}"], ":8: the environment variable KEY mus"),
        (["Environment: {Variables: {KEY: }}"], ":8: the environment variable KEY has no value"),
        (["Environment: {KEY: hunter2}"], ":8: KEY of Environment is not supported"),
        (["PackageType: Image"], ":8: only the PackageType Zip"),
        (["ImageUri: x.dkr.ecr/y"], ":8: ImageUri of F is not supported: images"),
        (["InlineCode: ' '"], ":8: InlineCode must hold the code"),
        (["MemorySize: !GetAtt Other.Size"], ":8: MemorySize refers to Other.Size, which can't"),
        (["MemorySize: {Fn::ImportValue: x}"], ":8: MemorySize uses Fn::ImportValue, which can't"),
        (["Layers: [arn]"], ":8: the layer arn is in an AWS account"),
        (["FileSystemConfigs: []"], ":8: FileSystemConfigs of F is not supported"),
        (["MemorySzie: 512"], ":8: MemorySzie is not supported: did you mean MemorySize?"),
        (["Qwertyuiop: 1"], ":8: Qwertyuiop is not supported"),
        (["Handler: app.handler", "Handler: b.c"], ":8: Handler is given twice"),
        (["<<: 512"], ":8: << in the properties of F must be a mapping of names to values"),
        (["<<: {MemorySize: 5}"], ":8: MemorySize is 5"),
        (["[1]: 2"], ":8: a name in the properties of F must be a single value"),
        (["CodeUri: s3://bucket/key"], ":7: CodeUri is in S3, where a deployment tool"),
        (["CodeUri: {Bucket: b, Key: k}"], ":7: CodeUri is in S3, where a deploy"),
        (["CodeUri: missing"], ":7: there is no folder or ZIP 'missing' (CodeUri)"),
        (["CodeUri: template.yaml"], ":7: CodeUri 'template.yaml' is a file but not a ZIP: name"),
        (["CodeUri: " + "x" * 5000], ":7: there is no folder or ZIP 'xxx"),
        (['CodeUri: "a\\0b"'], ":7: there is no folder or ZIP"),
        (["Runtime: python"], ":7: 'python' is not a Lambda runtime"),
        (["Handler: app handler"], ":7: Handler must be 1 to 128 characters"),
        (["Handler: ''"], ":7: Handler must be 1 to 128 characters"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_or_not_supported_is_refused_where_it_stands(
    tmp_path: Path, properties: list[str], says: str
) -> None:
    """One line with the file, the line, the name of the part and no value of the environment."""
    message = refusal(with_properties(tmp_path, *properties))
    assert message.startswith(says)
    assert "hunter2" not in message


@pytest.mark.parametrize("timeout_s", [1, 900, 901, 1800])
def test_a_timeout_is_at_most_1800_seconds(tmp_path: Path, timeout_s: int) -> None:
    """Lambda takes more than the 900 s that its guide names."""
    [function] = read(tmp_path, f"Timeout: {timeout_s}").functions
    assert function.timeout_s == timeout_s


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Handler", "F has no Handler, which is needed"),
        ("Runtime", "F has no Runtime, which is needed"),
    ],
)
def test_a_property_that_is_needed_is_missed_by_name(tmp_path: Path, name: str, said: str) -> None:
    """The function's line is given, as the property has none."""
    path = with_properties(tmp_path)
    kept = [line for line in path.read_text().splitlines() if name not in line]
    path.write_text("\n".join(kept))
    assert refusal(path) == f":2: {said}"


def test_one_function_that_cannot_be_read_does_not_keep_the_others_out(tmp_path: Path) -> None:
    """It is left out by its name, with its line; alone it ends the reading."""
    path = write(
        tmp_path,
        """\
        Globals: {Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11}}
        Resources:
          Fine: {Type: AWS::Serverless::Function}
          Odd:
            Type: AWS::Serverless::Function
            Properties:
              FunctionName: writes-orders
              Environment: {Variables: {TABLE: !Ref Table}}
        """,
    )
    template = read_template(path)
    assert [function.name for function in template.functions] == ["Fine"]
    [(name, why)] = template.left_out.items()
    assert name == "writes-orders"
    assert why.startswith(f"{path}:8: the environment variable TABLE refers to Table")


def test_two_functions_cannot_have_one_name(tmp_path: Path) -> None:
    """Which of them a name means would be chance."""
    path = write(
        tmp_path,
        """\
        Globals: {Function: {CodeUri: code, Handler: app.handler, Runtime: python3.11}}
        Resources:
          First: {Type: AWS::Serverless::Function}
          Second: {Type: AWS::Serverless::Function, Properties: {FunctionName: First}}
        """,
    )
    assert refusal(path) == ":4: Second has the name First, as First has"


def test_no_environment_value_shows_in_a_repr(tmp_path: Path) -> None:
    """A template's secrets reach no log by way of its values."""
    template = read(tmp_path, "Environment: {Variables: {TOKEN: hunter2}}")
    assert dict(template.functions[0].environment) == {"TOKEN": "hunter2"}
    assert "hunter2" not in repr(template)
