"""Rolls a memory size out by steps: publish, shift, watch; go on, or go back."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ForeignChangeError,
    LeftChangedError,
    MemoryCapError,
)
from tuner.lease.lease import Lease, open_lease
from tuner.model.interval import counted
from tuner.rollout.comparison import Comparison
from tuner.rollout.events import Looked, MetricsMissing, StepBegan, StepSettled, TurnedBack
from tuner.rollout.figures import Arm, Block
from tuner.rollout.record import StepRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.lease.alias import ShiftedAlias
    from tuner.lease.function_control import FunctionControl
    from tuner.lease.journal import LeaseTerms
    from tuner.model.function import FunctionConfig, Routing
    from tuner.model.progress import ProgressHook
    from tuner.rollout.events import RolloutHook
    from tuner.rollout.figures import VersionFigures
    from tuner.rollout.forecast import Forecast
    from tuner.rollout.needed import Needed
    from tuner.rollout.record import RolloutRecord, State
    from tuner.rollout.steps import Step

INTERRUPTED: Final = "interrupted"
_MOST_BLIND_LOOKS: Final = 5
_LEAST_SLEEP_S: Final = 1.0
_ABSENT_S: Final = 420.0
"""From when on metrics that have nothing don't hold up a step: before the alias was shared, it
wasn't known whether CloudWatch has any by version."""


@dataclass(frozen=True, slots=True)
class PlannedRollout:
    """What will be done, ready to be shown and run."""

    function: FunctionConfig
    """$LATEST, which a version with the new memory is published from."""
    before: Routing
    from_memory_mb: int
    """Of the version that the alias routes to."""
    memory_mb: int
    steps: tuple[tuple[Step, Needed], ...]
    step_timeout_s: float
    forecast: Forecast
    baseline: Arm = field(default_factory=Arm)
    """The old version's last invocations."""
    rate_per_s: float = 0.0
    """How many a second there were."""

    def expected_s(self, step: Step, needed: Needed) -> float:
        """How long a step takes if traffic stays as it is."""
        return max(step.least_s, needed.count / self.rate_per_s if self.rate_per_s else math.inf)


@dataclass(frozen=True, slots=True)
class RolloutIO:
    """What a rollout talks to."""

    control: FunctionControl
    figures: VersionFigures | None = None
    """None only where $LATEST is set at once."""
    metrics: VersionFigures | None = None
    """Where throttles and errors that the log doesn't name are counted, if `figures` is the log."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = lambda _seconds: None
    is_stopped: Callable[[], bool] = lambda: False
    is_urgent: Callable[[], bool] = lambda: False
    on_event: RolloutHook = lambda _event: None
    on_progress: ProgressHook = lambda _event: None


def roll_out(
    plan: PlannedRollout, terms: LeaseTerms, record: RolloutRecord, io: RolloutIO
) -> RolloutRecord:
    """Carry out a plan; return the record, whose state says how it ended.

    However it ends, the alias is as before or finished, or somebody else's; or LeftChangedError
    says that it isn't. Raises LeaseError, its subclasses and AwsError.
    """
    record.keep(terms.state_dir)
    try:
        with _leased(plan.function, terms, io) as lease:
            alias = lease.shift_alias(plan.before)
            record.to_version = _publish(lease, plan)
            record.reason = _Rollout(plan, record, alias, io, terms.state_dir).run()
    except ForeignChangeError as error:
        record.reason = str(error)
    except LeftChangedError as error:
        record.reason = str(error)  # it's still running, until it's recovered
        record.keep(terms.state_dir)
        raise
    except BaseException as error:
        _end(record, "returned", str(error) or INTERRUPTED, terms, io)
        raise
    _end(record, "returned" if record.reason else "finished", record.reason, terms, io)
    return record


def resize_latest(
    function: FunctionConfig,
    memory_mb: int,
    terms: LeaseTerms,
    record: RolloutRecord,
    io: RolloutIO,
) -> RolloutRecord:
    """Set $LATEST at once, under traffic. Raises as `roll_out` does."""
    with _leased(function, terms, io) as lease:
        lease.resize(memory_mb)
    _end(record, "finished", None, terms, io)
    return record


@contextmanager
def _leased(function: FunctionConfig, terms: LeaseTerms, io: RolloutIO) -> Iterator[Lease]:
    with open_lease(
        function,
        terms,
        control=io.control,
        sleep=io.sleep,
        on_progress=io.on_progress,
        is_urgent=io.is_urgent,
    ) as lease:
        assert isinstance(lease, Lease)  # a rollout is of the function itself, never of a copy
        yield lease


def _end(
    record: RolloutRecord, state: State, reason: str | None, terms: LeaseTerms, io: RolloutIO
) -> None:
    record.state, record.reason, record.ended_at = state, reason, _text(io.now())
    record.keep(terms.state_dir)


def _publish(lease: Lease, plan: PlannedRollout) -> str:
    publication = lease.publish([plan.memory_mb])
    if not publication.published:
        cap = publication.memory_cap_mb
        raise MemoryCapError(
            f"{plan.function.name}: the account allows at most {cap} MB, and {plan.memory_mb} MB "
            "were to be rolled out: ask AWS Support to raise it",
            max_memory_mb=cap,
        )
    return publication.published[0].version


class _Rollout:
    """The steps of one rollout."""

    def __init__(
        self,
        plan: PlannedRollout,
        record: RolloutRecord,
        alias: ShiftedAlias,
        io: RolloutIO,
        state_dir: Path,
    ) -> None:
        self._plan, self._record, self._alias, self._io = plan, record, alias, io
        self._state_dir = state_dir
        self._comparison = Comparison(
            plan.forecast,
            plan.memory_mb / plan.from_memory_mb,
            plan.baseline.durations_ms,
        )
        self._blind_looks = 0

    @property
    def _new(self) -> str:
        assert self._record.to_version is not None
        return self._record.to_version

    def run(self) -> str | None:
        """Take all steps; return why it goes back, or None once it's finished."""
        for step, needed in self._plan.steps:
            if self._io.is_stopped():
                return INTERRUPTED
            began = self._begin(step.weight, needed.count)
            self._alias.shift(self._new, step.weight)
            self._io.on_event(StepBegan(step, needed))
            reason = self._watch(step, needed, began)
            began.ended_at = _text(self._io.now())
            began.is_settled = reason is None
            self._record.keep(self._state_dir)
            if reason is not None:
                self._io.on_event(TurnedBack(reason))
                return reason
            self._io.on_event(StepSettled(step, began.new_count, began.old_count))
        last = self._begin(1.0, None)
        with suppress(AwsError):  # it's decided: giving the alias back finishes it
            self._alias.finish(self._new)
        last.is_settled = True
        return None

    def _begin(self, weight: float, needed_count: int | None) -> StepRecord:
        began = StepRecord(weight, _text(self._io.now()), needed_count=needed_count)
        self._record.steps.append(began)
        self._record.keep(self._state_dir)
        return began

    def _watch(self, step: Step, needed: Needed, began: StepRecord) -> str | None:
        """Look until the step is settled (None) or there's a reason to go back."""
        started = self._io.now()
        assert self._io.figures is not None
        readings = _Reading(self._io.figures, started)
        metrics = None if self._io.metrics is None else _Reading(self._io.metrics, started)
        self._comparison.begin_step()
        while True:
            if not self._sleep_until(readings.next_at):
                return INTERRUPTED
            if (reason := self._look(readings, metrics, began)) is not None:
                return reason
            seen = began.old_count + began.new_count
            passed_s = (self._io.now() - started).total_seconds()
            if metrics is not None and metrics.is_absent(passed_s) and seen >= needed.count:
                self._io.on_event(MetricsMissing())
                metrics = None
            if metrics is not None:  # they are late
                seen = min(seen, metrics.invocation_count)
            self._io.on_event(
                Looked(step, began.new_count, began.old_count, needed.count, passed_s)
            )
            if passed_s < step.least_s:
                continue
            if seen >= needed.count and self._comparison.is_settled:
                return None
            if passed_s >= max(self._plan.step_timeout_s, step.least_s):
                return _describe_timeout(seen, needed.count, passed_s)

    def _look(self, readings: _Reading, metrics: _Reading | None, began: StepRecord) -> str | None:
        asked = self._plan.function.name, self._versions, self._io.now()
        try:
            self._alias.check()
            for block in readings.blocks(*asked):
                self._comparison.add(block)
                began.old_count += block.old.count
                began.new_count += block.new.count
                if (reason := self._comparison.worse()) is not None:
                    return reason
            for block in metrics.blocks(*asked) if metrics is not None else ():
                self._comparison.add_metrics(block)
        except AwsError as error:
            self._blind_looks += 1
            if isinstance(error, AccessDeniedError) or self._blind_looks >= _MOST_BLIND_LOOKS:
                return f"the alias and its versions' figures can't be read ({error})"
            return None
        self._blind_looks = 0
        return self._comparison.worse()

    @property
    def _versions(self) -> tuple[str, str]:
        return self._plan.before.version, self._new

    def _sleep_until(self, moment: datetime) -> bool:
        """Wait, at least a little; return False as soon as somebody wants to stop."""
        rest_s = max((moment - self._io.now()).total_seconds(), _LEAST_SLEEP_S)
        while rest_s > 0:
            if self._io.is_stopped():
                return False
            self._io.sleep(min(rest_s, _LEAST_SLEEP_S))
            rest_s -= _LEAST_SLEEP_S
        return not self._io.is_stopped()


class _Reading:
    """Reads figures block by block, each once, when it's complete."""

    def __init__(self, figures: VersionFigures, start: datetime) -> None:
        self._figures = figures
        self._block = timedelta(seconds=figures.block_s)
        # What was on its way while the alias changed isn't compared.
        epoch_s = math.floor(start.timestamp() / figures.block_s + 1) * figures.block_s
        self._next = datetime.fromtimestamp(epoch_s, UTC)
        self.invocation_count = 0
        """In the blocks that were read."""

    def is_absent(self, passed_s: float) -> bool:
        """Whether there's nothing at all, long after there should be."""
        return not self.invocation_count and passed_s > self._figures.delay_s + _ABSENT_S

    @property
    def next_at(self) -> datetime:
        """When the next block can be read."""
        return self._next + self._block + timedelta(seconds=self._figures.delay_s)

    def blocks(self, function: str, versions: tuple[str, str], now: datetime) -> Iterator[Block]:
        """Every block that is complete by now."""
        while self.next_at <= now:
            arms = self._figures.read(function, versions, self._next, self._next + self._block)
            old, new = (arms.get(version, Arm()) for version in versions)
            self._next += self._block
            self.invocation_count += old.count + new.count
            yield Block(old, new)


def _describe_timeout(seen: int, needed: int, passed_s: float) -> str:
    minutes = f"{passed_s / 60:.0f} min" if passed_s >= 120 else f"{passed_s:.0f} s"
    if seen < needed:
        return (
            f"{counted(f'{seen:,}', 'invocation')} in {minutes}, and {needed:,} are needed to "
            "tell: give a longer `step_timeout`, or larger steps"
        )
    return (
        f"after {minutes} and {seen:,} invocations it isn't settled that the new version is no "
        "worse than forecast"
    )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
