"""The question to a sweep."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.model.function import Architecture, FunctionConfig
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
    other_prices: LambdaPrices | None = None
    """Prices of the other architecture, if architectures are compared."""

    def on(self, architecture: Architecture | None) -> Question:
        """The same question on an architecture (None: the function's own): what was measured before
        says nothing about another.
        """
        if architecture is None or architecture == self.function.architecture:
            return self
        assert self.other_prices is not None
        function = replace(self.function, architecture=architecture)
        return replace(self, function=function, prices=self.other_prices, prior=None)

    def without(self, memory_mb: int) -> Question:
        """The same question with one size fewer to choose from."""
        return replace(self, candidates=self.candidates - {memory_mb})
