"""Whether a resize saves enough to be worth a change."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuner.model.finding import Finding
from tuner.model.interval import Interval, percent
from tuner.model.lambda_limits import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from tuner.decision.analysis import Analysis
    from tuner.model.recommendation import Choice

NOTHING = Interval(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class SavingNeeded:
    """The least saving that a resize for money needs; the amount counts if a rate is known."""

    rate_per_s: float | None = None
    least_usd_per_month: float = 50.0
    least_ratio: float | None = None
    """Of the bill; None: any."""


def with_saving(analysis: Analysis, needed: SavingNeeded) -> tuple[Choice, Finding | None]:
    """The verdict with its monthly saving; a resize that saves less than needed becomes a keep,
    with a finding. A resize that gains more by time than by money stays.
    """
    choice = analysis.choice
    saving = _monthly_saving(analysis, needed.rate_per_s)
    priced = replace(choice, saving_usd_per_month=saving)
    if choice.verdict != "resize" or _is_for_time(analysis):
        return priced, None
    why = _below(choice, saving, needed)
    if why is None:
        return priced, None
    reason, detail = why
    return _kept(analysis, reason, monthly=saving is not None), Finding(
        "small_saving", "info", detail
    )


def _is_for_time(analysis: Analysis) -> bool:
    """Whether time counts more than cost, or gains more, as the goal weighs it, than money."""
    goal, choice, now = analysis.question.goal, analysis.choice, analysis.current
    if goal.first != "cost":
        return True
    if choice.saving_ratio is None or choice.duration_ms is None or now.duration_ms is None:
        return False
    money = -math.log1p(-choice.saving_ratio.estimate)
    time = goal.weight * math.log(now.duration_ms.estimate / choice.duration_ms.estimate)
    return choice.parameters == now.parameters and time > max(money, 0.0)


def _monthly_saving(analysis: Analysis, rate_per_s: float | None) -> Interval | None:
    """What the chosen size saves a month over the current one: its share of today's bill."""
    choice, current = analysis.choice, analysis.current
    ratio, now, count = choice.saving_ratio, current.cost_usd_per_million, 1.0
    if choice.parameters and analysis.variation is not None:
        # A rate counts events of the chosen batch size; today their records cost more events.
        now = current.cost_usd_per_million_records
        [chosen] = choice.parameters
        count = next(v.record_count for v in analysis.variation.values if v.value == chosen[1])
    if ratio is None or rate_per_s is None or now is None:
        return None
    month = now.estimate * count / 1e6 * rate_per_s * SECONDS_PER_MONTH
    return ratio.times(month)


def _below(choice: Choice, saving: Interval | None, needed: SavingNeeded) -> tuple[str, str] | None:
    """Why the saving is too small to act on, and by what; None if it isn't."""
    size, ratio = f"{choice.memory_mb} MB", choice.saving_ratio
    least, share = needed.least_usd_per_month, needed.least_ratio
    if saving is not None and saving.estimate < least:
        return (
            f"no size saves at least ${least:,.2f} a month",
            (
                f"{size} would save only ${saving.estimate:,.2f} a month at this rate "
                "(`min_saving_usd_per_month` sets what a change must save)"
            ),
        )
    if share is not None and ratio is not None and ratio.estimate < share:
        return (
            f"no size is at least {100 * share:.3g}% cheaper",
            (
                f"{size} would be only {percent(ratio.estimate, 1)} cheaper "
                "(`min_saving_ratio` sets what a change must save)"
            ),
        )
    return None


def _kept(analysis: Analysis, reason: str, *, monthly: bool) -> Choice:
    """The current size, as the verdict."""
    current = analysis.current
    return replace(
        analysis.choice,
        verdict="keep",
        memory_mb=current.memory_mb,
        basis="measured",
        duration_ms=current.duration_ms,
        cost_usd_per_million=current.cost_usd_per_million,
        parameters=current.parameters,
        architecture=analysis.choice.architecture and analysis.sweep.function.architecture,
        cost_usd_per_million_records=current.cost_usd_per_million_records,
        saving_ratio=NOTHING,
        saving_usd_per_month=NOTHING if monthly else None,
        # Both are about the best size under the goal, not the one that is kept.
        expected_regret_ratio=None,
        regret_bound_ratio=None,
        confidence=None,
        reason=reason,
    )
