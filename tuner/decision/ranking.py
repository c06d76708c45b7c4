"""The goal's objective over sizes, and the regret of every answer.

One smooth objective: log cost + w log duration, where the time weight w says how many percent of
cost one percent of time is worth. A weight above 1 divides the sum, so that a loss of one percent
is never more than one percent of what counts most. Loss is the objective over its best, less 1;
regret the loss of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tuner.decision.estimates import Estimates
    from tuner.model.arrays import Flags, Floats
    from tuner.model.goal import Goal


@dataclass(frozen=True, slots=True)
class Staying:
    """The result of changing nothing, draw by draw."""

    objective: Floats
    duration_ms: Floats
    cost_usd: Floats


@dataclass(frozen=True, slots=True)
class Ranking:
    """Estimates under a goal. `allowed` says which columns may be recommended at all."""

    goal: Goal
    objective: Floats
    allowed: Flags
    current: int
    """Column of the current size, which is estimated even if it isn't a candidate."""
    rivals: Floats | None = None
    """The objective of answers beyond these columns (sizes with another value of a payload
    parameter), which the best is the best of as well: (draws, answers).
    """
    staying: Staying | None = None
    """What stays where it is one of those: the current size with the current value, for as many
    records as these columns are of."""

    def pick(self, among: Flags | None = None) -> int | None:
        """The allowed column with the least expected regret, of those in `among` if that is given;
        None without one. The best that it is compared with stays that of all allowed columns.
        """
        among = self.allowed if among is None else among & self.allowed
        if not among.any():
            return None
        return int(np.where(among, self.regret_table().mean(axis=0), np.inf).argmin())

    def gains(self, column: int) -> Floats:
        """How much better answering `column` is than staying, as a share of the objective of
        staying, for each draw.
        """
        now = self.objective[:, self.current] if self.staying is None else self.staying.objective
        return np.asarray(1 - self.objective[:, column] / now)

    def regrets(self, column: int) -> Floats:
        """Regret of answering `column`, for each draw."""
        return self.regrets_of(self.objective[:, column])

    def regrets_of(self, objective: Floats) -> Floats:
        """Regret of an answer by its objective, for each draw."""
        return np.asarray(np.maximum(objective / self._best() - 1, 0.0))

    def regret_table(self) -> Floats:
        """Regret of answering each column, for each draw."""
        return np.asarray(np.maximum(self.objective / self._best()[:, None] - 1, 0.0))

    def rival_regret(self) -> Floats:
        """Regret of answering the best of the rivals, for each draw: one column, or none."""
        if self.rivals is None or not self.rivals.shape[1]:
            return np.empty((len(self.objective), 0))
        regrets = np.maximum(self.rivals / self._best()[:, None] - 1, 0.0)
        return np.asarray(regrets[:, regrets.mean(axis=0).argmin()][:, None])

    def answers(self) -> Floats:
        """The objective of everything that may be answered, including rivals: (draws, answers)."""
        own = self.objective[:, self.allowed]
        return own if self.rivals is None else np.column_stack([own, self.rivals])

    def _best(self) -> Floats:
        """The least objective of all answers, for each draw."""
        return np.asarray(self.answers().min(axis=1, initial=np.inf))


def rank(estimates: Estimates, goal: Goal, allowed: Flags, current_mb: int) -> Ranking:
    """Rank estimates, including the current size's, under a goal."""
    cost_exponent, time_exponent = goal.exponents
    return Ranking(
        goal=goal,
        objective=estimates.cost_usd**cost_exponent * estimates.duration_ms**time_exponent,
        allowed=allowed,
        current=estimates.column(current_mb),
    )
