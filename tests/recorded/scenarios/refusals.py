"""What CreateFunction and UpdateFunctionConfiguration refuse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.recorded.replay import FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player


def create(play: Player) -> None:
    play.create("invalid_role_arn_exc", Role="r1")
    play.create("invalid_runtime_exc", Runtime="non-existent-runtime")
    play.create("uppercase_runtime_exc", Runtime="PYTHON3.9")
    play.create("multiple_architectures", Architectures=["x86_64", "arm64"])
    play.create("uppercase_architecture", Architectures=["X86_64"])
    play.create("invalid_zip_exc", Code={"ZipFile": b"this is no ZIP file"})


def update(play: Player) -> None:
    play.create()
    play.wait()
    change = partial(play, operation="update_function_configuration", FunctionName=FN)
    change("invalid_role_arn_exc", Role="r1")
    change("invalid_runtime_exc", Runtime="non-existent-runtime")
    change("uppercase_runtime_exc", Runtime="PYTHON3.9")


def deprecated(play: Player, runtime: str) -> None:
    play.create("deprecation_error", Runtime=runtime)


def large_environment(play: Player) -> None:
    large = {"Variables": {"LARGE_VAR": "x" * (4 * 1024)}}
    play.created("failed_create_fn_result", Environment=large)


def large_environment_of_two(play: Player) -> None:
    left = 4 * 1024 - len('{"SMALL_VAR":"ok"}')
    large = {"Variables": {"SMALL_VAR": "ok", "LARGE_VAR": "x" * left}}
    play.created("failured_create_fn_result_multi_key", Environment=large)


def environment_near_limit(play: Player) -> None:
    left = 4 * 1024 - len('{"LARGE_VAR":""}')
    near = {"Variables": {"LARGE_VAR": "x" * left}}
    play.created("successful_create_fn_result", Environment=near)


def vpc(play: Player, member: str, what: str, absent: str) -> None:
    for step, each in ((f"non-existent-{what}", absent), (f"invalid-format-{what}", "bad-format")):
        both = {"SubnetIds": [], "SecurityGroupIds": [], member: [each]}
        play.create(f"create-response-{step}", VpcConfig=both)


_RETIRED = (
    *("java8", "go1.x", "provided", "ruby2.7", "nodejs14.x", "python3.7", "dotnetcore3.1"),
    "nodejs12.x",
)
_SIZES = "TestLambdaSizeLimits::test"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    "TestLambdaFunction::test_create_lambda_exceptions": create,
    "TestLambdaFunction::test_update_lambda_exceptions": update,
    **{
        "TestRuntimeValidation::test_create_deprecated_function_runtime_with_validation_enabled"
        f"[{runtime}]": partial(deprecated, runtime=runtime)
        for runtime in _RETIRED
    },
    f"{_SIZES}_large_environment_variables_fails": large_environment,
    f"{_SIZES}_large_environment_fails_multiple_keys": large_environment_of_two,
    f"{_SIZES}_lambda_envvars_near_limit_succeeds": environment_near_limit,
    "TestLambdaFunction::test_invalid_vpc_config_subnet": partial(
        vpc,
        member="SubnetIds",
        what="subnet-id",
        absent="subnet-0000",
    ),
    "TestLambdaFunction::test_invalid_vpc_config_security_group": partial(
        vpc,
        member="SecurityGroupIds",
        what="security-group",
        absent="sg-0000",
    ),
}
