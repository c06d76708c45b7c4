"""Generated workflows whose functions' truth is known, and sweeps of them with their noise."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.workflow.functions import sweep_of, task
from tuner.decision.workflow.function_times import PERCENTILES, Draw, FunctionTimes
from tuner.model.workflow import Behavior
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep

SIZES_MB: Final = (128, 256, 512, 1024, 1769, 3008)
_ENVIRONMENT_RATIO: Final = 0.03
_TRUTH_COUNT: Final = 100_000


@dataclass(frozen=True, slots=True)
class TrueFunction:
    """A function: waiting and computing, with lognormal noise and perhaps slow calls."""

    name: str
    wait_ms: float
    cpu_ms: float
    cap_mb: int
    exponent: float
    noise_ratio: float
    slow_share: float
    current_mb: int

    def mean_ms(self, memory_mb: int) -> float:
        """Of a usual call."""
        share = min(memory_mb, self.cap_mb) / 1769
        return self.wait_ms + self.cpu_ms * float(share**-self.exponent)

    def draw_ms(self, memory_mb: int, rng: random.Random) -> float:
        """One warm call, in any environment."""
        luck = rng.gauss(0, math.hypot(self.noise_ratio, _ENVIRONMENT_RATIO))
        slow = 1 + rng.expovariate(0.5) if rng.random() < self.slow_share else 1.0
        return self.mean_ms(memory_mb) * math.exp(luck) * slow

    def sweep(self, seed: int, *, warm_count: int) -> Sweep:
        """A sweep of all sizes: each from one environment."""
        rng = random.Random(seed)
        lucks = {size: math.exp(rng.gauss(0, _ENVIRONMENT_RATIO)) for size in SIZES_MB}

        def drawn(memory_mb: int) -> float:
            slow = 1 + rng.expovariate(0.5) if rng.random() < self.slow_share else 1.0
            luck = lucks[memory_mb] * math.exp(rng.gauss(0, self.noise_ratio))
            return self.mean_ms(memory_mb) * luck * slow

        found = sweep_of(
            self.name, drawn, sizes_mb=SIZES_MB, warm_count=warm_count, noise_ratio=0.0,
            current_mb=self.current_mb, seed=seed,
        )  # fmt: skip
        return replace(found, plan=replace(found.plan, sizes_named=True))

    def truth(self) -> FunctionTimes:
        """What nobody knows: its distribution and mean cost, from many calls."""
        rng = np.random.default_rng(17)
        deviation = math.hypot(self.noise_ratio, _ENVIRONMENT_RATIO)
        calls = np.exp(rng.normal(0, deviation, _TRUTH_COUNT))
        slow = rng.random(_TRUTH_COUNT) < self.slow_share
        calls = calls * np.where(slow, 1 + rng.exponential(2.0, _TRUTH_COUNT), 1.0)
        usual_ms = np.array([self.mean_ms(size) for size in SIZES_MB])
        prices = load_price_book().lambda_prices("us-east-1", "x86_64")
        cost = [
            float(prices.request_price_usd)
            + prices.price_usd_per_ms(size) * (usual * calls.mean() + 0.5)
            for size, usual in zip(SIZES_MB, usual_ms, strict=True)
        ]
        known = Draw(
            usual_ms[None, :],
            np.percentile(calls, PERCENTILES)[None, :],
            np.zeros(len(SIZES_MB)),
            np.array(cost),
        )
        yes = (True,) * len(SIZES_MB)
        return FunctionTimes(
            self.name, SIZES_MB, yes, yes, self.current_mb, (1.0,), (1.0,), 0.0, known, (known,)
        )


@dataclass(slots=True)
class World:
    """A state machine as its JSON says it, how its executions go, and its functions."""

    machine: dict[str, Any]
    functions: dict[str, TrueFunction]
    choices: dict[str, dict[str, float]] = field(default_factory=dict)
    items: dict[str, list[int]] = field(default_factory=dict)
    error_rates: dict[str, float] = field(default_factory=dict)

    def behavior(self) -> Behavior:
        """As the product is told of it."""
        return Behavior(
            self.choices,
            {name: tuple(each) for name, each in self.items.items()},
            {name: {"": rate} for name, rate in self.error_rates.items()},
        )


def draw_function(name: str, rng: random.Random) -> TrueFunction:
    """One of the kinds that are there: waiting, computing, both; one core or more."""
    return TrueFunction(
        name,
        wait_ms=rng.choice([2.0, 30.0, 150.0]) * rng.uniform(0.5, 2),
        cpu_ms=rng.choice([5.0, 40.0, 200.0]) * rng.uniform(0.5, 2),
        cap_mb=rng.choice([1769, 1769, 1769, 3008]),
        exponent=rng.choice([1.0, 1.0, 1.15]),
        noise_ratio=rng.uniform(0.02, 0.12),
        slow_share=rng.choice([0.0, 0.0, 0.02]),
        current_mb=rng.choice([256, 512, 1024]),
    )


def draw_world(seed: int, function_count: int) -> World:
    """A machine of sequences with parallels, maps, choices, loops and retries in it."""
    rng = random.Random(seed)
    names = [f"f{number}" for number in range(function_count)]
    world = World({}, {name: draw_function(name, rng) for name in names})
    world.machine = _Drawing(rng, world).machine(names, "s")
    return world


class _Drawing:
    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world = rng, world

    def machine(self, names: list[str], prefix: str) -> dict[str, Any]:
        """Calls all of `names`; states' names begin with the prefix."""
        states: dict[str, dict[str, Any]] = {}
        parts = self._parts(names)
        entries = [f"{prefix}{number}" for number in range(len(parts))]
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            following = {"End": True} if last else {"Next": entries[number + 1]}
            self._add(states, part, entries[number], following)
        return {"StartAt": entries[0], "States": states}

    def _parts(self, names: list[str]) -> list[list[str]]:
        parts, left = [], [*names]
        while left:
            size = self.rng.choice([1, 1, 2, 3])
            parts.append(left[:size])
            left = left[size:]
        return parts

    def _add(
        self,
        states: dict[str, dict[str, Any]],
        names: list[str],
        entry: str,
        following: dict[str, Any],
    ) -> None:
        rng, world = self.rng, self.world
        if len(names) > 1:
            branches = [
                self.machine([name], f"{entry}.{number}.") for number, name in enumerate(names)
            ]
            states[entry] = {"Type": "Parallel", "Branches": branches, **following}
            return
        call = task(names[0])
        kind = rng.choice(["task", "task", "retry", "map", "choice", "loop"])
        if kind == "map":
            body = {"StartAt": f"{entry}.each", "States": {f"{entry}.each": call}}
            states[entry] = {"Type": "Map", "ItemProcessor": body, **following}
            if rng.random() < 0.7:
                states[entry]["MaxConcurrency"] = rng.choice([1, 2, 5])
            world.items[entry] = rng.choice([[3], [2, 5, 9], [12]])
            return
        del call["End"]
        if kind in {"choice", "loop"}:
            end = f"{entry}.end"
            states[end] = {"Type": "Pass", **following}
            back, share = f"{entry}.call", rng.choice([0.2, 0.5, 0.9])
            if kind == "choice":
                states[entry] = choice_of(back, end)
                world.choices[entry] = {back: share, end: 1 - share}
                states[back] = {**call, "Next": end}
            else:
                states[entry] = {**call, "Next": back}
                states[back] = choice_of(entry, end)
                world.choices[back] = {entry: share / 2, end: 1 - share / 2}
            return
        states[entry] = {**call, **following}
        if kind == "retry":
            rule = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}
            states[entry]["Retry"] = [rule]
            world.error_rates[entry] = rng.choice([0.01, 0.1])


def choice_of(then: str, otherwise: str) -> dict[str, Any]:
    """A Choice between two states, by data that nobody looks at."""
    rule = {"Variable": "$.x", "BooleanEquals": True, "Next": then}
    return {"Type": "Choice", "Choices": [rule], "Default": otherwise}
