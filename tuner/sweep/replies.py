"""What a reply without FunctionError was like: an error that the function answers in so many words,
or its shape and size. Nothing of its content is kept.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError

from tuner.errors import InputError

FAIL_ON: Final = "fail_on"
"""The error type of a reply that --fail-on matches."""
_SMALL_BYTES: Final = 64
"""Up to here a few bytes more or less say nothing."""


@dataclass(frozen=True, slots=True)
class FailOn:
    """Which replies count as function errors."""

    expression: Any

    def matches(self, payload: bytes) -> bool:
        """Whether the expression is true of a reply. One that it cannot be applied to counts: a
        reply of another kind than the operator described must not pass for work done.
        """
        try:
            found = self.expression.search(_value(payload))
        except (JMESPathError, RecursionError, ArithmeticError):
            return True
        is_number = isinstance(found, int | float) and not isinstance(found, bool)
        return bool(found) or is_number  # JMESPath's own rule: 0 is true


def parse_fail_on(text: str) -> FailOn:
    """Read a JMESPath expression. Raises InputError."""
    try:
        return FailOn(jmespath.compile(text))
    except (JMESPathError, RecursionError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f'--fail-on {text!r} is no JMESPath expression ({why}): write one like "statusCode >= '
            '`400`" or "status == \'failed\'"'
        ) from error


def reply_class(payload: bytes) -> str:
    """Return what a reply is like: "http_4xx", "http_5xx", "batch_failures", or a digest of its
    shape with the power of two of its size.
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
    """The reply's value; of one that is no JSON, its bytes as text."""
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
    for kinds, name in (
        (bool, "bool"),
        (int | float, "number"),
        (str, "text"),
        (list, "list"),
        (dict, "object"),
    ):
        if isinstance(value, kinds):
            return name
    return "null"
