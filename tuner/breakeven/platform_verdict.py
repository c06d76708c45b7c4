"""The verdict, and the assumption that would flip it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.breakeven.answer import DecidingAssumption
from tuner.breakeven.cost_model import fleet_usd, interval
from tuner.breakeven.terms import CONCURRENCY_RANGE, SPEED_RANGE, UTILIZATION_RANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.breakeven.answer import Verdict
    from tuner.breakeven.cost_model import CostModel
    from tuner.breakeven.platforms import Candidate
    from tuner.breakeven.terms import Terms
    from tuner.model.arrays import Floats
    from tuner.model.interval import Interval

SURE: Final = 0.95
"""Share of the draws in which the saving must exceed the threshold to advise leaving."""
UNLIKELY: Final = 0.25
"""Below this share the verdict is to stay; in between, it's too close to call."""
LEAVING_RATIO: Final = 0.2
"""Share of Lambda's bill that leaving must save by default."""
EASE: Final = {"managed-instances": 0, "containers": 1, "ec2": 2}
EASIER_RATIO: Final = 0.1
"""A harder move must save this share of Lambda's bill more than an easier one."""
PEAK_RANGE: Final = 2.0
"""An assumed peak may be this many times as high, or absent."""
SEARCH_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict with what its platform would save, and what it must save.

    To stay and too close to call name the platform that saves most; `sure` is the share of the
    draws in which that exceeds the threshold.
    """

    verdict: Verdict
    candidate: Candidate | None
    saving_usd: Interval | None
    threshold_usd: float
    sure: float = 0.0

    @property
    def leaves(self) -> bool:
        """Whether another platform is advised."""
        return self.verdict not in {"stay", "too-close"}


def judge(candidates: Sequence[Candidate], costs: CostModel) -> Ruling:
    """Weigh platforms of the function's own architecture at the given rate."""
    threshold = threshold_usd(costs.terms, float(_lambda_usd(costs.central)[0]))
    weighed = []
    for candidate in of_own_architecture(candidates, costs):
        saving, draws = savings_usd(candidate, costs)
        weighed.append((candidate, saving, float(np.mean(draws >= threshold))))
    flagged = [
        (each, saving)
        for each, saving, sure in weighed
        if sure >= SURE and saving.estimate >= threshold
    ]
    if flagged:
        chosen, saved = _easiest(flagged, float(_lambda_usd(costs.central)[0]))
        return Ruling(chosen.kind, chosen, saved, threshold, 1.0)
    likely = any(sure >= UNLIKELY for *_, sure in weighed)
    verdict: Verdict = "too-close" if likely else "stay"
    if not weighed:
        return Ruling(verdict, None, None, threshold)
    most, saved, sure = max(weighed, key=lambda each: each[1].estimate)
    return Ruling(verdict, most, saved, threshold, sure)


def savings_usd(candidate: Candidate, costs: CostModel) -> tuple[Interval, Floats]:
    """What leaving the present Lambda for the candidate saves a month, and all its draws."""
    draws = _lambda_usd(costs) - fleet_usd(candidate, costs, _rate(costs))
    middle = costs.central
    estimate = float((_lambda_usd(middle) - fleet_usd(candidate, middle, _rate(costs)))[0])
    return interval(estimate, draws), draws


def threshold_usd(terms: Terms, lambda_usd: float) -> float:
    """What leaving must save a month to be advised: the amount or the share, if greater."""
    ratio = LEAVING_RATIO if terms.min_saving_ratio is None else terms.min_saving_ratio
    return max(terms.min_saving_usd_per_month, ratio * lambda_usd)


def of_own_architecture(candidates: Sequence[Candidate], costs: CostModel) -> list[Candidate]:
    """Candidates of the function's architecture: another needs another build, on Lambda too."""
    architecture = costs.bill.prices.architecture
    return [each for each in candidates if each.architecture == architecture]


@dataclass(frozen=True, slots=True)
class _Assumption:
    """One assumption with its range, and the costs for a given value."""

    name: str
    assumed: float
    low: float
    high: float
    given: Callable[[float], CostModel]

    def at(self, share: float, end: float) -> float:
        """The value at a share of the way from the assumed one to an end, in logarithms."""
        return float(self.assumed * (end / self.assumed) ** share)


def deciding_assumption(
    candidates: Sequence[Candidate], costs: CostModel
) -> DecidingAssumption | None:
    """The assumption that flips the verdict of the central values with the smallest change.

    Each is changed alone, with the others at their central values; a change is measured by the
    share of the way to the end of its range, in logarithms. None if none flips it within its range.
    """
    own = of_own_architecture(candidates, costs)
    now, least, found = _leaves(own, costs.central), 1.0, None

    def flips(each: _Assumption, share: float, end: float) -> bool:
        return _leaves(own, each.given(each.at(share, end))) != now

    for each in _assumptions(costs.central):
        for end in {each.low, each.high} - {each.assumed}:
            if not flips(each, least, end):
                continue
            near = 0.0
            for _ in range(SEARCH_STEPS):
                middle = (near + least) / 2
                near, least = (near, middle) if flips(each, middle, end) else (middle, least)
            at = each.at(least, end)
            found = DecidingAssumption(each.name, each.assumed, each.low, each.high, at, not now)
    if found is None and costs.terms.autoscaling and _leaves(own, costs.fixed.central) != now:
        return DecidingAssumption("autoscaling", 1, 0, 1, 0, not now)
    return found


def _leaves(candidates: Sequence[Candidate], middle: CostModel) -> bool:
    """Whether the cheapest candidate saves what leaving must, for a single draw."""
    lambda_usd = float(_lambda_usd(middle)[0])
    least = (float(fleet_usd(each, middle, _rate(middle))[0]) for each in candidates)
    return lambda_usd - min(least, default=np.inf) >= threshold_usd(middle.terms, lambda_usd)


def _assumptions(middle: CostModel) -> list[_Assumption]:
    terms = middle.terms

    def drawn(name: str) -> Callable[[float], CostModel]:
        return lambda value: replace(
            middle, scenario=replace(middle.scenario, **{name: np.array([value])})
        )

    def peaking(ratio: float) -> CostModel:
        changed = replace(terms, traffic=replace(terms.traffic, peak_ratio=ratio))
        return replace(middle, terms=changed, bill=replace(middle.bill, terms=changed))

    share, held, peak = terms.utilization, terms.container_concurrency, terms.traffic.peak_ratio
    low, high = (share * ratio for ratio in UTILIZATION_RANGE)
    few, many = (max(held * ratio, 1.0) for ratio in CONCURRENCY_RANGE)
    found = [
        _Assumption("utilization", share, low, min(high, 1.0), drawn("utilization")),
        _Assumption("vcpu_speed", 1.0, *SPEED_RANGE, drawn("vcpu_speed")),
        _Assumption("container_concurrency", held, few, many, drawn("concurrency")),
    ]
    if terms.traffic.basis == "rate" and peak > 1:  # a load that is said to be steady stays so
        found.append(_Assumption("peak_ratio", peak, 1.0, PEAK_RANGE * peak, peaking))
    return found


def _easiest(
    flagged: Sequence[tuple[Candidate, Interval]], lambda_usd: float
) -> tuple[Candidate, Interval]:
    most = max(saved.estimate for _, saved in flagged)
    near = [pair for pair in flagged if most - pair[1].estimate <= EASIER_RATIO * lambda_usd]
    return min(near, key=lambda pair: (EASE[pair[0].kind], -pair[1].estimate))


def _lambda_usd(costs: CostModel) -> Floats:
    rates = np.array([_rate(costs)])
    return np.asarray(costs.bill.month_usd(costs.work, rates)[:, 0])


def _rate(costs: CostModel) -> float:
    rate = costs.terms.traffic.rate_per_s
    assert rate is not None
    return rate
