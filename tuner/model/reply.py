"""What came back over the wire from one invocation."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class InvokeReply:
    """An accepted invocation's reply, before anybody judged it.

    `payload` is the whole body, for whoever judges the reply: it stays in memory and is dropped
    with it. No file and no log may have it.
    """

    status_code: int
    function_error: str | None
    """None, "Handled" or "Unhandled" (the X-Amz-Function-Error header)."""
    payload: bytes = field(repr=False)
    log_tail: str = field(repr=False)
    executed_version: str | None
    client_duration_ms: float
    response_size_bytes: int
    request_id: str | None = None
    trace_header: str | None = None
    """X-Amzn-Trace-Id as it came back."""
    host_load_ratio: float | None = None
    """Of a local endpoint: the part of its machine that other processes had meanwhile."""
