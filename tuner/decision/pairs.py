"""Sizes with values of a varied parameter: which pair serves the goal best by the record.

Each value has a problem of its own, over the same candidates. The problems are rivals: cost and
duration of a record are compared, and an answer's regret is measured to the best pair of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.estimates import interval
from tuner.decision.latency import learn_scatter
from tuner.decision.problem import build_problem
from tuner.decision.strata import seed_at
from tuner.decision.verdict import current_fails, judge, nothing_allowed, undecided
from tuner.model.recommendation import PairEstimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tuner.decision.evidence import Evidence
    from tuner.decision.problem import Problem
    from tuner.decision.question import Question
    from tuner.decision.strata import Stratum
    from tuner.model.plan import VariedParameter
    from tuner.model.recommendation import Choice, PercentileEstimate

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StratumProblem:
    """The problem of one value, ranked against the other values."""

    stratum: Stratum
    problem: Problem

    @property
    def record_usd(self) -> Floats:
        """Cost of one record: (draws, sizes)."""
        return np.asarray(self.problem.estimates.cost_usd / self.stratum.record_count)

    def picked(self) -> int | None:
        """The column that the goal's rule picks among this value's sizes."""
        return self.problem.ranking.pick()


def build_problems(
    question: Question,
    strata: Sequence[Stratum],
    evidences: Sequence[Evidence],
    *,
    seed: int,
    draw_count: int = 200,
) -> tuple[StratumProblem, ...]:
    """Return a problem for each stratum, as rivals. Every payload must have a sample."""
    problems = tuple(
        StratumProblem(
            stratum,
            build_problem(
                question,
                evidence,
                seed=seed_at(seed, stratum.position),
                draw_count=draw_count,
            ),
        )
        for stratum, evidence in zip(strata, evidences, strict=True)
    )
    return tuple(_against(each, problems) for each in problems)


def best_problem(problems: Sequence[StratumProblem], current_value: str) -> StratumProblem | None:
    """Return the problem whose picked size serves the goal best; None if no size is allowed.

    Among those within the tolerance the one that the goal prefers by the record is taken, and the
    current value wins ties, as sizes do.
    """
    found = [(each, column) for each in problems if (column := each.picked()) is not None]
    if not found:
        return None
    regrets = [float(each.problem.ranking.regrets(column).mean()) for each, column in found]
    tolerance = found[0][0].problem.goal.tolerance_ratio
    safe = [pair for pair, regret in zip(found, regrets, strict=True) if regret <= tolerance]
    if not safe:
        return found[int(np.argmin(regrets))][0]
    preferences = [
        float(each.problem.ranking.preference[:, column].mean()) / each.stratum.record_count
        for each, column in safe
    ]
    for (each, _), preference in zip(safe, preferences, strict=True):
        if each.stratum.value == current_value and preference <= min(preferences) * (1 + tolerance):
            return each
    return safe[int(np.argmin(preferences))][0]


def judge_pairs(
    problems: Sequence[StratumProblem], varied: VariedParameter
) -> tuple[StratumProblem, Choice]:
    """Reach a verdict over all pairs; return the problem that it rests on too."""
    now = problem_at(problems, varied.current)
    best = best_problem(problems, varied.current)
    if best is None:
        nearest = now or problems[0]
        return nearest, undecided(nothing_allowed(nearest.problem))
    choice = replace(judge(best.problem), parameters=((varied.name, best.stratum.value),))
    if choice.memory_mb is None:
        reason = f"with {varied.name} {best.stratum.value} {choice.reason}"
        return best, replace(choice, reason=reason)
    cost = best.record_usd[:, best.problem.estimates.column(choice.memory_mb)]
    before = current_record_usd(now)
    saving = None if before is None else interval(1 - cost / before)
    return best, replace(
        choice, saving_ratio=saving, cost_usd_per_million_records=interval(cost * 1e6)
    )


def problem_at(problems: Sequence[StratumProblem], value: str) -> StratumProblem | None:
    """The problem of a value; None where it has none (its events failed everywhere)."""
    return next((each for each in problems if each.stratum.value == value), None)


def current_record_usd(now: StratumProblem | None) -> Floats | None:
    """Cost of a record at the current size, one value for each draw; None where that fails."""
    if now is None or current_fails(now.problem):
        return None
    return np.asarray(now.record_usd[:, now.problem.estimates.column(now.problem.current_mb)])


def estimate_pairs(
    each: StratumProblem, now: StratumProblem | None, shown_mb: Sequence[int]
) -> Iterator[PairEstimate]:
    """What is known of some sizes at one value; `now` has the current pair."""
    before = current_record_usd(now)
    problem = each.problem
    percentiles = _percentiles(problem, shown_mb)
    for memory_mb in shown_mb:
        column = problem.estimates.column(memory_mb)
        cost = each.record_usd[:, column]
        yield PairEstimate(
            value=each.stratum.value,
            memory_mb=memory_mb,
            duration_ms=interval(problem.estimates.duration_ms[:, column]),
            cost_usd_per_million=interval(problem.estimates.cost_usd[:, column] * 1e6),
            cost_usd_per_million_records=interval(cost * 1e6),
            change_ratio=None if before is None else interval(cost / before - 1),
            measured=memory_mb in problem.measured,
            percentile=percentiles.get(memory_mb),
        )


def _percentiles(problem: Problem, shown_mb: Sequence[int]) -> dict[int, PercentileEstimate]:
    """The percentile that is asked for, of the slowest class's events with this value."""
    asked, evidence = problem.goal.percentile, problem.evidence
    sizes_mb = [size for size in shown_mb if not evidence.failures.get(size)]
    if asked is None or not sizes_mb:
        return {}
    scatter = learn_scatter(evidence, problem.estimates, [asked])
    found = scatter.estimate(list(problem.estimates.by_payload_ms), sizes_mb)
    return {memory_mb: percentile for memory_mb, (percentile,) in found.items()}


def _against(each: StratumProblem, problems: Sequence[StratumProblem]) -> StratumProblem:
    """The problem with the others' objectives beside its own, for as many records as its events."""
    others = [
        other.problem.ranking.objective[:, other.problem.ranking.allowed]
        * (_records(each) / _records(other))
        for other in problems
        if other is not each
    ]
    if not others:
        return each
    ranking = replace(each.problem.ranking, rivals=np.column_stack(others))
    return replace(each, problem=replace(each.problem, ranking=ranking))


def _records(each: StratumProblem) -> float:
    """What an objective of this problem is divided by to be one of a record."""
    count = each.stratum.record_count
    return count**2 if each.problem.goal.name == "balanced" else count
