"""Rolls out on an account whose figures and clock are simulated; everything else is real."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.rollout.worlds import AS_BEFORE, World
from tuner.lease.journal import LeaseTerms
from tuner.rollout.figures import Arm, VersionFigures
from tuner.rollout.needed import needed_for
from tuner.rollout.record import RolloutRecord
from tuner.rollout.run import PlannedRollout, RolloutIO, roll_out
from tuner.rollout.steps import parse_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.lease.account import Account
    from tuner.rollout.events import RolloutEvent
    from tuner.rollout.figures import Source

NEW_MB: Final = 1769
STEPS: Final = "10%:10m,50%:10m"
ROLLOUT_ID: Final = "rollout-1"


@dataclass
class Clock:
    """Time passes when somebody sleeps."""

    at: datetime = datetime(2026, 11, 30, 12, tzinfo=UTC)
    on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.on_sleep()


@dataclass
class Simulated(VersionFigures):
    """What a world does with the share that the alias really routes to the new version."""

    account: Account
    world: World
    source: Source = "logs"
    block_s: float = 60.0
    delay_s: float = 30.0
    rng: random.Random = field(default_factory=lambda: random.Random(7))
    before_read: Callable[[], None] = lambda: None
    only_counts: bool = False
    """Whether it's CloudWatch's metrics."""

    def read(
        self, function: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Arm]:
        self.before_read()
        routing = self.account.gateway.read_alias(function, "live")
        weight = sum(share for version, share in routing.weights if version == versions[1])
        block = self.world.minute(self.rng, weight)
        old, new = (self._seen(arm) for arm in (block.old, block.new))
        return {versions[0]: old, versions[1]: new}

    def _seen(self, arm: Arm) -> Arm:
        if self.only_counts:
            return Arm(arm.count, arm.failure_count, mean_duration_ms=100.0)
        return arm


QUIET: Final = World(400, error_ratio=0.0, cv=0.2, duration_ratio=512 / NEW_MB)
FAILING: Final = replace(QUIET, rise=0.3)


@dataclass
class Rollout:
    """One rollout of the account's function, run with `run`."""

    account: Account
    world: World = QUIET
    steps: str = STEPS
    control: Any = None
    clock: Clock = field(default_factory=Clock)
    is_stopped: Callable[[], bool] = lambda: False
    before_read: Callable[[], None] = lambda: None
    events: list[RolloutEvent] = field(default_factory=list)
    timeout_s: float = 3600.0
    record: RolloutRecord | None = None
    metrics: Simulated | None = None

    def run(self) -> RolloutRecord:
        account = self.account
        function = account.read()
        before = account.gateway.read_alias(account.name, "live")
        steps = parse_steps(self.steps)
        plan = PlannedRollout(
            function=function,
            before=before,
            from_memory_mb=512,
            memory_mb=NEW_MB,
            steps=tuple((s, needed_for(s, error_ratio=0.0, cv=0.2)) for s in steps),
            step_timeout_s=self.timeout_s,
            forecast=AS_BEFORE,
        )
        terms = LeaseTerms(ROLLOUT_ID, account.state_dir, account.gateway.endpoint_url, "now")
        self.record = RolloutRecord(
            id=ROLLOUT_ID,
            function=account.name,
            region=function.region,
            alias="live",
            from_version=before.version,
            to_version=None,
            from_memory_mb=512,
            to_memory_mb=NEW_MB,
            started_at=self.clock.now().isoformat(),
            steps=[],
            forecast=AS_BEFORE,
        )
        io = RolloutIO(
            self.control or account.gateway,
            Simulated(account, self.world, before_read=self.before_read),
            self.metrics,
            now=self.clock.now,
            sleep=self.clock.sleep,
            is_stopped=self.is_stopped,
            on_event=self.events.append,
        )
        return roll_out(plan, terms, self.record, io)


def is_finished(account: Account, before: dict[str, Any]) -> bool:
    """Whether the alias routes to the new version alone, and nothing else has changed."""
    now = account.snapshot()
    [alias] = now["aliases"]
    [was] = before["aliases"]
    *old, new = now["versions"]
    return bool(
        alias == {**was, "FunctionVersion": new["Version"]}
        and new["MemorySize"] == NEW_MB
        and new["Description"] == f"lambda-tuner rollout 1 {NEW_MB} MB"
        and {**now, "aliases": [], "versions": old} == {**before, "aliases": []}
    )
