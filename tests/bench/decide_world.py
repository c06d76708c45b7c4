"""Functions with a known truth to decide about: recorded ones and generated ones.

A recorded function's true duration at a size is the recording's mean, log-log interpolated between
recorded sizes. A draw is the true duration, times a recorded ratio to the mean of the nearest
recorded size (lognormal 4% where the source gives means only), times an environment's factor. The
first invocation of an environment is a cold start with a billed INIT.
"""

from __future__ import annotations

import csv
import math
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.sweeps import made_function
from tuner.model.invocation import Invocation, Outcome, PlatformReport

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

    from tuner.decision.policy import Policy, Trial

CURVES: Final = Path(os.environ.get("TUNER_BENCH_CURVES", "../shared/data/curves"))
INIT_MS: Final = 250.0
GB_SECOND_USD: Final = 0.0000166667
REQUEST_USD: Final = 0.2e-6


def cost_usd(memory_mb: int, billed_ms: float) -> float:
    """List price of one invocation, x86_64 in us-east-1."""
    return REQUEST_USD + memory_mb / 1024 * billed_ms / 1000 * GB_SECOND_USD


@dataclass(frozen=True)
class Function:
    """A function to decide about. `draw` gives one warm duration before the environment's luck."""

    name: str
    source: str
    sizes_mb: tuple[int, ...]
    """Sizes at which the truth is known; the range of the decision."""
    truth_ms: Callable[[int], float]
    draw_ms: Callable[[int, random.Random], float]
    between_ratio: float = 0.03
    floor_mb: int = 0
    """Below this it is killed for memory."""
    used_mb: int = 40
    max_mb: int = 3008
    recorded_ms: Mapping[int, Sequence[float]] = field(default_factory=dict)
    """Recorded durations by size; one where the source gives a mean."""
    runtime: str = "python3.13"
    settling: Callable[[int], float] | None = None
    """How many times the usual duration the n-th call of an environment takes (0: the cold one)."""

    def true_cost_usd(self, memory_mb: int) -> float:
        """Expected cost of a warm invocation."""
        truth = self.truth_ms(memory_mb)
        return cost_usd(memory_mb, truth + 0.5 if truth > 1 else 1.0)

    @property
    def best_cost_usd(self) -> float:
        """The least true cost within the known sizes that survive with headroom."""
        return min(self.true_cost_usd(size) for size in self.sizes_mb if self.survives(size))

    def survives(self, memory_mb: int) -> bool:
        """Whether a size may be answered at all."""
        return memory_mb >= self.floor_mb and self.used_mb <= 0.8 * memory_mb

    def regret(self, memory_mb: int) -> float:
        """Cost at an answer over the best, less 1."""
        return self.true_cost_usd(memory_mb) / self.best_cost_usd - 1


@dataclass
class World:
    """Invokes a function one call at a time, with environments that stay warm."""

    function: Function
    rng: random.Random
    luck: dict[str, float] = field(default_factory=dict)
    done: list[Invocation] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def invoke(self, trial: Trial, environment: int = 1) -> Invocation:
        """Run one trial in an environment of its size."""
        function, size = self.function, trial.memory_mb
        name = f"{size}/{environment}"
        cold = name not in self.luck
        if cold:
            self.luck[name] = math.exp(self.rng.gauss(0, function.between_ratio))
        killed = size < function.floor_mb
        duration = function.draw_ms(size, self.rng) * self.luck[name]
        if function.settling is not None:
            duration *= function.settling(self.calls[name])
        self.calls[name] += 1
        init = None
        if cold:
            speed = min(size, 1769) / 1769
            init = INIT_MS * speed**-0.3 * math.exp(self.rng.gauss(0, 0.1))
        billed = max(1, math.ceil(duration + (init or 0.0)))
        report = PlatformReport(
            request_id=str(len(self.done)),
            duration_ms=round(duration, 2),
            billed_duration_ms=billed,
            memory_size_mb=size,
            max_memory_used_mb=min(function.used_mb, size),
            init_duration_ms=init,
        )
        invocation = Invocation(
            index=len(self.done),
            memory_mb=size,
            version=str(size),
            payload=trial.payload,
            started_s=float(len(self.done)),
            client_duration_ms=duration,
            outcome=Outcome.OUT_OF_MEMORY if killed else Outcome.SUCCESS,
            cost_usd=cost_usd(size, billed),
            report=report,
            environment=name,
        )
        if killed:
            del self.luck[name], self.calls[name]
        self.done.append(invocation)
        return invocation

    def run(self, policy: Policy, slot_count: int = 1) -> None:
        """Run a policy to its end; a batch's calls to one size open an environment each."""
        while trials := policy.next_trials(tuple(self.done), (), slot_count):
            policy.sizes_worth_publishing(trials)
            busy: dict[int, int] = defaultdict(int)
            for trial in trials:
                busy[trial.memory_mb] += 1
                outcome = self.invoke(trial, busy[trial.memory_mb]).outcome
                if outcome is Outcome.OUT_OF_MEMORY:
                    policy.exclude(trial.memory_mb)

    @property
    def spent(self) -> float:
        """What was spent, in invocations at the optimum."""
        return sum(i.cost_usd for i in self.done) / self.function.best_cost_usd


def recorded_functions(folder: Path = CURVES) -> list[Function]:
    """Every recorded function of five sizes or more up to 3,008 MB, in a fixed order."""
    functions = []
    for file in sorted(folder.glob("*.csv")):
        raw: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        with file.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                if int(row["memory_mb"]) <= 3008:
                    raw[row["function"]][int(row["memory_mb"])].append(float(row["duration_ms"]))
        functions += [
            _recorded(name, file.stem, sizes) for name, sizes in raw.items() if len(sizes) >= 5
        ]
    return functions


def _recorded(name: str, source: str, raw: dict[int, list[float]]) -> Function:
    sizes = tuple(sorted(raw))
    means = {size: float(np.mean(raw[size])) for size in sizes}
    log_sizes, log_means = np.log(sizes), np.log([means[size] for size in sizes])

    def truth(memory_mb: int) -> float:
        return float(np.exp(np.interp(math.log(memory_mb), log_sizes, log_means)))

    def draw(memory_mb: int, rng: random.Random) -> float:
        nearest = min(sizes, key=lambda size: abs(math.log(size / memory_mb)))
        if len(raw[nearest]) > 1:
            return truth(memory_mb) * rng.choice(raw[nearest]) / means[nearest]
        return truth(memory_mb) * math.exp(rng.gauss(0, 0.04))

    return Function(name, source, sizes, truth, draw, recorded_ms=raw)


def generated_functions() -> list[Function]:
    """Every archetype at three noise levels, with calm and lively environments, and the odd ones:
    heavy tails, memory floors, runs shorter than a quota window.
    """
    functions = []
    for number, (name, truth) in enumerate(_ARCHETYPES.items()):
        for noise in (0.02, 0.06, 0.15):
            between = 0.03 if (number + int(noise * 100)) % 2 else 0.08
            functions.append(_generated(f"{name}-{noise}", truth, noise, between))
        functions.append(_generated(f"{name}-tails", truth, 0.04, 0.03, tail=True))
    functions += [
        _generated(f"floor-{floor}", _ARCHETYPES[name], 0.04, 0.03, floor_mb=floor)
        for name, floor in (("waiting", 200), ("one-thread", 400), ("mixed", 900))
    ]
    return functions


def _generated(
    name: str,
    truth: Callable[[int], float],
    noise: float,
    between: float,
    *,
    tail: bool = False,
    floor_mb: int = 0,
) -> Function:
    """Noise of mean 1; a tail makes one call in twenty three times as long."""
    mean = math.exp(noise**2 / 2) * (1.1 if tail else 1.0) * math.exp(between**2 / 2)

    def draw(memory_mb: int, rng: random.Random) -> float:
        factor = math.exp(rng.gauss(0, noise)) * (3.0 if tail and rng.random() < 0.05 else 1.0)
        return truth(memory_mb) * factor

    return Function(
        name,
        "generated",
        tuple(range(128, 3009, 64)),
        lambda memory_mb: truth(memory_mb) * mean,
        draw,
        between_ratio=between,
        floor_mb=floor_mb,
        used_mb=max(40, int(floor_mb * 0.9)),
    )


def quantised(cpu_ms: float) -> Callable[[int], float]:
    """CPU work under a quota of 20 ms windows: full speed until the window's credit is gone."""

    def truth(memory_mb: int) -> float:
        credit = 20 * min(memory_mb / 1769, 1.0)
        whole, rest = divmod(cpu_ms, credit)
        return 20 * whole + rest if credit < 20 else cpu_ms

    # The phase of the first window is random: on average half of the steps are smoothed away.
    def smoothed(memory_mb: int) -> float:
        share = min(memory_mb / 1769, 1.0)
        return 0.5 * truth(memory_mb) + 0.5 * max(cpu_ms / share - 10 * (1 - share), cpu_ms)

    return smoothed


_ARCHETYPES: Final[dict[str, Callable[[int], float]]] = {
    "waiting": lambda m: 800.0,
    "one-thread": lambda m: 5 + 400 * 1769 / min(m, 1769),
    "two-cores": lambda m: 20 + 600 * 1769 / min(m, 3538),
    "half-parallel": lambda m: 500 * (0.5 * 1769 / min(m, 1769) + 0.5 * 1769 / min(m, 5308)),
    "mixed": lambda m: 150 + 150 * 1769 / min(m, 1769),
    "mostly-waiting": lambda m: 400 + 40 * 1769 / min(m, 1769),
    "pressure": lambda m: 100 * 1769 / min(m, 1769) * (1 + (220 / m) ** 2),
    "pressure-waiting": lambda m: 300 + 30 * 1769 / min(m, 1769) * (1 + (300 / m) ** 2),
    "short-quantised": quantised(6.0),
    "long-quantised": quantised(45.0),
}

FUNCTION: Final = made_function
