"""The rows of the table of pairs: a memory size with a value of a varied parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.report import numbers

if TYPE_CHECKING:
    from tuner.model.interval import Interval
    from tuner.model.recommendation import (
        PairEstimate,
        PercentileEstimate,
        Recommendation,
        ValueAnswer,
        Variation,
    )


@dataclass(frozen=True, slots=True)
class PairRow:
    """One pair as shown."""

    value: str
    memory_mb: int
    duration_ms: Interval
    cost_usd_per_million_records: Interval
    change: str
    """The column `vs now`: a signed change of the cost of a record, a dash at the current pair."""
    notes: tuple[str, ...]
    recommended: bool
    percentile: PercentileEstimate | None = None
    """The percentile that was asked for; None without one."""


def pair_rows(recommendation: Recommendation) -> tuple[PairRow, ...]:
    """Every pair that is known, values in their order, sizes ascending."""
    variation = recommendation.variation
    if variation is None:
        return ()
    return tuple(
        _row(recommendation, variation, answer, pair)
        for answer in variation.values
        for pair in answer.pairs
    )


def per_record(variation: Variation) -> str:
    """What costs are told for: `records` where events hold several, else `events`."""
    return "records" if any(each.record_count != 1 for each in variation.values) else "events"


def _row(
    recommendation: Recommendation, variation: Variation, answer: ValueAnswer, pair: PairEstimate
) -> PairRow:
    parameter = variation.parameter
    is_now = pair.memory_mb == recommendation.current.memory_mb and (
        pair.value == parameter.current or not parameter.is_setting
    )
    chosen = dict(recommendation.choice.parameters).get(parameter.name)
    is_recommended = pair.value == chosen and pair.memory_mb == recommendation.choice.memory_mb
    notes = []
    if is_now:
        notes.append("now")
    if pair.memory_mb == answer.memory_mb:
        notes.append(f"best at {pair.value}")
    if not pair.measured:
        notes.append("modelled")
    ratio = pair.change_ratio
    return PairRow(
        value=pair.value,
        memory_mb=pair.memory_mb,
        duration_ms=pair.duration_ms,
        cost_usd_per_million_records=pair.cost_usd_per_million_records,
        change="–" if is_now or ratio is None else numbers.change(ratio.estimate),
        notes=tuple(notes),
        recommended=is_recommended,
        percentile=pair.percentile,
    )
