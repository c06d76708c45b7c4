"""The draws of a forecast as the goal sees them, and which sizes may be advised at all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.constraints import platform_bar
from tuner.decision.evidence import Evidence
from tuner.decision.move import SURE
from tuner.model.invocation import Outcome
from tuner.model.lambda_limits import MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.model.advice import ObservedSize, Situation
    from tuner.model.goal import Goal
    from tuner.observe.forecast import Forecast

    Floats = NDArray[np.float64]
    Truths = NDArray[np.bool_]

_MORE_EXPENSIVE_RATIO: Final = 1.01
_MORE_EXPENSIVE_SHARE: Final = 0.02
"""A resize may be more expensive by over 1% in so many of the draws."""
_FARTHEST_BELOW: Final = 2.0
"""No size is advised below the smallest one that ran over this: cliffs there show in no other. Nor
one below a core where only larger ones ran: what waits and what computes are as fast there."""
_SLOWER_RATIO: Final = 1.02
_TAIL_DEVIATIONS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """The draws as the goal sees them; columns are the forecast's sizes."""

    forecast: Forecast
    goal: Goal
    now: int
    allowed: Truths
    gain: Floats
    """By how much each size is better than the current one, as a share of its objective."""
    saving: Floats
    """The same of cost."""

    @property
    def sure(self) -> Truths:
        """Sizes that a move to is right, as far as anybody can tell without measuring them."""
        duration = self.forecast.duration_ms
        better = (self.gain > self.goal.tolerance_ratio).mean(axis=0) >= SURE
        more_expensive = (self.saving < 1 - _MORE_EXPENSIVE_RATIO).mean(axis=0)
        faster = duration.mean(axis=0) <= duration[:, self.now].mean()
        paid = (more_expensive <= _MORE_EXPENSIVE_SHARE) | (faster & (self.goal.first != "cost"))
        smallest_mb = min(self.forecast.observed_mb)
        least_mb = smallest_mb / _FARTHEST_BELOW
        if smallest_mb > MB_PER_VCPU and self.forecast.processor_share is None:
            least_mb = max(least_mb, MB_PER_VCPU)
        near = np.array(self.forecast.sizes_mb) >= least_mb
        sure = self.allowed & better & paid & near
        sure[self.now] = False
        return np.asarray(sure)


def memory_evidence(observed: Sequence[ObservedSize]) -> Evidence:
    """What production says of memory, as the constraints of a sweep take it."""
    failures: dict[int, Counter[Outcome]] = {}
    successes: Counter[int] = Counter()
    used: dict[int, int] = {}
    for each in observed:
        size = each.memory_mb
        if each.max_memory_used_mb is not None:
            used[size] = max(used.get(size, 0), each.max_memory_used_mb)
        if each.code == "other":
            continue
        successes[size] += each.warm_count
        if each.oom_count:
            failures.setdefault(size, Counter())[Outcome.OUT_OF_MEMORY] += each.oom_count
    return Evidence(
        weights={},
        samples={},
        cold_starts=(),
        failures=failures,
        success_counts=successes,
        memory_used_mb=used,
    )


def allowed_sizes(
    found: Forecast,
    evidence: Evidence,
    observed: Sequence[ObservedSize],
    situation: Situation,
) -> Truths:
    """Which sizes may be advised: with headroom for the memory that was used, larger than what was
    killed, and no slower than what timed out. The current one may stay unless it is killed.
    """
    mean_ms = np.median(found.duration_ms, axis=0)
    allowed = np.array([platform_bar(evidence, size) is None for size in found.sizes_mb])
    for each in observed:
        if each.code == "other" or each.mean_ms is None:
            continue
        own_ms = mean_ms[found.column(each.memory_mb)]
        if each.timeout_count:
            allowed &= mean_ms <= own_ms * _SLOWER_RATIO
        if situation.timeout_s is not None:
            longest_ms = each.p99_ms or each.mean_ms * (1 + _TAIL_DEVIATIONS * each.cv)
            allowed &= mean_ms / own_ms * longest_ms <= situation.timeout_s * 1000
    now = found.column(situation.memory_mb)
    allowed[now] = not evidence.failures.get(situation.memory_mb)
    return np.asarray(allowed)


def weigh(found: Forecast, goal: Goal, now_mb: int, allowed: Truths) -> Weighed:
    """Compare every size with the current one, draw by draw."""
    cost_exponent, time_exponent = goal.exponents
    objective = found.cost_usd**cost_exponent * found.duration_ms**time_exponent
    now = found.column(now_mb)
    return Weighed(
        forecast=found,
        goal=goal,
        now=now,
        allowed=allowed,
        gain=1 - objective / objective[:, [now]],
        saving=1 - found.cost_usd / found.cost_usd[:, [now]],
    )
