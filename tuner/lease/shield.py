"""Work that an interruption must not cut through."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def shielded(work: Callable[[], T]) -> T:
    """Run `work` to its end and return what it returns or raise what it raises.

    It runs in a thread of its own: Python delivers signals to the main thread only, so that a
    KeyboardInterrupt meets the waiting here and not the work. It is raised again afterwards.
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
    while not ended.is_set():
        try:
            if not entered.locked():
                threading.Thread(target=run, name="tuner-shielded").start()
            ended.wait()
        except KeyboardInterrupt as error:
            interrupted = error
    if raised:
        raise raised[0]
    if interrupted is not None:
        raise interrupted
    return returned[0]
