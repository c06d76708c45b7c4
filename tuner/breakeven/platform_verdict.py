"""The verdict, and the assumption that would turn it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.breakeven.cost_model import fitting, fleet_usd, interval
from tuner.breakeven.terms import SPEED_RANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tuner.breakeven.answer import Verdict
    from tuner.breakeven.cost_model import CostModel
    from tuner.breakeven.platforms import Candidate
    from tuner.breakeven.terms import Terms
    from tuner.model.interval import Interval

    Floats = NDArray[np.float64]

SURE: Final = 0.95
"""Share of the draws in which the saving must pass the threshold for a flag."""
UNLIKELY: Final = 0.25
"""Below this share the verdict is to stay; between, it is too close to call."""
LEAVING_RATIO: Final = 0.2
"""Share of Lambda's bill that leaving must save, unless another is told."""
EASE: Final = {"managed-instances": 0, "containers": 1, "ec2": 2}
EASIER_RATIO: Final = 0.1
"""A harder move must save this share of Lambda's bill more than an easier one."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict with its saving and with what the saving would need."""

    verdict: Verdict
    candidate: Candidate | None
    saving_usd: Interval | None
    threshold_usd: float


def judge(candidates: Sequence[Candidate], costs: CostModel) -> Ruling:
    """Weigh platforms of the function's own architecture at the rate that is asked for."""
    lambda_usd = _lambda_usd(costs)
    middle = float(_lambda_usd(costs.central)[0])
    threshold = threshold_usd(costs.terms, middle)
    flagged: list[tuple[Candidate, Interval]] = []
    likely = False
    for candidate in of_own_architecture(candidates, costs):
        saving = lambda_usd - fleet_usd(candidate, costs, _rate(costs))
        share = float(np.mean(saving >= threshold))
        estimate = middle - float(fleet_usd(candidate, costs.central, _rate(costs))[0])
        likely = likely or share >= UNLIKELY
        if share >= SURE and estimate >= threshold:
            flagged.append((candidate, interval(estimate, saving)))
    if flagged:
        chosen, saved = _easiest(flagged, middle)
        return Ruling(chosen.kind, chosen, saved, threshold)
    return Ruling("too-close" if likely else "stay", None, None, threshold)


def threshold_usd(terms: Terms, lambda_usd: float) -> float:
    """What a month's saving must be for a flag: the amount and the share, whichever is more."""
    ratio = LEAVING_RATIO if terms.min_saving_ratio is None else terms.min_saving_ratio
    return max(terms.min_saving_usd_per_month, ratio * lambda_usd)


def of_own_architecture(candidates: Sequence[Candidate], costs: CostModel) -> list[Candidate]:
    """Candidates of the function's architecture: another needs another build, on Lambda too."""
    architecture = costs.bill.prices.architecture
    return [each for each in candidates if each.architecture == architecture]


def flipping_assumption(candidates: Sequence[Candidate], costs: CostModel) -> str | None:
    """The first single assumption whose other end changes where the function is cheapest.

    One by one, the rest at their central values. None if no single one does. `candidates` are
    those before the slow offers are sorted out.
    """
    before = _central_side(candidates, costs)
    for text, changed in _variations(costs):
        after = _central_side(candidates, changed)
        if after != before:
            return f"{text} would make it {_side_name(after)} instead of {_side_name(before)}"
    return None


def _central_side(candidates: Sequence[Candidate], costs: CostModel) -> Verdict:
    """Where the central values alone point."""
    middle = replace(costs, work=costs.work.central)
    lambda_usd = float(_lambda_usd(middle)[0])
    need = threshold_usd(costs.terms, lambda_usd)
    found = []
    for candidate in of_own_architecture(candidates, costs):
        kept = fitting(candidate, costs)
        if kept is None:
            continue
        saving = lambda_usd - float(fleet_usd(kept, middle, _rate(costs))[0])
        if saving >= need:
            found.append((saving, kept))
    if not found:
        return "stay"
    return max(found, key=lambda pair: pair[0])[1].kind


def _variations(costs: CostModel) -> Iterator[tuple[str, CostModel]]:
    terms = costs.terms
    middle = replace(costs, scenario=costs.central.scenario)
    peak = terms.traffic.peak_ratio
    for ratio in {1.0, 3.0} - {peak}:
        changed = replace(terms, traffic=replace(terms.traffic, peak_ratio=ratio))
        bill = replace(middle.bill, terms=changed)
        text = f"a peak of {ratio:g} times the mean (assumed: {peak:g})"
        yield text, replace(middle, terms=changed, bill=bill)
    held = f"requests at once in a process (assumed: {terms.container_concurrency:g})"
    ends = (
        (f"a utilization of 0.4 (assumed: {terms.utilization:g})", "utilization", 0.4),
        (f"a utilization of 0.7 (assumed: {terms.utilization:g})", "utilization", 0.7),
        *((f"vCPUs {speed:g} times as fast", "vcpu_speed", speed) for speed in SPEED_RANGE),
        *((f"{n:g} {held}", "concurrency", n) for n in (1.0, terms.container_concurrency * 5)),
    )
    for text, name, value in ends:
        arrays: dict[str, Floats] = {name: np.array([value])}
        yield text, replace(middle, scenario=replace(middle.scenario, **arrays))


def _easiest(
    flagged: Sequence[tuple[Candidate, Interval]], lambda_usd: float
) -> tuple[Candidate, Interval]:
    most = max(saved.estimate for _, saved in flagged)
    near = [pair for pair in flagged if most - pair[1].estimate <= EASIER_RATIO * lambda_usd]
    return min(near, key=lambda pair: (EASE[pair[0].kind], -pair[1].estimate))


def _side_name(verdict: Verdict) -> str:
    return "Lambda" if verdict == "stay" else verdict.replace("-", " ").replace("ec2", "EC2")


def _lambda_usd(costs: CostModel) -> Floats:
    rates = np.array([_rate(costs)])
    return np.asarray(costs.bill.month_usd(costs.work, rates)[:, 0])


def _rate(costs: CostModel) -> float:
    rate = costs.terms.traffic.rate_per_s
    assert rate is not None
    return rate
