"""Create, read, update, and delete functions; their logging and VPC settings."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tests.local_api.conftest import make_zip
from tests.recorded.replay import FN, OTHER_CODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player


def lifecycle(play: Player) -> None:
    play.created("create_response", MemorySize=256, Timeout=5)
    play("get_function_response", "get_function", FunctionName=FN)
    play(
        "update_func_conf_response",
        "update_function_configuration",
        FunctionName=FN,
        Runtime="python3.11",
        Description="Changed-Description",
        MemorySize=512,
        Timeout=10,
        Environment={"Variables": {"ENV_A": "a"}},
    )
    play.wait()
    play("get_function_response_postupdate", "get_function", FunctionName=FN)
    play("update_code_response", "update_function_code", FunctionName=FN, ZipFile=OTHER_CODE)
    play.wait()
    play("get_function_response_postcodeupdate", "get_function", FunctionName=FN)
    play("delete_response", "delete_function", FunctionName=FN)
    play("delete_postdelete", "delete_function", FunctionName=FN)


def redundant_updates(play: Player) -> None:
    change: dict[str, Any] = {"FunctionName": FN, "Description": "1st update description"}
    play.created("create_response", Description="Initial description")
    play("first_update_result", "update_function_configuration", **change)
    play.wait()
    play("get_fn_config_result", "get_function_configuration", FunctionName=FN)
    play("get_fn_result", "get_function", FunctionName=FN)
    play("redundant_update_result", "update_function_configuration", **change)
    play.wait()
    play("get_fn_result_after_redundant_update", "get_function", FunctionName=FN)


def concurrent_code_updates(play: Player) -> None:
    play.create("create-function-response", Handler="handler.handler")
    play.wait()
    play("", "update_function_code", FunctionName=FN, ZipFile=OTHER_CODE)
    play(
        "update-during-in-progress-update-exc",
        "update_function_code",
        FunctionName=FN,
        ZipFile=make_zip(),
    )


def concurrent_settings_updates(play: Player) -> None:
    play.created("create-function-response")
    for step in ("", "update-during-in-progress-update-exc"):
        play(
            step,
            "update_function_configuration",
            FunctionName=FN,
            Environment={"Variables": {"TEST": "TEST1"}},
        )


def code_location(play: Player) -> None:
    play.create("create-response-zip-file")
    play.wait()
    play("get-function-response", "get_function", FunctionName=FN)
    play("update-function-response", "update_function_code", FunctionName=FN, ZipFile=OTHER_CODE)
    play("get-function-response-updated", "get_function", FunctionName=FN)


def list_functions(play: Player) -> None:
    play.created("create_response_1", FunctionName="list-fn-1", Publish=True)
    play.created("create_response_2", FunctionName="list-fn-2", Code={"ZipFile": OTHER_CODE})
    play("list_functions_invalid_functionversion", "list_functions", FunctionVersion="invalid")
    play.pages("list_all", "list_functions", "Functions", FunctionVersion="ALL")
    play.pages("list_default", "list_functions", "Functions")


def vpc(play: Player) -> None:
    def put(step: str, *ids: str) -> None:
        subnets = [f"subnet-{each}" for each in ids]
        groups = [f"sg-{each}" for each in ids]
        play(
            f"{step}_update_response",
            "update_function_configuration",
            FunctionName=FN,
            VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": groups},
        )
        play.wait()
        play(f"{step}_get_function_response", "get_function", FunctionName=FN)

    play.created(
        "create_response",
        MemorySize=256,
        Timeout=5,
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    )
    play("get_function_response", "get_function", FunctionName=FN)
    put("update_vpcconfig", "2")
    put("delete_vpcconfig")


def logging(play: Player, *changes: dict[str, str], first: dict[str, str] | None = None) -> None:
    given = {"LoggingConfig": first} if first else {}
    play.created("create_response", MemorySize=256, Timeout=5, **given)
    play("get_function_response", "get_function", FunctionName=FN)
    play("function_config", "get_function_configuration", FunctionName=FN)
    for change, version in zip(changes, ("", "_v2"), strict=False):
        play(
            f"updated_config{version}",
            "update_function_configuration",
            FunctionName=FN,
            LoggingConfig=change,
        )
        play.wait()
        play(f"received_config{version}", "get_function_configuration", FunctionName=FN)


def recursion(play: Player) -> None:
    play.created()
    play(
        "get_recursion_default_terminate_response", "get_function_recursion_config", FunctionName=FN
    )
    for step, value in (
        ("put_recursion_config_response", "Allow"),
        ("put_recursion_invalid_value_error", "InvalidValue"),
    ):
        play(step, "put_function_recursion_config", FunctionName=FN, RecursiveLoop=value)
    play("get_recursion_config_response", "get_function_recursion_config", FunctionName=FN)


def snap_start_refused(play: Player) -> None:
    play.create("create_function_invalid_snapstart_apply", SnapStart={"ApplyOn": "invalidOption"})


def snap_start(play: Player, runtime: str) -> None:
    handlers = {"j": "echo.Handler", "d": "dotnet::Dotnet.Function::FunctionHandler"}
    play.create(
        "create_function_response",
        Runtime=runtime,
        Handler=handlers.get(runtime[0], "handler.handler"),
        MemorySize=1024,
        Timeout=5,
    )
    play.wait()
    play("", "publish_version", FunctionName=FN, Description="version1")
    play("get_function_response_latest", "get_function", FunctionName=FN)
    play("get_function_response_version_1", "get_function", FunctionName=f"{FN}:1")
    play(
        "update_function_response",
        "update_function_configuration",
        FunctionName=FN,
        SnapStart={"ApplyOn": "PublishedVersions"},
    )


def created_twice(play: Player) -> None:
    for step in ("one", "two"):
        play.created(f"create_function_response_{step}", Handler="lambda_echo.handler")
        play("", "delete_function", FunctionName=FN)


def states(play: Player) -> None:
    play.create("create-fn-response", Handler="handler.handler")
    play.wait()
    play("get-fn-response", "get_function", FunctionName=FN)


_LEVELS = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
_PARTIAL = (
    {"LogFormat": "JSON"},
    {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG"},
    {"LogFormat": "JSON", "SystemLogLevel": "DEBUG"},
    {"LogGroup": "cool_lambda"},
)
_SNAP_START = (
    *("java11", "java17", "java21", "java25", "python3.12", "python3.13", "dotnet8", "dotnet10"),
)
_IN = "TestLambdaFunction::test"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_IN}_function_lifecycle": lifecycle,
    f"{_IN}_redundant_updates": redundant_updates,
    f"{_IN}_lambda_concurrent_code_updates": concurrent_code_updates,
    f"{_IN}_lambda_concurrent_config_updates": concurrent_settings_updates,
    f"{_IN}_lambda_code_location_zipfile": code_location,
    f"{_IN}_list_functions": list_functions,
    f"{_IN}_vpc_config": vpc,
    "TestLoggingConfig::test_function_advanced_logging_configuration": lambda play: logging(
        play,
        {"LogFormat": "JSON", **_LEVELS, "LogGroup": "cool_lambda"},
        first={"LogFormat": "JSON"},
    ),
    "TestLoggingConfig::test_advanced_logging_configuration_format_switch": lambda play: logging(
        play, {"LogFormat": "JSON"}, {"LogFormat": "Text"}
    ),
    **{
        "TestLoggingConfig::test_function_partial_advanced_logging_configuration_update"
        f"[partial_config{number}]": lambda play, change=change: logging(play, change)
        for number, change in enumerate(_PARTIAL)
    },
    **{
        f"TestLambdaRecursion::test_put_function_recursion_config_{name}": recursion
        for name in ("allow", "default_terminate", "invalid_value")
    },
    "TestLambdaSnapStart::test_snapstart_exceptions": snap_start_refused,
    **{
        f"TestLambdaSnapStart::test_snapstart_{what}[{runtime}]": partial(
            snap_start, runtime=runtime
        )
        for what in ("lifecycle", "update_function_configuration")
        for runtime in _SNAP_START
    },
    "TestLambdaCleanup::test_recreate_function": created_twice,
    "TestLambdaBaseFeatures::test_function_state": states,
}
