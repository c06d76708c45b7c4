"""Giving a function back ends, whatever fails or hangs on the way, and says what it waits for."""

from __future__ import annotations

import errno
import threading
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.httpsession import URLLib3Session

from tests.lease.account import Faulty, Killed, ignore, no_sleep
from tests.lease.recovering import planned, recover_all
from tests.lease.wire_faults import refusal
from tuner.errors import LeaseError, LeftChangedError
from tuner.lease import uninterruptible as module
from tuner.lease.journal import find_unfinished
from tuner.lease.lease import open_lease
from tuner.lease.orphans import plan_orphans, recover_orphans
from tuner.lease.recover import recover
from tuner.model.progress import CallFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lease.account import Account

STEP_S = 20.0
"""What a failing request takes on the scripted clock, the SDK's wait behind it included."""


class ScriptedClock:
    """Goes on with each request that fails; then whoever waits looks at it, as in real time."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._looked, self._is_over = threading.Event(), threading.Event()

    def __call__(self) -> float:
        self._looked.set()
        return self._now_s

    def go_on(self) -> None:
        self._now_s += STEP_S
        self._looked.clear()
        while not self._is_over.is_set() and not self._looked.wait(0.05):
            pass

    def end(self) -> None:
        """Nobody looks any more."""
        self._is_over.set()


def leased(account: Account, isolation: str, **options: Any) -> Any:
    return open_lease(
        account.read(),
        account.terms(isolation=isolation),
        control=account.gateway,
        **{"sleep": no_sleep, "on_progress": ignore, **options},
    )


def join_abandoned() -> None:
    """Wait for the threads of work that was given up."""
    for thread in threading.enumerate():
        if thread.name == "tuner-uninterruptible":
            thread.join(60)


@pytest.fixture
def on_the_wire(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any], Any]], None]:
    """Let a function answer requests in place of the server; None passes them on."""
    real = URLLib3Session.send

    def answer_by(answer: Callable[[Any], Any]) -> None:
        monkeypatch.setattr(
            URLLib3Session, "send", lambda session, sent: answer(sent) or real(session, sent)
        )

    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    return answer_by


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway repeats what fails at once."""
    monkeypatch.setattr(
        "tuner.aws.control_plane.time", SimpleNamespace(sleep=no_sleep, monotonic=time.monotonic)
    )


@pytest.mark.slow
@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("isolation", ["version", "clone"])
@pytest.mark.parametrize(
    "refused",
    [
        (500, "ServiceException"),
        (429, "TooManyRequestsException"),
        (409, "ResourceConflictException"),
    ],
)
def test_deletions_that_always_fail_end_in_minutes_with_a_line_for_each_failure(
    account: Account,
    on_the_wire: Any,
    isolation: str,
    refused: tuple[int, str],
) -> None:
    """All repetitions count, the SDK's among them: throttles alone went on for half an hour."""
    before = account.snapshot()
    failed, events = [], []
    clock = ScriptedClock()
    is_mended = threading.Event()

    def answer(sent: Any) -> Any:
        if sent.method != "DELETE" or is_mended.is_set():
            return None
        failed.append(sent)
        clock.go_on()
        return refusal(sent, *refused)

    on_the_wire(answer)
    with (
        pytest.raises(LeftChangedError, match="tuner recover"),
        leased(account, isolation, clock=clock, on_progress=events.append) as lease,
    ):
        lease.publish([128, 1024])
    given_up = len(failed)
    clock.end()
    assert given_up * STEP_S <= module.LIMIT_S + 2 * STEP_S
    join_abandoned()  # with the process, its hold on the journal would be over at once
    told = [event.reason for event in events if isinstance(event, CallFailed)]
    assert told or refused[0] == 429  # the gateway repeats those itself
    is_mended.set()
    assert recover_all(account)
    assert account.snapshot() == before


def test_an_abandoned_restore_sends_nothing_once_the_lease_is_over(
    account: Account, on_the_wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is free by then, and another sweep may have the function."""
    hangs, urgent = threading.Event(), threading.Event()
    sent_late = []

    def answer(sent: Any) -> Any:
        if sent.method != "PUT" or b'"MemorySize": 512' not in sent.body:
            return None
        if hangs.is_set():
            sent_late.append(sent)
            return None
        urgent.set()
        hangs.wait(60)
        return refusal(sent, 400, "InvalidParameterValueException")

    on_the_wire(answer)
    monkeypatch.setattr(module, "GRACE_S", 0.05)
    with (
        pytest.raises(LeftChangedError, match="interrupted before"),
        leased(account, "version", is_urgent=urgent.is_set) as lease,
    ):
        lease.publish([128])
    hangs.set()
    join_abandoned()
    assert sent_late == []


@pytest.mark.parametrize("isolation", ["version", "clone"])
def test_a_hook_that_fails_leaves_nothing_undone(account: Account, isolation: str) -> None:
    """Its terminal may be gone: the function is given back all the same, with its tag."""

    def fail(_event: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = account.snapshot()
    with leased(account, isolation, on_progress=fail) as lease:
        lease.publish([128, 1024])
    assert account.snapshot() == before
    assert not list((account.state_dir / "journals").glob("*"))


@pytest.mark.parametrize("isolation", ["version", "clone"])
def test_a_second_interruption_ends_a_call_that_hangs(
    account: Account, on_the_wire: Any, monkeypatch: pytest.MonkeyPatch, isolation: str
) -> None:
    """In a request that nobody answers: exit code 4, and the journal stays for `recover`."""
    hangs, urgent = threading.Event(), threading.Event()

    def answer(sent: Any) -> Any:
        if sent.method != "DELETE":
            return None
        urgent.set()
        hangs.wait(60)
        return refusal(sent, 500, "ServiceException")

    on_the_wire(answer)
    monkeypatch.setattr(module, "GRACE_S", 0.05)
    with (
        pytest.raises(LeftChangedError, match="interrupted before"),
        leased(account, isolation, is_urgent=urgent.is_set) as lease,
    ):
        lease.publish([128])
    assert not hangs.is_set()
    hangs.set()
    join_abandoned()  # what it still sends would meet the deletion of the test's functions
    assert list((account.state_dir / "journals").glob("*.jsonl"))


@pytest.mark.usefixtures("no_waits")
def test_restoring_and_giving_back_share_one_limit(account: Account, on_the_wire: Any) -> None:
    """An endpoint that refuses every change is waited for once, not for each thing to put right."""
    before = account.snapshot()
    failed = []
    clock = ScriptedClock()
    is_broken = threading.Event()

    def answer(sent: Any) -> Any:
        if sent.method == "POST" and sent.url.endswith("/versions"):
            is_broken.set()
            return None
        if sent.method == "GET" or not is_broken.is_set():
            return None
        failed.append(sent)
        clock.go_on()
        return refusal(sent, 500, "ServiceException")

    on_the_wire(answer)
    with (
        pytest.raises(LeftChangedError) as caught,
        leased(account, "version", clock=clock) as lease,
    ):
        lease.publish([128])
    assert len(failed) * STEP_S <= module.LIMIT_S + 2 * STEP_S
    clock.end()
    assert str(caught.value).count("tuner recover") == 1
    is_broken.clear()
    join_abandoned()
    assert recover_all(account)
    assert account.snapshot() == before


@pytest.mark.parametrize("by_name", [False, True], ids=["journal", "name"])
def test_recovering_has_a_limit_too(
    account: Account, on_the_wire: Any, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    """Deletions that always fail end it, each failure told; exit code 4, and it can be repeated."""
    before = account.snapshot()
    control = Faulty(account.gateway, 10, "after", Killed(), lasts=True)
    with suppress(Killed, LeaseError), account.lease(control) as lease:
        lease.publish([128, 1769])
    is_mended = threading.Event()

    def answer(sent: Any) -> Any:
        if sent.method != "DELETE" or is_mended.is_set():
            return None
        threading.Event().wait(0.05)
        return refusal(sent, 500, "ServiceException")

    def put_right(on_progress: Any = ignore) -> None:
        if by_name:
            plan = plan_orphans(account.name, account.gateway)
            recover_orphans(plan, account.gateway, sleep=no_sleep, on_progress=on_progress)
            return
        [journal] = find_unfinished(account.state_dir)
        recover(
            planned(account, journal),
            account.gateway,
            state_dir=account.state_dir,
            sleep=no_sleep,
            on_progress=on_progress,
            endpoint_url=account.gateway.endpoint_url,
        )

    on_the_wire(answer)
    events: list[Any] = []
    with monkeypatch.context() as patch:

        def told(event: Any) -> None:
            events.append(event)
            if isinstance(event, CallFailed):
                patch.setattr(module, "LIMIT_S", 0.1)

        with pytest.raises(LeftChangedError, match="has made no progress") as caught:
            put_right(told)
    assert caught.value.exit_code == 4
    assert any(isinstance(event, CallFailed) for event in events)
    is_mended.set()
    join_abandoned()
    put_right()
    assert account.snapshot() == before
