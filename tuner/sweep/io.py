"""What a sweep talks to: Lambda, the clock, whoever watches, and whoever may stop it.

A signal handler that raised could interrupt a restore. These handlers only count, and wake the
sweep: the first request starts no more invocations, gives those in flight a moment, restores and
deletes; the second abandons those in flight at once, and still restores and deletes.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from tuner.lease.function_control import FunctionControl
from tuner.sweep.limits import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    from tuner.model.invocation import InvokeReply
    from tuner.model.progress import ProgressEvent, ProgressHook


class Invoker(Protocol):
    """Sends invocations. Thread-safe."""

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        """Invoke a version once, wait for its reply and ask for its log tail.

        `timeout_s` is the function's timeout: the read timeout must be above it, and nothing may
        be sent twice. Raises ThrottledError (ran nothing), LostReplyError (may have run) and
        other kinds of AwsError.
        """

    def find_log(self, function: str, request_id: str) -> str | None:
        """Return the log of an invocation that has just ended, from CloudWatch Logs.

        For one whose REPORT line isn't in the 4 KB tail. It takes seconds to arrive there; None if
        it doesn't, or can't be read.
        """

    def count_dropped_as_recursive(self, function: str, since: datetime) -> int | None:
        """Return how many invocations of a function Lambda dropped as recursive since then.

        None if that may not be asked, or isn't known.
        """


class SweepGateway(FunctionControl, Invoker, Protocol):
    """Lambda, as far as a sweep needs it."""

    @property
    def endpoint_url(self) -> str | None:
        """Where Lambda is, if not at AWS's own endpoint."""


class StopSignal:
    """A request to stop, with two levels. Safe to call from signal handlers and other threads."""

    def __init__(self) -> None:
        self._request_count = 0
        self._wake: Callable[[], None] | None = None

    def request(self) -> None:
        """Ask to stop; a second call abandons what is in flight."""
        self._request_count += 1
        if self._wake is not None:
            self._wake()

    @property
    def is_requested(self) -> bool:
        """Whether to start nothing more."""
        return self._request_count > 0

    @property
    def is_urgent(self) -> bool:
        """Whether to stop waiting too."""
        return self._request_count > 1

    def notify(self, wake: Callable[[], None] | None) -> None:
        """Call `wake` on every request; it must be safe in a signal handler."""
        self._wake = wake


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as a sweep sees it."""

    monotonic_s: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def tell_nobody(event: ProgressEvent) -> None:
    """The progress hook of a sweep that nobody watches."""
    del event


@dataclass(frozen=True, slots=True)
class SweepIO:
    """Everything that a running sweep talks to."""

    gateway: SweepGateway
    journal_dir: Path
    """The folder for the journal and the lock."""
    on_progress: ProgressHook = tell_nobody
    stop: StopSignal = field(default_factory=StopSignal)
    clock: Clock = field(default_factory=Clock)
    backoff: Backoff = field(default_factory=Backoff)
    keep_journal: Callable[[], None] | None = None
    """As `LeaseTerms.keep`."""


def stopping_signals() -> tuple[signal.Signals, ...]:
    """SIGINT, SIGTERM and SIGHUP, except a SIGHUP that `nohup` ignores.

    SIGINT counts even if a script's `&` ignored it: whoever presses Ctrl-C wants the spending to
    end.
    """
    always = (signal.SIGINT, signal.SIGTERM)
    is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return always if is_ignored else (*always, signal.SIGHUP)


@contextmanager
def stop_on_signals(stop: StopSignal) -> Iterator[None]:
    """Turn stopping signals into requests to stop; for the main thread only."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.request()

    before = [(number, signal.signal(number, handle)) for number in stopping_signals()]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
