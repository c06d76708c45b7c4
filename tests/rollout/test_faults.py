"""Every control call of a rollout fails in every way; then `recover`; then all is settled.

The alias is as before or as finished, and so are the versions.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.conftest import COUNTED
from tests.lease.account import Account, Faulty, Killed, Moment, ignore, no_sleep
from tests.lease.call_faults import FAULTS
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import recover_all
from tests.rollout.rolling import FAILING, QUIET, ROLLOUT_ID, STEPS, Rollout, is_finished
from tuner.errors import LeaseError, LeftChangedError, TunerError
from tuner.lease.journal import find_unfinished
from tuner.lease.orphans import plan_orphans, recover_orphans

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CALL_COUNTS: Final = {True: 40, False: 25}
"""Of a rollout that finishes, and of one that turns back: the looks at the alias too."""


def rollout(account: Account, control: Any, *, finishes: bool) -> Rollout:
    return Rollout(account, QUIET if finishes else FAILING, STEPS, control)


@pytest.mark.parametrize("finishes", [True, False])
def test_a_rollout_makes_as_many_calls_as_the_matrix_has(account: Account, finishes: bool) -> None:
    """The matrix below covers every call; it ends finished, or as before."""
    before = account.snapshot()
    control = Faulty(account.gateway)
    record = rollout(account, control, finishes=finishes).run()
    assert record.state == ("finished" if finishes else "returned"), record.reason
    assert len(control.calls) == CALL_COUNTS[finishes]
    assert (is_finished(account, before), account.snapshot() == before) == (finishes, not finishes)
    assert find_unfinished(account.state_dir) == ()


CASES: Final[list[tuple[bool, str, Moment, int]]] = [
    (finishes, fault, moment, call)
    for finishes, count in CALL_COUNTS.items()
    for call in range(count)
    for moment in ("before", "after")
    for fault in FAULTS
]
# 12 cases a call: this step meets every fault and both moments.
SAMPLE: Final = CASES[::31]


def check_case(account: Account, finishes: bool, fault: str, moment: Moment, call: int) -> bool:
    """One case of the matrix; return whether there was something to recover."""
    error, lasts = FAULTS[fault]
    account.make_function()
    before = account.snapshot()
    control = Faulty(account.gateway, call, moment, error, lasts)
    claims_clean = fault != "killed"
    rolled = rollout(account, control, finishes=finishes)
    with suppress(TunerError, Killed):
        try:
            rolled.run()
        except LeftChangedError:
            claims_clean = False
            raise
    case = f"{fault} {moment} call {call} ({control.calls[call]}), finishes: {finishes}"
    if claims_clean:
        assert rolled.record is not None
        said = rolled.record.state
        assert said == ("finished" if is_finished(account, before) else "returned"), case
        assert said == "finished" or account.snapshot() == before, case
        assert find_unfinished(account.state_dir) == (), case
    was_left = bool(recover_all(account))
    assert account.snapshot() == before or (finishes and is_finished(account, before)), case
    assert find_unfinished(account.state_dir) == (), case
    account.client.delete_function(FunctionName=account.name)
    return was_left


def test_whatever_fails_the_alias_is_never_in_between(account: Account) -> None:
    """After a fault at any call, and `recover`, it routes to one version alone."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, *case) for case in SAMPLE]
    assert any(recovered)
    assert not all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_fault_at_every_call_of_a_rollout(
    account: Account, record_property: Callable[[str, Any], None]
) -> None:
    """The whole matrix of which the sample above is taken."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, *case) for case in CASES]
    record_property(COUNTED, ("every call of a rollout", len(recovered), sum(recovered)))


@pytest.mark.slow
def test_a_killed_rollout_is_undone_from_another_machine(account: Account) -> None:
    """Its journal is lost: the tag and the version's Description say what to set back.

    A finished one's version stays, whatever is asked.
    """
    with on_a_quick_disk(account), without_sockets(account.handle):
        for call in range(4, CALL_COUNTS[True], 3):
            check_lost_journal(account, call)


def check_lost_journal(account: Account, call: int) -> None:
    account.make_function()
    before = account.snapshot()
    control = Faulty(account.gateway, call, "after", Killed(), lasts=True)
    with suppress(Killed, LeaseError):
        rollout(account, control, finishes=True).run()
    for journal in (account.state_dir / "journals").glob("*"):
        journal.unlink()
    assert plan_orphans(account.name, account.gateway, take_over=()).is_empty
    plan = plan_orphans(account.name, account.gateway, take_over=(ROLLOUT_ID,))
    recover_orphans(
        plan, account.gateway, sleep=no_sleep, on_progress=ignore, take_over=(ROLLOUT_ID,)
    )
    assert account.snapshot() == before or is_finished(account, before), control.calls[call]
    after = plan_orphans(account.name, account.gateway, take_over=(ROLLOUT_ID,))
    assert after.is_empty
    assert after.others == ()
    account.client.delete_function(FunctionName=account.name)
