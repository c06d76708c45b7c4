"""The goal's rule: loss, slack, ties, regret.

Loss is the objective over its best, less 1. Sizes within the slack are admissible; among them cost
and balanced prefer the faster, speed the cheaper, and the current size wins a tie (it is within
the tolerance of the preferred one). Regret is by how much an answer's objective is above all that
the slack admits: an admissible answer has none. A size on the edge of the slack may turn out to be
beyond it, so among admissible sizes those with an expected regret within the tolerance come first;
where none has, the one with the least is the answer so far.
With a slack, a current size that is preferred (for cost, a faster one) is left only for what is
better by more than the tolerance with a probability of 90 %: a slower function for a saving that
may be none is harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tuner.decision.estimates import Estimates
    from tuner.model.goal import Goal

    Floats = NDArray[np.float64]


_SURE = 0.9
"""How sure a gain must be for which a preferred current size is left."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Estimates seen through a goal. `allowed` says which columns may be recommended at all."""

    goal: Goal
    objective: Floats
    preference: Floats
    allowed: NDArray[np.bool_]
    current: int | None
    """Column of the current size, None if it is no candidate."""
    rivals: Floats | None = None
    """The objective of answers beyond these columns (sizes with another value of a payload
    parameter), which the best is the best of as well: (draws, answers).
    """

    def pick(self, among: NDArray[np.bool_] | None = None) -> int | None:
        """Column that the rule picks on posterior means; None if nothing is allowed.

        `among` narrows the choice; the best stays that of all allowed sizes, and where none of
        `among` is admissible the one with the least expected regret is taken.
        """
        among = self.allowed if among is None else among & self.allowed
        best = self._best(among)
        return self.current if best is not None and self._is_kept(best, among) else best

    def tempting(self) -> int | None:
        """The column that the rule would pick if the gain over the current one were sure; None
        where that is not the reason why the current one is kept.
        """
        best = self._best(self.allowed)
        return best if best is not None and self._is_kept(best, self.allowed) else None

    def _best(self, among: NDArray[np.bool_]) -> int | None:
        """The rule's column, however sure; None where `among` (allowed ones only) holds none."""
        if not among.any():
            return None
        objective, preference = self.objective.mean(axis=0), self.preference.mean(axis=0)
        admissible = _admissible(objective[None, :], self.allowed, self.goal)[0] & among
        regrets = self.regret_table().mean(axis=0)
        if not admissible.any():
            return int(np.where(among, regrets, np.inf).argmin())
        safe = admissible & (regrets <= self.goal.tolerance_ratio)
        if not safe.any() and self.goal.cost_slack_ratio:
            return int(np.where(admissible, regrets, np.inf).argmin())
        open_to_all = safe if safe.any() else admissible
        return int(_prefer(preference[None, :], open_to_all[None, :], self.current, self.goal)[0])

    def _is_kept(self, best: int, among: NDArray[np.bool_]) -> bool:
        """Whether the current column stays although another would be answered for: it is preferred,
        and the gain is not sure. (While the other's own regret is too large, it is no answer yet.)
        """
        current = self.current
        if current is None or current == best or not among[current]:
            return False
        if not self.goal.cost_slack_ratio or self.regrets(best).mean() > self.goal.tolerance_ratio:
            return False
        preference = self.preference.mean(axis=0)
        return bool(preference[current] <= preference[best]) and self._gains(best, current) < _SURE

    def _gains(self, column: int, current: int) -> float:
        """Probability that a size is better than the current one by more than the tolerance."""
        wanted = self.objective[:, current] * (1 - self.goal.tolerance_ratio)
        return float(np.mean(self.objective[:, column] <= wanted))

    def regrets(self, column: int) -> Floats:
        """Regret of answering `column`, for each draw."""
        return np.asarray(self.regret_table()[:, column])

    def regret_table(self) -> Floats:
        """Regret of answering each column, for each draw."""
        return np.asarray(np.maximum(self.objective / self._dearest() - 1, 0.0))

    def rival_regret(self) -> Floats:
        """Regret of answering the best of the rivals, for each draw: one column, or none."""
        if self.rivals is None or not self.rivals.shape[1]:
            return np.empty((len(self.objective), 0))
        regrets = np.maximum(self.rivals / self._dearest() - 1, 0.0)
        return np.asarray(regrets[:, regrets.mean(axis=0).argmin()][:, None])

    def _dearest(self) -> Floats:
        """The largest objective that the slack admits, for each draw."""
        best = np.where(self.allowed, self.objective, np.inf).min(axis=1, keepdims=True)
        if self.rivals is not None and self.rivals.shape[1]:
            best = np.minimum(best, self.rivals.min(axis=1, keepdims=True))
        return np.asarray(best * (1 + self.goal.cost_slack_ratio))


def rank(estimates: Estimates, goal: Goal, allowed: NDArray[np.bool_], current_mb: int) -> Ranking:
    """See estimates through a goal."""
    objective = {
        "cost": estimates.cost_usd,
        "speed": estimates.duration_ms,
        "balanced": estimates.cost_usd * estimates.duration_ms,
    }[goal.name]
    in_sizes = current_mb in estimates.sizes_mb
    return Ranking(
        goal=goal,
        objective=objective,
        preference=estimates.cost_usd if goal.name == "speed" else estimates.duration_ms,
        allowed=allowed,
        current=estimates.column(current_mb) if in_sizes else None,
    )


def _admissible(objective: Floats, allowed: NDArray[np.bool_], goal: Goal) -> NDArray[np.bool_]:
    """Allowed sizes whose loss is within the slack, for each row."""
    open_to_all = np.where(allowed, objective, np.inf)
    best = open_to_all.min(axis=1, keepdims=True)
    return np.asarray(open_to_all <= best * (1 + goal.cost_slack_ratio))


def _prefer(
    preference: Floats, admissible: NDArray[np.bool_], current: int | None, goal: Goal
) -> NDArray[np.intp]:
    """The preferred admissible column of each row, or the current one where it ties."""
    values = np.where(admissible, preference, np.inf)
    best = values.argmin(axis=1)
    if current is None:
        return np.asarray(best)
    lowest = values[np.arange(len(values)), best]
    ties = values[:, current] <= lowest * (1 + goal.tolerance_ratio)
    return np.asarray(np.where(ties, current, best))
