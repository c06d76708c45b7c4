"""Invoke: limits and throttles first, then the executor, then Lambda's headers."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from json import JSONDecodeError
from typing import TYPE_CHECKING, Final

from tuner.local.control_plane.api_error import ApiError, throttled, too_large
from tuner.local.control_plane.events import EventQueue
from tuner.local.deployment import (
    MAX_RESPONSE_BYTES,
    InvokeRequest,
    InvokeResult,
    too_large_payload,
)
from tuner.local.http.message import BodyTooLargeError, Response
from tuner.local.machine_load import HostLoad, watched
from tuner.model.invocation import parse_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.local.control_plane.function_store import FunctionStore, Target
    from tuner.local.control_plane.lambda_api import Call
    from tuner.local.deployment import Executor

MAX_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
MAX_EVENT_BYTES: Final = 1024 * 1024
LOG_TAIL_BYTES: Final = 4096
MAX_RUNS: Final = 16
"""Of one function in a chain of requests; then Lambda stops it as a recursive loop."""
_LINEAGE_ENTRY: Final = re.compile(r"([0-9a-f]{8}):([0-9]{1,5})")
_MAX_LINEAGE_ENTRIES: Final = 32
_VALUES: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_FIELD: Final = "was expecting double-quote to start field name"
_WANTED: Final = {
    "Expecting value": f"expected a valid value {_VALUES}",
    "Expecting property name enclosed in double quotes": _FIELD,
    "Illegal trailing comma before end of object": _FIELD,
    "Expecting ':' delimiter": "was expecting a colon to separate field name and value",
    "Expecting ',' delimiter": "was expecting comma to separate entries",
}
_IN_STRING: Final = ("Unterminated string", "Invalid control character", "Invalid \\")


class Concurrency:
    """Counts running invocations and refuses those over a limit."""

    def __init__(self, account_limit: int, reserved_in_all: Callable[[], int]) -> None:
        self._account_limit = account_limit
        self._reserved_in_all = reserved_in_all
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        """By the function that they are reserved for; "" has the rest."""

    @contextmanager
    def slot(self, target: Target) -> Iterator[None]:
        """Hold one invocation's place; raises a throttle's ApiError."""
        whose, limit = target.function_name, target.reserved_concurrency
        reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
        if limit is None:
            whose, limit = "", self._account_limit - self._reserved_in_all()
            reason = "ConcurrentInvocationLimitExceeded"
        with self._lock:
            if self._running[whose] >= limit:
                raise throttled(reason)
            self._running[whose] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[whose] -= 1


class InvokeApi:
    """Runs invocations: synchronous ones in the caller's thread, events from a queue."""

    def __init__(
        self,
        store: FunctionStore,
        executor: Executor,
        concurrency: Concurrency,
        event_retry_delays_s: tuple[float, ...],
    ) -> None:
        self._store = store
        self._executor = executor
        self._concurrency = concurrency
        # Scripted replies use no CPU, so nothing of theirs can be too slow.
        self._load = None if executor.limits.cpu_control == "none" else HostLoad()
        self._events = EventQueue(self._run, retry_delays_s=event_retry_delays_s)

    def invoke(self, call: Call) -> Response:
        """Invoke, as RequestResponse, Event or DryRun."""
        reference = call.reference
        headers = call.request.headers
        kind = headers.get("x-amz-invocation-type") or "RequestResponse"
        log_type = headers.get("x-amz-log-type") or "None"
        payload = _read_payload(call, MAX_EVENT_BYTES if kind == "Event" else MAX_PAYLOAD_BYTES)
        target = self._store.target(reference)
        if kind == "DryRun":
            return Response(204)
        request = InvokeRequest(
            request_id=str(uuid.uuid4()),
            payload=payload,
            invoked_arn=target.invoked_arn,
            trace_header=headers.get("x-amzn-trace-id"),
            client_context=_client_context(headers.get("x-amz-client-context")),
            asynchronous=kind == "Event",
        )
        if kind == "Event":
            self._events.put(partial(self._store.target, reference), request)
            return Response(202, headers=(("x-amzn-RequestId", request.request_id),))
        with watched(self._load) as told:
            result = self._run(target, request)
        reply = _reply(target, request, result, tail=log_type == "Tail")
        reply.headers = (*reply.headers, *told)
        return reply

    def close(self) -> None:
        """Take no more events; waiting ones are dropped."""
        self._events.close()

    def _run(self, target: Target, request: InvokeRequest) -> InvokeResult:
        counted = replace(request, lineage=_lineage_of(target, request.trace_header))
        with self._concurrency.slot(target):
            return self._executor.invoke(target.deployment, counted)


def _lineage_of(target: Target, trace_header: str | None) -> str:
    """Return the chain's lineage including this invocation.

    Lambda counts in the trace header: its Lineage says how often each function ran in this chain of
    requests, and AWS's SDKs pass it on.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html

    Raises the ApiError of a stopped recursion, unless the function allows it.
    """
    given = parse_trace(trace_header).get("Lineage", "")
    found = (_LINEAGE_ENTRY.fullmatch(entry) for entry in given.split("|")[:_MAX_LINEAGE_ENTRIES])
    counts = {match[1]: int(match[2]) for match in found if match}
    own = hashlib.sha256(target.function_name.encode()).hexdigest()[:8]
    runs = counts.get(own, 0)
    if runs >= MAX_RUNS and target.stops_recursion:
        raise ApiError(
            400,
            "RecursiveInvocationException",
            f"Function {target.function_name} was detected in a recursive loop and stopped after "
            f"{MAX_RUNS} invocations in one chain of requests",
        )
    return "|".join(f"{name}:{count}" for name, count in {**counts, own: runs + 1}.items())


def _read_payload(call: Call, max_bytes: int) -> bytes:
    try:
        payload = call.request.read(max_bytes)
    except BodyTooLargeError:
        size = call.request.content_length
        said = "The payload" if size is None else f"{size} byte payload"
        if max_bytes == MAX_EVENT_BYTES:
            message = f"{said} is too large for the Event invocation type (limit {max_bytes} bytes)"
        else:
            message = (
                f"Request must be smaller than {max_bytes} bytes for the InvokeFunction operation"
            )
        raise too_large(message) from None
    if not payload:
        return b"{}"
    why = why_not_json(payload) if payload != b"{}" else None
    if why is not None:
        raise ApiError(
            400,
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {why}",
        )
    return payload


def _client_context(header: str | None) -> str | None:
    """Decode the header's base64; anything but base64 of JSON is refused, as by Lambda."""
    if not header:
        return None
    try:
        text = base64.b64decode(header, validate=True).decode()
        json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError(
            400,
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
        ) from None
    return text


def _reply(target: Target, request: InvokeRequest, result: InvokeResult, *, tail: bool) -> Response:
    payload, error = result.payload, result.function_error
    if len(payload) > MAX_RESPONSE_BYTES:
        payload, error = too_large_payload(), "Unhandled"
    new_trace = f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Sampled=0"
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", request.request_id),
        ("X-Amz-Executed-Version", target.deployment.version),
        ("X-Amzn-Trace-Id", result.trace_header or request.trace_header or new_trace),
    ]
    if error:
        headers.append(("X-Amz-Function-Error", error))
    if tail:
        log_tail = base64.b64encode(result.log[-LOG_TAIL_BYTES:]).decode()
        headers.append(("X-Amz-Log-Result", log_tail))
    return Response(200, payload, tuple(headers))


def why_not_json(payload: bytes) -> str | None:
    """Explain the first fault in the words, and with the place, of AWS's parser; None for JSON.

    A token that's no JSON isn't repeated, as AWS does: payloads stay out of messages.
    """
    bad = None
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        text, bad = payload[: error.start].decode(), error.start
    try:
        json.loads(text, parse_constant=_refuse)
    except JSONDecodeError as error:
        return _explain(payload, text, error, bad)
    except ValueError:  # NaN or Infinity, which Python would take
        return _told(payload, len(payload), f"Unrecognized token: was expecting {_VALUES}")
    except RecursionError:
        return _told(payload, len(payload), "Document nesting depth exceeds the maximum allowed")
    return None if bad is None else _at_byte(payload, bad)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _explain(payload: bytes, text: str, error: JSONDecodeError, bad: int | None) -> str:
    rest, begin = text[error.pos :], len(text[: error.pos].encode())
    if error.msg == "Expecting value" and (rest[:1].isalpha() or rest[:1] in ("_", "$")):
        length = next((n for n, c in enumerate(rest) if not (c.isalnum() or c in "_$")), len(rest))
        end = begin + len(rest[:length].encode())
        if end == bad:
            return _start_byte(payload, bad)
        following = end + 1 if end < len(payload) else end
        return _told(payload, following, f"Unrecognized token: was expecting {_VALUES}")
    if bad is not None and error.msg.startswith(_IN_STRING):
        return _start_byte(payload, bad)
    if rest == "":
        return (
            _told(payload, begin, "Unexpected end-of-input")
            if bad is None
            else _at_byte(payload, bad, _WANTED.get(error.msg, ""))
        )
    wanted = _WANTED.get(error.msg, error.msg)
    return _told(payload, begin, f"Unexpected character ({_named(rest[0])}): {wanted}")


def _at_byte(payload: bytes, bad: int, wanted: str = "expected space") -> str:
    words = f"Unexpected character ({_named(chr(payload[bad]))}): {wanted}"
    return _told(payload, bad, words)


def _start_byte(payload: bytes, bad: int) -> str:
    return _told(payload, bad + 1, f"Invalid UTF-8 start byte {payload[bad]:#x}")


def _named(character: str) -> str:
    code = ord(character)
    if code < 32 or 127 <= code < 160:
        return f"(CTRL-CHAR, code {code})"
    return f"'{character}' (code {code}{f' / {code:#x}' if code > 255 else ''})"


def _told(payload: bytes, begin: int, words: str) -> str:
    line = payload.count(b"\n", 0, begin) + 1
    column = begin - payload.rfind(b"\n", 0, begin)
    return (
        f"{words}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` "
        f"disabled); line: {line}, column: {column}]"
    )
