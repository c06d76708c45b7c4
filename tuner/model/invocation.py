"""One call of the function: what came back, what the platform reported, what it counts as."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

ReportStatus = Literal["success", "error", "timeout"]


@dataclass(frozen=True, slots=True)
class PlatformReport:
    """The fields of a REPORT line or of a `platform.report` record. Times are never summed here.

    `billed_duration_ms` is what is charged: it already includes INIT (or the billed restore).
    """

    request_id: str
    duration_ms: float
    billed_duration_ms: int
    memory_size_mb: int
    max_memory_used_mb: int | None = None
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    billed_restore_duration_ms: float | None = None
    status: ReportStatus | None = None
    error_type: str | None = None
    xray_trace_id: str | None = None

    @property
    def cold_start(self) -> bool:
        """Whether there was an init or a restore."""
        return self.init_duration_ms is not None or self.restore_duration_ms is not None

    @property
    def figures(
        self,
    ) -> tuple[float, int, int, int | None, float | None, float | None, float | None]:
        """Its seven numbers, in the order of the fields."""
        return (
            self.duration_ms,
            self.billed_duration_ms,
            self.memory_size_mb,
            self.max_memory_used_mb,
            self.init_duration_ms,
            self.restore_duration_ms,
            self.billed_restore_duration_ms,
        )


@dataclass(frozen=True, slots=True)
class InvokeReply:
    """An accepted invocation's reply, before anything judged it.

    `payload` is the whole body, for whatever judges the reply: it stays in memory and is dropped
    with it. It must not be in any file or log.
    """

    status_code: int
    function_error: str | None
    """None, "Handled" or "Unhandled" (the X-Amz-Function-Error header)."""
    payload: bytes = field(repr=False)
    log_tail: str = field(repr=False)
    executed_version: str | None
    client_duration_ms: float
    request_id: str | None = None
    trace_header: str | None = None
    """X-Amzn-Trace-Id as it came back."""
    host_load_ratio: float | None = None
    """From a local endpoint: the share of its machine that other processes had meanwhile."""
    host_loop_ms: float | None = None
    """From a local endpoint: what a fixed loop took on its machine, which tells its speed."""


class Outcome(StrEnum):
    """What became of an invocation; only a success is a duration sample."""

    SUCCESS = "success"
    FUNCTION_ERROR = "function_error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    SERVICE_ERROR = "service_error"
    LOST_REPLY = "lost_reply"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call that was sent and accepted (a throttle runs nothing: it is counted separately).

    `environment` names the execution environment if it's known (version and ordinal, "7/1"), else
    None. `discarded` is the reason why a success isn't a fair sample: the first one after a crash
    or a timeout has a new init in its duration.
    """

    index: int
    memory_mb: int
    version: str
    payload: str
    started_s: float
    """Seconds since the sweep began."""
    client_duration_ms: float
    outcome: Outcome
    cost_usd: float
    report: PlatformReport | None = None
    environment: str | None = None
    throttle_count: int = 0
    """How often the call was throttled before it was accepted."""
    error_type: str | None = None
    discarded: str | None = None
    event_index: int | None = None
    """Which event of its payload class was sent, from 0."""
    reply_class: str | None = None
    """What a reply without FunctionError was like, without its content: "http_4xx", "http_5xx",
    "batch_failures", or a digest of its shape and its rough size ("3fa9c2d1/8")."""

    @property
    def cold_start(self) -> bool:
        """Whether there was an init or a restore."""
        return self.report is not None and self.report.cold_start

    @property
    def is_warm_sample(self) -> bool:
        """Whether its duration may be used as a warm sample."""
        return (
            self.outcome is Outcome.SUCCESS
            and self.report is not None
            and not self.cold_start
            and self.discarded is None
        )


@dataclass(frozen=True, slots=True)
class MinuteLoad:
    """Invocations in one minute, and the most that ran at once (None: not known)."""

    start: datetime
    invocation_count: float
    max_concurrency: float | None = None


def parse_trace(header: str | None) -> dict[str, str]:
    """Read an X-Amzn-Trace-Id: `Root=…;Parent=…;Sampled=…`; empty parts are left out."""
    pairs = (part.partition("=") for part in (header or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}
