"""Compares two sweeps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.given import day_of, goal_of, sweep_of
from tuner.decision.compare import Entry
from tuner.decision.compare import compare as compare_entries
from tuner.decision.matched_comparison import match_sweeps
from tuner.errors import InputError, UsageError
from tuner.model.comparison import ValueChange
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.pricing.book import age_findings
from tuner.pricing.renewal import current_price_book
from tuner.session import analyse
from tuner.sweep.store import SweepStore, default_state_dir

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from tuner.api.given import GoalLike, SweepLike
    from tuner.decision.analysis import Analysis
    from tuner.decision.matched_comparison import MatchedSweeps
    from tuner.model.comparison import Comparison
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook


def compare(
    a: SweepLike,
    b: SweepLike | None = None,
    goal: GoalLike | None = None,
    *,
    sources: tuple[str, str] = ("A", "B"),
    analyses: tuple[Analysis, Analysis] | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | str | None = None,
    different_functions: bool = False,
) -> Comparison:
    """How large the difference from sweep `a` to sweep `b` is, and whether it's real.

    Either may be a file's path or a function's name; a function's name alone compares its last two
    kept sweeps.

    >>> before = after = "examples/sweeps/mixed.jsonl"
    >>> tuner.compare(before, after, "speed").kind
    'same'

    It may be before and after, two architectures, two versions of the code, or a forecast and what
    was measured after the rollout, depending on what differs. Only what the two sweeps measured
    counts, not evidence from earlier sweeps. If a parameter was varied, each value is compared with
    the same value. `goal` defaults to `b`'s, then `a`'s. `analyses` saves repeating the analysis.
    With `today`, prices over 90 days old get a warning. Raises InputError for two functions (unless
    `different_functions` allows them), for a sweep without warm samples, and for two with no varied
    value in common; PriceError.
    """
    if b is None:
        if not isinstance(a, str):
            raise UsageError("one sweep is given: pass two, or a function's name for its last two")
        a, b = SweepStore(default_state_dir()).newest_two(a)
    a, b, goal, today = sweep_of(a), sweep_of(b), goal_of(goal), day_of(today)
    if a.function.name != b.function.name and not different_functions:
        raise InputError(
            f"{sources[0]} is of {a.function.name}, {sources[1]} of {b.function.name}: comparing "
            "two functions says nothing about either; `different_functions=True` does it anyway"
        )
    goal, book = goal or common_goal(a, b) or Goal(), price_book or current_price_book()
    a, b = a.alone, b.alone  # one may have informed the other

    def between(pair: tuple[Sweep, Sweep]) -> Comparison:
        known = analyses if pair == (a, b) and analyses is not None else None
        first, second = known or (analyse(each, goal, price_book=book) for each in pair)
        return compare_entries(Entry(sources[0], first), Entry(sources[1], second))

    matched = match_sweeps(a, b, sources)
    found = between((a, b)) if matched is None else _by_value(matched, between)
    if a.goal is not None and b.goal is not None and a.goal.name != b.goal.name:
        text = (
            f"A was tuned for {a.goal.name}, B for {b.goal.name}: both are compared for {goal.name}"
        )
        found = replace(found, findings=(*found.findings, Finding("goals_differ", "info", text)))
    return replace(found, findings=(*found.findings, *age_findings(found.prices.as_of, today)))


def common_goal(a: Sweep, b: Sweep) -> Goal | None:
    """The goal for both: the later one's; None if neither has one."""
    return b.goal or a.goal


def _by_value(
    matched: MatchedSweeps, between: Callable[[tuple[Sweep, Sweep]], Comparison]
) -> Comparison:
    """The comparison at the value in use, with the change at every value that both have."""
    found = {value: between(pair) for value, pair in matched.pairs.items()}
    main = found[matched.first]
    findings = main.findings
    if matched.left_out:
        values = ", ".join(matched.left_out)
        text = f"{matched.parameter} {values} was measured in only one sweep, so it's left out"
        findings = (*findings, Finding("values_differ", "info", text))
    return replace(
        main,
        parameters=((matched.parameter, matched.first),),
        by_value=tuple(_change_at(value, each) for value, each in found.items()),
        findings=findings,
    )


def _change_at(value: str, found: Comparison) -> ValueChange:
    """Over the sizes that both measured with the value, or as configured."""
    if found.pooled is not None:
        return ValueChange(value, found.pooled.duration, found.pooled.cost)
    now = found.pairs[0]
    return ValueChange(value, now.duration_ms.change, now.cost.change)
