"""Sweeps with a known truth, made by formula, for tests and benchmarks."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import TYPE_CHECKING

from tuner.decision.analysis import analyse
from tuner.decision.recommendation import recommend
from tuner.model.function import FunctionConfig
from tuner.model.goal import Goal
from tuner.model.invocation import Invocation, Outcome, PlatformReport
from tuner.model.plan import PayloadClass, SweepPlan
from tuner.model.sweep import Sweep
from tuner.pricing import load_price_book
from tuner.sweep.file import End
from tuner.sweep.writing import SweepWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from tuner.model.finding import Finding
    from tuner.model.recommendation import Recommendation

SIZES_MB = (128, 192, 256, 512, 768, 1024, 1408, 1769, 2048, 3008)


def cpu_bound_ms(memory_mb: int) -> float:
    """One thread: 200 ms of CPU and 10 ms of waiting."""
    return 10 + 200 * 1769 / min(memory_mb, 1769)


def mixed_ms(memory_mb: int) -> float:
    """Half waiting, half computing at one core: 128 MB is the cheapest by far."""
    return 100 + 100 * 1769 / min(memory_mb, 1769)


def made_function(memory_mb: int = 1024, **changes: object) -> FunctionConfig:
    """A plain ZIP function in us-east-1."""
    values: dict[str, object] = {
        "name": "made",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:made",
        "region": "us-east-1",
        "architecture": "x86_64",
        "package_type": "Zip",
        "runtime": "python3.13",
        "memory_mb": memory_mb,
        "timeout_s": 30,
        "ephemeral_storage_mb": 512,
        "code_sha256": "q1w2e3",
    }
    return FunctionConfig(**{**values, **changes})


def made_sweep(
    duration_ms: Callable[[int], float] = cpu_bound_ms,
    *,
    sizes_mb: Sequence[int] = SIZES_MB,
    warm_count: int = 5,
    noise_ratio: float = 0.02,
    current_mb: int = 1024,
    max_memory_used_mb: int = 60,
    seed: int = 1,
) -> Sweep:
    """One cold and `warm_count` warm successes at every size, lognormal noise of `noise_ratio`."""
    rng = random.Random(seed)
    invocations: list[Invocation] = []
    for version, memory_mb in enumerate(sizes_mb, start=1):
        for number in range(warm_count + 1):
            took_ms = duration_ms(memory_mb) * math.exp(rng.gauss(0, noise_ratio))
            init_ms = 180.0 if number == 0 else None
            invocations.append(
                Invocation(
                    index=len(invocations),
                    memory_mb=memory_mb,
                    version=str(version),
                    payload="empty",
                    started_s=float(len(invocations)),
                    client_duration_ms=took_ms + 5,
                    outcome=Outcome.SUCCESS,
                    cost_usd=1e-6,
                    environment=f"{version}/1",
                    report=PlatformReport(
                        request_id=f"made-{len(invocations)}",
                        duration_ms=round(took_ms, 2),
                        billed_duration_ms=math.ceil(round(took_ms, 2) + (init_ms or 0)),
                        memory_size_mb=memory_mb,
                        max_memory_used_mb=max_memory_used_mb,
                        init_duration_ms=init_ms,
                        status="success",
                    ),
                )
            )
    plan = SweepPlan(
        sweep_id="made",
        seed=seed,
        sizes_mb=tuple(sizes_mb),
        warmup_count=1,
        repetition_count=warm_count,
        payloads=(PayloadClass("empty", 1.0, 2, "0" * 64),),
        concurrency=4,
        max_invocations=len(invocations),
        budget_usd=None,
        isolation="version",
        estimated_invocation_count=len(invocations),
        estimated_wall_s=10.0,
        estimated_cost_usd=0.01,
    )
    return Sweep(
        plan=plan,
        function=made_function(current_mb),
        environment="aws",
        started_at="2026-01-01T00:00:00Z",
        tool_version="0",
        invocations=tuple(invocations),
        end="complete",
        wall_s=10.0,
    )


def recommended(sweep: Sweep, goal: Goal | None = None, **limits: int) -> Recommendation:
    """The answer of a sweep at the bundled prices."""
    book = load_price_book()
    return recommend(analyse(sweep, goal or Goal(), price_book=book, seed=0, **limits))


def finding_codes(found: Recommendation) -> set[str]:
    """The codes of an answer's findings."""
    return {finding.code for finding in found.findings}


def only_finding(findings: Iterable[Finding], code: str) -> Finding:
    """The one finding with a code; where there is none, the test says what there is."""
    listed = [*findings]
    found = [each for each in listed if each.code == code]
    assert len(found) == 1, f"{len(found)} {code} in {sorted(each.code for each in listed)}"
    return found[0]


def changed(sweep: Sweep, change: Callable[[Invocation], Invocation]) -> Sweep:
    """The sweep with every invocation altered."""
    return dataclasses.replace(sweep, invocations=tuple(change(i) for i in sweep.invocations))


def save_sweep(path: Path, sweep: Sweep) -> str:
    """Write a sweep to its file; return the path as a command is given it."""
    with SweepWriter(path, replace=True) as writer:
        writer.begin(sweep)
        for invocation in sweep.invocations:
            writer.append(invocation)
        for finding in sweep.findings:
            writer.append(finding)
        if sweep.end is not None:
            writer.append(End(sweep.end, sweep.wall_s, sweep.throttle_count))
    return str(path)
