"""Threads that invoke, and the queue of what came back.

Not a ThreadPoolExecutor: the interpreter waits for its threads at exit, and a call that the user
has abandoned may last a quarter of an hour. SimpleQueue may be filled from a signal handler.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.decision.policy.policy import Trial
    from tuner.model.reply import InvokeReply


@dataclass(slots=True, eq=False)
class Call:
    """One trial on its way: a throttled one keeps its place and is sent again."""

    trial: Trial
    version: str
    worst_usd: float
    event_index: int = 0
    throttle_count: int = 0
    due_s: float | None = None
    """When to send it again, by the sweep's clock; None while it is with a worker."""
    body: bytes | None = field(default=None, repr=False)
    """What was sent, where it is to be kept."""
    after_error: Exception | None = None
    """The command that runs after the invocation failed; the invocation counts."""


@dataclass(frozen=True, slots=True)
class Done:
    """A call came back, with a reply or an exception; times by the sweep's clock."""

    call: Call
    result: InvokeReply | Exception
    started_s: float
    ended_s: float


class Workers:
    """As many threads as calls were ever in flight at once."""

    def __init__(self, invoke: Callable[[Call], InvokeReply], clock: Callable[[], float]) -> None:
        self._invoke = invoke
        self._clock = clock
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done | None] = queue.SimpleQueue()
        self._thread_count = 0
        self._busy_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in range(self._thread_count):
            self._calls.put(None)

    def start(self, call: Call) -> None:
        """Send a call."""
        self._busy_count += 1
        if self._busy_count > self._thread_count:
            self._thread_count += 1
            threading.Thread(
                target=self._work, name=f"tuner-invoke-{self._thread_count}", daemon=True
            ).start()
        self._calls.put(call)

    def next_done(self, timeout_s: float | None) -> Done | None:
        """Wait for a call to come back; None after `timeout_s`, or when woken."""
        try:
            done = self._done.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if done is not None:
            self._busy_count -= 1
        return done

    def wake(self) -> None:
        """Make `next_done` return; may be called from a signal handler."""
        self._done.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            started_s = self._clock()
            try:
                result: InvokeReply | Exception = self._invoke(call)
            except Exception as error:  # judged by the sweep's own thread
                result = error
            self._done.put(Done(call, result, started_s, self._clock()))
