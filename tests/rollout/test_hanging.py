"""A request of a rollout that nobody answers holds up no one who asked twice for the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.httpsession import URLLib3Session

from tests.lease.account import ignore, no_sleep
from tests.lease.recovering import recover_all
from tests.lease.test_hanging_calls import Hanging, check_the_end
from tests.lease.test_uninterruptible import join_abandoned
from tests.rollout.rolling import is_finished
from tuner.errors import LeftChangedError
from tuner.lease import uninterruptible
from tuner.lease.journal import find_unfinished
from tuner.lease.lease import Lease, open_lease

if TYPE_CHECKING:
    from tests.lease.account import Account

NEW_MB = 1769


def roll(account: Account, hanging: Hanging, *, finishes: bool = False) -> BaseException | None:
    """Shift the alias twice over this wire; return how it ended."""
    real, planned = URLLib3Session.send, account.read()
    before = account.gateway.read_alias(account.name, "live")
    lease = open_lease(
        planned,
        account.terms("rollout-1"),
        control=account.gateway,
        sleep=no_sleep,
        on_progress=ignore,
        is_urgent=hanging.urgent.is_set,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            URLLib3Session, "send", lambda session, sent: hanging.send(real, session, sent)
        )
        try:
            with lease as leased:
                assert isinstance(leased, Lease)
                alias = leased.shift_alias(before)
                [new] = leased.publish([NEW_MB]).published
                alias.shift(new.version, 0.1)
                alias.check()
                if finishes:
                    alias.finish(new.version)
        except (KeyboardInterrupt, LeftChangedError) as error:
            return error
    return None


@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
def test_a_shift_that_hangs_is_given_up_and_recovered(
    account: Account, monkeypatch: pytest.MonkeyPatch, is_made: bool
) -> None:
    """Whether it takes effect late or not, the alias is as before after `recover`."""
    monkeypatch.setattr(uninterruptible, "OPENING_GRACE_S", 0.05)
    before = account.snapshot()
    hanging = Hanging(kind="PUT live", is_made=is_made)
    ended = roll(account, hanging)
    assert isinstance(ended, LeftChangedError)
    assert "shift the alias got no answer" in str(ended)
    check_the_end(account, before, hanging, ended)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("finishes", [False, True])
def test_no_call_of_a_rollout_outlasts_a_second_interruption(
    account: Account, monkeypatch: pytest.MonkeyPatch, finishes: bool
) -> None:
    """Each request in turn, answered late or never: then `recover`, as before or as finished."""
    monkeypatch.setattr(uninterruptible, "OPENING_GRACE_S", 0.05)
    monkeypatch.setattr(uninterruptible, "GRACE_S", 1.0)
    whole = Hanging()
    account.make_function()
    roll(account, whole, finishes=finishes)
    for number in range(1, len(whole.seen) + 1):
        for is_made in (False, True):
            account.make_function()
            before = account.snapshot()
            hanging = Hanging(number=number, is_made=is_made)
            roll(account, hanging, finishes=finishes)
            hanging.is_let_go.set()
            join_abandoned()
            recover_all(account)
            case = f"{whole.seen[number - 1]} ({number}), made: {is_made}"
            assert account.snapshot() == before or is_finished(account, before), case
            assert not find_unfinished(account.state_dir), case
