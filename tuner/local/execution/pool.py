"""Kept execution environments: idle ones by deployment, most recently used first."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.local.execution.environment import Environment


class EnvironmentPool:
    """Idle and busy environments. Thread-safe; it ends what it drops."""

    def __init__(self, idle_s: float, max_environments: int) -> None:
        self._idle_s = idle_s
        self._max_environments = max_environments
        self._changed = threading.Condition()
        self._idle: list[Environment] = []
        self._busy: set[Environment] = set()
        self._retired: set[str] = set()
        self._closed = False
        self._reaper = threading.Thread(target=self._reap, name="reaper", daemon=True)
        self._reaper.start()

    @property
    def is_closed(self) -> bool:
        """Whether nothing may be added any more."""
        return self._closed

    def has_idle(self, deployment_id: str) -> bool:
        """Whether one waits for this deployment."""
        with self._changed:
            return any(one.deployment.deployment_id == deployment_id for one in self._idle)

    def take(self, deployment_id: str) -> Environment | None:
        """The most recently used idle one, now busy; None if there is none."""
        with self._changed:
            for environment in reversed(self._idle):
                if environment.deployment.deployment_id == deployment_id:
                    self._idle.remove(environment)
                    self._busy.add(environment)
                    return environment
        return None

    def add(self, environment: Environment) -> None:
        """Add a new one as busy; if there are too many, the longest idle one ends."""
        surplus = None
        with self._changed:
            self._busy.add(environment)
            if self._idle and len(self._idle) + len(self._busy) > self._max_environments:
                surplus = self._idle.pop(0)
        if surplus is not None:
            surplus.end()

    def give_back(self, environment: Environment, *, keep: bool = True) -> None:
        """A busy one is done: it waits for the next invocation, or is ended."""
        with self._changed:
            self._busy.discard(environment)
            retired = environment.deployment.deployment_id in self._retired
            keep = keep and not retired and not self._closed
            if keep:
                environment.idle_since_s = time.monotonic()
                self._idle.append(environment)
            self._changed.notify_all()
        if not keep:
            environment.end()

    def retire(self, deployment_id: str) -> None:
        """End a deployment's idle ones soon, the busy ones when they are given back."""
        with self._changed:
            self._retired.add(deployment_id)
            self._changed.notify_all()

    def close(self, limit_s: float = 5.0) -> None:
        """End all of them: busy ones are killed and waited for."""
        with self._changed:
            self._closed = True
            ended, self._idle = self._idle, []
            busy = list(self._busy)
            self._changed.notify_all()
        for environment in (*busy, *ended):
            environment.kill()
        for environment in ended:
            environment.end()
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, limit_s)
        self._reaper.join(limit_s)

    def _reap(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                expired = [
                    e
                    for e in self._idle
                    if now - e.idle_since_s >= self._idle_s
                    or e.deployment.deployment_id in self._retired
                ]
                self._idle = [e for e in self._idle if e not in expired]
                if not expired:
                    self._changed.wait(self._next_expiry_s(now))
            for environment in expired:
                environment.end()

    def _next_expiry_s(self, now: float) -> float | None:
        if not self._idle:
            return None
        return max(0.001, self._idle[0].idle_since_s + self._idle_s - now)
