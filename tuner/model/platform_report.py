"""What the platform says of one invocation: the REPORT line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ReportStatus = Literal["success", "error", "timeout"]


@dataclass(frozen=True, slots=True)
class PlatformReport:
    """The fields of a REPORT line or of a `platform.report` record. Times are never summed here.

    `billed_duration_ms` is what is charged: it holds INIT (or the billed restore) already.
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
        """Whether an init or a restore happened."""
        return self.init_duration_ms is not None or self.restore_duration_ms is not None
