"""Which cores an environment may use, on a host that has more than its code may see."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE_CORES = 1e-6


class CpuBoard:
    """Spreads the environments that run over the host's cores. Thread-safe.

    Code that may see two cores is bound to two; bound to the same two, environments would take
    each other's time although others are free.
    """

    def __init__(self, cpus: tuple[int, ...]) -> None:
        self._lock = threading.Lock()
        self._load = dict.fromkeys(cpus, 0.0)

    @contextlib.contextmanager
    def placed(
        self, core_count: int, share: float, last: tuple[int, ...] = ()
    ) -> Iterator[tuple[int, ...]]:
        """The least busy cores for as long as a share of them runs; empty: no binding is needed.

        `last` is kept if it is as good as any: moving a tree costs time.
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
