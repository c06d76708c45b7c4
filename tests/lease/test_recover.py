"""What `tuner recover` finds, plans and does."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import Account, Faulty, Killed
from tests.lease.recovering import carry_out, planned, recover_all
from tuner.api.recovery import Recovery
from tuner.errors import LeaseError
from tuner.lease.journal import find_unfinished
from tuner.lease.recover import forget, plan_recovery
from tuner.model.progress import CleanedUp, ProgressEvent, VersionDeleted, WindowClosed

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.lease.unfinished import UnfinishedJournal


def leave_changed(account: Account, *, killed_at: int = 10) -> UnfinishedJournal:
    """Kill a sweep of 128 and 1769 MB; at its 10th call, $LATEST has 1769 MB and 128 a version."""
    control = Faulty(account.gateway, killed_at, "after", Killed(), lasts=True)
    with suppress(Killed, LeaseError), account.lease(control) as lease:
        lease.publish([128, 1769])
    [journal] = find_unfinished(account.state_dir)
    return journal


def test_a_plan_says_what_is_to_be_restored_and_deleted(account: Account) -> None:
    """The plan is data and lines; nothing is changed by making it."""
    journal = leave_changed(account)
    left = account.snapshot()
    plan = planned(account, journal)
    assert (plan.restore_from_mb, plan.restore_to_mb) == (1769, 512)
    assert plan.delete_versions == ("2",)
    assert plan.describe() == (
        f"{account.name}: set $LATEST back from 1769 to 512 MB",
        f"{account.name}: delete version 2",
        f"{account.name}: remove the tag lambda-tuner-sweep",
    )
    assert account.snapshot() == left


def test_what_is_put_right_is_told_as_it_happens(account: Account) -> None:
    """The hook gets the memory that is set back and each version that is gone, in order."""
    journal = leave_changed(account)
    recovery = Recovery(journal, account.gateway, account.state_dir, planned(account, journal))
    events: list[ProgressEvent] = []
    recovery.carry_out(events.append)
    assert events == [WindowClosed(), VersionDeleted("2"), CleanedUp(1)]


def test_a_hook_that_fails_keeps_nothing_from_being_put_right(account: Account) -> None:
    """A terminal that is gone takes no line."""

    def fail(_event: ProgressEvent) -> None:
        raise OSError

    before = account.snapshot()
    journal = leave_changed(account)
    recovery = Recovery(journal, account.gateway, account.state_dir, planned(account, journal))
    recovery.carry_out(fail)
    assert account.snapshot() == before


def test_a_sweep_begins_while_another_looks_for_unfinished_ones(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks whether a new journal is locked has a lock on it for a moment: it is waited for."""
    real = os.open
    looking: list[threading.Timer] = []

    def opened(path: Any, flags: int, *more: Any, **options: Any) -> int:
        descriptor = real(path, flags, *more, **options)
        if flags & os.O_EXCL and str(path).endswith(".jsonl"):
            other = real(path, os.O_RDONLY)
            fcntl.flock(other, fcntl.LOCK_SH)
            looking.append(threading.Timer(0.2, os.close, [other]))
            looking[0].start()
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with account.lease() as lease:
        assert lease.publish([128]).published
    assert looking


def test_a_file_system_without_locks_is_told_from_a_sweep_that_runs(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is changed there, and nobody waits for a sweep that there isn't."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(LeaseError, match="has no locks"), account.lease():
        pass


def test_a_journal_that_is_gone_when_it_is_read_was_finished(account: Account) -> None:
    """A sweep that ends between being listed and being read keeps nobody else from beginning."""
    folder = account.state_dir / "journals"
    folder.mkdir(parents=True)
    (folder / "20261130-000000-abcdef.jsonl").symlink_to(folder / "gone")  # listed, and not there
    assert find_unfinished(account.state_dir) == ()
    with account.lease(account.gateway) as lease:
        lease.publish([128])


def test_a_version_whose_number_never_reached_the_journal_is_found(account: Account) -> None:
    """A kill right after publishing leaves no number behind: the Description tells it."""
    before = account.snapshot()
    journal = leave_changed(account, killed_at=8)
    assert journal.published == ()
    assert planned(account, journal).delete_versions == ("2",)
    recover_all(account)
    assert account.snapshot() == before


def test_recovering_twice_changes_nothing_more(account: Account) -> None:
    """The second time there is nothing to do."""
    journal = leave_changed(account)
    plan = planned(account, journal)
    carry_out(account, plan)
    recovered = account.read()
    carry_out(account, plan)
    assert account.read() == recovered
    assert recovered.memory_mb == 512


def test_a_foreign_deployment_is_kept_and_the_sweeps_memory_is_not(account: Account) -> None:
    """Other settings changed since: they stay, the sweep's memory and versions go, all is said."""
    journal = leave_changed(account)
    account.client.update_function_configuration(FunctionName=account.name, Timeout=60)
    plan = planned(account, journal)
    assert (plan.restore_from_mb, plan.restore_to_mb) == (1769, 512)
    assert "somebody else changed timeout_s too" in plan.notes[0]
    carry_out(account, plan)
    now = account.read()
    assert (now.timeout_s, now.memory_mb) == (60, 512)
    assert len(account.snapshot()["versions"]) == 2
    assert find_unfinished(account.state_dir) == ()


def test_a_foreign_memory_is_not_overwritten(account: Account) -> None:
    """A memory that the sweep never set is somebody's decision."""
    journal = leave_changed(account)
    account.client.update_function_configuration(FunctionName=account.name, MemorySize=640)
    plan = planned(account, journal)
    assert plan.restore_from_mb is None
    assert "640 MB" in plan.notes[0]
    carry_out(account, plan)
    assert account.read().memory_mb == 640


def test_a_plan_that_is_out_of_date_is_refused(account: Account) -> None:
    """What changed between showing and doing is shown again first."""
    plan = planned(account, leave_changed(account))
    account.client.update_function_configuration(FunctionName=account.name, Timeout=60)
    left = account.snapshot()
    with pytest.raises(LeaseError, match="changed since the plan was shown"):
        carry_out(account, plan)
    assert account.snapshot() == left


def test_a_version_with_an_alias_is_kept(account: Account) -> None:
    """A version that an alias took over meanwhile is named and stays."""
    journal = leave_changed(account)
    account.client.create_alias(FunctionName=account.name, Name="beta", FunctionVersion="2")
    plan = planned(account, journal)
    assert plan.keep_versions == (("2", "beta"),)
    carry_out(account, plan)
    assert [v["Version"] for v in account.snapshot()["versions"]] == ["$LATEST", "1", "2"]


def test_a_deleted_function_needs_nothing(account: Account) -> None:
    """The function is gone: that is said, and the journal closed."""
    journal = leave_changed(account)
    account.client.delete_function(FunctionName=account.name)
    plan = planned(account, journal)
    assert plan.describe() == (f"{account.name}: the function is gone",)
    carry_out(account, plan)
    assert find_unfinished(account.state_dir) == ()


def test_another_accounts_function_of_the_same_name_is_refused(account: Account) -> None:
    """Credentials or endpoint of elsewhere are found out before anything is touched."""
    journal = leave_changed(account)
    with pytest.raises(LeaseError, match="another account, region or endpoint"):
        plan_recovery(journal, account.gateway, endpoint_url="https://elsewhere.example")
    recover_all(account)


def test_a_running_sweep_is_not_recovered(account: Account) -> None:
    """The journal of a sweep that runs is not unfinished."""
    with account.lease():
        assert find_unfinished(account.state_dir) == ()


def test_a_torn_last_line_is_the_trace_of_a_crash(account: Account) -> None:
    """A record cut off in the middle announced a change that was never made."""
    before = account.snapshot()
    journal = leave_changed(account)
    with journal.path.open("ab") as file:
        file.write(b'{"record":"upda')
    assert find_unfinished(account.state_dir) == (journal,)
    recover_all(account)
    assert account.snapshot() == before


def test_a_journal_that_ends_in_its_first_line_needs_nothing(account: Account) -> None:
    """The header reaches the disk before anything is changed."""
    journal = leave_changed(account)
    recover_all(account)
    journal.path.write_bytes(b'{"record":"lease","schema_ver')
    assert find_unfinished(account.state_dir) == ()


@pytest.mark.parametrize("line", [b"garbage", b"[1]", b'{"record":"update"}', b"[" * 100_000])
def test_a_damaged_journal_is_named_with_its_line(account: Account, line: bytes) -> None:
    """What cannot be read in the middle is never guessed at."""
    journal = leave_changed(account)
    lines = journal.path.read_bytes().splitlines()
    journal.path.write_bytes(b"\n".join([lines[0], line, *lines[1:]]) + b"\n")
    with pytest.raises(LeaseError, match=r"damaged at line 2"):
        find_unfinished(account.state_dir)


def test_a_damaged_journal_holds_up_no_other_function(account: Account) -> None:
    """Others are recovered and swept; its own function isn't, as long as nobody has looked at it,
    nor any where not even whose it is can be read.
    """
    before = account.snapshot()
    journal = leave_changed(account)
    lines = journal.path.read_bytes().splitlines()
    others = lines[0].replace(journal.header.function_digest.encode(), b"0" * 64)
    damaged = journal.path.with_name("20261129-000000-abcdef.jsonl")
    damaged.write_bytes(others + b"\ngarbage\n")
    told: list[Path] = []
    assert find_unfinished(account.state_dir, lambda path, _: told.append(path)) == (journal,)
    assert told == [damaged]
    carry_out(account, planned(account, journal))
    assert account.snapshot() == before
    with account.lease() as lease:
        lease.publish([128])
    for text in (lines[0] + b"\ngarbage\n", b"garbage\n"):
        damaged.write_bytes(text)
        with pytest.raises(LeaseError, match="damaged at line"), account.lease():
            pass


def test_a_journal_holds_no_secret_and_no_account_id(account: Account) -> None:
    """Environment values and the account's number stay out; the files are the owner's only."""
    account.client.update_function_configuration(
        FunctionName=account.name, Environment={"Variables": {"TOKEN": "s3cret"}}
    )
    journal = leave_changed(account)
    text = journal.path.read_text()
    assert "s3cret" not in text
    assert "TOKEN" not in text
    assert "123456789012" not in text
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700
    assert [json.loads(line)["record"] for line in text.splitlines()][:4] == [
        "lease",
        "tag",
        "update",
        "publish",
    ]
    recover_all(account)


def test_a_journal_can_be_forgotten(account: Account) -> None:
    """What can no longer be reached is closed without a call."""
    journal = leave_changed(account)
    forget(journal, state_dir=account.state_dir)
    assert find_unfinished(account.state_dir) == ()


def test_a_disk_that_is_full_keeps_changes_from_being_made(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that does not reach the disk stops the window; $LATEST is restored all the same."""
    before = account.snapshot()
    real = os.fsync
    synced = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) > 5:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    lease = account.lease()
    with pytest.raises(LeaseError, match="No space left on device"), lease as leased:
        leased.publish([128, 1769, 3008])
    monkeypatch.undo()
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()
