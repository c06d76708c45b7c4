"""The host's cores: a queue for shares of them, and which ones an environment may use.

Environments running at the same time never take more than the host has.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
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
    """Cores that were handed out; returned when the `with` block ends."""

    def __init__(self, queue: CoreQueue, cores: float, *, counted: bool) -> None:
        self._queue = queue
        self._counted = counted
        self.cores = cores

    def shrink(self, cores: float) -> None:
        """Keep only this many, never more than before."""
        kept = min(cores, self.cores)
        if self._counted:
            self._queue.give_back(self.cores - kept)
        self.cores = kept

    def release(self) -> None:
        """Return all of them."""
        self.shrink(0.0)

    def __enter__(self) -> Grant:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class CoreQueue:
    """First come, first served: small requests don't overtake a large one at the front."""

    def __init__(self, core_count: float) -> None:
        self._lock = threading.Lock()
        self._free = core_count
        self._total = core_count
        self._waiting: deque[_Waiter] = deque()
        self._closed = False

    def acquire(
        self, wanted: float, minimum: float | None = None, *, at_front: bool = False
    ) -> Grant:
        """Wait until `minimum` (default: everything wanted) is free, then take up to `wanted`.

        Requests above the host's cores are reduced to them. Raises LocalError once the queue is
        closed.
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
        """Return cores and serve whoever waits."""
        with self._lock:
            self._free = min(self._total, self._free + cores)
            self._serve()

    def close(self) -> None:
        """Turn away everybody who waits."""
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


class CorePlacement:
    """Spreads the running environments over the host's cores. Thread-safe.

    Code that may see two cores is bound to two; if several environments were bound to the same two,
    they would take each other's time while others are free.
    """

    def __init__(self, cpus: tuple[int, ...]) -> None:
        self._lock = threading.Lock()
        self._load = dict.fromkeys(cpus, 0.0)

    @contextlib.contextmanager
    def placed(
        self, core_count: int, share: float, last: tuple[int, ...] = ()
    ) -> Iterator[tuple[int, ...]]:
        """The least busy cores for as long as a share of them runs; empty: no binding needed.

        `last` is kept if it's as good as any: moving a tree takes time.
        """
        if not self._load:
            yield ()
            return
        count = min(core_count, len(self._load))
        with self._lock:
            chosen = self._chosen(count, last)
            self._add(chosen, share)
        try:
            yield chosen if count < len(self._load) else ()
        finally:
            with self._lock:
                self._add(chosen, -share)

    def _chosen(self, count: int, last: tuple[int, ...]) -> tuple[int, ...]:
        best = tuple(sorted(self._load, key=self._load.__getitem__)[:count])
        is_usable = len(last) == count and set(last) <= self._load.keys()
        if is_usable and self._total(last) <= self._total(best) + TOLERANCE_CORES:
            return last
        return tuple(sorted(best))

    def _total(self, cpus: tuple[int, ...]) -> float:
        return sum(self._load[cpu] for cpu in cpus)

    def _add(self, cpus: tuple[int, ...], share: float) -> None:
        for cpu in cpus:
            self._load[cpu] += share / len(cpus)
