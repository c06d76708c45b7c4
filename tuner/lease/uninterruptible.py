"""Work that an interruption must not break off, and how long it may take.

It runs in its own thread: Python delivers signals to the main thread only, so a KeyboardInterrupt
hits the waiting and not the work.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from tuner.errors import LeftChangedError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

GRACE_S: Final = 10.0
"""From a second interruption to the end of everything: an update of memory takes up to three."""
OPENING_GRACE_S: Final = 3.0
"""The part of it for a call in progress; the rest is for restoring."""
_LOOK_S: Final = 0.05


LIMIT_S: Final = 300.0
"""For work without a successful step, whatever repeats its calls, including the SDK; an update of
memory may take minutes."""


class WorkLimit:
    """How long to wait for the calls of one lease or one recovery, all together."""

    def __init__(
        self,
        is_urgent: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_given_up = False
        """Whether nobody waits for the work any more: it must send nothing more."""
        self.is_failing = False
        """Whether the last attempt to restore something failed: its time keeps counting."""
        self.unanswered: str | None = None
        """The change that was abandoned, if any: it may still take effect."""
        self.interruption_count = 0
        self._is_urgent = is_urgent
        self._urgent_since_s: float | None = None
        self._clock = clock
        self._since_s = clock()

    def step(self) -> None:
        """Something succeeded, or the work begins."""
        self._since_s = self._clock()

    @property
    def is_over(self) -> bool:
        """Whether too much time has passed since anything succeeded."""
        return self._clock() - self._since_s > LIMIT_S

    @property
    def is_urgent(self) -> bool:
        """Whether somebody asked twice to stop."""
        return self.interruption_count > 1 or self._is_urgent()

    def is_urgent_for(self, grace_s: float) -> bool:
        """Whether it has been urgent for longer than this, counted from the first check."""
        if self._urgent_since_s is None:
            if not self.is_urgent:
                return False
            self._urgent_since_s = time.monotonic()
        return time.monotonic() - self._urgent_since_s > grace_s


@dataclass(slots=True)
class _Run(Generic[T]):
    """What became of work in its thread."""

    returned: list[T] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    interruption: KeyboardInterrupt | None = None


class _Here(threading.local):
    is_worker = False
    """Whether this thread runs such work."""


_here = _Here()


def uninterruptible(
    work: Callable[[], T], limit: WorkLimit, *, command: str = "tuner recover"
) -> T:
    """Run `work`, which restores something, to its end; return its result or raise its error.

    A KeyboardInterrupt is raised again afterwards. After a second one, or once the limit's end is
    urgent, there are `GRACE_S` left: then the work is abandoned, and LeftChangedError says so and
    names the `command` to run; its journal stays. The same happens once the limit is over.
    """
    if not limit.is_failing:
        limit.step()
    limit.is_failing = True
    run: _Run[T] = _run(work, limit, lambda: limit.is_over or limit.is_urgent_for(GRACE_S))
    if run.raised:
        raise run.raised[0]
    if not run.returned:
        limit.is_given_up = True
        why = "interrupted before the function was restored"
        if not limit.is_urgent:
            why = f"restoring the function has made no progress for {LIMIT_S:.0f} s"
        raise LeftChangedError(f"{why}. Run: {command}")
    limit.is_failing = False
    if run.interruption is not None:
        raise run.interruption
    return run.returned[0]


def abandonable(work: Callable[[], T], limit: WorkLimit, *, change: str | None = None) -> T:
    """Run one call of a lease's opening; return its result or raise its error.

    A KeyboardInterrupt waits for it to end. Once the limit's end is urgent nothing is started, and
    a call in progress has `OPENING_GRACE_S` left: then it is abandoned, which the limit records if
    the call is a `change`, and KeyboardInterrupt is raised. Within `uninterruptible` work it just
    runs.
    """
    if _here.is_worker:
        return work()
    if limit.is_urgent:
        raise KeyboardInterrupt
    run = _run(work, limit, lambda: limit.is_urgent_for(OPENING_GRACE_S))
    if not run.returned and not run.raised:
        limit.unanswered = change
        raise KeyboardInterrupt
    if run.interruption is not None:
        raise run.interruption
    if run.raised:
        raise run.raised[0]
    return run.returned[0]


def _run(work: Callable[[], T], limit: WorkLimit, is_over: Callable[[], bool]) -> _Run[T]:
    """Run `work` in a thread until it ends, or nobody waits any longer: then it has no result."""
    run: _Run[T] = _Run()
    entered, ended = threading.Lock(), threading.Event()

    def enter() -> None:
        if not entered.acquire(blocking=False):
            return  # interrupted while starting the thread, which runs anyway
        _here.is_worker = True
        try:
            run.returned.append(work())
        except BaseException as error:  # passed on to the caller
            run.raised.append(error)
        finally:
            ended.set()

    while not ended.is_set():
        try:
            if not entered.locked():
                threading.Thread(target=enter, name="tuner-uninterruptible", daemon=True).start()
            if not ended.wait(_LOOK_S) and is_over():
                break
        except KeyboardInterrupt as error:
            run.interruption = error
            limit.interruption_count += 1
    return _Run(list(run.returned), list(run.raised), run.interruption)
