"""Sizes with values of a varied parameter: which pair serves the goal best by the record.

Each value has a case of its own, over the same candidates. The cases are rivals: cost and duration
of a record are what is compared, and an answer's regret is measured to the best pair of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.decide.case import build_case
from tuner.decide.estimate import interval
from tuner.decide.parts import seed_at
from tuner.decide.verdict import current_fails, judge, nothing_allowed, undecided
from tuner.model.recommendation import PairEstimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tuner.decide.case import Case, Question
    from tuner.decide.evidence import Evidence
    from tuner.decide.parts import Part
    from tuner.model.plan import VariedParameter
    from tuner.model.recommendation import Choice

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ValueCase:
    """The case of one value, ranked against the other values."""

    part: Part
    case: Case

    @property
    def record_usd(self) -> Floats:
        """Cost of one record: (draws, sizes)."""
        return np.asarray(self.case.estimates.cost_usd / self.part.record_count)

    def picked(self) -> int | None:
        """The column that the goal's rule picks among this value's sizes."""
        return self.case.ranking.pick()


def build_cases(
    question: Question,
    parts: Sequence[Part],
    evidences: Sequence[Evidence],
    *,
    seed: int,
) -> tuple[ValueCase, ...]:
    """Return a case for each part, as rivals. Every payload must have a sample."""
    cases = tuple(
        ValueCase(part, build_case(question, evidence, seed=seed_at(seed, part.position)))
        for part, evidence in zip(parts, evidences, strict=True)
    )
    return tuple(_against(each, cases) for each in cases)


def best_case(cases: Sequence[ValueCase], current_value: str) -> ValueCase | None:
    """Return the case whose picked size serves the goal best; None if no size is allowed.

    Among those within the tolerance the one that the goal prefers by the record is taken, and the
    current value wins ties, as sizes do.
    """
    found = [(each, column) for each in cases if (column := each.picked()) is not None]
    if not found:
        return None
    regrets = [float(each.case.ranking.regrets(column).mean()) for each, column in found]
    tolerance = found[0][0].case.goal.tolerance_ratio
    safe = [pair for pair, regret in zip(found, regrets, strict=True) if regret <= tolerance]
    if not safe:
        return found[int(np.argmin(regrets))][0]
    preferences = [
        float(each.case.ranking.preference[:, column].mean()) / each.part.record_count
        for each, column in safe
    ]
    for (each, _), preference in zip(safe, preferences, strict=True):
        if each.part.value == current_value and preference <= min(preferences) * (1 + tolerance):
            return each
    return safe[int(np.argmin(preferences))][0]


def judge_pairs(cases: Sequence[ValueCase], varied: VariedParameter) -> tuple[ValueCase, Choice]:
    """Reach a verdict over all pairs; return the case that it rests on too."""
    now = case_at(cases, varied.current)
    best = best_case(cases, varied.current)
    if best is None:
        nearest = now or cases[0]
        return nearest, undecided(nothing_allowed(nearest.case))
    choice = replace(judge(best.case), parameters=((varied.name, best.part.value),))
    if choice.memory_mb is None:
        reason = f"with {varied.name} {best.part.value} {choice.reason}"
        return best, replace(choice, reason=reason)
    cost = best.record_usd[:, best.case.estimates.column(choice.memory_mb)]
    before = current_record_usd(now)
    saving = None if before is None else interval(1 - cost / before)
    return best, replace(
        choice, saving_ratio=saving, cost_usd_per_million_records=interval(cost * 1e6)
    )


def case_at(cases: Sequence[ValueCase], value: str) -> ValueCase | None:
    """The case of a value; None where it has none (its events failed everywhere)."""
    return next((each for each in cases if each.part.value == value), None)


def current_record_usd(now: ValueCase | None) -> Floats | None:
    """Cost of a record at the current size, one value for each draw; None where that fails."""
    if now is None or current_fails(now.case):
        return None
    return np.asarray(now.record_usd[:, now.case.estimates.column(now.case.current_mb)])


def estimate_pairs(
    each: ValueCase, now: ValueCase | None, shown_mb: Sequence[int]
) -> Iterator[PairEstimate]:
    """What is known of some sizes at one value; `now` has the current pair."""
    before = current_record_usd(now)
    case = each.case
    for memory_mb in shown_mb:
        column = case.estimates.column(memory_mb)
        cost = each.record_usd[:, column]
        yield PairEstimate(
            value=each.part.value,
            memory_mb=memory_mb,
            duration_ms=interval(case.estimates.duration_ms[:, column]),
            cost_usd_per_million=interval(case.estimates.cost_usd[:, column] * 1e6),
            cost_usd_per_million_records=interval(cost * 1e6),
            change_ratio=None if before is None else interval(cost / before - 1),
            measured=memory_mb in case.measured,
        )


def _against(each: ValueCase, cases: Sequence[ValueCase]) -> ValueCase:
    """The case with the others' objectives beside its own, for as many records as its events."""
    others = [
        other.case.ranking.objective[:, other.case.ranking.allowed]
        * (_records(each) / _records(other))
        for other in cases
        if other is not each
    ]
    if not others:
        return each
    ranking = replace(each.case.ranking, rivals=np.column_stack(others))
    return replace(each, case=replace(each.case, ranking=ranking))


def _records(each: ValueCase) -> float:
    """What an objective of this case is divided by to be one of a record."""
    count = each.part.record_count
    return count**2 if each.case.goal.name == "balanced" else count
