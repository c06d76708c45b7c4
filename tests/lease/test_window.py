"""Publish windows over the wire."""

from __future__ import annotations

import dataclasses
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import Account, Faulty, ignore, no_sleep
from tuner.errors import (
    AwsError,
    ConflictError,
    EndpointError,
    LeaseError,
    LeftChangedError,
    MemoryCapError,
)
from tuner.lease import uninterruptible
from tuner.lease.function_control import WAITS_S
from tuner.lease.journal import find_unfinished
from tuner.lease.lease import open_lease
from tuner.model.progress import VersionPublished, WindowClosed, WindowOpened

if TYPE_CHECKING:
    from tuner.model.progress import ProgressEvent


def test_a_window_publishes_every_size_and_leaves_latest_as_it_was(account: Account) -> None:
    """Each size gets a version of that memory; $LATEST reads as before when the window is shut."""
    before = account.snapshot()
    with account.lease() as lease:
        publication = lease.publish([128, 512, 1769])
        read = {
            entry.memory_mb: account.gateway.read_function(account.name, entry.version).memory_mb
            for entry in publication.published
        }
        assert read == {128: 128, 512: 512, 1769: 1769}
        assert all(entry.is_new for entry in publication.published)
        assert account.read().memory_mb == 512
    assert account.snapshot() == before


def test_every_change_follows_its_record_in_the_journal(account: Account) -> None:
    """When a call that changes something is made, the journal on the disk announces it already."""
    announced = []

    def look(_number: int, name: str) -> None:
        [journal] = (account.state_dir / "journals").glob("*.jsonl") or [None]
        last = journal.read_text().splitlines()[-1] if journal else ""
        if name in ("update_memory", "publish_version", "delete_version"):
            announced.append((name, last.split('"')[3]))

    control = Faulty(account.gateway)

    def start_looking(_number: int, name: str) -> None:
        if name in ("update_memory", "publish_version", "delete_version"):
            look(_number, name)

    control.before_call = start_looking
    with account.lease(control) as lease:
        lease.publish([128, 512])
    assert announced == [
        ("publish_version", "publish"),
        ("update_memory", "update"),
        ("publish_version", "publish"),
        ("update_memory", "restore"),
        ("delete_version", "delete"),
        ("delete_version", "delete"),
    ]


MARKING = ("read_tags", "set_tag", "read_tags")


def test_the_order_of_calls_is_read_publish_restore_read_back_delete(account: Account) -> None:
    """Everything is read first, $LATEST is read back, and aliases are read before a deletion,
    and what is gone is read after it.
    """
    control = Faulty(account.gateway)
    with account.lease(control) as lease:
        assert control.calls == ["read_function", "list_versions", "list_aliases", *MARKING]
        lease.publish([128])
        assert control.calls[6:] == [
            "read_function",
            "update_memory",
            "publish_version",
            "read_function",
            "read_function",
            "update_memory",
            "read_function",
        ]
    assert control.calls[13:] == [
        "list_versions",
        "list_aliases",
        "delete_version",
        "list_versions",
        "read_tags",
        "remove_tag",
        "read_tags",
    ]


def test_the_size_that_latest_has_is_published_without_an_update(account: Account) -> None:
    """No update is sent for the function's own size, and none to restore it."""
    control = Faulty(account.gateway)
    with account.lease(control) as lease:
        lease.publish([512])
    assert "update_memory" not in control.calls


def test_events_tell_a_window_from_its_opening_to_its_close(account: Account) -> None:
    """Opening, one event a version, closing; in that order."""
    events: list[ProgressEvent] = []
    with account.lease(on_progress=events.append) as lease:
        lease.publish([128, 256])
        assert events == [
            WindowOpened((128, 256)),
            VersionPublished(128, "2", is_new=True),
            VersionPublished(256, "3", is_new=True),
            WindowClosed(),
        ]


def test_sizes_over_the_accounts_cap_are_refused_and_the_others_published(
    account: Account,
) -> None:
    """The most that is allowed is told; smaller sizes have versions."""
    before = account.snapshot()
    control: Any = Capped(account.gateway, 3008)
    with account.lease(control) as lease:
        publication = lease.publish([128, 3008, 3009, 10240])
        assert [entry.memory_mb for entry in publication.published] == [128, 3008]
        assert publication.memory_cap_mb == 3008
    assert account.snapshot() == before


class Capped(Faulty):
    """An account that allows at most so much memory."""

    def __init__(self, control: Any, cap_mb: int) -> None:
        super().__init__(control)
        self.cap_mb = cap_mb

    def update_memory(self, function: str, memory_mb: int, revision_id: str | None) -> Any:
        if memory_mb > self.cap_mb:
            raise MemoryCapError(f"at most {self.cap_mb} MB", max_memory_mb=self.cap_mb)
        return self.control.update_memory(function, memory_mb, revision_id)


def test_a_stop_in_a_window_publishes_no_further_size(account: Account) -> None:
    """A stop is heeded between sizes; what is published is said, and $LATEST restored."""
    before = account.snapshot()
    published: list[ProgressEvent] = []

    def take(event: ProgressEvent) -> None:
        if isinstance(event, VersionPublished):
            published.append(event)

    with account.lease(on_progress=take) as lease:
        publication = lease.publish([128, 256, 1024], lambda: bool(published))
        assert [entry.memory_mb for entry in publication.published] == [128]
        assert account.read().memory_mb == 512
    assert account.snapshot() == before


@pytest.mark.parametrize("call", range(6, 15))
def test_an_interruption_at_any_call_restores_and_deletes(account: Account, call: int) -> None:
    """A KeyboardInterrupt at any call of a window leaves the account as it was."""
    before = account.snapshot()
    control = Faulty(account.gateway, call, "after", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt), account.lease(control) as lease:
        lease.publish([128, 256, 512])
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()


@pytest.mark.parametrize("call", range(8, 17))
def test_a_sigint_does_not_cut_through_restoring_and_deleting(account: Account, call: int) -> None:
    """Ctrl-C while $LATEST is restored or versions are deleted: that ends first, then it counts."""
    before = account.snapshot()

    def press(number: int, _name: str) -> None:
        if number == call:
            signal.raise_signal(signal.SIGINT)

    control = Faulty(account.gateway, before_call=press)
    with pytest.raises(KeyboardInterrupt), account.lease(control) as lease:
        lease.publish([128])
    assert len(control.calls) > call
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()


def test_an_urgent_stop_does_not_wait_for_deletions_that_hang(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second Ctrl-C ends it: exit code 4, and the journal stays for `recover`."""
    hangs, urgent = threading.Event(), threading.Event()

    class Hanging(Faulty):
        def delete_version(self, *_arguments: object) -> None:
            urgent.set()
            hangs.wait()
            raise AwsError("500")

    control: Any = Hanging(account.gateway)
    leased = open_lease(
        account.read(),
        account.terms(),
        control=control,
        sleep=no_sleep,
        on_progress=ignore,
        is_urgent=urgent.is_set,
    )
    monkeypatch.setattr(uninterruptible, "GRACE_S", 0.05)
    with pytest.raises(LeftChangedError, match="tuner recover"), leased as lease:
        lease.publish([128])
    hangs.set()
    assert list((account.state_dir / "journals").glob("*.jsonl"))


def test_a_version_that_is_not_as_asked_is_an_error(account: Account) -> None:
    """An endpoint that answers a publish with an older version is found out, and restored."""
    before = account.snapshot()

    class Stale(Faulty):
        def publish_version(self, *_arguments: object) -> Any:
            return self.control.read_function(account.name, "1")

    control: Any = Stale(account.gateway)
    said = "version 1 was published for 128 MB but has 512 MB"
    with pytest.raises(LeaseError, match=said), account.lease(control) as lease:
        lease.publish([128])
    assert account.snapshot() == before


def test_a_late_update_cannot_slip_in_behind_the_restoration(account: Account) -> None:
    """After an update without an answer the memory is written although it reads as before."""
    before = account.snapshot()
    lost: list[tuple[Any, ...]] = []

    class Late(Faulty):
        def update_memory(self, *arguments: Any) -> Any:
            if not lost:
                lost.append(arguments)
                raise EndpointError("the connection was lost")
            return self.control.update_memory(*arguments)

    control: Any = Late(account.gateway)
    with pytest.raises(EndpointError), account.lease(control) as lease:
        lease.publish([1024])
    with pytest.raises(ConflictError):
        account.gateway.update_memory(*lost[0])
    assert account.snapshot() == before


def test_an_endpoint_without_revisions_is_tolerated_and_told(account: Account) -> None:
    """Where no RevisionId is known the lease works, with a finding."""

    class Plain(Faulty):
        def read_function(self, *arguments: Any) -> Any:
            read = self.control.read_function(*arguments)
            return dataclasses.replace(read, revision_id=None)

        def update_memory(self, function: str, memory_mb: int, revision_id: None) -> Any:
            assert revision_id is None
            read = self.control.update_memory(function, memory_mb, None)
            return dataclasses.replace(read, revision_id=None)

    before = account.snapshot()
    control: Any = Plain(account.gateway)
    with account.lease(control) as lease:
        lease.publish([128])
    assert account.snapshot() == before
    assert [finding.code for finding in lease.findings] == ["no_optimistic_locking"]


def test_a_restoration_that_fails_for_good_says_what_is_left(account: Account) -> None:
    """Exit code 4, the memory it should be, and the command that puts it right."""
    control = Faulty(account.gateway, 9, "before", EndpointError("gone"), lasts=True)
    with pytest.raises(LeftChangedError) as caught, account.lease(control) as lease:
        lease.publish([1024])
    assert caught.value.exit_code == 4
    assert "could not be set back to 512 MB (gone)" in str(caught.value)
    assert f"--function-name {account.name} --memory-size 512" in str(caught.value)
    assert str(caught.value).endswith("Run: tuner recover")
    with pytest.raises(LeftChangedError, match="didn't finish"), account.lease(sweep_id="next"):
        pass


def test_a_version_that_cannot_be_deleted_does_not_keep_the_others(account: Account) -> None:
    """Deleting goes on after a failure, and what is left is named."""

    class Sticky(Faulty):
        def delete_version(self, function: str, version: str) -> None:
            if version == "2":
                raise AwsError("no")
            self.control.delete_version(function, version)

    control: Any = Sticky(account.gateway)
    said = r"version 2 wasn't deleted \(no\)"
    with pytest.raises(LeftChangedError, match=said), account.lease(control) as lease:
        lease.publish([128, 256])
    assert [v["Version"] for v in account.snapshot()["versions"]] == ["$LATEST", "1", "2"]


def test_deletions_that_always_fail_are_waited_for_once(account: Account) -> None:
    """One version's waits tell that it does not pass: the others are tried once, and all named."""
    waits_s: list[float] = []

    class Sticky(Faulty):
        def delete_version(self, *_arguments: object) -> None:
            raise AwsError("500")

    control: Any = Sticky(account.gateway)
    leased = open_lease(
        account.read(),
        account.terms(),
        control=control,
        sleep=waits_s.append,
        on_progress=ignore,
    )
    said = r"version 2 wasn't deleted.*version 3 wasn't deleted.*version 4 wasn't deleted"
    with pytest.raises(LeftChangedError, match=said), leased as lease:
        lease.publish([128, 256, 1024])
    assert sum(waits_s) == sum(WAITS_S)


def test_two_sweeps_of_a_function_do_not_meet(account: Account) -> None:
    """While a lease is open another one of the same function is refused."""
    other = account.lease(sweep_id="other")
    with account.lease(), pytest.raises(LeaseError, match="another sweep"), other:
        pass
