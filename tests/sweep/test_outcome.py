"""What came of an invocation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.model.invocation import InvokeReply, Outcome, PlatformReport
from tuner.sweep.outcome import classify, import_failure, is_crash


def reply(error: Any = None, *, raw: bytes | None = None) -> InvokeReply:
    failed = error is not None or raw is not None
    body = raw if raw is not None else json.dumps(error).encode()
    return InvokeReply(
        200, "Unhandled" if failed else None, body if failed else b"", "", "1", 5.0, 2
    )


def report(**fields: Any) -> PlatformReport:
    return PlatformReport("id", 3.0, 4, 128, 126, **fields)


TIMED_OUT = "2019-10-28T19:59:56.444Z 55ee7ddc-0000-4000 Task timed out after 3.00 seconds"
KILLED = "RequestId: 55ee Error: Runtime exited with error: signal: killed"


@pytest.mark.parametrize(
    ("answer", "line", "outcome", "error_type"),
    [
        (reply(), report(), Outcome.SUCCESS, None),
        (reply(), report(status="success"), Outcome.SUCCESS, None),
        (reply(), None, Outcome.SUCCESS, None),
        # Its own words in its log, not Lambda's: the reply has no FunctionError.
        (reply(), report(status="timeout"), Outcome.SUCCESS, None),
        (
            reply({"errorType": "KeyError", "errorMessage": "'card'"}),
            report(),
            Outcome.FUNCTION_ERROR,
            "KeyError",
        ),
        (reply({"errorMessage": TIMED_OUT}), report(), Outcome.TIMEOUT, None),
        (reply({"errorMessage": TIMED_OUT}), None, Outcome.TIMEOUT, None),
        (reply({"errorType": "X"}), report(status="timeout"), Outcome.TIMEOUT, "X"),
        (
            reply(
                {
                    "errorType": "Sandbox.Timedout",
                    "errorMessage": "RequestId: 1 Error: Task timed out after 3.00 seconds",
                }
            ),
            None,
            Outcome.TIMEOUT,
            "Sandbox.Timedout",
        ),
        (
            reply({"errorType": "Runtime.ExitError", "errorMessage": KILLED}),
            report(status="error"),
            Outcome.OUT_OF_MEMORY,
            "Runtime.ExitError",
        ),
        (
            reply({"errorType": "Runtime.ExitError", "errorMessage": "exit status 1"}),
            report(status="error", error_type="Runtime.OutOfMemory"),
            Outcome.OUT_OF_MEMORY,
            "Runtime.OutOfMemory",
        ),
        (
            reply({"errorType": "Runtime.ExitError", "errorMessage": "exit status 1"}),
            report(status="error", error_type="Runtime.ExitError"),
            Outcome.FUNCTION_ERROR,
            "Runtime.ExitError",
        ),
        (reply({"errorType": "MemoryError"}), None, Outcome.OUT_OF_MEMORY, "MemoryError"),
        # A handler's own error may say anything.
        (
            reply({"errorType": "CeleryError", "errorMessage": TIMED_OUT}),
            report(),
            Outcome.FUNCTION_ERROR,
            "CeleryError",
        ),
        (
            reply({"errorType": "ValueError", "errorMessage": "signal: killed"}),
            report(),
            Outcome.FUNCTION_ERROR,
            "ValueError",
        ),
    ],
)
def test_outcomes_are_told_apart(
    answer: InvokeReply, line: PlatformReport | None, outcome: Outcome, error_type: str | None
) -> None:
    """Success, function error, timeout and memory kill, in the forms that Lambda gives them."""
    assert classify(answer, line) == (outcome, error_type)


def test_memory_used_up_is_no_evidence_of_a_kill() -> None:
    """A function that used all of its memory and answered has succeeded."""
    full = PlatformReport("id", 3.0, 4, 128, 128, status="success")
    assert classify(reply(), full)[0] is Outcome.SUCCESS


@given(st.binary(max_size=200))
def test_any_error_payload_is_judged_and_none_is_repeated(raw: bytes) -> None:
    """A failed call never counts as a success, and its type is a name or "unknown"."""
    outcome, error_type = classify(reply(raw=raw), None)
    assert outcome is not Outcome.SUCCESS
    assert error_type is None or error_type.isascii()


@pytest.mark.parametrize(
    "kind", ["\x1b[31mred", "a" * 500, "card 4111 1111", 7, ["x"], "<script>", "é"]
)
def test_an_error_type_that_is_no_name_is_not_passed_on(kind: object) -> None:
    """Whatever a function puts there, only the name of a class is shown."""
    assert classify(reply({"errorType": kind}), None)[1] == "unknown"


def test_crashes_are_those_that_end_the_process() -> None:
    """A handler's exception leaves its process alive."""
    assert is_crash(Outcome.TIMEOUT, None)
    assert is_crash(Outcome.OUT_OF_MEMORY, "Runtime.ExitError")
    assert is_crash(Outcome.FUNCTION_ERROR, "Runtime.ExitError")
    assert not is_crash(Outcome.FUNCTION_ERROR, "KeyError")
    assert not is_crash(Outcome.SUCCESS, None)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Unable to import module 'app': No module named 'requests'", "the module requests that"),
        ("Unable to import module 'app': No module named 'app'", "app that its Handler names"),
        ("Error: Cannot find module '@aws-sdk/client-s3'\nRequire stack:", "@aws-sdk/client-s3"),
        ("Error: Cannot find package 'uuid' imported from /var/task/a.mjs", "the module uuid that"),
        ("Unable to import module 'app': cannot import name 'x'", "its code can't be imported"),
        ("No module named 'secret value \\n'", "its code can't be imported"),
    ],
)
def test_an_import_error_names_the_module_and_nothing_else(message: str, said: str) -> None:
    """A module's name is told; no other word of the message is, and no other error counts."""
    shape = {"errorType": "Runtime.ImportModuleError", "errorMessage": message}
    why = import_failure(reply(shape))
    assert why is not None
    assert said in why
    assert "secret" not in why
    assert import_failure(reply({**shape, "errorType": "KeyError"})) is None
    assert import_failure(reply()) is None
