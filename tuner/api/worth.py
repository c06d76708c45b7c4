"""Whether a resize saves enough to be worth a change: a flag means real money."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.breakeven.traffic import SECONDS_PER_MONTH
from tuner.model.finding import Finding
from tuner.model.interval import Interval
from tuner.model.share import percent

if TYPE_CHECKING:
    from tuner.breakeven.question import Terms
    from tuner.model.recommendation import Recommendation

NOTHING = Interval(0.0, 0.0, 0.0)


def with_saving(answer: Recommendation, terms: Terms) -> Recommendation:
    """The answer with what it saves a month; a resize for money below the threshold is kept.

    The amount (50 dollars unless told) counts where a rate is known, the ratio where one was
    given. A goal other than cost wants something else than money: it is left as it is.
    """
    saving = _monthly_saving(answer, terms)
    told = replace(answer, choice=replace(answer.choice, saving_usd_per_month=saving))
    if answer.choice.verdict != "resize" or answer.goal.name != "cost":
        return told
    why = _below(answer, saving, terms)
    return told if why is None else _kept(told, why, monthly=saving is not None)


def _monthly_saving(answer: Recommendation, terms: Terms) -> Interval | None:
    """What the chosen size saves a month over the current one: its ratio of today's bill."""
    ratio, rate = answer.choice.saving_ratio, terms.traffic.rate_per_s
    now, count = answer.current.cost_usd_per_million, 1.0
    if answer.choice.parameters and answer.variation is not None:
        # A rate counts events of the chosen batch size; today their records cost more events.
        now = answer.current.cost_usd_per_million_records
        [chosen] = answer.choice.parameters
        count = next(v.record_count for v in answer.variation.values if v.value == chosen[1])
    if ratio is None or rate is None or now is None:
        return None
    month = now.estimate * count / 1e6 * rate * SECONDS_PER_MONTH
    return Interval(ratio.estimate * month, ratio.low * month, ratio.high * month)


def _below(answer: Recommendation, saving: Interval | None, terms: Terms) -> tuple[str, str] | None:
    """Why the saving is too small to be flagged, and by what; None if it is not."""
    size = f"{answer.choice.memory_mb} MB"
    least, ratio = terms.min_saving_usd_per_month, answer.choice.saving_ratio
    if saving is not None and saving.estimate < least:
        return (
            f"no size saves the ${least:,.2f} a month that a change needs",
            (
                f"{size} would save ${saving.estimate:,.2f} a month at this rate "
                "(--min-saving-usd-per-month says what a change needs)"
            ),
        )
    share = terms.min_saving_ratio
    if share is not None and ratio is not None and ratio.estimate < share:
        return (
            f"no size is the {100 * share:.3g} % cheaper that a change needs",
            (
                f"{size} would be {percent(ratio.estimate, 1)} cheaper "
                "(--min-saving-ratio says what a change needs)"
            ),
        )
    return None


def _kept(answer: Recommendation, why: tuple[str, str], *, monthly: bool) -> Recommendation:
    current, (reason, detail) = answer.current, why
    choice = replace(
        answer.choice,
        verdict="keep",
        memory_mb=current.memory_mb,
        basis="measured",
        duration_ms=current.duration_ms,
        cost_usd_per_million=current.cost_usd_per_million,
        parameters=current.parameters,
        cost_usd_per_million_records=current.cost_usd_per_million_records,
        saving_ratio=NOTHING,
        saving_usd_per_month=NOTHING if monthly else None,
        # Both speak of the size that is best under the goal, which is not the one that is kept.
        expected_regret_ratio=None,
        confidence=None,
        reason=reason,
    )
    finding = Finding("small-saving", "info", detail)
    return replace(answer, choice=choice, findings=(*answer.findings, finding))
