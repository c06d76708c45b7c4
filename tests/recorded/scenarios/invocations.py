"""Invocations of real handlers: versions, aliases, errors, exits, timeouts, throttles, payloads."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.local_api.conftest import make_zip
from tests.recorded.function_log import tail_of
from tests.recorded.replay import ACCOUNT, ARN, FN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recorded.replay import Player

TELL_VERSION = """
def handler(event, context):
    return {
        "version_id": "%s",
        "invoked_arn": context.invoked_function_arn,
        "version_from_ctx": context.function_version,
    }
"""
TWO_HANDLERS = """
def handler(event, context):
    return {"handler": "handler"}

def handler_two(event, context):
    return {"handler": "handler_two"}
"""
COUNT = """
counter = -1
def handler(event, context):
    global counter
    counter += 1
    return {"counter": counter}
"""
ECHO = "def handler(event, context): return event"
WAIT = """
import time
def handler(event, context):
    time.sleep(event["wait"])
"""
KEEP = """
import time
number = 0
def handler(event, context):
    global number
    if "write-file" in event:
        open("/tmp/kept", "w").write(event["write-file"])
    elif "read-file" in event:
        return {"content": open("/tmp/kept").read()}
    elif "set-number" in event:
        number = event["set-number"]
    elif "read-number" in event:
        return {"number": number}
    else:
        time.sleep(event["sleep"])
"""


def _code(source: str) -> dict[str, Any]:
    return {"Code": {"ZipFile": make_zip(source)}, "Handler": "handler.handler"}


def _invoke(play: Player, step: str, name: str = FN, event: Any = None, **more: Any) -> Any:
    payload = json.dumps({} if event is None else event).encode()
    return play(step, "invoke", **{"FunctionName": name, "Payload": payload, **more})


def versions(play: Player) -> None:
    def publish(step: str, description: str) -> None:
        play(step, "publish_version", FunctionName=FN, Description=description)

    def update(step: str, number: int, **more: bool) -> None:
        package = make_zip(TELL_VERSION % f"version{number}")
        play(step, "update_function_code", FunctionName=FN, ZipFile=package, **more)
        play.wait()

    play.create("create_response", Description="No version :(", **_code(TELL_VERSION % "version1"))
    play.wait()
    publish("first_publish_response", "First version description :)")
    update("update_lambda_response", 2)
    _invoke(play, "invocation_result_latest")
    _invoke(play, "invocation_result_v1", Qualifier="1")
    publish("second_publish_response", "Second version description :)")
    _invoke(play, "invocation_result_v2", Qualifier="2")
    update("update_lambda_response_with_publish", 3, Publish=True)
    _invoke(play, "invocation_result_v3", Qualifier="3")
    _invoke(play, "invocation_result_latest_end")
    _invoke(play, "invocation_result_v2_end", Qualifier="2")
    _invoke(play, "invocation_result_v1_end", Qualifier="1")


def aliases(play: Player) -> None:
    name = "alias1"
    play.create("create_response", Description="No version :(", **_code(TELL_VERSION % "version1"))
    play.wait()
    play("", "publish_version", FunctionName=FN, Description="First version description :)")
    alias = {"FunctionName": FN, "Name": name}
    play("create_alias_response", "create_alias", **alias, FunctionVersion="1")
    _invoke(play, "invocation_result_qualifier_v1", Qualifier=name)
    _invoke(play, "invocation_result_qualifier_v1_arn", f"{ARN}:{name}")
    package = make_zip(TELL_VERSION % "version2")
    play("update_lambda_response", "update_function_code", FunctionName=FN, ZipFile=package)
    play.wait()
    _invoke(play, "invocation_result_qualifier_v1_after_update", Qualifier=name)
    play(
        "second_publish_response",
        "publish_version",
        FunctionName=FN,
        Description="Second version description :)",
    )
    _invoke(play, "invocation_result_qualifier_v1_after_publish", Qualifier=name)
    play("update_alias_response", "update_alias", **alias, FunctionVersion="2")
    _invoke(play, "invocation_result_qualifier_v2", Qualifier=name)
    _invoke(play, "invocation_exc_not_existent", Qualifier="non-existent-alias")


def handlers(play: Player) -> None:
    play.created(**_code(TWO_HANDLERS))
    _invoke(play, "invoke_result_handler_one")
    play(
        "update_function_configuration_result",
        "update_function_configuration",
        FunctionName=FN,
        Handler="handler.handler_two",
    )
    play.wait()
    play("get_function_result", "get_function", FunctionName=FN)
    _invoke(play, "invoke_result_handler_two")
    play("", "publish_version", FunctionName=FN)
    _invoke(play, "invoke_result_handler_two_postpublish")


def kept_between(play: Player) -> None:
    play.created(**_code(COUNT))
    for step in ("first_invoke_result", "second_invoke_result"):
        _invoke(play, step)


def waits(play: Player, timeout_s: int) -> None:
    play.created("create-result", Timeout=timeout_s, **_code(WAIT))
    _invoke(play, "invoke-result", event={"wait": 2 if timeout_s == 1 else 0.1})


def kept_after_timeout(play: Player) -> None:
    play.created("create-result", Timeout=1, **_code(KEEP))
    for step, event in (
        ("file-write", {"write-file": "some-content"}),
        ("file-read", {"read-file": True}),
        ("set-number", {"set-number": 42}),
        ("read-number", {"read-number": True}),
        ("timed-out", {"sleep": 3}),
        ("file-read-after-timeout", {"read-file": True}),
        ("read-number-after-timeout", {"read-number": True}),
    ):
        _invoke(play, f"invoke-result-{step}", event=event)


def fails(play: Player, module: str, source: str) -> None:
    package = make_zip(**{f"{module}.py": source})
    play.created(Code={"ZipFile": package}, Handler=f"{module}.handler", Runtime="python3.13")
    _invoke(play, "invocation_error")


def too_large(play: Player) -> None:
    play.created(**_code("def handler(event, context): return 'a' * event['count']"))
    for step in ("invoke_result", "invoke_result_2"):
        _invoke(play, step, event={"count": 6 * 1024 * 1024 + 101})


def plain(play: Player, runtime: str = "python3.10", **given: Any) -> None:
    play.created(Runtime=runtime, **_code(ECHO))
    _invoke(play, "invoke-result", **given)


def nothing(play: Player, kind: str) -> None:
    play.created(**_code("def handler(event, context): pass"))
    _invoke(play, "invoke-result", InvocationType=kind)


def undecodable(play: Player, step: str, payload: bytes) -> None:
    play.created(**_code("def handler(event, context): return event"))
    _invoke(play, f"invoke_function_invalid_payload_{step}", Payload=payload)


def absent(play: Player) -> None:
    _invoke(play, "invoke_function_doesnotexist", "doesnotexist")


def throttled(play: Player) -> None:
    play.created(Timeout=20)
    play("fn", "get_function_configuration", FunctionName=FN, Qualifier="$LATEST")
    play(
        "put_reserved",
        "put_function_concurrency",
        FunctionName=FN,
        ReservedConcurrentExecutions=0,
    )
    _invoke(play, "exc_no_cap_requestresponse")
    queue = {"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:any"}}
    play(
        "put_event_invoke_conf",
        "put_function_event_invoke_config",
        FunctionName=FN,
        MaximumRetryAttempts=0,
        DestinationConfig=queue,
    )
    _invoke(play, "invoke_result", InvocationType="Event")


def one_at_a_time(play: Player, name: str = "fn-one") -> None:
    """An event holds the only place; what is asked for meanwhile is refused.

    The name is its own: events of other scenarios' functions may still run.
    """
    play.created(FunctionName=name, **_code(WAIT))
    play("fn", "get_function_configuration", FunctionName=name, Qualifier="$LATEST")
    put = {"FunctionName": name, "ReservedConcurrentExecutions": 1}
    play("put_fn_concurrency", "put_function_concurrency", **put)
    _invoke(play, "", name, InvocationType="Event", event={"wait": 0.5})
    while not play.last_failed:  # until the event has begun
        _invoke(play, "too_many_requests_exc", name, event={"wait": 0})
    while play.last_failed:  # until it is done
        _invoke(play, "", name, event={"wait": 0})


def blocked(play: Player, name: str = "fn-blocked") -> None:
    play.created(FunctionName=name, **_code(ECHO))
    play("v1_result", "publish_version", FunctionName=name)
    put = {"FunctionName": name, "ReservedConcurrentExecutions": 1}
    play("reserved_concurrency_result", "put_function_concurrency", **put)
    hello = {"hello": "world"}
    _invoke(play, "invoke_latest_before_block", name, event=hello)
    play(
        "provisioned_concurrency_result",
        "put_provisioned_concurrency_config",
        FunctionName=name,
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )
    _invoke(play, "invoke_v1_after_block", name, event=hello, Qualifier="1")


RAISE = (
    "\n" * 49
    + """import logging
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    print("Lambda log message - print function")
    logging.info("Lambda log message - logging module")
    raise Exception("Test exception (this is intentional)")
"""
)


def dead_letters(play: Player) -> None:
    queue = {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:any"}
    play.created("create_lambda_with_dlq", DeadLetterConfig=queue, **_code(RAISE))
    change = {"FunctionName": FN, "DeadLetterConfig": {}}
    play("delete_dlq", "update_function_configuration", **change)
    play.wait()
    _invoke(play, "", event={})  # so that the next one's log has no init
    reply = _invoke(play, "invoke_result", event={"raise_error": 1}, LogType="Tail")
    lines = tail_of(reply).splitlines()
    shown = [line for line in lines if not line.startswith("REPORT")]
    play.keep("log_result", "a handler", {"result": shown})


_FAILS = {
    "runtime_exit": "import sys\n\nsys.exit(0)\n",
    "handler_exit": "import sys\n\n\ndef handler(event, context):\n    sys.exit(0)\n",
    "handler_error": 'def handler(event, context):\n    raise Exception("Handler fails")\n',
    "runtime_error": 'raise Exception("Runtime startup fails")\n',
}
_FEATURES = "TestLambdaFeatures::test_invocation_type"
_UNDECODABLE = {
    r"body-n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt": b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt",
    r"message-\x99\xeb,j\x07\xa1zYh": b"\x99\xeb,j\x07\xa1zYh",
}
SCENARIOS: dict[str, Callable[[Player], None]] = {
    "TestLambdaVersions::test_lambda_versions_with_code_changes": versions,
    "TestLambdaVersions::test_lambda_handler_update": handlers,
    "TestLambdaAliases::test_lambda_alias_moving": aliases,
    "TestLambdaBehavior::test_lambda_cache_local[python]": kept_between,
    "TestLambdaBehavior::test_lambda_invoke_with_timeout": partial(waits, timeout_s=1),
    "TestLambdaBehavior::test_lambda_invoke_no_timeout": partial(waits, timeout_s=2),
    "TestLambdaBehavior::test_lambda_invoke_timed_out_environment_reuse": kept_after_timeout,
    **{
        f"TestLambdaErrors::test_lambda_{name}": partial(
            fails, module=f"lambda_{name}", source=source
        )
        for name, source in _FAILS.items()
    },
    "TestLambdaBaseFeatures::test_lambda_too_large_response": too_large,
    f"{_FEATURES}_request_response[python3.10]": plain,
    f"{_FEATURES}_event[python3.10]": partial(plain, InvocationType="Event"),
    f"{_FEATURES}_dry_run[python3.10]": partial(plain, InvocationType="DryRun"),
    **{
        f"{_FEATURES}_no_return_payload[python-{kind}]": partial(nothing, kind=kind)
        for kind in ("RequestResponse", "Event")
    },
    **{
        f"TestLambdaErrors::test_lambda_invoke_payload_encoding_error[{name}]": partial(
            undecodable, step=name.partition("-")[0], payload=payload
        )
        for name, payload in _UNDECODABLE.items()
    },
    "TestLambdaFeatures::test_invoke_exceptions": absent,
    "TestLambdaConcurrency::test_reserved_concurrency": throttled,
    "TestLambdaConcurrency::test_reserved_concurrency_async_queue": one_at_a_time,
    "TestLambdaConcurrency::test_lambda_concurrency_block": blocked,
    "TestLambdaDLQ::test_dead_letter_queue": dead_letters,
    f"{_FEATURES}_request_response[python3.9]": partial(plain, runtime="python3.9"),
    f"{_FEATURES}_event[python3.9]": partial(plain, runtime="python3.9", InvocationType="Event"),
    f"{_FEATURES}_dry_run[python3.9]": partial(plain, runtime="python3.9", InvocationType="DryRun"),
}
