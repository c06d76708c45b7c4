"""Peak memory of a process tree: anonymous and shared memory, without page cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MemorySample:
    """One look at a control group: all that is charged, and what a tree really holds of it."""

    usage_bytes: int
    working_bytes: int
    """Anonymous and shared memory."""


@dataclass(slots=True)
class MemoryPeak:
    """The highest working memory so far, spikes between two samples included.

    The kernel's own high-water mark counts page cache too. Between two samples the cache was at
    most what it is at the fuller end, unless files were dropped meanwhile; so the mark less that is
    a lower bound of the working memory at the spike, and what processes can have held bounds it
    where files were dropped.
    """

    peak_bytes: int = 0
    _last: MemorySample = MemorySample(0, 0)

    def take(
        self,
        sample: MemorySample,
        high_water_bytes: int | None = None,
        bound_bytes: Callable[[], int | None] = lambda: None,
    ) -> int:
        """Take a sample, and the kernel's mark since the last one if it can be reset.

        The bound is asked for only if the mark would raise the peak.
        """
        seen = [self.peak_bytes, sample.working_bytes]
        if high_water_bytes is not None:
            spike = high_water_bytes - max(_other(self._last), _other(sample))
            bound = bound_bytes() if spike > max(seen) else None
            seen.append(spike if bound is None else min(spike, bound))
        self.peak_bytes = max(seen)
        self._last = sample
        return self.peak_bytes


def _other(sample: MemorySample) -> int:
    return max(0, sample.usage_bytes - sample.working_bytes)


def megabytes(size_bytes: int) -> int:
    """Bytes as Lambda reports them: whole MB of 1,048,576 bytes, rounded up."""
    return -(-size_bytes // BYTES_PER_MB)
