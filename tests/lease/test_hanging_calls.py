"""A request that nobody answers holds up no one who asked twice for the end.

Whatever the sweep was doing: what the late answer still does is left to `recover`, which is told.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore.httpsession import URLLib3Session

from tests.lease.account import ignore, no_sleep
from tests.lease.recovering import recover_all
from tests.lease.test_uninterruptible import join_abandoned
from tuner.api import recovery
from tuner.errors import LeftChangedError
from tuner.lease import uninterruptible
from tuner.lease.journal import find_unfinished
from tuner.lease.lease import open_lease
from tuner.lease.recover import LATE_S, settles_in_s

if TYPE_CHECKING:
    from tests.lease.account import Account

OPENING = {
    "version": (
        "GET functions", "GET versions", "GET aliases", "GET tags", "POST tags",
        "PUT configuration", "POST versions",
    ),
    "clone": ("GET functions", "POST functions", "PUT configuration", "POST versions"),
}  # fmt: skip
CHANGES = ("POST", "PUT")


class Hanging:
    """Answers one request only once it is let go; from its beginning the end is urgent."""

    def __init__(self, *, kind: str = "", number: int = 0, is_made: bool = False) -> None:
        self.urgent, self.is_let_go = threading.Event(), threading.Event()
        self.seen: list[str] = []
        self._kind, self._number, self._is_made = kind, number, is_made

    def send(self, real: Any, session: Any, request: Any) -> Any:
        kind = kind_of(request)
        self.seen.append(kind)
        if self.urgent.is_set() or not self._hangs(kind):
            return real(session, request)
        self.urgent.set()
        answer = real(session, request) if self._is_made else None
        self.is_let_go.wait(60)
        return answer or real(session, request)

    def _hangs(self, kind: str) -> bool:
        if self._kind:
            return kind == self._kind
        return len(self.seen) == self._number


def kind_of(request: Any) -> str:
    """`PUT configuration`: the method, and what it is about."""
    words = re.findall(r"(?<=/)[a-z]+(?=/|$)", urlsplit(request.url).path)
    return f"{request.method} {words[-1] if words else 'logs'}"


def sweep(account: Account, isolation: str, hanging: Hanging) -> BaseException | None:
    """Lease the function and publish two sizes over this wire; return how it ended."""
    real, planned = URLLib3Session.send, account.read()
    lease = open_lease(
        planned,
        account.terms(isolation=isolation),
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
                leased.publish([128, 1024])
        except (KeyboardInterrupt, LeftChangedError) as error:
            return error
        finally:
            assert not hanging.is_let_go.is_set()
    return None


def check_the_end(account: Account, before: dict[str, Any], hanging: Hanging, ended: Any) -> None:
    """What is left is said and in the journal; late answers come, and `recover` undoes them."""
    is_left = isinstance(ended, LeftChangedError)
    assert is_left or isinstance(ended, KeyboardInterrupt)
    assert is_left == bool(list(account.state_dir.glob("journals/*.jsonl")))
    assert not is_left or str(ended).endswith("Run: tuner recover")
    hanging.is_let_go.set()
    join_abandoned()
    recover_all(account)
    assert account.snapshot() == before
    assert not find_unfinished(account.state_dir)


@pytest.mark.slow
@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("isolation", "kind"),
    [(isolation, kind) for isolation in OPENING for kind in OPENING[isolation]],
)
def test_no_opening_call_outlasts_a_second_interruption(
    account: Account, monkeypatch: pytest.MonkeyPatch, isolation: str, kind: str, is_made: bool
) -> None:
    """Abandoned before or after it took effect; a change leaves the journal, a read nothing."""
    monkeypatch.setattr(uninterruptible, "OPENING_GRACE_S", 0.05)
    before = account.snapshot()
    hanging = Hanging(kind=kind, is_made=is_made)
    ended = sweep(account, isolation, hanging)
    assert hanging.urgent.is_set()
    if kind.startswith(CHANGES) and (isolation, kind) != ("clone", "PUT configuration"):
        is_left = isolation == "version" or kind == "POST functions"
        assert isinstance(ended, LeftChangedError if is_left else KeyboardInterrupt)
    check_the_end(account, before, hanging, ended)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("isolation", OPENING)
def test_no_call_at_all_outlasts_a_second_interruption(
    account: Account, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    """Each request of a whole lease in turn, those that give back included."""
    monkeypatch.setattr(uninterruptible, "OPENING_GRACE_S", 0.05)
    monkeypatch.setattr(uninterruptible, "GRACE_S", 1.0)
    before = account.snapshot()
    whole = Hanging()
    assert sweep(account, isolation, whole) is None
    for number in range(1, len(whole.seen) + 1):
        for is_made in (False, True):
            hanging = Hanging(number=number, is_made=is_made)
            ended = sweep(account, isolation, hanging)
            assert hanging.urgent.is_set()
            check_the_end(account, before, hanging, ended)


def test_recover_waits_for_what_may_still_come(account: Account) -> None:
    """For half a minute after the request was abandoned; not longer, and not for other sweeps."""
    hanging = Hanging(kind="POST functions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uninterruptible, "OPENING_GRACE_S", 0.05)
        sweep(account, "clone", hanging)
    hanging.is_let_go.set()
    join_abandoned()
    [journal] = find_unfinished(account.state_dir)
    at_s = journal.unanswered_at
    assert at_s is not None
    waits = [settles_in_s(journal, at_s + after_s) for after_s in (-60, 0, 10, LATE_S, 3600)]
    assert waits == [0, LATE_S, LATE_S - 10, 0, 0]
    assert settles_in_s(dataclasses.replace(journal, unanswered_at=None), at_s) == 0
    slept: list[float] = []
    url = account.gateway.endpoint_url
    with recovery.open_recovery(
        journal, state_dir=account.state_dir, endpoint_url=url, sleep=slept.append
    ) as found:
        assert not found.is_empty
        found.carry_out()
    [waited_s] = slept
    assert LATE_S - 20 < waited_s <= LATE_S
    assert not find_unfinished(account.state_dir)


def test_a_late_update_is_set_back_where_there_are_no_revisions(account: Account) -> None:
    """What was set back while the request was under way may be changed again by its late answer."""
    hanging = Hanging(kind="PUT configuration")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uninterruptible, "OPENING_GRACE_S", 0.05)
        ended = sweep(account, "version", hanging)
    assert isinstance(ended, LeftChangedError)
    hanging.is_let_go.set()
    join_abandoned()
    account.client.update_function_configuration(FunctionName=account.name, MemorySize=128)
    assert recover_all(account)
    assert account.read().memory_mb == 512
