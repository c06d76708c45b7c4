"""How invocations behave besides: logs, limits, retries, updates, sizes, wrappers and crashes."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.recorded.function_log import tail_of
from tests.recorded.replay import FN
from tests.recorded.scenarios.programs import (
    ECHO,
    INTROSPECT,
    LIMITS,
    LOOK_AROUND,
    TALK,
    VARIANT,
    package,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

KINDS = "class CustomException(Exception):\n    pass\n\n\n"
RAISE = (
    f"{KINDS}def handler(event, context):\n    raise CustomException('some error occurred')\n"
).replace("'", '"')
REQUEST_ID = (
    "import logging\nlogging.getLogger().setLevel('INFO')\n"
    "def handler(event, context):\n    logging.info('RequestId log message')\n"
    "    return context.aws_request_id\n"
)
SEGFAULT = "import ctypes\n\nctypes.string_at(0)\n"
CONTEXT = "exports.handler = async (event, context) => ({ context });\n"


def _create(play: Player, source: str, step: str = "", **more: Any) -> None:
    code = {"ZipFile": package({"handler.py": source})}
    play.created(step, **{"Code": code, "Handler": "handler.handler", **more})


def _invoke(play: Player, step: str = "", event: Any = None, **more: Any) -> Any:
    payload = json.dumps({} if event is None else event).encode()
    return play(step, "invoke", **{"FunctionName": FN, "Payload": payload, **more})


def environment(play: Player) -> None:
    source = "import os\ndef handler(event, _):\n    return {'Hello': os.environ['Hello']}\n"
    variables = {"Environment": {"Variables": {"Hello": "World"}}}
    _create(play, source, "creation-result", Runtime="python3.9", **variables)
    _invoke(play, "invocation-result")
    play("get-configuration-result", "get_function_configuration", FunctionName=FN)


def variables(play: Player) -> None:
    _create(play, INTROSPECT["python"], "create-result", Runtime="python3.14")
    reply = dict(_invoke(play))
    reply["Payload"] = {"environment": json.loads(reply["Payload"])["environment"]}
    play.keep("lambda-init-inspection", "a handler", reply)


def look_around(play: Player, step: str, architecture: str) -> None:
    _create(play, LOOK_AROUND, Architectures=[architecture])
    _invoke(play, step)


def limits(play: Player) -> None:
    _create(play, LIMITS)
    _invoke(play, "invoke_runtime_ulimits")


def qualified(play: Player) -> None:
    code = {"ZipFile": package({"handler.py": TALK})}
    given = {"Code": code, "Handler": "handler.handler", "Timeout": 10, "Publish": True}
    play.create("creation-response", **given)
    play.wait()
    event = {"foo": "bar with 'quotes\""}
    reply = _invoke(play, "invocation-response", event, Qualifier="1", LogType="Tail")
    lines = tail_of(reply).splitlines()
    shown = [line for line in lines if not line.startswith("REPORT")]
    play.keep("log_result", "a handler", {"log_result": shown})


def with_context(play: Player) -> None:
    code = {"ZipFile": package({"lambda_integration.js": CONTEXT})}
    handler = "lambda_integration.handler"
    play.created("creation", Runtime="nodejs16.x", Handler=handler, Code=code)
    told = {
        "custom": {"foo": "bar"},
        "client": {"snap": ["crackle", "pop"]},
        "env": {"fizz": "buzz"},
    }
    encoded = base64.b64encode(json.dumps(told).encode()).decode()
    _invoke(play, "invocation", ClientContext=encoded)


def event_error(play: Player) -> None:
    _create(play, RAISE, "creation_response", Runtime="python3.10")
    play("", "put_function_event_invoke_config", FunctionName=FN, MaximumRetryAttempts=1)
    _invoke(play, "invocation_response", InvocationType="Event")
    _, events = play.logged(9)
    shown = [{"timestamp": 1, "message": each, "ingestionTime": 1} for each in events]
    play.keep("log_events", "a handler", shown)


def request_id(play: Player) -> None:
    _create(play, REQUEST_ID)
    reply = _invoke(play, "invoke_result", LogType="Tail")
    lines = [line.rstrip() for line in tail_of(reply).splitlines()]
    del reply["LogResult"]
    play.keep("log_entries", "a handler", {"logs": lines})


def request_id_of_retry(play: Player) -> None:
    _create(play, RAISE)
    play("", "put_function_event_invoke_config", FunctionName=FN, MaximumRetryAttempts=1)
    _invoke(play, "invoke_result", InvocationType="Event")
    _, events = play.logged(9)
    ends = [each.rstrip("\n") for each in events if each.startswith("END")]
    play.expect(len(set(ends)) == 1, "one request id for both attempts")
    play.keep("end_messages", "a handler", ends)


def missing_wrapper(play: Player) -> None:
    _create(
        play, ECHO["python"], Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/idontexist"}}
    )
    _invoke(play, "invocation_error")


def crash(play: Player) -> None:
    code = {"ZipFile": package({"lambda_runtime_exit_segfault.py": SEGFAULT})}
    play.created(Code=code, Handler="lambda_runtime_exit_segfault.handler")
    _invoke(play, "invocation_error")


def large(play: Player, size: int) -> None:
    _create(play, ECHO["python"])
    text = "x" * size
    reply = _invoke(play, "", text)
    play.expect(json.loads(reply["Payload"]) == text, f"{size} bytes come back")


def mixed(play: Player) -> None:
    _create(play, ECHO["python"], "create_function_response")
    play(
        "update_function_code_response",
        "update_function_code",
        FunctionName=FN,
        ZipFile=package({"handler.py": ECHO["python"]}),
        Architectures=["arm64"],
    )


def updated_during_invoke(play: Player) -> None:
    _create(play, VARIANT % (1, 1))
    with play.beside(
        "invoke_response_before",
        "invoke",
        FunctionName=FN,
        Payload=b'{"request_prefix": "1-sleep"}',
    ):
        play("", "update_function_code", FunctionName=FN, ZipFile=_variant(2))
        play.wait()


def queued_over_update(play: Player) -> None:
    """One at a time, so that most wait for the first; by then the code is another."""
    _create(play, VARIANT % (1, 1))
    play("", "put_function_concurrency", FunctionName=FN, ReservedConcurrentExecutions=1)
    names = [f"{n:02}-{'before' if n < 11 else 'after'}" for n in range(2, 16)]
    for number, name in enumerate(["01-sleep", *names]):
        _invoke(play, event={"request_prefix": name}, InvocationType="Event")
        while number == 0 and "Error" not in _invoke(play, event={"request_prefix": "00"}):
            pass  # until the first one runs
        if name == "10-before":
            play("", "update_function_code", FunctionName=FN, ZipFile=_variant(2))
            play.wait()
    _, events = play.logged(15, "ran ")
    ran = sorted(each.removeprefix("ran ").rstrip() for each in events)
    play.keep(
        "async_invoke_history_sorted",
        "a handler",
        [each for each in ran if not each.startswith("00")],
    )


def _variant(number: int) -> bytes:
    return package({"handler.py": VARIANT % (number, number)})


def basic(play: Player) -> None:
    for step, name in (("lambda_create_fn", FN), ("lambda_create_fn_2", f"{FN}-2")):
        code = {"ZipFile": package({"index.py": ECHO["python"]})}
        play.create(
            step, FunctionName=name, Runtime="python3.9", Handler="index.handler", Code=code
        )
    play.wait()
    play("lambda_get_fn", "get_function", FunctionName=FN)
    play("lambda_get_fn_2", "get_function", FunctionName=f"{FN}-2")
    _invoke(play, "lambda_invoke_result")


_BEHAVIOR = "TestLambdaBehavior::test"
_FEATURES = "TestLambdaFeatures::test"
SCENARIOS: dict[str, Callable[[Player], None]] = {
    f"{_FEATURES}_lambda_environment": environment,
    f"{_BEHAVIOR}_lambda_init_environment": variables,
    f"{_BEHAVIOR}_runtime_introspection_x86": partial(
        look_around, step="invoke_runtime_x86_introspection", architecture="x86_64"
    ),
    f"{_BEHAVIOR}_runtime_ulimits": limits,
    f"{_FEATURES}_invocation_with_qualifier": qualified,
    f"{_FEATURES}_lambda_with_context": with_context,
    f"{_FEATURES}_invocation_type_event_error": event_error,
    f"{_FEATURES}_basic_invoke": basic,
    "TestRequestIdHandling::test_request_id_invoke": request_id,
    "TestRequestIdHandling::test_request_id_async_invoke_with_retry": request_id_of_retry,
    "TestLambdaErrors::test_lambda_runtime_wrapper_not_found": missing_wrapper,
    "TestLambdaErrors::test_lambda_runtime_exit_segfault": crash,
    "TestLambdaBaseFeatures::test_large_payloads": partial(large, size=1024 * 1024 * 5),
    "TestLambdaBaseFeatures::test_lambda_large_response": partial(large, size=6 * 1024 * 1024 - 2),
    f"{_BEHAVIOR}_mixed_architecture": mixed,
    "TestLambdaVersions::test_function_update_during_invoke": updated_during_invoke,
    "TestLambdaVersions::test_async_invoke_queue_upon_function_update": queued_over_update,
}
