"""Every control call of a lease fails in every way; then `recover`; then the account is as before.

Over the wire, against an API that keeps AWS's semantics (RevisionId, deduplication, numbers that
count up).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.conftest import COUNTED
from tests.lease.account import Account, Faulty, Killed, ignore, no_sleep
from tests.lease.call_faults import FAULTS, cases, check_case
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import recover_all
from tuner.errors import TunerError
from tuner.lease.journal import find_unfinished
from tuner.lease.recover import plan_recovery, recover

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOWS: Final = ((128, 512, 1769), (3008,))
CALL_COUNT: Final = 38


def sweep(account: Account, control: Faulty) -> None:
    """Publish in two windows, as a sweep does."""
    with account.lease(control) as lease:
        for sizes in WINDOWS:
            lease.publish(sizes)


def test_a_lease_makes_as_many_calls_as_the_matrix_has(account: Account) -> None:
    """The matrix below covers every call."""
    control = Faulty(account.gateway)
    sweep(account, control)
    assert len(control.calls) == CALL_COUNT


CASES: Final = cases(CALL_COUNT)
SAMPLE: Final = CASES[::11]
"""Of 12 cases a call: every call, every fault and both moments."""


def test_whatever_fails_the_account_is_as_before_or_recovers(account: Account) -> None:
    """After a fault at any call, and `recover` where a journal is left, nothing is changed."""
    with on_a_quick_disk(account):
        recovered = [check_case(account, sweep, case) for case in SAMPLE]
    assert any(recovered)
    assert not all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_fault_at_every_call(
    account: Account, record_property: Callable[[str, Any], None]
) -> None:
    """The whole matrix of which the sample above is taken."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, sweep, case) for case in CASES]
    assert len(recovered) == CALL_COUNT * 2 * len(FAULTS)
    record_property(COUNTED, ("every call of a lease", len(recovered), sum(recovered)))


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["gone", "killed"])
def test_a_recovery_that_fails_can_be_repeated(account: Account, fault: str) -> None:
    """Recovering fails at each of its own calls in turn; once more, and nothing is changed."""
    for call in range(0, 18, 2):
        account.make_function()
        before = account.snapshot()
        with suppress(TunerError, Killed):
            sweep(account, Faulty(account.gateway, 11, "after", Killed(), lasts=True))
        [journal] = find_unfinished(account.state_dir)
        error, lasts = FAULTS[fault]
        control = Faulty(account.gateway, call, "after", error, lasts)
        url = account.gateway.endpoint_url
        with suppress(TunerError, Killed):
            recover(
                plan_recovery(journal, control, endpoint_url=url),
                control,
                state_dir=account.state_dir,
                sleep=no_sleep,
                on_progress=ignore,
                endpoint_url=url,
            )
        recover_all(account)
        assert account.snapshot() == before
        assert recover_all(account) == []
