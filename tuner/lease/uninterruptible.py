"""Work that an interruption must not cut through."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import LeftChangedError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

GRACE_S: Final = 8.0
"""For what is under way once a second interruption came: an update of memory takes up to three."""
_LOOK_S: Final = 0.05


LIMIT_S: Final = 300.0
"""For work without a step that succeeds, whatever repeats its calls, the SDK included; an update
of memory may take minutes.
"""


class StepLimit:
    """How long work may go on without a step that succeeds."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, limit_s: float = LIMIT_S
    ) -> None:
        self.limit_s = limit_s
        self.is_given_up = False
        """Whether nobody waits for the work any more: it is to send nothing more."""
        self._clock = clock
        self._since_s = clock()

    def step(self) -> None:
        """Something succeeded, or the work begins."""
        self._since_s = self._clock()

    @property
    def is_over(self) -> bool:
        """Whether it has been too long."""
        return self._clock() - self._since_s > self.limit_s


class _Grace:
    """How long work goes on after somebody asked twice for its end."""

    def __init__(self, is_urgent: Callable[[], bool], grace_s: float) -> None:
        self.interruption_count = 0
        self._is_urgent = is_urgent
        self._grace_s = grace_s
        self._since_s: float | None = None

    def is_over(self) -> bool:
        """Whether nothing is waited for any more."""
        if self._since_s is None:
            if self.interruption_count < 2 and not self._is_urgent():
                return False
            self._since_s = time.monotonic()
        return time.monotonic() - self._since_s > self._grace_s


def uninterruptible(
    work: Callable[[], T],
    is_urgent: Callable[[], bool] = lambda: False,
    *,
    grace_s: float = GRACE_S,
    limit: StepLimit | None = None,
) -> T:
    """Run `work` to its end and return what it returns or raise what it raises.

    It runs in a thread of its own: Python delivers signals to the main thread only, so that a
    KeyboardInterrupt meets the waiting here and not the work. It is raised again afterwards.
    Once `is_urgent`, or after a second KeyboardInterrupt, the work has `grace_s` left: then it is
    abandoned, and LeftChangedError says so. Its journal stays. So it does once `limit` is over.
    """
    returned: list[T] = []
    raised: list[BaseException] = []
    entered, ended = threading.Lock(), threading.Event()

    def run() -> None:
        if not entered.acquire(blocking=False):
            return  # an interruption hit the start of a thread that runs nevertheless
        try:
            returned.append(work())
        except BaseException as error:  # handed on to the caller below
            raised.append(error)
        finally:
            ended.set()

    interrupted = None
    grace = _Grace(is_urgent, grace_s)
    limit = limit or StepLimit()
    limit.step()
    while not ended.is_set():
        try:
            if not entered.locked():
                threading.Thread(target=run, name="tuner-uninterruptible", daemon=True).start()
            ended.wait(_LOOK_S)
            if not ended.is_set():
                _check(grace, limit)
        except KeyboardInterrupt as error:
            interrupted = error
            grace.interruption_count += 1
    if raised:
        raise raised[0]
    if interrupted is not None:
        raise interrupted
    return returned[0]


def _check(grace: _Grace, limit: StepLimit) -> None:
    """Raise LeftChangedError where the work is not waited for any longer."""
    if grace.is_over():
        why = "interrupted before the function was given back"
    elif limit.is_over:
        why = f"giving the function back has done nothing for {limit.limit_s:.0f} s"
    else:
        return
    limit.is_given_up = True
    raise LeftChangedError(f"{why}. Run: tuner recover")
