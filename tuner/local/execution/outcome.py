"""What one invocation came to, before it is put into words: and its REPORT."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tuner.local.execution.ending import Ending
from tuner.model.platform_report import PlatformReport

if TYPE_CHECKING:
    from tuner.local.deployment import Deployment, InvokeRequest
    from tuner.model.platform_report import ReportStatus

TOO_LARGE: Final = "Function.ResponseSizeTooLarge"
TOO_LARGE_TEXT: Final = (
    "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer of the function's own, or (with `ending`) the platform's in its place."""

    duration_ms: float
    payload: bytes = field(repr=False)
    ending: Ending | None = None
    function_error: str | None = None

    def report(
        self,
        deployment: Deployment,
        request: InvokeRequest,
        *,
        init_ms: float | None,
        peak_mb: int,
    ) -> PlatformReport:
        """Give the REPORT. INIT is billed with the duration, rounded up together."""
        status: ReportStatus | None = self.ending.status if self.ending else None
        if status is None and deployment.log_format == "JSON":  # which always tells it
            status = "error" if self.function_error else "success"
        return PlatformReport(
            request_id=request.request_id,
            duration_ms=round(self.duration_ms, 2),
            billed_duration_ms=math.ceil(round(self.duration_ms + (init_ms or 0.0), 2)),
            memory_size_mb=deployment.memory_mb,
            max_memory_used_mb=min(peak_mb, deployment.memory_mb),
            init_duration_ms=None if init_ms is None else round(init_ms, 2),
            status=status,
            error_type=self.ending.report_type if self.ending else None,
        )


def too_large(duration_ms: float) -> Outcome:
    """The function answered with more than Lambda takes."""
    ending = Ending(TOO_LARGE_TEXT, TOO_LARGE, TOO_LARGE)
    payload = json.dumps({"errorType": TOO_LARGE, "errorMessage": TOO_LARGE_TEXT}).encode()
    return Outcome(duration_ms, payload, ending, "Unhandled")
