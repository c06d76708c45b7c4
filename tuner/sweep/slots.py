"""How many invocations may be in flight: fewer after throttles, more again while none come."""

from __future__ import annotations

from typing import Final

_REPLIES_TO_RECOVER: Final = 10


class Slots:
    """Starts with the plan's concurrency, never exceeds it and never falls below one."""

    def __init__(self, concurrency: int) -> None:
        self._most = concurrency
        self._replies = 0
        self.count = concurrency

    def throttled(self) -> None:
        """A call was throttled: live traffic may be short of concurrency too."""
        self.count = max(1, self.count - 1)
        self._replies = 0

    def replied(self) -> None:
        """A call was answered."""
        self._replies += 1
        if self._replies >= _REPLIES_TO_RECOVER:
            self.count = min(self._most, self.count + 1)
            self._replies = 0
