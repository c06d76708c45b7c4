"""What came of each version's invocations in a span of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

Source = Literal["logs", "metrics"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One version's invocations.

    Durations are those of warm successes: a version that just got traffic starts cold more often,
    whatever its memory.
    """

    count: int = 0
    """Invocations that ran."""
    failure_count: int = 0
    """Those that failed, for whatever reason: timeouts and kills too."""
    timeout_count: int = 0
    kill_count: int = 0
    """Out of memory."""
    throttle_count: int = 0
    """Requests that were refused; 0 if that can't be known."""
    durations_ms: tuple[float, ...] = ()
    billed_ms: tuple[float, ...] = ()
    """In the order of `durations_ms`."""
    mean_duration_ms: float | None = None
    """Where single durations can't be had: the mean of all invocations."""

    def __add__(self, other: Arm) -> Arm:
        means = [each for each in (self, other) if each.mean_duration_ms is not None and each.count]
        count = sum(each.count for each in means)
        total = sum((each.mean_duration_ms or 0.0) * each.count for each in means)
        return Arm(
            self.count + other.count,
            self.failure_count + other.failure_count,
            self.timeout_count + other.timeout_count,
            self.kill_count + other.kill_count,
            self.throttle_count + other.throttle_count,
            (*self.durations_ms, *other.durations_ms),
            (*self.billed_ms, *other.billed_ms),
            total / count if count else None,
        )


@dataclass(frozen=True, slots=True)
class Block:
    """Both versions in the same span of time."""

    old: Arm
    new: Arm

    def __add__(self, other: Block) -> Block:
        return Block(self.old + other.old, self.new + other.new)


class VersionFigures(Protocol):
    """Reads what came of a function's versions."""

    source: Source
    block_s: float
    """The shortest span that can be asked for; spans begin and end at its multiples."""
    delay_s: float
    """How long after its end a span can be read in full."""

    def read(
        self, function: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Arm]:
        """Figures by version; one without invocations may be missing. Raises AwsError."""
