"""Replies that contradict what was done: the journal is believed, until reading agrees."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import Any

import pytest

from tests.lease.account import Account, Faulty, Killed
from tests.lease.recovering import recover_all
from tests.lease.test_orphans import tags
from tuner.errors import LeaseError, LeftChangedError, TunerError
from tuner.lease.journal import find_unfinished


class Stale(Faulty):
    """Shows the memory as it was before any change, in the first `count` reads after one."""

    count = 0
    shown = 0

    def _seen(self, read: Any) -> Any:
        if self.shown == self.count:
            return read
        self.shown += 1
        return dataclasses.replace(read, memory_mb=512, revision_id="stale")

    def update_memory(self, *arguments: Any) -> Any:
        self.has_changed = True
        return self._seen(self.control.update_memory(*arguments))

    def read_function(self, *arguments: Any) -> Any:
        read = self.control.read_function(*arguments)
        has_changed = "has_changed" in self.__dict__ and len(arguments) == 1
        return self._seen(read) if has_changed else read


@pytest.mark.parametrize("count", [1, 2, 3, 6, 8, 20, 100])
def test_stale_reads_of_the_memory_leave_nothing_changed(account: Account, count: int) -> None:
    """However often $LATEST reads as before, it is set back, or exit code 4 and `recover` do it."""
    before = account.snapshot()
    control: Any = Stale(account.gateway)
    control.count = count
    claims_clean = True
    try:
        with account.lease(control) as lease:
            lease.publish([256])
    except LeftChangedError:
        claims_clean = False
    except TunerError:
        pass
    assert claims_clean == (count < 20)
    if not claims_clean:
        assert account.read().memory_mb == 256
        recover_all(account)
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()


def test_recovering_believes_the_journal_and_no_stale_read(account: Account) -> None:
    """$LATEST reads as before, and is set again under a current RevisionId."""
    with suppress(Killed, LeaseError):
        control = Faulty(account.gateway, 10, "after", Killed(), lasts=True)
        with account.lease(control) as lease:
            lease.publish([128, 1769])
    account.client.update_function_configuration(FunctionName=account.name, MemorySize=512)
    revision_id = account.read().revision_id
    assert f"{account.name}: set $LATEST to 512 MB again" in recover_all(account)[0]
    assert account.read().memory_mb == 512
    assert account.read().revision_id != revision_id


class Blind(Faulty):
    """Lists no versions and shows no tags, as a null does, for the first `count` times."""

    count = 1000
    shown = 0
    from_now = False

    def _blank(self) -> bool:
        self.shown += self.from_now
        return self.from_now and self.shown <= self.count

    def list_versions(self, *arguments: Any) -> Any:
        listed = self.control.list_versions(*arguments)
        return () if self._blank() else listed

    def read_tags(self, *arguments: Any) -> Any:
        read = self.control.read_tags(*arguments)
        return {} if self._blank() else read


@pytest.mark.parametrize("count", [1, 1000])
def test_empty_lists_and_tags_hide_nothing_that_was_made(account: Account, count: int) -> None:
    """Versions of the journal go by name, and the tag too, though no read shows them."""
    before = account.snapshot()
    control: Any = Blind(account.gateway)
    control.count = count
    with account.lease(control) as lease:
        lease.publish([128, 256])
        control.from_now = True
    assert account.snapshot() == before


def test_recovering_deletes_what_no_list_shows(account: Account) -> None:
    """Another process knows the versions by the journal, and the tag too."""
    before = account.snapshot()
    control = Faulty(account.gateway, 10, "after", Killed(), lasts=True)
    with suppress(Killed, LeaseError), account.lease(control) as lease:
        lease.publish([128, 1769])
    assert tags(account)
    real = account.gateway
    blind: Any = Blind(real)
    blind.from_now = True
    blind.endpoint_url = real.endpoint_url
    account.gateway = blind
    try:
        said = recover_all(account)
    finally:
        account.gateway = real
    assert f"{account.name}: delete version 2" in said
    assert account.snapshot() == before


def test_a_version_that_stays_listed_is_left(account: Account) -> None:
    """A deletion that was accepted and shows no effect is no deletion: exit code 4."""

    class Deaf(Faulty):
        def delete_version(self, *_arguments: Any) -> None:
            """Accept, and do nothing."""

    control: Any = Deaf(account.gateway)
    with pytest.raises(LeftChangedError, match="still listed"), account.lease(control) as lease:
        lease.publish([128])
    before = account.snapshot()
    recover_all(account)
    assert len(account.snapshot()["versions"]) == len(before["versions"]) - 1


def test_a_version_that_somebody_else_published_is_not_deleted_by_name(account: Account) -> None:
    """A version that came back with another Description is not in the journal as the sweep's."""

    class Overtaken(Faulty):
        def publish_version(self, function: str, _description: str, *rest: Any) -> Any:
            return self.control.publish_version(function, "another release", *rest)

    control: Any = Overtaken(account.gateway)
    with pytest.raises(LeaseError, match="lost its Description"), account.lease(control) as lease:
        lease.publish([128])
    assert account.snapshot()["versions"][-1]["Description"] == "another release"


def test_a_copy_that_is_still_there_is_left(account: Account) -> None:
    """A deletion of the copy is confirmed by reading, else exit code 4; `recover` deletes it."""
    before = account.snapshot()

    class Deaf(Faulty):
        def delete_copy(self, *_arguments: Any) -> None:
            """Accept, and do nothing."""

    control: Any = Deaf(account.gateway)
    said = "still shows up"
    with pytest.raises(LeftChangedError, match=said), account.lease(control, isolation="clone"):
        pass
    recover_all(account)
    assert account.snapshot() == before
