"""Every control call of a rollout fails in every way; then `recover`; then all is settled.

The alias is as before or as finished, and so are the versions.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.conftest import COUNTED
from tests.lease.account import Account, Faulty, Killed, Moment
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import recover_all
from tests.lease.test_faults import FAULTS
from tests.rollout.rolling import FAILING, QUIET, STEPS, Rollout, is_finished
from tuner.errors import LeftChangedError, TunerError
from tuner.lease.recover import find_unfinished

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
SAMPLE: Final = CASES[::19]


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
