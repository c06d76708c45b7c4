"""One duration at one size."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A handler duration, in ms, and its execution environment.

    `cold` marks the handler's own time in a cold start (without INIT): it helps with the curve's
    shape, never with its level. Samples of one size whose `environment` is None are assumed to
    share a single environment: the cautious reading, because assuming too many environments would
    make the curve look surer. `call_number` counts the environment's calls, the cold one as 0; None
    if unknown.
    """

    memory_mb: int
    duration_ms: float
    environment: str | None = None
    cold: bool = False
    call_number: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no platform reports: it would poison every later logarithm."""
        if self.memory_mb <= 0 or not math.isfinite(self.duration_ms) or self.duration_ms < 0:
            raise ValueError(
                f"a sample needs a positive size and a finite duration: "
                f"{self.memory_mb} MB, {self.duration_ms} ms"
            )
