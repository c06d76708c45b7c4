"""All that a decision is made from: what is asked, what was seen, what follows for every size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuner.decision.constraints import apply_constraints
from tuner.decision.estimates import estimate
from tuner.decision.lack_of_fit import by_samples, find_lack_of_fit
from tuner.decision.ranking import rank

if TYPE_CHECKING:
    from tuner.decision.constraints import Constraints
    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.decision.lack_of_fit import LackOfFit
    from tuner.decision.ranking import Ranking
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.pricing import LambdaPrices


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: which of `candidates` suits this function best under the goal."""

    goal: Goal
    function: FunctionConfig
    prices: LambdaPrices
    candidates: frozenset[int]

    def without(self, memory_mb: int) -> Question:
        """The same question, with one size less to choose from."""
        return replace(self, candidates=self.candidates - {memory_mb})


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with its evidence and estimates."""

    question: Question
    evidence: Evidence
    estimates: Estimates
    constraints: Constraints
    ranking: Ranking
    apart: tuple[LackOfFit, ...] = ()
    """Where the estimates are the samples', and the curve says something else."""

    @property
    def goal(self) -> Goal:
        """What the operator wants."""
        return self.question.goal

    @property
    def current_mb(self) -> int:
        """The size that the function has now."""
        return self.question.function.memory_mb

    @property
    def measured(self) -> tuple[int, ...]:
        """Sizes with warm samples of every payload."""
        return self.evidence.measured_mb


def build_problem(
    question: Question, evidence: Evidence, *, seed: int, draw_count: int = 200
) -> Problem:
    """Estimate every candidate, the current size and what was measured; only candidates may be
    answered. Every payload must have a sample.
    """
    function, goal = question.function, question.goal
    estimates = estimate(
        evidence,
        sorted(question.candidates | {function.memory_mb} | set(evidence.measured_mb)),
        prices=question.prices,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
        cold_start_share=goal.cold_start_share,
        seed=seed,
        draw_count=draw_count,
    )
    apart = find_lack_of_fit(evidence, estimates)
    estimates = by_samples(
        estimates,
        apart,
        evidence,
        prices=question.prices,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
    )
    constraints = apply_constraints(
        evidence,
        estimates,
        goal,
        function.timeout_s,
        question.candidates,
        current_mb=function.memory_mb,
    )
    allowed = constraints.allowed(estimates.sizes_mb)
    ranking = rank(estimates, goal, allowed, function.memory_mb)
    return Problem(question, evidence, estimates, constraints, ranking, apart)
