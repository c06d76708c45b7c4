"""One analysis of a sweep, from which every answer is read.

It's here and not in `tuner.model` because it has this package's evidence, posterior and ranking.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.candidates import candidates_of
from tuner.decision.estimates import interval
from tuner.decision.evidence import read_evidence
from tuner.decision.move import SURE
from tuner.decision.pairs import build_problems, current_record_usd, judge_pairs, problem_at
from tuner.decision.problem import build_problem
from tuner.decision.question import Question
from tuner.decision.strata import mean_record_count, strata_of, sweep_at
from tuner.decision.summary import current_size
from tuner.decision.variation import vary
from tuner.decision.verdict import judge, only_size, undecided, why_no_curve
from tuner.model.invocation import Outcome
from tuner.model.presented import Presented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.decision.pairs import StratumProblem
    from tuner.decision.problem import Problem
    from tuner.decision.ranking import Ranking
    from tuner.decision.strata import Stratum
    from tuner.model.goal import Goal
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Choice, CurrentSize, Variation
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices, PriceBook


_SLOWDOWN: Final = 2.0
"""How much slower a size may have looked where other work wants its core as much as it does: a
fair scheduler gives each half."""


@dataclass(frozen=True, slots=True)
class Analysis(Presented):
    """A sweep with its evidence, its decision problem, and the verdict.

    `problem` is what the verdict rests on: if a payload parameter was varied and can be set, the
    chosen value's. It is None if the samples are too few for a curve. `problems` have every
    payload, each in one of them.
    """

    sweep: Sweep
    question: Question
    evidence: Evidence
    """Of all invocations."""
    choice: Choice
    current: CurrentSize
    problem: Problem | None = None
    problems: tuple[Problem, ...] = ()
    variation: Variation | None = None

    def __repr__(self) -> str:
        """The result in one line: the draws are many numbers."""
        size = self.choice.memory_mb or self.choice.best_so_far_mb
        name, now = self.sweep.function.name, self.current.memory_mb
        return f"<Analysis of {name}: {self.choice.verdict}, {size} MB (now {now} MB)>"

    @property
    def posterior(self) -> Estimates | None:
        """Draws of duration and cost over sizes."""
        return None if self.problem is None else self.problem.estimates

    @property
    def ranking(self) -> Ranking | None:
        """The draws under the goal."""
        return None if self.problem is None else self.problem.ranking

    @property
    def answered(self) -> Sweep:
        """The part of the sweep behind the answer: if a batch size or an architecture is chosen
        along with the memory size, the invocations with the chosen one.
        """
        sweep = self.sweep
        for _name, value in self.choice.parameters:
            sweep = sweep_at(sweep, value)
        if self.choice.architecture is not None:
            sweep = sweep_at(sweep, self.choice.architecture)
        return sweep


def analyse(
    sweep: Sweep,
    goal: Goal,
    *,
    price_book: PriceBook,
    seed: int | None = None,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    draw_count: int = 200,
) -> Analysis:
    """Fit, draw, rank and judge, once.

    Without limits the range is the sweep's planned one; without `seed` it is the plan's. Pure: the
    same sweep, prices, goal and seed give the same analysis. Raises PriceError for an unknown
    region or architecture, InputError if the limits leave no size.
    """
    function, plan = sweep.function, sweep.plan
    question = Question(
        goal,
        function,
        price_book.lambda_prices(function.region, function.architecture),
        candidates_of(sweep, min_memory_mb, max_memory_mb),
        sweep.prior,
        other_prices=_other_prices(sweep, price_book),
    )
    evidence = read_evidence(sweep.invocations, {p.name: p.weight for p in plan.payloads})
    seed = plan.seed if seed is None else seed
    found = _analysed(sweep, question, evidence, seed, draw_count)
    if found.problem is None or all(each.code != "host_busy" for each in sweep.findings):
        return found
    return replace(found, choice=_doubted(found.choice, found.problem, evidence))


def _doubted(choice: Choice, problem: Problem, evidence: Evidence) -> Choice:
    """Take back what a busy machine may have made look so.

    A local function shares the machine, and whatever else runs there slows large sizes down most.
    How far isn't known. So only a resize that would be one if the current size had looked twice as
    slow as it is, or one that is killed for memory, is left; otherwise the answer is inconclusive,
    with the size that looks best. `evidence` is of all payloads.
    """
    if choice.verdict == "inconclusive":
        return choice
    unknown = replace(choice, expected_regret_ratio=None, regret_bound_ratio=None, confidence=None)
    now, failures = problem.current_mb, evidence.failures
    doubt = f"another size may be better than {now} MB"
    if choice.verdict == "resize" and choice.memory_mb is not None:
        if choice.confidence_of == "move":
            sure = _sure_of(problem, choice.memory_mb)
            if sure >= SURE:
                return replace(unknown, confidence=sure)
        elif now in failures and failures[now][Outcome.OUT_OF_MEMORY]:
            return unknown
        doubt = (
            f"{choice.memory_mb} MB looks best, but maybe not if that made {now} MB look twice as "
            "slow as it is"
        )
    return replace(
        undecided(f"this machine was busy with other work: {doubt}; tune again when it's idle"),
        basis=choice.basis,
        confidence_of=choice.confidence_of,
        parameters=choice.parameters,
        architecture=choice.architecture,
        best_so_far_mb=choice.memory_mb,
        lean_saving_ratio=choice.saving_ratio,
    )


def _sure_of(problem: Problem, memory_mb: int) -> float:
    """How probable it is that a size beats the current one even then."""
    left = 1 - problem.ranking.gains(problem.estimates.column(memory_mb))
    gains = 1 - left * _SLOWDOWN ** sum(problem.goal.exponents)
    return float(np.mean(gains > problem.goal.tolerance_ratio))


def _other_prices(sweep: Sweep, price_book: PriceBook) -> LambdaPrices | None:
    """Prices of the architecture that isn't the function's, if both were measured."""
    measured = {each.architecture for each in sweep.plan.payloads}
    for architecture in measured - {None, sweep.function.architecture}:
        assert architecture is not None
        return price_book.lambda_prices(sweep.function.region, architecture)
    return None


def _analysed(
    sweep: Sweep, question: Question, evidence: Evidence, seed: int, draw_count: int
) -> Analysis:
    """Answer for the mix of payloads, or for the values of a varied parameter."""
    plan, varied = sweep.plan, sweep.plan.varied
    if varied is None:
        return _of_the_mix(sweep, question, evidence, seed, draw_count)
    if evidence.unsampled_payloads and not varied.is_setting:
        return _without_curve(sweep, question, evidence)
    strata = strata_of(plan.payloads, varied.values)
    known = [
        (stratum, own)
        for stratum in strata
        if not (own := stratum.evidence(sweep.invocations)).unsampled_payloads
    ]
    if not known:
        return _without_curve(sweep, question, evidence)
    problems = build_problems(
        question, known, current_value=varied.current, seed=seed, draw_count=draw_count
    )
    if varied.is_setting:
        return _of_the_best_value(sweep, question, evidence, strata, problems)
    mix = _of_the_mix(sweep, question, evidence, seed, draw_count)
    return replace(mix, variation=vary(strata, problems, varied, mix.choice))


def _of_the_mix(
    sweep: Sweep, question: Question, evidence: Evidence, seed: int, draw_count: int
) -> Analysis:
    """Answer for the mix of all payloads, by their weights."""
    if not evidence.samples or evidence.unsampled_payloads:
        return _without_curve(sweep, question, evidence)
    problem = build_problem(question, evidence, seed=seed, draw_count=draw_count)
    choice = only_size(problem) or judge(problem)
    current = current_size(problem, problem.current_mb)
    payloads = sweep.plan.payloads
    if any(payload.record_count > 1 for payload in payloads):
        count = mean_record_count(payloads)
        chosen, now = (
            _of_records(problem, size, count) for size in (choice.memory_mb, problem.current_mb)
        )
        choice = replace(choice, cost_usd_per_million_records=chosen)
        current = replace(current, cost_usd_per_million_records=now)
    return Analysis(sweep, question, evidence, choice, current, problem, (problem,))


def _of_the_best_value(
    sweep: Sweep,
    question: Question,
    evidence: Evidence,
    strata: Sequence[Stratum],
    problems: Sequence[StratumProblem],
) -> Analysis:
    """Answer over all pairs of a size and a value of a parameter that can be set."""
    varied = sweep.plan.varied
    assert varied is not None
    best, choice = judge_pairs(problems, varied)
    now = problem_at(problems, varied.current)
    current = current_size(now.problem if now else None, question.function.memory_mb)
    if not varied.is_architecture:
        before = current_record_usd(now)
        current = replace(
            current,
            parameters=((varied.name, varied.current),),
            cost_usd_per_million_records=None if before is None else interval(before * 1e6),
        )
    return Analysis(
        sweep=sweep,
        question=question,
        evidence=evidence,
        choice=only_size(best.problem) or choice,
        current=current,
        problem=best.problem,
        problems=tuple(each.problem for each in problems),
        variation=vary(strata, problems, varied, choice),
    )


def _without_curve(sweep: Sweep, question: Question, evidence: Evidence) -> Analysis:
    """Answer if some payload has no warm sample."""
    choice = undecided(why_no_curve(question, evidence))
    return Analysis(
        sweep, question, evidence, choice, current_size(None, question.function.memory_mb)
    )


def _of_records(problem: Problem, memory_mb: int | None, record_count: float) -> Interval | None:
    """Cost of a million records at a size."""
    if memory_mb is None:
        return None
    cost = problem.estimates.cost_usd[:, problem.estimates.column(memory_mb)]
    return interval(cost / record_count * 1e6)
