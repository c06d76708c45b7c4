"""Runs executions of a state machine one by one, from its JSON: shares no code with the product.

A discrete-event walk with its own reading of the Amazon States Language, for benchmarks and tests.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


@dataclass(slots=True)
class Simulator:
    """`call_ms(function)` draws how long one invocation takes; the rest is how executions go."""

    rng: random.Random
    call_ms: Callable[[str], float]
    choices: dict[str, dict[str, float]] = field(default_factory=dict)
    items: dict[str, list[int]] = field(default_factory=dict)
    error_rates: dict[str, float] = field(default_factory=dict)
    calls: int = 0

    def execution(self, machine: dict[str, Any]) -> tuple[float, bool]:
        """(ms from start to end, whether it succeeded)."""
        clock, name = 0.0, machine["StartAt"]
        while name is not None:
            state = machine["States"][name]
            took, name, is_alive = self._step(name, state)
            clock += took
            if not is_alive:
                return clock, False
        return clock, True

    def _step(self, name: str, state: dict[str, Any]) -> tuple[float, str | None, bool]:
        kind = state["Type"]
        if kind == "Choice":
            weights = self.choices[name]
            return 0.0, self.rng.choices([*weights], [*weights.values()])[0], True
        if kind == "Fail":
            return 0.0, None, False
        if kind in {"Wait", "Pass", "Succeed"}:
            return 1000.0 * state.get("Seconds", 0.0), state.get("Next"), True
        return self._tried(name, state)

    def _tried(self, name: str, state: dict[str, Any]) -> tuple[float, str | None, bool]:
        took, attempt = 0.0, 0
        retry = (state.get("Retry") or [None])[0]
        while True:
            this, is_alive = self._attempt(name, state)
            took += this
            if is_alive:
                return took, state.get("Next"), True
            if retry is None or attempt >= retry.get("MaxAttempts", 3):
                break
            wait_s = retry.get("IntervalSeconds", 1) * retry.get("BackoffRate", 2.0) ** attempt
            took += 1000.0 * wait_s
            attempt += 1
        if state.get("Catch"):
            return took, state["Catch"][0]["Next"], True
        return took, None, False

    def _attempt(self, name: str, state: dict[str, Any]) -> tuple[float, bool]:
        if state["Type"] == "Task":
            self.calls += 1
            took = self.call_ms(state["Parameters"]["FunctionName"].split(":")[-1])
            return took, self.rng.random() >= self.error_rates.get(name, 0.0)
        if state["Type"] == "Parallel":
            ran = [self.execution(branch) for branch in state["Branches"]]
            return max(took for took, _ in ran), all(ok for _, ok in ran)
        body = state.get("ItemProcessor") or state["Iterator"]
        count = self.rng.choice(self.items[name])
        workers = [0.0] * min(state.get("MaxConcurrency") or 40, 40)
        ended, is_alive = 0.0, True
        for _ in range(count):
            took, ok = self.execution(body)
            start = heapq.heappop(workers)
            heapq.heappush(workers, start + took)
            ended, is_alive = max(ended, start + took), is_alive and ok
        return ended, is_alive
