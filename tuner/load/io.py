"""What a running load talks to: what carries requests, the clock, who watches and who stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tuner.load.guard import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.load.phases import Arrival
    from tuner.sweep.io import Invoker, StopSignal
    from tuner.sweep.sending import Done


@dataclass(slots=True, eq=False)
class Request:
    """An arrival on its way; its due time is by the load's clock."""

    arrival: Arrival
    due_s: float
    body: bytes
    worst_usd: float
    in_flight_count: int = 0


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far a load has come."""

    passed_s: float
    due_count: int
    answered_count: int
    in_flight_count: int


class Senders(Protocol):
    """What carries requests, and is waited on: `Workers`, threads that invoke."""

    def start(self, call: Request) -> None:
        """Send a request."""

    def next_done(self, timeout_s: float | None) -> Done[Request] | None:
        """Wait for an answer; None after `timeout_s`, or when woken."""

    def wake(self) -> None:
        """Make `next_done` return; may be called from a signal handler."""


@dataclass(frozen=True, slots=True)
class LoadIO:
    """Everything that a running load talks to."""

    gateway: Invoker
    clock: Callable[[], float]
    stop: StopSignal
    on_progress: Callable[[LoadProgress], None] = lambda _: None
    count_dropped: Callable[[], int | None] = lambda: None
    """How many invocations Lambda dropped as recursive since the load began; None: not known."""
    aside: Callable[[Callable[[], None]], None] = in_thread
    pass_time: Callable[[float, int, int], None] = lambda _, __, ___: None
    """Told often: seconds since the load began, requests sent, and answered."""
