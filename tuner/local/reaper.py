"""Ends environments that nothing will run again, while the request that changed them goes on."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.local.deployment import Executor


class Reaper:
    """Tells the executor of ended deployments from a thread of its own: ending takes time."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="reaper", daemon=True)
        self._thread.start()

    def add(self, deployment_id: str) -> None:
        """Retire a deployment soon."""
        self._ended.put(deployment_id)

    def close(self) -> None:
        """Retire what was added, and end."""
        self._ended.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while (deployment_id := self._ended.get()) is not None:
            self._executor.retire(deployment_id)
