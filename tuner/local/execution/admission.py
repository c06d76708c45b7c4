"""The queue for cores: environments that run at one time never take more than the host has."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from tuner.errors import LocalError

TOLERANCE_CORES = 1e-6


@dataclass(slots=True)
class _Waiter:
    wanted: float
    minimum: float
    granted: float | None = None
    ready: threading.Event = field(default_factory=threading.Event)


class Grant:
    """Cores that were handed out; given back when the `with` block ends."""

    def __init__(self, queue: CoreQueue, cores: float, *, counted: bool) -> None:
        self._queue = queue
        self._counted = counted
        self.cores = cores

    def shrink(self, cores: float) -> None:
        """Keep only this many; never more than before."""
        kept = min(cores, self.cores)
        if self._counted:
            self._queue.give_back(self.cores - kept)
        self.cores = kept

    def release(self) -> None:
        """Give all back."""
        self.shrink(0.0)

    def __enter__(self) -> Grant:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class CoreQueue:
    """First come, first served: a large wish at the front is not overtaken by small ones."""

    def __init__(self, core_count: float) -> None:
        self._lock = threading.Lock()
        self._free = core_count
        self._total = core_count
        self._waiting: deque[_Waiter] = deque()
        self._closed = False

    @property
    def waiting_count(self) -> int:
        """How many wait."""
        with self._lock:
            return len(self._waiting)

    @property
    def free_cores(self) -> float:
        """Cores that nobody has."""
        with self._lock:
            return self._free

    def acquire(
        self, wanted: float, minimum: float | None = None, *, at_front: bool = False
    ) -> Grant:
        """Wait until `minimum` (default: all that is wanted) is free, then take up to `wanted`.

        Wishes above the host's cores are cut to them. Raises LocalError once the queue is closed.
        """
        wanted = min(wanted, self._total)
        waiter = _Waiter(wanted, wanted if minimum is None else min(minimum, wanted))
        with self._lock:
            self._check_open()
            if at_front:
                self._waiting.appendleft(waiter)
            else:
                self._waiting.append(waiter)
            self._serve()
        waiter.ready.wait()
        if waiter.granted is None:
            self._check_open()
        return Grant(self, waiter.granted or 0.0, counted=True)

    def borrow(self, cores: float) -> Grant:
        """Use a waiting caller's cores: a nested call that queued would wait for itself."""
        return Grant(self, min(cores, self._total), counted=False)

    def give_back(self, cores: float) -> None:
        """Take cores back and serve whoever waits."""
        with self._lock:
            self._free = min(self._total, self._free + cores)
            self._serve()

    def close(self) -> None:
        """Send everybody away who waits."""
        with self._lock:
            self._closed = True
            for waiter in self._waiting:
                waiter.ready.set()
            self._waiting.clear()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0].minimum <= self._free + TOLERANCE_CORES:
            waiter = self._waiting.popleft()
            waiter.granted = min(waiter.wanted, max(self._free, waiter.minimum))
            self._free = max(0.0, self._free - waiter.granted)
            waiter.ready.set()

    def _check_open(self) -> None:
        if self._closed:
            raise LocalError("the local Lambda is shutting down: the invocation was not run")
