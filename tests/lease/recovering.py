"""What `tuner recover` does, step by step and all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.lease.account import Account, ignore, no_sleep
from tuner.lease.journal import find_unfinished
from tuner.lease.recover import plan_recovery, recover

if TYPE_CHECKING:
    from tuner.lease.recover import RecoveryPlan
    from tuner.lease.unfinished import UnfinishedJournal


def planned(account: Account, journal: UnfinishedJournal) -> RecoveryPlan:
    return plan_recovery(journal, account.gateway, endpoint_url=account.gateway.endpoint_url)


def carry_out(account: Account, plan: RecoveryPlan) -> None:
    recover(
        plan,
        account.gateway,
        state_dir=account.state_dir,
        sleep=no_sleep,
        on_progress=ignore,
        endpoint_url=account.gateway.endpoint_url,
    )


def recover_all(account: Account) -> list[str]:
    """Do what `tuner recover` does; return what it said."""
    said: list[str] = []
    for journal in find_unfinished(account.state_dir):
        plan = planned(account, journal)
        said += plan.describe()
        carry_out(account, plan)
    return said
