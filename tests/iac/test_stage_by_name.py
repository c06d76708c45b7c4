from __future__ import annotations

from typing import TYPE_CHECKING

from tests.iac.editing import edited, refusal
from tests.iac.writing import write
from tuner.api.applying import plan_edits
from tuner.iac import Wanted

if TYPE_CHECKING:
    from pathlib import Path

SERVICE = """\
service: billing
provider:
  name: aws
  stage: ${opt:stage, 'dev'}
custom:
  memory:
    dev: 256
    prod: 1024
functions:
  worker:
    handler: a.b
    memorySize: ${self:custom.memory.${self:provider.stage}}
"""
TEMPLATE = """\
Parameters:
  Memory: {Type: Number}
  Env: {Type: String}
Mappings:
  Sizes:
    prod: {MB: 512}
    dev: {MB: 128}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: !Ref Memory
  G:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "mapped-${Env}"
      MemorySize: !FindInMap [Sizes, !Ref Env, MB]
"""
SAMCONFIG = """\
[dev.deploy.parameters]
stack_name = "shop-dev"
parameter_overrides = "Memory=256 Env=dev"
[prod.deploy.parameters]
stack_name = "shop-prod"
parameter_overrides = ["Memory=1024", "Env=prod"]
"""


def test_a_service_gets_its_stage_from_the_deployed_name(tmp_path: Path) -> None:
    """`service-stage-key` says the stage; the key alone doesn't, and what was said counts first."""
    path = write(tmp_path, SERVICE, "serverless.yml")
    found, after = edited(tmp_path, "billing-prod-worker", 320, was_mb=1024)
    assert (found.line, after) == (8, path.read_bytes().replace(b"1024", b"320"))
    assert "depends on the stage" in refusal(tmp_path, "worker", 320)
    assert "nothing here" in refusal(tmp_path, "billing-prod-worker", 320, stage="dev")
    plan = plan_edits([Wanted("billing-dev-worker", 320, 256)], [tmp_path])
    assert plan.drift[0].code_mb == 256


def test_the_function_with_most_of_the_name_is_meant(tmp_path: Path) -> None:
    """What remains of a name is the stage, so the shortest stage counts."""
    more = "  dlq-worker: {handler: a.b, memorySize: 128}\n"
    path = write(tmp_path, SERVICE + more, "serverless.yml")
    found, _ = edited(tmp_path, "billing-prod-dlq-worker", 320, was_mb=128)
    assert (found.path, found.line) == (path, 13)


def test_a_stack_gets_its_environment_from_the_deployed_name(tmp_path: Path) -> None:
    """A stack's name chooses samconfig's environment, a parameter in a name the map's value."""
    write(tmp_path, TEMPLATE)
    config = write(tmp_path, SAMCONFIG, "samconfig.toml")
    found, after = edited(tmp_path, "shop-prod-F-1A2B3C4D5E6F", 320, was_mb=1024)
    assert (found.path, found.line) == (config, 6)
    assert after == config.read_bytes().replace(b"1024", b"320")
    found, _ = edited(tmp_path, "mapped-prod", 320, was_mb=512)
    assert found.line == 6
    assert "say which (`stage`)" in refusal(tmp_path, "other-F-1A2B3C4D5E6F", 320)


def test_a_map_with_the_same_keys_in_every_deployment_is_overridden(tmp_path: Path) -> None:
    """Where something else has a map's value too, the function gets its own, if nothing chooses."""
    path = write(
        tmp_path,
        TEMPLATE.replace("!Ref Env, MB]", "prod, MB]")
        + "  Alarm:\n    Type: Custom::Alarm\n    Properties:\n"
        "      Limit: !FindInMap [Sizes, prod, MB]\n",
    )
    found, after = edited(tmp_path, "G", 320, was_mb=512)
    assert found.shared_by == ("Alarm.Limit",)
    old = b"MemorySize: !FindInMap [Sizes, prod, MB]"
    assert after == path.read_bytes().replace(old, b"MemorySize: 320")


def test_a_fault_of_one_function_leaves_the_others(tmp_path: Path) -> None:
    """A property that is given twice refuses its function, with the line, and no other."""
    path = write(
        tmp_path, TEMPLATE.replace("      FunctionName", "      MemorySize: 1\n      FunctionName")
    )
    assert refusal(tmp_path, "G").startswith(f"{path}:18: MemorySize is given twice")
    write(tmp_path, SAMCONFIG, "samconfig.toml")
    assert edited(tmp_path, "shop-dev-F-1A2B3C4D5E6F", 320)[0].was_mb == 256
