"""All that a decision is made from: what is asked, what was seen, what follows for every size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuner.decide.admission import admit
from tuner.decide.apart import by_samples, find_apart
from tuner.decide.estimate import estimate
from tuner.decide.rule import rank

if TYPE_CHECKING:
    from tuner.decide.admission import Admission
    from tuner.decide.apart import Apart
    from tuner.decide.estimate import Estimates
    from tuner.decide.evidence import Evidence
    from tuner.decide.rule import Ranking
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
class Case:
    """A question with its evidence and estimates."""

    question: Question
    evidence: Evidence
    estimates: Estimates
    admission: Admission
    ranking: Ranking
    apart: tuple[Apart, ...] = ()
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


def build_case(question: Question, evidence: Evidence, *, seed: int, draw_count: int = 200) -> Case:
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
    apart = find_apart(evidence, estimates)
    estimates = by_samples(
        estimates,
        apart,
        evidence,
        prices=question.prices,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
    )
    admission = admit(
        evidence,
        estimates,
        goal,
        function.timeout_s,
        question.candidates,
        current_mb=function.memory_mb,
    )
    allowed = admission.allowed(estimates.sizes_mb)
    ranking = rank(estimates, goal, allowed, function.memory_mb)
    return Case(question, evidence, estimates, admission, ranking, apart)
