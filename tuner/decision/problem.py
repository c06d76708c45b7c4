"""The decision problem: the question, the evidence, and what follows for every size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.decision.constraints import apply_constraints
from tuner.decision.estimates import estimate, price_curves
from tuner.decision.ranking import rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.constraints import Constraints
    from tuner.decision.estimates import Estimates
    from tuner.decision.evidence import Evidence
    from tuner.decision.question import Question
    from tuner.decision.ranking import Ranking
    from tuner.model.goal import Goal


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with its evidence, the posterior, the constraints and the ranking.

    `estimates` are the posterior's draws that the decision uses.
    """

    question: Question
    evidence: Evidence
    seed: int
    estimates: Estimates
    constraints: Constraints
    ranking: Ranking
    now: Problem | None = None
    """Where this is of one value of a varied parameter: the problem of the current value, if that
    is another."""

    @property
    def of_current(self) -> Problem:
        """The current value's problem, which describes the current size as it is now."""
        return self.now or self

    @property
    def goal(self) -> Goal:
        """What the operator wants."""
        return self.question.goal

    @property
    def current_mb(self) -> int:
        """The function's current size."""
        return self.question.function.memory_mb

    @property
    def measured(self) -> tuple[int, ...]:
        """Sizes with warm samples of every payload."""
        return self.evidence.measured_mb

    def fitted_at(self, sizes_mb: Sequence[int]) -> Estimates:
        """The curves' estimates at any sizes (ascending): the same draws, interpolated."""
        return price_curves(
            self.estimates.curves, self.question, self.evidence, sizes_mb, seed=self.seed
        )


def build_problem(
    question: Question, evidence: Evidence, *, seed: int, draw_count: int = 200
) -> Problem:
    """Estimate every candidate, the current size and what was measured; only candidates may be
    answered. Every payload must have a sample.
    """
    current_mb = question.function.memory_mb
    sizes = sorted(question.candidates | {current_mb} | set(evidence.measured_mb))
    estimates = estimate(question, evidence, sizes, seed=seed, draw_count=draw_count)
    constraints = apply_constraints(question, evidence, estimates)
    ranking = rank(estimates, question.goal, constraints.allowed(estimates.sizes_mb), current_mb)
    return Problem(
        question=question,
        evidence=evidence,
        seed=seed,
        estimates=estimates,
        constraints=constraints,
        ranking=ranking,
    )
