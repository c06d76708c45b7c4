"""What one more invocation is worth to the decision.

Expected value of sample information: over the posterior's draws, the regret of every answer moves
with a size's duration, or doesn't. As far as the next invocation reveals that duration, it reveals
which answer will have the least regret. Its value is how much less that is, on average, than
today's best answer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.move import lacking_counts, lacking_price

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.problem import Problem
    from tuner.model.arrays import Floats

BETWEEN_RATIO: Final = 0.03
"""Assumed scatter between environments (public measurements: a few percent)."""
_COLD_RATIO = 0.07
"""Assumed scatter of a cold handler's time around its usual multiple of the warm one."""
_INDISTINCT = 1e-6


@dataclass(frozen=True, slots=True)
class InformationValue:
    """The value of `count` invocations, as the drop in expected loss they promise.

    Several at once open a fresh environment: what an environment keeps for life, no more samples of
    it can show. At a fresh size, a cold one and a warm one come one after the other.
    """

    memory_mb: int
    payload: str
    count: int
    now_count: int
    """How many of them to make now."""
    drop: float
    share_of_sure: float
    """The drop if the size's true duration were known, times the share of its variance that the
    invocations would take away: what counts where only many samples together change the answer.
    """
    cost_ratio: float
    """Expected cost of all of them, over that of one at the best answer."""


def information_values(
    problem: Problem,
    sizes_mb: Sequence[int],
    *,
    most_at_once: int,
    extra_cold_ms: float,
) -> list[InformationValue]:
    """InformationValue of the next invocations at each size and with each payload.

    The loss of an answer is its expected regret and the price of every invocation that it still
    lacks to be answered.
    """
    allowed = problem.ranking.allowed
    if not allowed.any():
        return []
    # Another answer may already be better than all of these: then nothing here is worth anything.
    rival = problem.ranking.rival_regret()
    regrets = np.column_stack([problem.ranking.regret_table()[:, allowed], rival])
    lacking = lacking_counts(problem)
    columns = np.flatnonzero(allowed)
    current, price = problem.ranking.current, lacking_price(problem)

    def penalty(lacking: Floats) -> Floats:
        others = np.where(columns == current, 0.0, lacking[current])
        own = lacking[columns] + (others if problem.now is None else 0.0)
        return price * np.append(own, np.zeros(rival.shape[1]))

    before = penalty(lacking)
    least = float((regrets.mean(axis=0) + before).min())
    usual_cost = float(problem.estimates.cost_usd.mean(axis=0)[allowed].min())
    found = []
    for size in sizes_mb:
        column = problem.estimates.column(size)
        for payload, draws in problem.estimates.by_payload_ms.items():
            # What a single call shows: a typical one, whatever slow ones do to the mean.
            slow = problem.estimates.curves[payload].slow_log_at([size])[:, 0]
            logs = np.log(draws[:, column]) - slow
            variance = float(logs.var())
            explained = Explained.of(regrets, logs)
            sure = max(least - explained.least_after(1.0, before), 0.0)
            for plan in _plans(
                problem, size, payload, variance=variance, most_at_once=most_at_once
            ):
                cost = _cost(problem, size, payload, plan.count, plan.cold_count * extra_cold_ms)
                known = variance / (variance + plan.deviation**2)
                left = lacking.copy()
                left[column] = max(left[column] - plan.supplied_count, 0.0)
                after = explained.least_after(known, penalty(left))
                found.append(
                    InformationValue(
                        memory_mb=size,
                        payload=payload,
                        count=plan.count,
                        now_count=plan.now_count,
                        drop=max(least - after, 0.0),
                        share_of_sure=sure * known,
                        cost_ratio=cost / usual_cost,
                    )
                )
    return found


@dataclass(frozen=True, slots=True)
class Explained:
    """How the regret of every answer goes with one quantity over the draws (regression, as in
    Strong, Oakley and Brennan, 2014): what a quantity has nothing to do with, knowing it does not
    help, however unsure it is.
    """

    levels: Floats
    """The quantity's draws, standardized: (draws,)."""
    coefficients: Floats
    """Of 1, the level, and its square less 1: (3, answers)."""

    @classmethod
    def of(cls, regrets: Floats, logs: Floats) -> Explained:
        """Least squares over the draws."""
        levels = (logs - logs.mean()) / max(float(logs.std()), _INDISTINCT)
        basis = np.column_stack([np.ones_like(levels), levels, levels**2 - 1])
        return cls(levels, np.linalg.pinv(basis) @ regrets)

    def least_after(self, known_share: float, penalty: Floats | float = 0.0) -> float:
        """The least expected regret plus `penalty` of every answer, on average over what may be
        seen, where observing takes `known_share` of the variance away.
        """
        mean, slope, bend = self.coefficients
        seen = np.sqrt(known_share) * self.levels[:, None]
        after = mean + penalty + seen * slope + (seen**2 - known_share) * bend
        return float(after.min(axis=1).mean())


@dataclass(frozen=True, slots=True)
class _Plan:
    """Invocations at one size, and the relative deviation of what they add."""

    count: int
    now_count: int
    cold_count: int
    supplied_count: int
    """How many of what the size lacks to be answered they supply."""
    deviation: float


def _plans(
    problem: Problem, size: int, payload: str, *, variance: float, most_at_once: int
) -> list[_Plan]:
    """What may be done at a size. One invocation goes to an existing environment, or opens the
    first; one more than there are environments opens another.
    """
    within = problem.estimates.within_ratio**2
    warm, cold = 1 / within, 1 / (within + _COLD_RATIO**2)
    precisions: dict[str | None, float] = {}
    for name, samples in problem.evidence.samples.items():
        for sample in samples:
            if sample.memory_mb == size:
                known = precisions.setdefault(sample.environment, 0.0)
                if name == payload:
                    precisions[sample.environment] = known + (cold if sample.cold else warm)
    if not precisions:
        return [
            _Plan(1, 1, 1, 1, _deviation([0.0], [cold], variance)),
            _Plan(2, 1, 1, 2, _deviation([0.0], [cold + warm], variance)),
        ]
    before = list(precisions.values())
    lacks = int(not problem.evidence.warm_ms(payload, size))
    plans = [_Plan(1, 1, 0, lacks, _deviation(before, [before[0] + warm, *before[1:]], variance))]
    count = len(before) + 1
    if count <= most_at_once:
        after = [*(each + warm for each in before), cold]
        plans.append(_Plan(count, count, 1, lacks, _deviation([*before, 0.0], after, variance)))
    return plans


def _deviation(before: list[float], after: list[float], variance: float) -> float:
    """Deviation of an observation that takes environments from one precision to another, where each
    environment's own luck limits what it can show.

    A size whose `variance` stays above what its samples would leave is doubted for another reason
    (it doesn't fit the curve): there another sample removes no larger share of the doubt than it
    adds to the samples.
    """
    luck = BETWEEN_RATIO**2
    known = sum(each / (1 + luck * each) for each in before)
    gain = sum(each / (1 + luck * each) for each in after) - known
    if known:
        gain = min(gain, gain / known / variance)
    return float(np.sqrt(1 / gain))


def _cost(problem: Problem, size: int, payload: str, count: int, extra_ms: float) -> float:
    """Expected cost of `count` invocations, INITs of `extra_ms` together included."""
    column = problem.estimates.column(size)
    warm_usd = float(problem.estimates.by_payload_usd[payload][:, column].mean())
    warm_ms = float(problem.estimates.by_payload_ms[payload][:, column].mean())
    return warm_usd * (count + extra_ms / max(warm_ms, 0.5))
