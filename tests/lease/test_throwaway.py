"""A check's own function: whatever fails, it is deleted at the end or by `recover`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import Account, Killed, a_zip, ignore, no_sleep
from tests.lease.in_process import on_a_quick_disk, without_sockets
from tests.lease.recovering import planned, recover_all
from tests.lease.wire_faults import FAULTS, Wire, faulty
from tuner.errors import InputError, LeaseError, LeftChangedError
from tuner.lease.journal import LeaseTerms, find_unfinished
from tuner.lease.recover import plan_recovery
from tuner.lease.throwaway import CHECK_TAG, open_throwaway
from tuner.model.function import Throwaway

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

NAME = "lambda-tuner-live-check"
ROLE = "arn:aws:iam::123456789012:role/any"


def opened(account: Account, name: str = NAME) -> AbstractContextManager[Any]:
    terms = LeaseTerms(
        "live-1",
        account.state_dir,
        account.gateway.endpoint_url,
        "2026-01-01T00:00Z",
        "throwaway",
    )
    spec = Throwaway(name, ROLE, "python3.13", "handler.handler", a_zip(), 128, 5)
    return open_throwaway(spec, terms, control=account.gateway, sleep=no_sleep, on_progress=ignore)


def use(account: Account) -> None:
    """Make the function, change and publish it, and let it be deleted."""
    with opened(account) as made:
        account.client.update_function_configuration(FunctionName=made.name, MemorySize=256)
        account.client.publish_version(FunctionName=made.name)


def test_it_is_tagged_and_gone_at_the_end(account: Account) -> None:
    """While it is there it says whose it is; afterwards neither it nor a journal is left."""
    with opened(account) as made:
        assert made.description == "lambda-tuner live check live-1"
        tags = account.client.list_tags(Resource=made.arn)["Tags"]
        assert tags == {CHECK_TAG: "live-1"}
    assert NAME not in account.functions()
    assert find_unfinished(account.state_dir) == ()


@pytest.mark.parametrize("name", ["orders", "lambda-tuner-"])
def test_no_other_name_is_accepted(account: Account, name: str) -> None:
    """What is made could be mistaken for an owner's function by any other name."""
    with pytest.raises(InputError, match="must begin with lambda-tuner-"), opened(account, name):
        pass


def test_a_function_that_is_there_is_never_touched(account: Account) -> None:
    """A name that is taken is refused before anything is written, and its function stays."""
    account.client.create_function(
        FunctionName=NAME, Role=ROLE, Runtime="python3.13", Handler="handler.handler",
        Code={"ZipFile": a_zip()}, Description="the owner's",
    )  # fmt: skip
    with pytest.raises(InputError, match="there is a function"), opened(account):
        pass
    assert NAME in account.functions()
    assert find_unfinished(account.state_dir) == ()


@pytest.mark.slow
def test_whatever_fails_it_is_deleted_or_recovered(account: Account) -> None:
    """After a fault of any kind at any request, and `recover`, no function and no journal."""
    before = account.functions()
    with on_a_quick_disk(account), without_sockets(account.handle):
        wire, recovered = Wire(), list[list[str]]()
        with faulty(wire):
            use(account)
        for fault in FAULTS:
            for number in range(len(wire.requests)):
                with suppress(Exception, Killed), faulty(Wire(fault, number)):
                    use(account)
                recovered.append(recover_all(account))
                assert account.functions() == before, (fault, number)
                assert find_unfinished(account.state_dir) == (), (fault, number)
    assert any(recovered)
    assert not all(recovered)


def test_recovery_refuses_another_account(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function that isn't found with other credentials must not count as deleted."""
    left_with_the_journal(account)
    [journal] = find_unfinished(account.state_dir)
    monkeypatch.setattr(account.gateway, "account_id", lambda: "999999999999")
    with pytest.raises(LeaseError, match="another account"):
        planned(account, journal)
    monkeypatch.undo()
    assert planned(account, journal).describe() == (
        f"{NAME}: delete this function of a live check",
    )
    recover_all(account)
    assert NAME not in account.functions()


def test_recovery_leaves_a_function_of_another_description(account: Account) -> None:
    """Somebody who took over the function keeps it."""
    left_with_the_journal(account)
    account.client.update_function_configuration(FunctionName=NAME, Description="ours now")
    [journal] = find_unfinished(account.state_dir)
    plan = plan_recovery(journal, account.gateway, endpoint_url=account.gateway.endpoint_url)
    assert plan.is_empty
    assert plan.describe() == (f"{NAME}: kept, since its Description isn't this sweep's",)


def left_with_the_journal(account: Account) -> None:
    """A check whose process was killed after its function was made."""
    wire = Wire()
    with faulty(wire):
        use(account)
    created = next(n for n, each in enumerate(wire.requests) if each.startswith("POST /2015-03"))
    with suppress(Killed, LeftChangedError), faulty(Wire("killed after", created)):
        use(account)
