"""Fleets to test with: items, a plan, and a sweeper whose outcomes are scripted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3

from tuner.fleet.folder import AuditLog
from tuner.fleet.loop import FleetRun
from tuner.fleet.queue import FleetQueue, Outcome
from tuner.model.fleet import FleetItem, FleetPlace, FleetPlan
from tuner.sweep.io import Clock, StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tuner.fleet.loop import FleetEvent
    from tuner.fleet.queue import Claim
    from tuner.local import LocalLambda
    from tuner.model.fleet import FleetProgress, RunWindow

ACCOUNT = "111122223333"
HERE = FleetPlace(ACCOUNT, "eu-west-1")
MIDDAY = datetime(2026, 11, 30, 12, tzinfo=UTC)


def item(name: str, *, place: FleetPlace = HERE, max_cost_usd: float = 0.1) -> FleetItem:
    return FleetItem(place, name, ("{}",), max_cost_usd=max_cost_usd, memory_mb=512)


def items(count: int, **given: float) -> tuple[FleetItem, ...]:
    return tuple(item(f"f{number:03}", **given) for number in range(count))  # type: ignore[arg-type]


def plan_of(fleet: Sequence[FleetItem], budget_usd: float = 10.0) -> FleetPlan:
    return FleetPlan("20261130-1", MIDDAY.isoformat(), budget_usd, "cost", None, tuple(fleet))


@dataclass
class ManualClock:
    """A clock that sleeping moves on."""

    now: datetime = MIDDAY

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic_s=lambda: self.now.timestamp(),  # noqa: PLW0108 - now moves
            now=lambda: self.now,
            sleep=self.sleep,
        )


@dataclass
class ScriptedSweeper:
    """Ends every sweep with what `outcome` says; keeps what it was asked for."""

    outcome: Callable[[Claim], Outcome] = lambda _: Outcome(0.01, 8, "keep", 512)
    leaves_leased: Callable[[FleetProgress], Outcome | None] = lambda _: None
    swept: list[str] = field(default_factory=list)
    put_right_of: list[str] = field(default_factory=list)

    def sweep(self, claim: Claim, queue: FleetQueue) -> Outcome:
        self.swept.append(claim.item.name)
        queue.prepared(
            claim.item.key, sweep_id=f"s-{claim.item.name}", sweep_file="", in_flight_usd=0.02
        )
        return self.outcome(claim)

    def put_right(self, progress: FleetProgress) -> Outcome | None:
        self.put_right_of.append(progress.item.name)
        return self.leaves_leased(progress)


def run(
    folder: Path,
    fleet: Sequence[FleetItem],
    sweeper: ScriptedSweeper,
    *,
    budget_usd: float = 10.0,
    concurrency: int = 2,
    windows: Sequence[RunWindow] = (),
    clock: ManualClock | None = None,
    stop: StopSignal | None = None,
    is_to_stop: Callable[[], bool] = lambda: False,
) -> tuple[tuple[FleetProgress, ...], list[FleetEvent]]:
    """Run a fleet to its end; return where its items are, and what was told."""
    events: list[FleetEvent] = []
    clock = clock or ManualClock()
    with FleetQueue(folder / "queue.sqlite", fleet, budget_usd) as queue:
        FleetRun(
            queue,
            sweeper,
            concurrency=concurrency,
            stop=stop or StopSignal(),
            is_to_stop=is_to_stop,
            clock=clock.clock,
            audit=AuditLog(folder / "audit.jsonl", lambda: clock.now),
            windows=windows,
            on_progress=events.append,
        ).run()
        return queue.progress(), events


def changed(server: LocalLambda, sizes_mb: Mapping[str, int]) -> list[str]:
    """Functions that aren't as they were: another size, a version, or a copy."""
    client = boto3.client(
        "lambda", endpoint_url=server.endpoint_url, region_name=server.region,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    found = []
    for page in client.get_paginator("list_functions").paginate():
        for each in page["Functions"]:
            name = each["FunctionName"]
            versions = client.list_versions_by_function(FunctionName=name)["Versions"]
            if each["MemorySize"] != sizes_mb.get(name) or len(versions) > 1:
                found.append(name)
    return found


class Objects:
    """An `ObjectStore` in memory."""

    def __init__(self, **kept: bytes) -> None:
        self.kept = kept

    def read(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def write(self, key: str, data: bytes) -> None:
        self.kept[key] = data

    def claim(self, key: str, data: bytes, instead_of: bytes | None) -> bool:
        if self.read(key) != instead_of:
            return False
        self.write(key, data)
        return True

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.kept if key.startswith(prefix))
