"""One warm duration at one size."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A warm handler duration, in ms, and the execution environment that it came from.

    Samples of one size whose `environment` is None are taken to share a single environment: the
    cautious reading, since more environments than there were would make the curve look surer.
    """

    memory_mb: int
    duration_ms: float
    environment: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no platform reports: it would poison every logarithm after it."""
        if self.memory_mb <= 0 or not math.isfinite(self.duration_ms) or self.duration_ms < 0:
            raise ValueError(
                f"a sample needs a positive size and a finite duration: "
                f"{self.memory_mb} MB, {self.duration_ms} ms"
            )
