"""Puts right what an interrupted sweep left."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import EndpointError
from tuner.lease import recover as lease_recover
from tuner.lease import stray
from tuner.lease.recover import find_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.lease.journal import UnfinishedJournal
    from tuner.lease.recover import RecoveryPlan

__all__ = ["Recovery", "StrayRecovery", "find_unfinished", "open_recovery", "open_stray"]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is to be done about one journal, ready to be shown and carried out.

    `plan` is None where the sweep ran on an endpoint of this machine that is gone, and what it
    held with it.
    """

    journal: UnfinishedJournal
    gateway: LambdaGateway
    state_dir: Path
    plan: RecoveryPlan | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is going to be changed in an account."""
        return self.plan is None or self.plan.is_empty

    def describe(self) -> tuple[str, ...]:
        """One line for each thing to do and each thing left alone."""
        if self.plan is not None:
            return self.plan.describe()
        name = self.journal.header.function.name
        return (f"{name}: its endpoint on this machine is gone, with all that it held",)

    def carry_out(self) -> None:
        """Do it and close the journal. Raises LeaseError, LeftChangedError, AwsError."""
        if self.plan is None:
            lease_recover.forget(self.journal, state_dir=self.state_dir)
            return
        lease_recover.recover(
            self.plan,
            self.gateway,
            state_dir=self.state_dir,
            sleep=time.sleep,
            on_progress=lambda _event: None,
            endpoint_url=self.gateway.endpoint_url,
        )


@contextmanager
def open_recovery(
    journal: UnfinishedJournal,
    *,
    state_dir: Path,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> Iterator[Recovery]:
    """Connect to where the sweep ran and find out what is to be done; changes nothing.

    Region and endpoint are the sweep's own unless given. Raises LeaseError, AwsError and its kin.
    """
    from tuner.aws import connect  # noqa: PLC0415 - loads boto3

    header = journal.header
    with connect(
        region=region or header.function.region,
        profile=profile,
        endpoint_url=endpoint_url or header.endpoint_url,
    ) as gateway:
        yield Recovery(journal, gateway, state_dir, _plan(journal, gateway))


@dataclass(frozen=True, slots=True)
class StrayRecovery:
    """What is to be done about one function without a journal of this machine."""

    plan: stray.StrayPlan
    gateway: LambdaGateway

    @property
    def is_empty(self) -> bool:
        """Whether nothing is going to be changed in an account."""
        return self.plan.is_empty

    def describe(self) -> tuple[str, ...]:
        """One line for each thing to do and each thing left alone."""
        return self.plan.describe()

    def carry_out(self) -> None:
        """Do it. Raises LeaseError, LeftChangedError, AwsError."""
        stray.recover_stray(self.plan, self.gateway, sleep=time.sleep)


@contextmanager
def open_stray(
    function: str,
    *,
    profile: str | None = None,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> Iterator[StrayRecovery]:
    """Find out what sweeps of other machines left of a function; changes nothing.

    That none of them still runs cannot be known from here. Raises AwsError and its kin.
    """
    from tuner.aws import connect  # noqa: PLC0415 - loads boto3

    with connect(
        region=region, profile=profile, endpoint_url=endpoint_url, function=function
    ) as gateway:
        name = gateway.resolve(function).target
        yield StrayRecovery(stray.plan_stray(name, gateway), gateway)


def _plan(journal: UnfinishedJournal, gateway: LambdaGateway) -> RecoveryPlan | None:
    try:
        return lease_recover.plan_recovery(journal, gateway, endpoint_url=gateway.endpoint_url)
    except EndpointError:
        if gateway.is_loopback:
            return None
        raise
