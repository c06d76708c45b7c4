"""Sweeps over a varied parameter with a known truth, made by formula."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.sweeps import made_function, made_sweep
from tuner.decision.candidates import candidate_sizes
from tuner.decision.policy.stratified import StratifiedPolicy
from tuner.decision.question import Question
from tuner.model.goal import Goal
from tuner.model.invocation import Invocation, Outcome, PlatformReport
from tuner.model.payload import Variant
from tuner.model.plan import PayloadClass
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.decision.policy import Policy, Trial
    from tuner.model.sweep import Sweep

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")
CURRENT_MB = 512
SETUP_MS = 60.0
"""CPU that an event takes however many records it holds, at a whole core."""
RECORD_MS = {"order": 4.0, "import": 40.0}
RECORD_WEIGHTS = {"order": 9.0, "import": 1.0}


def batch_ms(class_name: str, record_count: int, memory_mb: int) -> float:
    """One thread: a handshake for the batch, then its records."""
    cpu_ms = SETUP_MS + RECORD_MS[class_name] * record_count
    return 5 + cpu_ms * 1769 / min(memory_mb, 1769)


def batches(
    values: Sequence[int] = (1, 5, 10), *, current: int = 5, parameter: str = "batch_size"
) -> tuple[PayloadClass, ...]:
    """Two classes with each batch size, in the same mix of records."""
    return tuple(
        PayloadClass(
            f"{name} {parameter}={value}",
            weight / value,
            100 * value,
            f"{value:064}",
            record_count=value,
            variant=Variant(name, parameter, str(value), is_current=value == current),
        )
        for name, weight in RECORD_WEIGHTS.items()
        for value in values
    )


def record_usd_per_million(record_count: int, memory_mb: int) -> float:
    """What a million records really cost, without cold starts."""
    total = sum(RECORD_WEIGHTS.values())
    mean_ms = sum(
        weight / total * batch_ms(name, record_count, memory_mb)
        for name, weight in RECORD_WEIGHTS.items()
    )
    cost = 0.2 + (mean_ms + 0.5) * memory_mb / 1024 * 0.0000166667 * 1e3
    return cost / record_count


@dataclass
class BatchWorld:
    """Invokes classes at sizes, environments staying warm; some pairs are killed."""

    payloads: tuple[PayloadClass, ...]
    duration_ms: Callable[[str, int, int], float] = batch_ms
    floor_mb: Callable[[int], int] = lambda _: 0
    noise_ratio: float = 0.02
    seed: int = 1
    done: list[Invocation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._warm: set[int] = set()

    def run(self, policy: Policy, slot_count: int = 4) -> None:
        """Run a policy to its end."""
        while trials := policy.next_trials(tuple(self.done), (), slot_count):
            for trial in trials:
                if self.invoke(trial).outcome is Outcome.OUT_OF_MEMORY:
                    policy.exclude(trial.memory_mb, trial.payload)

    def invoke(self, trial: Trial) -> Invocation:
        """Run one trial in the one environment of its size."""
        payload = next(each for each in self.payloads if each.name == trial.payload)
        size = trial.memory_mb
        luck = math.exp(self._rng.gauss(0, self.noise_ratio))
        took_ms = self.duration_ms(payload.class_name, payload.record_count, size) * luck
        init_ms = None if size in self._warm else 200.0
        killed = size < self.floor_mb(payload.record_count)
        self._warm.add(size)
        report = PlatformReport(
            request_id=str(len(self.done)),
            duration_ms=round(took_ms, 2),
            billed_duration_ms=math.ceil(took_ms + (init_ms or 0)),
            memory_size_mb=size,
            max_memory_used_mb=size if killed else 60,
            init_duration_ms=init_ms,
        )
        invocation = Invocation(
            index=len(self.done),
            memory_mb=size,
            version=str(size),
            payload=trial.payload,
            started_s=float(len(self.done)),
            client_duration_ms=took_ms,
            outcome=Outcome.OUT_OF_MEMORY if killed else Outcome.SUCCESS,
            cost_usd=1e-6,
            report=report,
            environment=f"{size}/1",
        )
        self.done.append(invocation)
        return invocation


def batch_sweep(world: BatchWorld | None = None, *, goal: Goal | None = None) -> Sweep:
    """A sweep that a policy ran in the world."""
    world = world or BatchWorld(batches())
    sizes = candidate_sizes(128, 3008, CURRENT_MB)
    sweep = made_sweep(sizes_mb=sizes, warm_count=0, current_mb=CURRENT_MB)
    plan = replace(sweep.plan, payloads=world.payloads, method="adaptive")
    assert plan.varied is not None
    policy = StratifiedPolicy(
        Question(goal or Goal(), made_function(CURRENT_MB), PRICES, frozenset(sizes)),
        world.payloads,
        plan.varied,
        seed=0,
        max_invocations=24 + 6 * (len(world.payloads) - 1),
    )
    world.run(policy)
    return replace(sweep, plan=plan, invocations=tuple(world.done))
