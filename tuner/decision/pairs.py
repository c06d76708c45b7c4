"""Sizes with values of a varied parameter: which pair serves the goal best, per record.

Each value has its own problem, over the same candidates. The problems are rivals: a record's cost
and duration are compared, and an answer's regret is measured against the best pair of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.estimates import interval
from tuner.decision.latency import learn_scatter
from tuner.decision.move import (
    current_fails,
    lacking_counts,
    lacking_price,
    measured_answer,
    weigh_move,
)
from tuner.decision.problem import build_problem
from tuner.decision.ranking import Staying, rank
from tuner.decision.strata import seed_at
from tuner.decision.verdict import GOAL_WISHES, judge, nothing_allowed, undecided
from tuner.model.recommendation import PairEstimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.decision.problem import Problem
    from tuner.decision.question import Question
    from tuner.decision.strata import Stratum
    from tuner.model.arrays import Floats
    from tuner.model.interval import Interval
    from tuner.model.plan import VariedParameter
    from tuner.model.recommendation import Choice, PercentileEstimate


@dataclass(frozen=True, slots=True)
class StratumProblem:
    """The problem of one value, ranked against the other values."""

    stratum: Stratum
    problem: Problem

    @property
    def record_usd(self) -> Floats:
        """Cost of one record: (draws, sizes)."""
        return np.asarray(self.problem.estimates.cost_usd / self.stratum.record_count)


def build_problems(
    question: Question,
    known: Sequence[tuple[Stratum, Evidence]],
    *,
    current_value: str,
    seed: int,
    draw_count: int = 200,
) -> tuple[StratumProblem, ...]:
    """Return a problem for each stratum, as rivals, and a move from each away from the current
    value's. Every payload must have a sample.
    """
    problems = tuple(
        StratumProblem(
            stratum,
            build_problem(
                question.on(stratum.architecture),
                evidence,
                seed=seed_at(seed, stratum.position),
                draw_count=draw_count,
            ),
        )
        for stratum, evidence in known
    )
    now = problem_at(problems, current_value)
    return tuple(_moving_from(now, _against(each, problems)) for each in problems)


def best_problem(problems: Sequence[StratumProblem], current_value: str) -> StratumProblem | None:
    """Return the problem whose picked size serves the goal best; None if no size is allowed.

    The current value wins ties.
    """
    found = [
        (each, column) for each in problems if (column := each.problem.ranking.pick()) is not None
    ]
    if not found:
        return None
    regrets = [float(each.problem.ranking.regrets(column).mean()) for each, column in found]
    tolerance = found[0][0].problem.goal.tolerance_ratio
    for (each, _), regret in zip(found, regrets, strict=True):
        if each.stratum.value == current_value and regret <= min(regrets) + tolerance:
            return each
    return found[int(np.argmin(regrets))][0]


def answer_under(problems: Sequence[Problem], time_weight: float) -> tuple[Problem, int] | None:
    """The problem of one of several architectures and its column that another time weight would
    answer, in expectation; None if no size is allowed.
    """
    found: list[tuple[float, Problem, int]] = []
    ranked = []
    for each in problems:
        goal = replace(each.goal, time_weight=time_weight)
        ranking = rank(each.estimates, goal, each.ranking.allowed, each.current_mb)
        ranked.append(replace(each, ranking=ranking, question=replace(each.question, goal=goal)))
    for each in ranked:
        others = [o.ranking.answers() for o in ranked if o is not each]
        rivals = np.column_stack(others) if others else None
        seen = replace(each, ranking=replace(each.ranking, rivals=rivals))
        if each.ranking.allowed.any():
            column = measured_answer(seen)
            lacking = float(lacking_counts(seen)[column]) * lacking_price(seen)
            regret = float(seen.ranking.regrets(column).mean())
            found.append((regret + lacking, seen, column))
    if not found:
        return None
    _, problem, column = min(found, key=lambda each: each[0])
    return problem, column


def answering_problem(
    problems: Sequence[StratumProblem], current_value: str
) -> StratumProblem | None:
    """Return the problem that the answer is for: the best one, or the current value's if moving
    away from it isn't worth it.
    """
    best, now = best_problem(problems, current_value), problem_at(problems, current_value)
    if best is None or now is None or best.problem.now is None:
        return best
    return now if weigh_move(best.problem).verdict == "keep" else best


def judge_pairs(
    problems: Sequence[StratumProblem], varied: VariedParameter
) -> tuple[StratumProblem, Choice]:
    """Reach a verdict over all pairs; also return the problem that it rests on."""
    now = problem_at(problems, varied.current)
    best = answering_problem(problems, varied.current)
    if best is None:
        nearest = now or problems[0]
        return nearest, undecided(nothing_allowed(nearest.problem))
    choice = judge(best.problem)
    if varied.is_architecture:
        return best, _on_architecture(choice, best, now)
    choice = replace(choice, parameters=((varied.name, best.stratum.value),))
    if choice.memory_mb is None:
        reason = f"with {varied.name} {best.stratum.value} {choice.reason}"
        return best, replace(choice, reason=reason)
    cost = best.record_usd[:, best.problem.estimates.column(choice.memory_mb)]
    before = current_record_usd(now)
    saving = None if before is None else interval(1 - cost / before)
    return best, replace(
        choice, saving_ratio=saving, cost_usd_per_million_records=interval(cost * 1e6)
    )


def _on_architecture(choice: Choice, best: StratumProblem, now: StratumProblem | None) -> Choice:
    """The choice with its architecture: what it saves is against the function as it is, and another
    architecture is a move even where the size stays.
    """
    architecture, before = best.stratum.architecture, current_record_usd(now)
    column_of, usd = best.problem.estimates.column, best.record_usd

    def saving(memory_mb: int) -> Interval | None:
        return None if before is None else interval(1 - usd[:, column_of(memory_mb)] / before)

    choice = replace(choice, architecture=architecture)
    if choice.memory_mb is None:
        if choice.best_so_far_mb is None or best.problem.now is None:
            return choice
        lean = saving(choice.best_so_far_mb)
        return replace(choice, reason=f"on {architecture} {choice.reason}", lean_saving_ratio=lean)
    if best.problem.now is None:
        return choice
    wish = GOAL_WISHES[best.problem.goal.first]
    return replace(
        choice,
        verdict="resize",
        saving_ratio=saving(choice.memory_mb),
        reason=f"{choice.memory_mb} MB on {architecture} is {wish}",
    )


def problem_at(problems: Sequence[StratumProblem], value: str) -> StratumProblem | None:
    """A value's problem; None if it has none (its events failed everywhere)."""
    return next((each for each in problems if each.stratum.value == value), None)


def current_record_usd(now: StratumProblem | None) -> Floats | None:
    """Cost of a record at the current size, one value per draw; None if that fails."""
    if now is None or current_fails(now.problem):
        return None
    return np.asarray(now.record_usd[:, now.problem.estimates.column(now.problem.current_mb)])


def estimate_pairs(
    each: StratumProblem, now: StratumProblem | None, shown_mb: Sequence[int]
) -> Iterator[PairEstimate]:
    """What is known about some sizes at one value; `now` has the current pair."""
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
    """The requested percentile, for the slowest class's events with this value."""
    asked, evidence = problem.goal.percentile, problem.evidence
    sizes_mb = [size for size in shown_mb if not evidence.failures.get(size)]
    if asked is None or not sizes_mb:
        return {}
    scatter = learn_scatter(evidence, problem.estimates, [asked])
    found = scatter.estimate(list(problem.estimates.by_payload_ms), sizes_mb)
    return {memory_mb: percentile for memory_mb, (percentile,) in found.items()}


def _against(each: StratumProblem, problems: Sequence[StratumProblem]) -> StratumProblem:
    """The problem with the others' objectives beside its own, for as many records."""
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


def _moving_from(now: StratumProblem | None, each: StratumProblem) -> StratumProblem:
    """The problem with the current pair as the status quo, if its own value isn't the current one;
    there is no status quo if that pair fails or breaks a limit.
    """
    if now is None or now.stratum.value == each.stratum.value:
        return each
    staying, ranking = None, now.problem.ranking
    if ranking.allowed[ranking.current]:
        records = each.stratum.record_count / now.stratum.record_count
        staying = Staying(
            objective=ranking.objective[:, ranking.current] * (_records(each) / _records(now)),
            duration_ms=now.problem.estimates.duration_ms[:, ranking.current] * records,
            cost_usd=now.problem.estimates.cost_usd[:, ranking.current] * records,
        )
    ranking = replace(each.problem.ranking, staying=staying)
    return replace(each, problem=replace(each.problem, ranking=ranking, now=now.problem))


def _records(each: StratumProblem) -> float:
    """What an objective of this problem is divided by to be one of a record."""
    return float(each.stratum.record_count ** sum(each.problem.goal.exponents))
