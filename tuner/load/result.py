"""What came of a load: answers, and what they add up to. Pure.

Percentiles are exact, by nearest rank over every answer: a load is finite, and all answers are
kept. A histogram of fixed precision (HdrHistogram) would save a few megabytes, and round.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.load.limits import Saturation
    from tuner.load.phases import Phase
    from tuner.load.watch import Seen
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig

LATE_S: Final = 0.020
"""A request sent this long after it was due says more of this machine than of the function."""

_LEAST_OF_WINDOW: Final = 10

LoadEnd = Literal["complete", "interrupted", "budget", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One request that was sent; times in seconds since the load began."""

    due_s: float
    sent_s: float
    ended_s: float
    phase: int
    in_flight_count: int
    """Requests in flight when it was sent, itself among them."""
    outcome: Outcome | None
    """None: it was throttled, and ran nothing."""
    cost_usd: float = 0.0
    cold_start: bool | None = None
    """None if it isn't known."""
    reason: str | None = None
    """Why it was throttled, or the type of its error."""
    duration_ms: float | None = None
    """By its REPORT line; None if that didn't come."""

    @property
    def latency_ms(self) -> float:
        """From the time when it was due: a queue before the function counts."""
        return (self.ended_s - self.due_s) * 1000

    @property
    def is_error(self) -> bool:
        """Whether it was accepted or lost, and no success."""
        return self.outcome not in (None, Outcome.SUCCESS)


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies of everything that was sent and not throttled, failures too."""

    mean: float
    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the load, by the time at which its requests were due."""

    from_s: float
    to_s: float
    rate_from_per_s: float
    rate_to_per_s: float
    planned_count: int
    invocation_count: int
    error_count: int
    throttle_count: int
    max_concurrency: int
    latency_ms: Latency | None


@dataclass(frozen=True, slots=True)
class LoadResult:
    """One size under the load."""

    function: FunctionConfig
    """With the size that was measured."""
    planned_due_s: tuple[float, ...]
    answers: tuple[Answer, ...]
    phases: tuple[Phase, ...]
    end: LoadEnd
    findings: tuple[Finding, ...] = ()
    downstream: tuple[Saturation, ...] = ()
    """What gives way first, first."""
    seen: tuple[Seen, ...] = ()
    """The resources during the load."""

    @property
    def planned_count(self) -> int:
        """Arrivals of the plan."""
        return len(self.planned_due_s)

    @property
    def invocations(self) -> tuple[Answer, ...]:
        """What was sent and not throttled."""
        return tuple(each for each in self.answers if each.outcome is not None)

    @property
    def throttle_reasons(self) -> Counter[str]:
        """Throttles by their reason; none is sent again."""
        return Counter(each.reason or "unknown" for each in self.answers if each.outcome is None)

    @property
    def errors(self) -> Counter[str]:
        """Failures by their kind, or by the error's type."""
        failed = (each for each in self.answers if each.is_error)
        return Counter(each.reason or str(each.outcome) for each in failed)

    @property
    def not_sent_count(self) -> int:
        """Arrivals that weren't sent: `findings` say why."""
        return self.planned_count - len(self.answers)

    @property
    def late_count(self) -> int:
        """Requests that this machine sent late."""
        return sum(each.sent_s - each.due_s > LATE_S for each in self.answers)

    @property
    def cold_start_share(self) -> float | None:
        """Of the invocations whose REPORT line came; None if none did."""
        known = [each.cold_start for each in self.answers if each.cold_start is not None]
        return sum(known) / len(known) if known else None

    @property
    def warm_durations_ms(self) -> tuple[float, ...]:
        """Of the successes that met no cold start, by their REPORT lines."""
        return tuple(
            each.duration_ms
            for each in self.answers
            if each.outcome is Outcome.SUCCESS and each.duration_ms and not each.cold_start
        )

    @property
    def max_concurrency(self) -> int:
        """The most requests in flight at once."""
        return max((each.in_flight_count for each in self.answers), default=0)

    @property
    def throughput_per_s(self) -> float:
        """Successes a second, from the beginning to the last answer, and not less than the plan's
        time unless it was cut short.
        """
        successes = sum(each.outcome is Outcome.SUCCESS for each in self.answers)
        last_s = max((each.ended_s for each in self.answers), default=0.0)
        if self.end == "complete":
            last_s = max(last_s, sum(phase.duration_s for phase in self.phases))
        return successes / last_s if last_s > 0 else 0.0

    @property
    def cost_usd(self) -> float:
        """What all invocations cost, the unknown ones at their worst case."""
        return math.fsum(each.cost_usd for each in self.answers)

    @property
    def latency_ms(self) -> Latency | None:
        """Over the whole load; None if nothing was answered."""
        return latency_of(self.invocations)

    def by_phase(self) -> tuple[Window, ...]:
        """A window for each phase."""
        found, began_s = [], 0.0
        for phase in self.phases:
            ends_s = began_s + phase.duration_s
            rates = (phase.rate_from_per_s, phase.rate_to_per_s)
            found.append(self._window(began_s, ends_s, rates))
            began_s = ends_s
        return tuple(found)

    def over_time(self, most: int = 12) -> tuple[Window, ...]:
        """Up to about `most` windows, of some arrivals each; none goes over a phase's end."""
        count = min(most, self.planned_count // _LEAST_OF_WINDOW)
        whole_s = sum(phase.duration_s for phase in self.phases)
        found, began_s = [], 0.0
        for phase in self.phases:
            parts = max(1, round(count * phase.duration_s / whole_s))
            step_s = phase.duration_s / parts
            gain = (phase.rate_to_per_s - phase.rate_from_per_s) / parts
            for part in range(parts):
                first = phase.rate_from_per_s + gain * part
                start_s = began_s + part * step_s
                found.append(self._window(start_s, start_s + step_s, (first, first + gain)))
            began_s += phase.duration_s
        return tuple(found)

    def _window(self, from_s: float, to_s: float, rates: tuple[float, float]) -> Window:
        # The last arrival may be due at the very end.
        is_last = to_s >= sum(phase.duration_s for phase in self.phases) - 1e-9
        ends_s = math.inf if is_last else to_s
        inside = [each for each in self.answers if from_s <= each.due_s < ends_s]
        return Window(
            from_s,
            to_s,
            *rates,
            planned_count=sum(from_s <= due_s < ends_s for due_s in self.planned_due_s),
            invocation_count=sum(each.outcome is not None for each in inside),
            error_count=sum(each.is_error for each in inside),
            throttle_count=sum(each.outcome is None for each in inside),
            max_concurrency=max((each.in_flight_count for each in inside), default=0),
            latency_ms=latency_of(each for each in inside if each.outcome is not None),
        )


def latency_of(answers: Iterable[Answer]) -> Latency | None:
    """The latencies' mean and percentiles; None without any."""
    ordered = sorted(each.latency_ms for each in answers)
    if not ordered:
        return None
    return Latency(
        mean=math.fsum(ordered) / len(ordered),
        p50=_at(ordered, 0.50),
        p95=_at(ordered, 0.95),
        p99=_at(ordered, 0.99),
        max=ordered[-1],
    )


def _at(ordered: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest latency that at least this share doesn't exceed."""
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]
