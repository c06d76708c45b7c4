"""One call of the function and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.model.platform_report import PlatformReport


class Outcome(StrEnum):
    """What came of an invocation; only a success is a duration sample."""

    SUCCESS = "success"
    FUNCTION_ERROR = "function_error"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    SERVICE_ERROR = "service_error"
    LOST_REPLY = "lost_reply"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call that was sent and accepted (a throttle runs nothing: it is counted beside).

    `environment` names the execution environment where it can be known (version and ordinal,
    "7/1"), else None. `discarded` marks a success that is no fair sample, with the reason: the
    first one after a crash or a timeout holds a new init in its duration.
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
    """What a reply without FunctionError was like, none of its content: "http_4xx", "http_5xx",
    "batch_failures", or a digest of its shape and a class of its size ("3fa9c2d1/8").
    """

    @property
    def cold_start(self) -> bool:
        """Whether an init or a restore happened."""
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
