"""How a fleet sweeps one function: the main job, with connections shared by all of a place."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from tuner import session
from tuner.api.fleet_candidates import check_account
from tuner.api.recovery import recovery_through, stray_through
from tuner.errors import (
    AwsError,
    FunctionNotFoundError,
    InputError,
    NotAgreedError,
    SweepFileError,
    TunerError,
)
from tuner.fleet.loop import MOST_LEASES, InterruptedSweepError, UnreachablePlaceError
from tuner.fleet.queue import Outcome, place_key
from tuner.lease.journal import find_unfinished
from tuner.model.goal import Goal
from tuner.model.request import Budget, Measure, Output, Safety, Target, TuneRequest
from tuner.session.inputs import OpenTarget, read_inputs, with_payloads
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import StopSignal
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.errors import LeaseError
    from tuner.fleet.folder import AuditLog, FleetFolder
    from tuner.fleet.queue import Claim, FleetQueue
    from tuner.model.fleet import FleetItem, FleetPlace, FleetProgress
    from tuner.model.progress import ProgressEvent, ProgressHook
    from tuner.model.sweep import Sweep
    from tuner.sweep.prepared import PreparedSweep

_LEAVE_RATIO: Final = 0.2
_MOST_AT_ONCE: Final = 8
"""Invocations of a sweep."""


@dataclass(slots=True)
class FleetSweeper:
    """Sweeps a fleet's functions with `session`; its sweeps stop when the fleet does."""

    folder: FleetFolder
    state_dir: Path
    concurrency: int
    audit: AuditLog
    stop: StopSignal
    connect: Callable[[FleetPlace], LambdaGateway]
    keep: Callable[[], None] | None = None
    """Told whenever the folder or the state has grown by something that the next process needs,
    before anything is changed: for a disk that doesn't outlive this one."""
    _places: dict[str, tuple[LambdaGateway, int]] = field(default_factory=dict, init=False)
    _opening: dict[str, threading.Lock] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _opened: ExitStack = field(default_factory=ExitStack, init=False)
    _stops: _Stops = field(init=False)

    def __post_init__(self) -> None:
        self._stops = _Stops(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def sweep(self, claim: Claim, queue: FleetQueue) -> Outcome:
        """See `Sweeper`."""
        item = claim.item
        gateway, share = self._place(item.place)
        request = self._request(claim, share)
        target = OpenTarget(gateway, self.state_dir, keep_journal=self.keep)
        goal = Goal(self.folder.plan.goal)
        inputs = with_payloads(read_inputs(request, state_dir=self.state_dir), target)
        with self._stops.one() as stop:
            prepared = session.plan(inputs, target, goal=goal, state_dir=self.state_dir)
            self._check_account(item.place, prepared.function.arn)
            if prepared.side_effects and not item.allows_side_effects:
                raise NotAgreedError(
                    f"invocations may have side effects ({'; '.join(prepared.side_effects)}): "
                    f"agree in fleet.toml, or with `allow_side_effects={item.name}`"
                )
            if stop.is_requested:
                raise InterruptedSweepError
            queue.prepared(
                item.key,
                sweep_id=prepared.plan.sweep_id,
                sweep_file=str(prepared.file),
                in_flight_usd=_in_flight_usd(prepared),
            )
            try:  # its journal is kept before anything is changed, and the queue with it
                sweep = session.run(prepared, target, on_progress=self._auditor(item), stop=stop)
            except TunerError:
                seen = _spent(prepared.file)
                queue.spent(item.key, seen.cost_usd, seen.invocation_count)
                raise
        queue.spent(item.key, sweep.cost_usd, len(sweep.invocations))
        if sweep.end == "interrupted" or stop.is_requested:
            raise InterruptedSweepError
        return outcome_of(sweep, goal)

    def put_right(self, item: FleetProgress) -> Outcome | None:
        """See `Sweeper`."""

        def refuse_damaged(path: Path, error: LeaseError) -> None:
            if path.stem == item.sweep_id:
                raise error

        journals = find_unfinished(self.state_dir, refuse_damaged)
        own = [each for each in journals if each.header.sweep_id == item.sweep_id]
        for journal in own:
            gateway, _ = self._place(item.item.place)
            recovery_through(gateway, journal, state_dir=self.state_dir).carry_out(
                self._auditor(item.item)
            )
        if item.is_leased and not own:
            self._put_right_without_journal(item)
        return None if item.sweep_file is None else _spent(self.folder.sweep_file(item.item))

    def _put_right_without_journal(self, item: FleetProgress) -> None:
        """Undo what the account has of the item's sweep: it has ended, or its journal is with
        another machine or user. Whoever has the fleet knows that the sweep doesn't run.
        """
        gateway, _ = self._place(item.item.place)
        taken = () if item.sweep_id is None else (item.sweep_id,)
        left = stray_through(gateway, item.item.name, state_dir=self.state_dir, take_over=taken)
        with suppress(FunctionNotFoundError), left as recovery:
            if not recovery.is_empty:
                recovery.carry_out(self._auditor(item.item))

    def _check_account(self, place: FleetPlace, arn: str) -> None:
        """Raise UnreachablePlaceError where the credentials find a function of the same name in
        another account than the plan means.
        """
        try:
            check_account(place.account, arn.split(":")[4:5])
        except AwsError as error:
            raise UnreachablePlaceError(str(error)) from None

    def _place(self, place: FleetPlace) -> tuple[LambdaGateway, int]:
        """The connection of a place, and how many invocations at once its sweeps may each have.

        All sweeps of a place share one connection, and so one limit of requests. A place that is
        slow to answer holds up no other.
        """
        key = place_key(place)
        with self._lock:
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:
            if key not in self._places:
                try:
                    gateway = self.connect(place)
                    self._opened.push(gateway)
                    gateway.tell_changes(partial(self._called, key))
                    gateway.tell_invocations(self._before_invoking)
                    gateway.check_credentials()
                except TunerError as error:
                    raise UnreachablePlaceError(str(error)) from error
                there_is = gateway.account_settings().unreserved_concurrent_executions
                self._places[key] = gateway, self._share(there_is)
            return self._places[key]

    def _before_invoking(self) -> None:
        """Keep what was measured so far: no more invocations are missing from it than are in
        flight, which the next process counts as spent.
        """
        if self.keep is not None:
            with suppress(AwsError):  # the next one has it
                self.keep()

    def _called(self, place: str, operation: str, names: dict[str, Any]) -> None:
        """Write a change into the audit log before it's made, so that a kill hides none."""
        function = str(names.get("FunctionName") or names.get("Resource") or "")
        self.audit.write(
            "call",
            None,
            operation=operation,
            place=place,
            function=function.rpartition(":")[2],
            version=names.get("Qualifier"),
            memory_mb=names.get("MemorySize"),
            alias=names.get("Name"),
        )

    def _share(self, there_is: int | None) -> int:
        """Of what can run in the account, a part stays for live traffic, and all sweeps share the
        rest.
        """
        if there_is is None:
            return _MOST_AT_ONCE
        share = int(there_is * (1 - _LEAVE_RATIO)) // min(self.concurrency, MOST_LEASES)
        return max(1, min(_MOST_AT_ONCE, share))

    def _request(self, claim: Claim, share: int) -> TuneRequest:
        item, file = claim.item, self.folder.sweep_file(claim.item)
        earlier = _spent(file).invocation_count > 0
        return TuneRequest(
            item.name,
            Measure(payloads=item.payloads, resume=file if earlier else None),
            Budget(budget_usd=claim.budget_usd, concurrency=share),
            Safety(isolation=item.isolation),
            Target(region=item.place.region, endpoint_url=self.folder.plan.endpoint_url),
            Output(out=file, force=not earlier),
        )

    def _auditor(self, item: FleetItem) -> ProgressHook:
        """Write what changes the account into the audit log."""

        def told(event: ProgressEvent) -> None:
            action = _ACTIONS.get(type(event).__name__)
            if action is not None:
                names = ("memory_mb", "version", "name")
                facts = {name: getattr(event, name, None) for name in names}
                self.audit.write(action, item.key, **facts)

        return told


_ACTIONS: Final = {
    "WindowOpened": "latest_changes",
    "VersionPublished": "version_published",
    "WindowClosed": "latest_restored",
    "VersionDeleted": "version_deleted",
    "CopyMade": "copy_made",
    "CopyDeleted": "copy_deleted",
    "CallFailed": "call_failed",
}
"""What the audit log says of what a sweep tells."""


def outcome_of(sweep: Sweep, goal: Goal) -> Outcome:
    """What a sweep has come to. Raises InputError where it failed, or measured nothing."""
    if sweep.end == "failed":
        errors = [each.message for each in sweep.findings if each.severity == "error"]
        raise InputError(f"the sweep failed: {'; '.join(errors)}")
    if not sweep.invocations:
        said = "; ".join(each.message for each in sweep.findings)
        raise InputError(f"nothing was measured: {said}")
    answer = session.recommend(session.analyse(sweep, goal))
    choice = answer.choice
    return Outcome(
        sweep.cost_usd,
        len(sweep.invocations),
        choice.verdict,
        choice.memory_mb,
        choice.saving_ratio,
        answer.current.memory_mb,
        choice.reason if choice.verdict == "inconclusive" else None,
    )


def _spent(file: Path) -> Outcome:
    """What a sweep has spent by its file; nothing without one."""
    with suppress(SweepFileError):
        sweep = load_sweep(file)
        return Outcome(sweep.cost_usd, len(sweep.invocations))
    return Outcome(0.0, 0)


def _in_flight_usd(prepared: PreparedSweep) -> float:
    """What all invocations in flight may cost at worst."""
    plan = prepared.plan
    pricing = Pricing(prepared.function, prepared.prices, prepared.recent_duration_ms)
    return plan.concurrency * max(map(pricing.worst_cost_usd, plan.sizes_mb))


class _Stops:
    """A stop signal for each sweep, all asked when the fleet is: a signal wakes one sweep only."""

    def __init__(self, fleet: StopSignal) -> None:
        self._fleet = fleet
        self._own: list[StopSignal] = []
        fleet.notify(self._pass_on)

    @contextmanager
    def one(self) -> Iterator[StopSignal]:
        """One for a sweep, for the length of a block."""
        stop = StopSignal()
        self._own.append(stop)
        try:
            if self._fleet.is_requested and not stop.is_requested:
                stop.request()
            yield stop
        finally:
            self._own.remove(stop)

    def _pass_on(self) -> None:
        for each in tuple(self._own):
            each.request()
