"""The rows of the tables of sizes, of pairs (a size with a varied value) and of goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.model.goal import OPTION_WEIGHTS
from tuner.report import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.model.finding import Finding
    from tuner.model.function import Architecture
    from tuner.model.interval import Interval
    from tuner.model.recommendation import (
        Choice,
        CurrentSize,
        Option,
        PairEstimate,
        PercentileEstimate,
        Recommendation,
        SizeEstimate,
        SizeSummary,
        ValueAnswer,
        Variation,
    )

_MODELLED: Final = "modelled"


@dataclass(frozen=True, slots=True)
class SizeRow:
    """One size as shown; intervals are None if nothing is known (invocations failed there)."""

    memory_mb: int
    duration_ms: Interval | None
    cost_usd_per_million: Interval | None
    """Of invocations; in a pair, of records."""
    change: str
    """The column `vs now`: a signed change of cost, a dash at the current size or pair."""
    recommended: bool
    notes: tuple[str, ...] = ()
    name: str = ""
    """In a pair the varied value, in an option the goal that gives this answer."""
    current: bool = False
    excluded: bool = False
    percentile: PercentileEstimate | None = None
    """The percentile that was asked for, if any."""
    architecture: Architecture | None = None
    """In an option, if several architectures were compared."""


def size_rows(recommendation: Recommendation) -> tuple[SizeRow, ...]:
    """Every size that was invoked, the current, the recommended and the cheapest, ascending."""
    choice = recommendation.choice
    estimates = {estimate.memory_mb: estimate for estimate in recommendation.curve}
    shown = {size.memory_mb for size in recommendation.sizes_on_curve}
    shown |= {estimate.memory_mb for estimate in recommendation.curve if estimate.measured}
    named = (recommendation.now_mb, choice.memory_mb, choice.best_so_far_mb)
    for memory_mb in (*named, _cheapest_mb(recommendation)):
        if memory_mb is not None:
            shown.add(memory_mb)
    return tuple(
        _row(recommendation, memory_mb, estimates.get(memory_mb)) for memory_mb in sorted(shown)
    )


def option_rows(recommendation: Recommendation) -> tuple[SizeRow, ...]:
    """Now, cheapest, balanced and fastest; the recommended (or so far best) size has its own row if
    it is none of them. Empty if a value is chosen too: pairs are shown then.
    """
    choice, current = recommendation.choice, recommendation.current
    if not recommendation.options or choice.parameters:
        return ()
    own = recommendation.function.architecture
    doubts = _doubts_of_current(recommendation)
    known = [_Known("now", own, current.memory_mb, current, notes=doubts)]
    known += [
        _Known(
            each.name,
            each.architecture or own,
            each.memory_mb,
            each,
            _notes_if(measured=each.measured),
        )
        for each in recommendation.options
    ]
    best_mb, best_on = choice.best_so_far_mb, choice.architecture or own
    for each in recommendation.curve:
        if each.memory_mb == best_mb and (best_on, best_mb) not in {one.key for one in known}:
            best = _Known("best so far", best_on, best_mb, each, _notes_if(measured=each.measured))
            known.insert(1, best)
    chosen = (recommendation.architecture, choice.memory_mb)
    if choice.memory_mb is not None and chosen not in {each.key for each in known}:
        is_measured = choice.basis == "measured"
        notes = _notes_if(measured=is_measured)
        own_row = _Known("recommended", best_on, choice.memory_mb, choice, notes)
        known.insert(1, own_row)
    marked = _marked(recommendation, [each.name for each in known if each.key == chosen])
    return tuple(_option_row(recommendation, each, marked) for each in known)


def _notes_if(*, measured: bool) -> tuple[str, ...]:
    return () if measured else (_MODELLED,)


def _doubts_of_current(recommendation: Recommendation) -> tuple[str, ...]:
    """If all calls at the current size fail: its figures are the curve's, and how they fail."""
    own, current_mb = recommendation.function.architecture, recommendation.current.memory_mb
    curves = (each.curve for each in recommendation.by_architecture if each.architecture == own)
    at_current = (e for e in next(curves, recommendation.curve) if e.memory_mb == current_mb)
    if all(each.measured for each in at_current):
        return ()
    failed = failures(
        tuple(
            size
            for size in recommendation.sizes
            if (size.architecture, size.memory_mb) == (own, current_mb)
        )
    )
    return (_MODELLED,) if failed is None else (_MODELLED, failed)


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of the options before it's worded."""

    name: str
    architecture: Architecture
    memory_mb: int
    figures: CurrentSize | Option | SizeEstimate | Choice
    notes: tuple[str, ...]

    @property
    def key(self) -> tuple[str, int]:
        """What is recommended: an architecture and a size."""
        return self.architecture, self.memory_mb


def _option_row(recommendation: Recommendation, known: _Known, marked: str | None) -> SizeRow:
    """The row; with the architecture where there are several."""
    several, asked = recommendation.choice.architecture is not None, recommendation.goal.percentile
    kind = known.architecture if several else None
    cost = known.figures.cost_usd_per_million
    own = recommendation.function.architecture
    is_now = known.key == (own, recommendation.current.memory_mb)
    return SizeRow(
        known.memory_mb,
        known.figures.duration_ms,
        cost,
        _vs_now(recommendation.change_from_now(cost), is_now=is_now),
        recommended=known.name == marked,
        notes=known.notes,
        name=f"{known.name} {known.architecture}" if several else known.name,
        percentile=recommendation.percentile(known.memory_mb, asked, kind) if asked else None,
        architecture=kind,
    )


_WEIGHTS: Final = {"error": 0, "warning": 1, "info": 4}
_OWN_WEIGHTS: Final = {"platform": 2, "old_prices": 3}


def by_weight(findings: Sequence[Finding]) -> list[Finding]:
    """Errors, warnings, where else it could run, old prices, and the rest, each in order."""
    return sorted(findings, key=lambda each: _OWN_WEIGHTS.get(each.code, _WEIGHTS[each.severity]))


def _marked(recommendation: Recommendation, names: Sequence[str]) -> str | None:
    """Which of the recommended size's rows is the answer: a kept size's own, the goal's,
    the first.
    """
    of_goal = {name for name, each in OPTION_WEIGHTS.items() if each == recommendation.goal.weight}
    asked = [name for name in names if name in of_goal]
    return next(iter(names if "now" in names else asked or names), None)


def failures(sizes: tuple[SizeSummary, ...]) -> str | None:
    """What failed at a size, over its payloads: `2× out of memory, 1× timeout`; else None."""
    counts = (
        ("out of memory", sum(size.oom_count for size in sizes)),
        ("timeout", sum(size.timeout_count for size in sizes)),
        ("function error", sum(size.error_count for size in sizes)),
    )
    return ", ".join(f"{count}× {what}" for what, count in counts if count) or None


def _row(recommendation: Recommendation, memory_mb: int, estimate: SizeEstimate | None) -> SizeRow:
    sizes = tuple(size for size in recommendation.sizes_on_curve if size.memory_mb == memory_mb)
    failed = failures(sizes)
    current = memory_mb == recommendation.now_mb
    known = None if failed else estimate or (recommendation.current if current else None)
    cost = None if known is None else known.cost_usd_per_million
    asked = recommendation.goal.percentile
    return SizeRow(
        memory_mb=memory_mb,
        duration_ms=None if known is None else known.duration_ms,
        cost_usd_per_million=cost,
        change=_vs_now(recommendation.change_from_now(cost), is_now=current),
        notes=(f"excluded: {failed}",) if failed else _notes(recommendation, memory_mb, estimate),
        recommended=memory_mb == recommendation.choice.memory_mb,
        current=current,
        excluded=failed is not None,
        percentile=recommendation.percentile(memory_mb, asked) if asked else None,
    )


def _vs_now(ratio: float | None, *, is_now: bool) -> str:
    return "–" if is_now or ratio is None else numbers.change(ratio)


def _notes(
    recommendation: Recommendation, memory_mb: int, estimate: SizeEstimate | None
) -> tuple[str, ...]:
    notes = []
    if memory_mb == recommendation.now_mb:
        notes.append("now")
    if memory_mb == _cheapest_mb(recommendation):
        notes.append("cheapest")
    if memory_mb == recommendation.choice.memory_mb and (reason := _why_chosen(recommendation)):
        notes.append(reason)
    if memory_mb == recommendation.choice.best_so_far_mb:
        notes.append("best so far")
    if estimate is not None and not estimate.measured:
        notes.append(_MODELLED)
    return tuple(notes)


def _why_chosen(recommendation: Recommendation) -> str | None:
    """The goal's rule, as the recommended size satisfies it (a kept size needs no reason)."""
    if recommendation.choice.verdict != "resize":
        return None
    if recommendation.goal.first == "balanced":
        return "best balance"
    if recommendation.goal.first == "speed":
        return "speed first"
    if recommendation.choice.memory_mb == _cheapest_mb(recommendation):
        return None
    return "worth it for speed"


def _cheapest_mb(recommendation: Recommendation) -> int | None:
    """The cheapest size that may be recommended: the option, or, without options, one on the front
    (which nothing beats in both).
    """
    if recommendation.options and not recommendation.by_architecture:
        return recommendation.options[0].memory_mb
    failed = {size.memory_mb for size in recommendation.sizes_on_curve if size.failure_count}
    fit = [size for size in recommendation.curve if size.memory_mb not in failed]
    if recommendation.tradeoff is not None:
        fit = [size for size in fit if size.memory_mb in recommendation.tradeoff.front_mb]
    if not fit:
        return None
    return min(fit, key=lambda size: size.cost_usd_per_million.estimate).memory_mb


def percentile_cell(found: PercentileEstimate | None) -> str:
    """A percentile; `~` before a modelled one (`percentile_note` says so below the table)."""
    if found is None:
        return "–"
    sign = "~" if found.basis == "modelled" else ""
    return f"{sign}{numbers.duration(found.duration_ms.estimate)}"


def percentile_note(shown: Iterable[PercentileEstimate | None]) -> str | None:
    """What `~` means, if a table has it."""
    for found in shown:
        if found is not None and found.basis == "modelled":
            return (
                f"~ modelled from the scatter at all sizes; measuring p{found.percentile:g} takes "
                f"{found.samples_needed} samples of a size"
            )
    return None


def pair_rows(recommendation: Recommendation) -> tuple[SizeRow, ...]:
    """Every known pair, values in order, sizes ascending."""
    variation = recommendation.variation
    if variation is None:
        return ()
    return tuple(
        _pair_row(recommendation, variation, answer, pair)
        for answer in variation.values
        for pair in answer.pairs
    )


def main_pair_rows(recommendation: Recommendation) -> tuple[SizeRow, ...]:
    """The pair in use, the best size for each value, and the recommended pair."""
    variation = recommendation.variation
    if variation is None:
        return ()
    shown = {(each.value, each.memory_mb) for each in variation.values}
    shown.add((variation.parameter.current, recommendation.current.memory_mb))
    rows = pair_rows(recommendation)
    return tuple(row for row in rows if row.recommended or (row.name, row.memory_mb) in shown)


def mean_of(variation: Variation) -> str:
    """What a pair's duration is: of an event of its value, where events differ by it."""
    return "mean" if variation.parameter.is_architecture else "mean event"


def per_record(variation: Variation) -> str:
    """The unit of costs: `records` if events have several, else `events`."""
    if variation.parameter.is_architecture:
        return "invocations"
    return "records" if any(each.record_count != 1 for each in variation.values) else "events"


def _pair_row(
    recommendation: Recommendation, variation: Variation, answer: ValueAnswer, pair: PairEstimate
) -> SizeRow:
    parameter = variation.parameter
    is_now = pair.memory_mb == recommendation.current.memory_mb and (
        pair.value == parameter.current or not parameter.is_setting
    )
    set_value = dict(recommendation.choice.parameters).get(parameter.name)
    chosen = recommendation.choice.architecture or set_value
    is_recommended = pair.value == chosen and pair.memory_mb == recommendation.choice.memory_mb
    notes = []
    if is_now:
        notes.append("now")
    if pair.memory_mb == answer.memory_mb:
        notes.append(f"best at {pair.value}")
    if not pair.measured:
        notes.append(_MODELLED)
    ratio = pair.change_ratio
    return SizeRow(
        name=pair.value,
        memory_mb=pair.memory_mb,
        duration_ms=pair.duration_ms,
        cost_usd_per_million=pair.cost_usd_per_million_records,
        change=_vs_now(None if ratio is None else ratio.estimate, is_now=is_now),
        notes=tuple(notes),
        recommended=is_recommended,
        percentile=pair.percentile,
    )
