"""Undoes what an interrupted sweep left."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuner.errors import EndpointError
from tuner.lease import orphans
from tuner.lease import recover as lease_recover
from tuner.lease.cleanup import ROLLOUT_ID
from tuner.rollout.record import close_record
from tuner.sweep.io import tell_nobody

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.lease.recover import RecoveryPlan
    from tuner.lease.unfinished import UnfinishedJournal
    from tuner.model.progress import ProgressHook


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is to be done about one journal, ready to be shown and carried out.

    `plan` is None if the sweep ran on a local endpoint that is gone, along with everything in it.
    """

    journal: UnfinishedJournal
    gateway: LambdaGateway
    state_dir: Path
    plan: RecoveryPlan | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing will change in an account."""
        return self.plan is None or self.plan.is_empty

    @property
    def sweep_id(self) -> str | None:
        """The sweep that left it."""
        return self.journal.header.sweep_id

    @property
    def others(self) -> tuple[str, ...]:
        """None: a journal belongs to one sweep, on this machine."""
        return ()

    def describe(self) -> tuple[str, ...]:
        """One line for each thing to do and each thing left alone."""
        if self.plan is not None:
            return self.plan.describe()
        name = self.journal.header.function.name
        return (f"{name}: its endpoint on this machine is gone, with everything in it",)

    def carry_out(self, on_progress: ProgressHook = tell_nobody) -> None:
        """Do it and close the journal. Raises LeaseError, LeftChangedError, AwsError."""
        if self.plan is None:
            lease_recover.forget(self.journal, state_dir=self.state_dir)
            return
        lease_recover.recover(
            self.plan,
            self.gateway,
            state_dir=self.state_dir,
            sleep=time.sleep,
            on_progress=on_progress,
            endpoint_url=self.gateway.endpoint_url,
        )
        self._close_record()

    def _close_record(self) -> None:
        """Say in a rollout's record how it ended."""
        header, alias = self.journal.header, self.journal.alias
        if header.sweep_id.startswith(ROLLOUT_ID):
            close_record(
                self.state_dir,
                header.function.name,
                header.sweep_id,
                "finished" if alias is not None and alias.finish else "returned",
                reason="interrupted, then recovered",
                ended_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            )


@contextmanager
def open_recovery(
    journal: UnfinishedJournal,
    *,
    state_dir: Path,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
    on_wait: Callable[[float], None] = lambda _seconds: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Recovery]:
    """Connect to where the sweep ran and work out what is to be done; changes nothing.

    A request that the sweep abandoned may still take effect: this waits for it, up to 30 s from the
    request, and tells `on_wait` the seconds. Region and endpoint default to the sweep's own. Raises
    LeaseError, AwsError and its subclasses.
    """
    from tuner.aws import connect

    header = journal.header
    with connect(
        region=region or header.function.region,
        profile=profile,
        endpoint_url=endpoint_url or header.endpoint_url,
    ) as gateway:
        yield recovery_through(gateway, journal, state_dir=state_dir, on_wait=on_wait, sleep=sleep)


def recovery_through(
    gateway: LambdaGateway,
    journal: UnfinishedJournal,
    *,
    state_dir: Path,
    on_wait: Callable[[float], None] = lambda _seconds: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Recovery:
    """The same through a connection that is open: work out what is to be done, once no request that
    the sweep abandoned can take effect any more. Raises LeaseError, AwsError and its subclasses.
    """
    wait_s = lease_recover.settles_in_s(journal, time.time())
    if wait_s > 0:
        on_wait(wait_s)
        sleep(wait_s)
    return Recovery(journal, gateway, state_dir, _plan(journal, gateway))


@dataclass(frozen=True, slots=True)
class StrayRecovery:
    """What is to be done about one function without a journal on this machine."""

    plan: orphans.OrphanPlan
    gateway: LambdaGateway
    take_over: tuple[str, ...]
    """Ids of sweeps known not to be running anywhere."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing will change in an account."""
        return self.plan.is_empty

    @property
    def sweep_id(self) -> str | None:
        """The sweep that left it; None if nothing is to be done, or several may have."""
        return self.take_over[0] if len(self.take_over) == 1 and not self.is_empty else None

    def describe(self) -> tuple[str, ...]:
        """One line for each thing to do and each thing left alone."""
        return (*self.plan.describe(), *map(self._describe_other, self.plan.others))

    @property
    def others(self) -> tuple[str, ...]:
        """Ids of sweeps that may still run on another machine: nothing of theirs is touched."""
        return self.plan.others

    def carry_out(self, on_progress: ProgressHook = tell_nobody) -> None:
        """Do it. Raises LeaseError, LeftChangedError, AwsError."""
        orphans.recover_orphans(
            self.plan,
            self.gateway,
            sleep=time.sleep,
            on_progress=on_progress,
            take_over=self.take_over,
        )

    def _describe_other(self, sweep_id: str) -> str:
        age = orphans.describe_age(sweep_id, datetime.now(UTC))
        return (
            f"{self.plan.function.name}: the sweep {sweep_id}, {age}, may still run on another "
            f"machine. If it does not, add `take_over={sweep_id}`"
        )


@contextmanager
def open_stray(
    function: str,
    *,
    state_dir: Path,
    take_over: Collection[str] = (),
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> Iterator[StrayRecovery]:
    """Find what other machines' sweeps left of a function; changes nothing.

    This machine can't know whether they are still running: `take_over` names those to undo. Raises
    LeaseError while a sweep of the function runs on this machine, AwsError and its subclasses.
    """
    from tuner.aws import connect

    with (
        connect(
            region=region, profile=profile, endpoint_url=endpoint_url, function=function
        ) as gateway,
        stray_through(
            gateway, gateway.resolve(function).target, state_dir=state_dir, take_over=take_over
        ) as recovery,
    ):
        yield recovery


@contextmanager
def stray_through(
    gateway: LambdaGateway, function: str, *, state_dir: Path, take_over: Collection[str] = ()
) -> Iterator[StrayRecovery]:
    """The same through a connection that is open. Raises the same."""
    with orphans.locked(function, gateway, state_dir=state_dir, endpoint_url=gateway.endpoint_url):
        plan = orphans.plan_orphans(function, gateway, take_over=take_over)
        yield StrayRecovery(plan, gateway, tuple(take_over))


def _plan(journal: UnfinishedJournal, gateway: LambdaGateway) -> RecoveryPlan | None:
    try:
        return lease_recover.plan_recovery(journal, gateway, endpoint_url=gateway.endpoint_url)
    except EndpointError:
        if gateway.is_loopback:
            return None
        raise
