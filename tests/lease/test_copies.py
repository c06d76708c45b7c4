"""Two copies of one function, one on each architecture: whatever fails, neither of them stays."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.lease.account import Account, Faulty, Killed, ignore, no_sleep
from tests.lease.call_faults import cases, check_case
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import recover_all
from tuner.errors import AwsError, LeftChangedError
from tuner.lease.clone import copy_name
from tuner.lease.journal import find_unfinished, journal_dir
from tuner.lease.lease import open_leases
from tuner.model.function import WantedCopy

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tuner.lease.function_control import FunctionControl
    from tuner.lease.window import Leased

BOTH: Final = (WantedCopy(), WantedCopy(architecture="arm64"))
OWN, OTHER = copy_name("sweep-1"), copy_name("sweep-1-arm64")
CALL_COUNT: Final = 22


def leased(
    account: Account, control: FunctionControl | None = None
) -> AbstractContextManager[tuple[Leased, ...]]:
    return open_leases(
        account.read(),
        account.terms("sweep-1", "clone"),
        BOTH,
        control=control or account.gateway,
        sleep=no_sleep,
        on_progress=ignore,
    )


def sweep(account: Account, control: Faulty) -> None:
    """Publish of both."""
    with leased(account, control) as copies:
        for each in copies:
            each.publish([128, 512])


def test_each_copy_has_its_architecture_and_nothing_stays(account: Account) -> None:
    """The function is only read; the other copy differs in its architecture alone."""
    before, original = account.snapshot(), account.read()
    with leased(account) as (own, other):
        assert (own.function_name, other.function_name) == (OWN, OTHER)
        copies = [account.gateway.read_function(name) for name in (OWN, OTHER)]
        assert [each.architecture for each in copies] == ["x86_64", "arm64"]
        assert {each.code_sha256 for each in copies} == {original.code_sha256}
        assert [p.memory_mb for p in other.publish([256]).published] == [256]
        assert len(list(journal_dir(account.state_dir).glob("*.jsonl"))) == 2
    assert account.read() == original
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()


def test_the_matrix_has_every_call(account: Account) -> None:
    """The cases below cover the whole of it."""
    control = Faulty(account.gateway)
    sweep(account, control)
    assert len(control.calls) == CALL_COUNT


CASES: Final = cases(CALL_COUNT)


def test_whatever_fails_no_copy_stays(account: Account) -> None:
    """After a fault at any call, and `recover` where a journal is left, nothing is changed."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, sweep, case) for case in CASES[::17]]
    assert any(recovered)
    assert not all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_fault_at_every_call_of_two_copies(account: Account) -> None:
    """The whole matrix of which the sample above is taken."""
    with on_a_quick_disk(account), without_sockets(account.handle):
        recovered = [check_case(account, sweep, case) for case in CASES]
    assert any(recovered)


def test_one_that_is_left_does_not_keep_the_other(account: Account) -> None:
    """If one copy can't be deleted, the other one is, and what is left is named and recovered."""

    class Sticky(Faulty):
        def delete_copy(self, copy: str, description: str) -> None:
            if copy == OTHER:
                raise AwsError("no")
            self.control.delete_copy(copy, description)

    with pytest.raises(LeftChangedError, match=OTHER), leased(account, Sticky(account.gateway)):
        pass
    assert OWN not in account.functions()
    [journal] = find_unfinished(account.state_dir)
    assert journal.header.sweep_id == "sweep-1-arm64"
    [said] = recover_all(account)
    assert OTHER in said
    assert OTHER not in account.functions()


def test_a_killed_sweep_leaves_two_journals(account: Account) -> None:
    """Each says which copy to delete; another machine finds both by their Descriptions."""
    control = Faulty(account.gateway, 4, "before", Killed(), lasts=True)
    with suppress(Killed), leased(account, control):
        raise Killed
    assert {each.header.sweep_id for each in find_unfinished(account.state_dir)} == {
        "sweep-1", "sweep-1-arm64"
    }  # fmt: skip
    assert {name for name, _ in account.gateway.list_copies(account.name)} == {OWN, OTHER}
    recover_all(account)
    assert {OWN, OTHER}.isdisjoint(account.functions())
