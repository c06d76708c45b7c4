"""Leaves room in the account's control plane: 15 requests a second, which others need too."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_INTERVAL_S: Final = 0.11
"""Nine requests a second at most."""
_APART: Final = ("GetFunction",)
"""Has a budget of its own, 100 a second."""


class Pacer:
    """Spaces requests, whichever thread sends them; the SDK's own retries count too."""

    def __init__(
        self,
        interval_s: float = LEAST_INTERVAL_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._next_s = 0.0
        self._lock = threading.Lock()

    def attach(self, client: Any) -> None:
        """Have every request of a client wait for its turn."""
        client.meta.events.register("before-send", self._before_send)

    def wait(self) -> None:
        """Wait until the next request may go."""
        with self._lock:
            now_s = self._clock()
            turn_s = max(now_s, self._next_s)
            self._next_s = turn_s + self._interval_s
        if turn_s > now_s:
            self._sleep(turn_s - now_s)

    def _before_send(self, event_name: str = "", **_: Any) -> None:
        if event_name.rpartition(".")[2] not in _APART:
            self.wait()
