"""What became of an invocation, judged from its reply and its REPORT line.

A reply without FunctionError is kept only as a class: an error that the function returns in so many
words, or the reply's shape and size. Nothing of its content is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import jmespath
from jmespath.exceptions import JMESPathError

from tuner.errors import ReportLineError, UsageError
from tuner.logs import parse_report
from tuner.logs.stream import ERROR_TYPE, MEMORY_ERRORS
from tuner.model.invocation import Outcome
from tuner.model.record import read_object

if TYPE_CHECKING:
    from tuner.model.invocation import InvokeReply, PlatformReport

_TIMED_OUT = re.compile(r"(?:^|: |\S+Z \S+ )Task timed out after \d+\.\d\d seconds$")
_IMPORT_ERROR: Final = "Runtime.ImportModuleError"
_MISSING_MODULE: Final = re.compile(
    r"(?:No module named|Cannot find (?:module|package)) '([A-Za-z0-9_@./-]{1,120})'"
)
_CRASHES: Final = ("Runtime.", "Sandbox.", "Extension.")
UNKNOWN_ERROR: Final = "unknown"
FAIL_ON: Final = "fail_on"
"""The error type of a reply that --fail-on matches."""
_SMALL_BYTES: Final = 64
"""Up to this size, a few bytes more or less mean nothing."""


def classify(
    reply: InvokeReply, report: PlatformReport | None, fail_on: FailOn | None = None
) -> tuple[Outcome, str | None]:
    """Return the outcome and the error's type (its class name, never its message).

    Memory used doesn't prove a kill: killed functions were seen below their limit, and functions at
    their limit were seen to time out. A reply without FunctionError isn't a timeout, whatever the
    log says: Lambda ends a call with an error, and a handler may log anything.
    """
    error_type, message = _error_object(reply)
    report_type = _shown_type(report.error_type) if report and report.error_type else None
    status = report.status if report else None
    if reply.function_error is None and status != "error":
        if fail_on is not None and fail_on.matches(reply.payload):
            return Outcome.FUNCTION_ERROR, FAIL_ON
        return Outcome.SUCCESS, None
    known_type = report_type or error_type
    types = {report_type, error_type}
    if types & MEMORY_ERRORS or ("Runtime.ExitError" in types and "signal: killed" in message):
        return Outcome.OUT_OF_MEMORY, known_type
    if status == "timeout" or error_type == "Sandbox.Timedout" or _is_timeout(error_type, message):
        return Outcome.TIMEOUT, known_type
    return Outcome.FUNCTION_ERROR, error_type or report_type or UNKNOWN_ERROR


@lru_cache(maxsize=32)  # the worker that got a log and the sweep that judges it both look
def report_in(log: str) -> PlatformReport | None:
    """The REPORT line in a log; None if it was pushed out of the tail."""
    try:
        return parse_report(log)
    except ReportLineError:
        return None


def import_failure(reply: InvokeReply) -> str | None:
    """Say what can't be imported, if that's why the function failed: no memory size helps."""
    kind, message = _error_object(reply)
    if kind != _IMPORT_ERROR:
        return None
    missing = _MISSING_MODULE.search(message)
    if missing is None:
        return f"its code can't be imported ({_IMPORT_ERROR})"
    name = missing[1]
    if f"import module '{name}'" in message:
        return f"the module {name} that its Handler names is not in its code ({_IMPORT_ERROR})"
    return f"the module {name} that its code imports is missing ({_IMPORT_ERROR})"


def is_crash(outcome: Outcome, error_type: str | None) -> bool:
    """Whether the environment's process ended: the next call's duration holds a new init."""
    if outcome in (Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY):
        return True
    return outcome is Outcome.FUNCTION_ERROR and (error_type or "").startswith(_CRASHES)


def _is_timeout(error_type: str | None, message: str) -> bool:
    """Whether Lambda itself reports it; a handler's own error has a type."""
    return error_type in (None, UNKNOWN_ERROR) and _TIMED_OUT.search(message) is not None


def _error_object(reply: InvokeReply) -> tuple[str | None, str]:
    if reply.function_error is None:
        return None, ""
    error = read_object(reply.payload) or {}
    kind, message = error.get("errorType"), error.get("errorMessage")
    return _shown_type(kind) if kind else None, message if isinstance(message, str) else ""


def _shown_type(text: object) -> str:
    return text if isinstance(text, str) and ERROR_TYPE.fullmatch(text) else UNKNOWN_ERROR


@dataclass(frozen=True, slots=True)
class FailOn:
    """Which replies count as function errors."""

    expression: Any

    def matches(self, payload: bytes) -> bool:
        """Whether the expression is true of a reply. An expression that can't be applied counts as
        true: a reply of another kind than the operator described must not pass for work done.
        """
        try:
            found = self.expression.search(_value(payload))
        except Exception:  # JMESPath lets through what Python says of types that don't compare
            return True
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return bool(found) or is_number  # JMESPath's own rule: 0 is true


def parse_fail_on(text: str) -> FailOn:
    """Read a JMESPath expression. Raises UsageError."""
    try:
        return FailOn(jmespath.compile(text))
    except (JMESPathError, RecursionError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"`fail_on` {text!r} isn't a JMESPath expression ({why}): write one like "
            '"statusCode >= `400`" or "status == \'failed\'"'
        ) from error


def reply_class(payload: bytes) -> str:
    """Return what a reply is like: "http_4xx", "http_5xx", "batch_failures", or a digest of its
    shape with its size as a power of two.
    """
    value = _value(payload)
    if isinstance(value, dict):
        status = value.get("statusCode")
        if isinstance(status, str) and status.isascii() and status.isdecimal():
            status = int(status[:4])
        if isinstance(status, int | float) and 400 <= status < 600:
            return "http_4xx" if status < 500 else "http_5xx"
        if value.get("batchItemFailures"):
            return "batch_failures"
    digest = hashlib.sha256(_shape(value).encode(errors="backslashreplace")).hexdigest()[:8]
    return f"{digest}/{max(len(payload), _SMALL_BYTES).bit_length()}"


def _value(payload: bytes) -> Any:
    """The reply's value; if it isn't JSON, its bytes as text."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")


def _shape(value: Any) -> str:
    """The kinds of a value and of its fields."""
    if not isinstance(value, dict):
        return _kind(value)
    return json.dumps(sorted((key, _kind(field)) for key, field in value.items()))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return {bool: "bool", str: "text", list: "list", dict: "object"}.get(type(value), "number")
