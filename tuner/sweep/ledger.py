"""Money and invocations: what is spent, and what calls in flight may still spend."""

from __future__ import annotations


class Ledger:
    """Lets a call start only if the limits hold even in the worst case of all in flight."""

    def __init__(self, *, budget_usd: float | None, max_invocations: int) -> None:
        self._budget_usd = budget_usd
        self._max_invocations = max_invocations
        self._started_count = 0
        self._spent_usd = 0.0
        self._reserved_usd: list[float] = []

    @property
    def remaining_invocations(self) -> int:
        """How many calls may still be started."""
        return self._max_invocations - self._started_count

    def can_afford(self, worst_usd: float) -> bool:
        """Whether a call that may cost so much can start now."""
        if self._budget_usd is None:
            return True
        return self._spent_usd + sum(self._reserved_usd) + worst_usd <= self._budget_usd

    def add_spent(self, cost_usd: float) -> None:
        """A call was made and paid for before."""
        self._started_count += 1
        self._spent_usd += cost_usd

    def reserve(self, worst_usd: float) -> None:
        """A call starts."""
        self._started_count += 1
        self._reserved_usd.append(worst_usd)

    def settle(self, worst_usd: float, cost_usd: float) -> None:
        """A call that had reserved `worst_usd` ended and cost `cost_usd`."""
        self._reserved_usd.remove(worst_usd)
        self._spent_usd += cost_usd
