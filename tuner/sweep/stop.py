"""How a sweep is asked to stop: a flag that is looked at between steps.

A signal handler that raised would cut through a restore. These handlers only count, and wake the
sweep: the first request starts no further invocation, gives those in flight a moment, restores
and deletes; the second abandons those in flight at once, and still restores and deletes.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class StopSignal:
    """A request to stop, in two degrees. Safe to call from signal handlers and other threads."""

    def __init__(self) -> None:
        self._request_count = 0
        self._wake: Callable[[], None] | None = None

    def request(self) -> None:
        """Ask to stop; asked again: abandon what is in flight."""
        self._request_count += 1
        if self._wake is not None:
            self._wake()

    @property
    def is_requested(self) -> bool:
        """Whether to start nothing more."""
        return self._request_count > 0

    @property
    def is_urgent(self) -> bool:
        """Whether to wait for nothing more either."""
        return self._request_count > 1

    def notify(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` on every request; it must be safe inside a signal handler."""
        self._wake = wake


@contextmanager
def stop_on_signals(stop: StopSignal) -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into requests to stop; for the main thread only."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.request()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(number, signal.signal(number, handle)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
