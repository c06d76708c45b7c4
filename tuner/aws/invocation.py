"""Synchronous invocations: sent once, timed, and read to the end.

A request that may have reached the function is never sent again, by the SDK or here: it would run
the function twice and bill it twice. What can be known of a refusal is whether the function ran:

- surely not: the connection was never made; every 4xx; a 5xx by which Lambda names what it could
  not set up (network, keys, code). A throttle is one of these that may be sent again.
- perhaps: the connection broke or timed out after the request was sent; ServiceException and every
  5xx without such a name. These raise LostReplyError and count as spent.
"""

from __future__ import annotations

import re
import threading
import time
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from botocore import exceptions as boto

from tuner.aws.connection_errors import Request
from tuner.aws.service_errors import MALFORMED, REFUSALS, refused
from tuner.errors import LostReplyError, TunerError
from tuner.model.invocation import InvokeReply
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_lambda.client import LambdaClient

    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.session import Session

# Above the function's own timeout: an init of up to 10 s, the fetch of an image, the way back.
_GRACE_S = 30
_CHUNK_BYTES = 64 * 1024
# The limit is on the payload (AWS documents 6 MB, and sends up to 6,291,556 bytes).
_READ_LIMIT_BYTES = MAX_SYNC_PAYLOAD_BYTES + _CHUNK_BYTES

# Raised once the request was, or may have been, on its way. HTTPClientError is botocore's word for
# anything unexpected, and TLS can break in the middle of a reply too.
_PERHAPS_RAN = (
    boto.ConnectionClosedError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    boto.ReadTimeoutError,
    boto.ResponseStreamingError,
    boto.SSLError,
)
# Lambda's API reference, "Invoke", Errors: what Lambda couldn't set up, so nothing ran.
SETUP_FAILURES = frozenset(
    ("EC2AccessDeniedException", "EC2ThrottledException", "EC2UnexpectedException",
     "ENILimitReachedException", "ENINotReadyException", "InvalidRuntimeException",
     "InvalidSecurityGroupIDException", "InvalidSubnetIDException", "InvalidZipFileException",
     "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException",
     "KMSNotFoundException", "ResourceNotReadyException", "SubnetIPAddressLimitReachedException")
)  # fmt: skip


class Invocations:
    """Sends invocations from any number of threads.

    botocore's read timeout belongs to a client, so there is one client, with its pool of
    connections, for each timeout that functions have.
    """

    def __init__(
        self,
        session: Session,
        *,
        max_connections: int,
        clock: Callable[[], float] = time.perf_counter,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._session = session
        self._max_connections = max_connections
        self._clock = clock
        self._grace_s = grace_s
        self._clients: dict[int, LambdaClient] = {}
        self._lock = threading.Lock()

    def invoke(
        self, function: FunctionRef, version: str, payload: bytes, *, timeout_s: int
    ) -> InvokeReply:
        """Invoke one version and wait for its answer; the module says what is raised."""
        client = self._clients.get(timeout_s) or self._client(timeout_s)
        clock = self._clock
        started_s = clock()
        try:
            # "name:1" rather than Qualifier, which some servers of this API ignore.
            answer = client.invoke(
                FunctionName=f"{function.target}:{version}", LogType="Tail", Payload=payload
            )
            payload = _read(answer["Payload"])
        except REFUSALS as error:
            raise self._refused(error, function, version) from error
        about = answer.get("ResponseMetadata", {})
        return InvokeReply(
            status_code=answer["StatusCode"],
            function_error=answer.get("FunctionError"),
            payload=payload,
            log_tail=_log_tail(answer.get("LogResult")),
            executed_version=answer.get("ExecutedVersion"),
            client_duration_ms=(clock() - started_s) * 1000,
            request_id=about.get("RequestId"),
            trace_header=about.get("HTTPHeaders", {}).get("x-amzn-trace-id"),
            host_load_ratio=_of_host(about, "x-tuner-host-load", r"[01]\.[0-9]{2}"),
            host_loop_ms=_of_host(about, "x-tuner-host-loop-ms", r"[0-9]{1,4}\.[0-9]{4}"),
        )

    def close(self) -> None:
        """Close every connection; a later invocation opens new ones."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _client(self, timeout_s: int) -> LambdaClient:
        with self._lock:
            if timeout_s not in self._clients:
                self._clients[timeout_s] = self._session.client(
                    "lambda",
                    connect_timeout=10,
                    read_timeout=timeout_s + self._grace_s,
                    retries={"mode": "standard", "total_max_attempts": 1},
                    max_pool_connections=self._max_connections,
                    # The parameters are made here, for every invocation.
                    parameter_validation=False,
                )
            return self._clients[timeout_s]

    def _refused(self, error: Exception, function: FunctionRef, version: str) -> TunerError:
        request = Request("Invoke", function, version)
        if isinstance(error, boto.ClientError):
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = error.response.get("Error", {}).get("Code", "")
            if status >= 500 and code not in SETUP_FAILURES:
                return _lost(function, f"Lambda answered with {status}")
        elif isinstance(error, _PERHAPS_RAN):
            return _lost(function, type(error).__name__)
        elif isinstance(error, MALFORMED) and not isinstance(error, boto.BotoCoreError):
            return _lost(function, f"its answer can't be read, {type(error).__name__}")
        return refused(error, self._session.connection, request)


def _of_host(about: Mapping[str, Any], header: str, pattern: str) -> float | None:
    """Read what a local endpoint reports about its machine; Lambda reports nothing."""
    said = about.get("HTTPHeaders", {}).get(header)
    return float(said) if said and re.fullmatch(pattern, said) else None


def _lost(function: FunctionRef, why: str) -> LostReplyError:
    return LostReplyError(
        f"no reply from {function.name} ({why}): it may have run, so the invocation counts as spent"
    )


def _read(body: Any) -> bytes:
    """Read a body to its end, which frees the connection."""
    chunks, size = [], 0
    while chunk := body.read(_CHUNK_BYTES):
        chunks.append(chunk)
        size += len(chunk)
        if size > _READ_LIMIT_BYTES:
            body.close()
            raise boto.IncompleteReadError(actual_bytes=size, expected_bytes=MAX_SYNC_PAYLOAD_BYTES)
    return b"".join(chunks)


def _log_tail(encoded: str | None) -> str:
    """Invalid base64 counts as no log: the missing report is noticed later."""
    try:
        return b64decode(encoded, validate=True).decode("utf-8", "replace") if encoded else ""
    except ValueError:
        return ""
