"""The question to a sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.pricing import LambdaPrices


@dataclass(frozen=True, slots=True)
class Question:
    """Which of `candidates` suits this function best under the goal."""

    goal: Goal
    function: FunctionConfig
    prices: LambdaPrices
    candidates: frozenset[int]
    prior: PriorEvidence | None = None
    """What an earlier sweep measured."""
    recent_duration_ms: float | None = None
    """The function's mean duration at its current size, if known."""

    def without(self, memory_mb: int) -> Question:
        """The same question with one size fewer to choose from."""
        return replace(self, candidates=self.candidates - {memory_mb})
