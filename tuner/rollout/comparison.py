"""Both versions compared in the same minutes: is the new one worse, and has enough been seen?

What counts as worse. A cheaper size may be slower: that is what its owner agreed to. So the new
version is held against what was forecast for it, not against the old version alone:

- errors, timeouts, kills and throttles must not be more frequent than the old version's;
- the cost of an invocation must not be above the old one's, or above what was forecast if that is
  more, by over a tenth;
- no more than one in twenty warm durations may be above the old version's 95th percentile times
  the same limit for the duration.

All of them at all looks together have `FALSE_RETURN_RATE` to turn back a version that is none of
it: each has an equal part.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.rollout.evidence import MeanTest, ShareTest
from tuner.rollout.figures import Arm, Block

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.rollout.forecast import Forecast

FALSE_RETURN_RATE: Final = 0.05
_REPORTED: Final = {
    "errors": "failure_count",
    "timeouts": "timeout_count",
    "out-of-memory kills": "kill_count",
}
"""What is counted of each version, and where."""
_METERED: Final = {"errors by CloudWatch": "failure_count", "throttles": "throttle_count"}
_SHARES: Final = (*_REPORTED, *_METERED, "p95")
ALPHA: Final = FALSE_RETURN_RATE / (len(_SHARES) + 1)
LEAST_BLOCK: Final = 20
"""Invocations of both versions together: shorter spans are put together until they have them."""
_LEAST_FOR_P95: Final = 40
_MOST_KEPT: Final = 20_000


class Comparison:
    """What is known of the two versions so far; blocks are added in order of time."""

    def __init__(
        self, forecast: Forecast, memory_ratio: float, baseline_ms: Sequence[float] = ()
    ) -> None:
        self.total = Block(Arm(), Arm())
        """Of durations, the last ones only."""
        self.by_metrics = Block(Arm(), Arm())
        self._forecast = forecast
        self._memory_ratio = memory_ratio
        """The new version's memory over the old one's, and so their price a millisecond."""
        self._shares = {name: ShareTest() for name in _SHARES}
        self._cost = MeanTest(forecast.cost_limit)
        self._old_ms = sorted(baseline_ms[-_MOST_KEPT:])
        self._pending = Block(Arm(), Arm())
        self._slower = (0, 0)

    def add(self, block: Block) -> None:
        """Take a span of time."""
        self.total = _trimmed(self.total + block)
        self._pending += block
        both = self._pending.new.count + self._pending.old.count
        if both < LEAST_BLOCK:
            return
        block, self._pending = self._pending, Block(Arm(), Arm())
        old, new = block.old, block.new
        for name, field in _REPORTED.items():
            self._shares[name].add(getattr(new, field), new.count, getattr(old, field), old.count)
        self._add_durations(old, new)
        self._count_throttles(old, new)

    def begin_step(self) -> None:
        """The share of the new version changes: what came before isn't put together with it."""
        self._pending = Block(Arm(), Arm())

    def add_metrics(self, block: Block) -> None:
        """Take CloudWatch's counts of a span whose reports are taken too.

        A log as text names the errors of some runtimes only, and no throttles.
        """
        self.by_metrics += block
        old, new = block.old, block.new
        self._shares["errors by CloudWatch"].add(
            new.failure_count, new.count, old.failure_count, old.count
        )
        self._count_throttles(old, new)

    def _count_throttles(self, old: Arm, new: Arm) -> None:
        self._shares["throttles"].add(
            new.throttle_count,
            new.count + new.throttle_count,
            old.throttle_count,
            old.count + old.throttle_count,
        )

    def _add_durations(self, old: Arm, new: Arm) -> None:
        if len(self._old_ms) >= _LEAST_FOR_P95:
            # Of earlier durations: it must not depend on what is compared with it.
            limit_ms = percentile(self._old_ms, 95)
            slow_new = sum(ms / self._forecast.duration_limit > limit_ms for ms in new.durations_ms)
            slow_old = sum(ms > limit_ms for ms in old.durations_ms)
            self._shares["p95"].add(
                slow_new, len(new.durations_ms), slow_old, len(old.durations_ms)
            )
            self._slower = (self._slower[0] + slow_new, self._slower[1] + len(new.durations_ms))
        for ms in old.durations_ms[: max(0, _MOST_KEPT - len(self._old_ms))]:
            insort(self._old_ms, ms)
        costs = [ms * self._memory_ratio for ms in new.billed_ms]
        if costs:
            self._cost.add(costs, old.billed_ms)
        elif new.mean_duration_ms is not None and old.mean_duration_ms is not None:
            self._cost.add([new.mean_duration_ms * self._memory_ratio], [old.mean_duration_ms])

    def worse(self) -> str | None:
        """Why the new version is worse; None if it isn't known to be."""
        for name, test in self._shares.items():
            if test.log_evidence >= -math.log(ALPHA):
                return self._describe(name)
        if self._cost.is_above(ALPHA):
            return self._describe("cost")
        return None

    @property
    def is_settled(self) -> bool:
        """Whether the cost is below its limit by 95%, and the p95 is within its own."""
        slow, count = self._slower
        if count >= _LEAST_FOR_P95 and slow / count > 0.05 + 1.645 * math.sqrt(0.0475 / count):
            return False
        if not self.total.new.billed_ms and self.total.new.mean_duration_ms is not None:
            # From metrics: there are too few means to tell more than that it's no worse.
            return True
        return self._cost.is_below

    def _describe(self, name: str) -> str:
        old, new = self.total.old, self.total.new
        if name == "cost":
            ratio = mean(new.billed_ms) * self._memory_ratio / max(mean(old.billed_ms), 1e-9)
            return (
                f"an invocation costs {ratio:.2f} times the old version's, and "
                f"{self._forecast.cost_limit:.2f} is the limit by {self._forecast.basis}"
            )
        if name == "p95":
            then, now = (percentile(sorted(each.durations_ms), 95) for each in (old, new))
            return (
                f"p95 is {now:.0f} ms against the old version's {then:.0f} ms, and "
                f"{self._forecast.duration_limit:.2f} times that is the limit by "
                f"{self._forecast.basis}"
            )
        if self.by_metrics.new.count and name in _METERED:
            old, new = self.by_metrics.old, self.by_metrics.new
        field = (_REPORTED | _METERED)[name]
        return (
            f"{name}: {getattr(new, field)} in {new.count} invocations of the new version, "
            f"{getattr(old, field)} in {old.count} of the old one in the same minutes"
        )


def _trimmed(block: Block) -> Block:
    return Block(
        *(
            replace(
                arm,
                durations_ms=arm.durations_ms[-_MOST_KEPT:],
                billed_ms=arm.billed_ms[-_MOST_KEPT:],
            )
            for arm in (block.old, block.new)
        )
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """A percentile of ascending values; 0 of none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, math.ceil(percent / 100 * len(ordered)) - 1)]


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of none."""
    return sum(values) / len(values) if values else 0.0
