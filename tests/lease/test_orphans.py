"""The tag that marks a function, and recovery by it on another machine."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.lease.account import Account, Faulty, Killed, ignore, no_sleep
from tuner.errors import AccessDeniedError, LeaseError
from tuner.lease.lock import SWEEP_TAG, SweepTag
from tuner.lease.orphans import describe_age, locked, plan_orphans, recover_orphans


def tags(account: Account) -> dict[str, str]:
    found: dict[str, str] = account.client.list_tags(Resource=account.read().arn)["Tags"]
    return found


def leave(account: Account, isolation: str = "version", killed_at: int = 10) -> None:
    """Kill a sweep and lose its journal, as if its machine were gone."""
    control = Faulty(account.gateway, killed_at, "after", Killed(), lasts=True)
    with suppress(Killed, LeaseError), account.lease(control, isolation=isolation) as lease:
        lease.publish([128, 1769])
    for journal in (account.state_dir / "journals").glob("*"):
        journal.unlink()


def test_a_mark_is_read_back_as_it_was_written() -> None:
    """The value fits a tag, and what no sweep wrote is none."""
    tag = SweepTag("20260101-000000-abcdef", 10240)
    assert SweepTag.parse(tag.value) == tag
    assert len(tag.value) <= 256
    assert SweepTag.parse("mine") is None
    assert SweepTag.parse("") is None


def test_the_function_is_marked_while_it_is_leased(account: Account) -> None:
    """The tag names sweep and original memory, and goes at the end."""
    with account.lease() as lease:
        assert tags(account) == {SWEEP_TAG: "sweep-1 512 MB"}
        lease.publish([128])
    assert tags(account) == {}


def test_a_sweep_from_another_machine_is_refused(account: Account, tmp_path: Any) -> None:
    """With a state folder of its own only the tag can tell; the first sweep is not disturbed."""
    here = account.state_dir
    with account.lease() as lease:
        account.state_dir = tmp_path / "another machine"
        said = "another machine.*recover `function="
        with pytest.raises(LeaseError, match=said), account.lease(sweep_id="sweep-2"):
            raise AssertionError("never reached")
        account.state_dir = here
        assert tags(account) == {SWEEP_TAG: "sweep-1 512 MB"}
        lease.publish([128])
    assert tags(account) == {}


def test_who_tags_later_wins_and_the_other_backs_out(account: Account) -> None:
    """Another tag read back is respected: its sweep goes on, this one stops."""

    class Late(Faulty):
        def set_tag(self, arn: str, key: str, value: str) -> None:
            self.control.set_tag(arn, key, value)
            self.control.set_tag(arn, key, "other 512 MB")

    control: Any = Late(account.gateway)
    with pytest.raises(LeaseError), account.lease(control):
        raise AssertionError("never reached")
    assert tags(account) == {SWEEP_TAG: "other 512 MB"}


@pytest.mark.parametrize("denied", ["read_tags", "set_tag"])
def test_a_denied_tag_is_said_and_no_obstacle(account: Account, denied: str) -> None:
    """The sweep goes on without this protection, and says that it is missing."""

    class Denied(Faulty):
        def __getattr__(self, name: str) -> Any:
            if name == denied:
                raise AccessDeniedError("no", action="lambda:TagResource")
            return super().__getattr__(name)

    before = account.snapshot()
    control: Any = Denied(account.gateway)
    with account.lease(control) as lease:
        lease.publish([128])
    assert [finding.code for finding in lease.findings] == ["no_lock_between_machines"]
    assert account.snapshot() == before


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", range(4, 20))
def test_another_machine_puts_things_right(account: Account, killed_at: int) -> None:
    """Memory by the tag, versions by their Description, the tag last; twice changes nothing."""
    before = account.snapshot()
    leave(account, killed_at=killed_at)
    plan = plan_orphans(account.name, account.gateway)
    assert not plan.is_empty
    recover_orphans(plan, account.gateway, sleep=no_sleep, on_progress=ignore)
    assert account.snapshot() == before
    assert plan_orphans(account.name, account.gateway).is_empty


def test_another_machine_deletes_a_copy(account: Account) -> None:
    """Copies are known by name and Description; the owner's functions are not."""

    def fail(_event: object) -> None:
        raise OSError  # a terminal that is gone keeps nothing from being put right

    before = account.snapshot()
    leave(account, "clone", 3)
    plan = plan_orphans(account.name, account.gateway)
    assert plan.describe() == (f"{account.name}: delete its temporary copy lambda-tuner-sweep-1",)
    recover_orphans(plan, account.gateway, sleep=no_sleep, on_progress=fail)
    assert account.snapshot() == before


def test_the_plan_says_everything_and_a_change_voids_it(account: Account) -> None:
    """One line for each thing; what changed since is looked at again first."""
    leave(account)
    plan = plan_orphans(account.name, account.gateway)
    memory, version, tag = plan.describe()
    assert "$LATEST" in memory
    assert "from 1769 to 512 MB" in memory
    assert version == f"{account.name}: delete version 2"
    assert tag == f"{account.name}: remove the tag {SWEEP_TAG}"
    account.client.update_function_configuration(FunctionName=account.name, Timeout=60)
    with pytest.raises(LeaseError, match="recover again"):
        recover_orphans(plan, account.gateway, sleep=no_sleep, on_progress=ignore)
    assert account.read().memory_mb == 1769


def test_a_version_that_an_alias_points_at_is_kept(account: Account) -> None:
    """The owner took it over: it is named and stays."""
    leave(account)
    account.client.create_alias(FunctionName=account.name, Name="taken", FunctionVersion="2")
    plan = plan_orphans(account.name, account.gateway)
    assert plan.keep_versions == (("2", "taken"),)
    recover_orphans(plan, account.gateway, sleep=no_sleep, on_progress=ignore)
    assert account.gateway.read_function(account.name, "2").version == "2"


def test_recovery_by_name_keeps_off_a_sweep_that_runs_here(account: Account) -> None:
    """The lock of a sweep is the lock of a recovery: while one runs the other is refused."""
    url = account.gateway.endpoint_url

    def lock() -> Any:
        return locked(account.name, account.gateway, state_dir=account.state_dir, endpoint_url=url)

    with account.lease() as lease:
        lease.publish([128])
        with pytest.raises(LeaseError, match="is running on this machine"), lock():
            raise AssertionError("never reached")
    with lock(), pytest.raises(LeaseError, match="is running"), account.lease():
        raise AssertionError("never reached")


@pytest.mark.parametrize("isolation", ["version", "clone"])
def test_what_a_sweep_elsewhere_has_is_only_touched_by_its_name(
    account: Account, isolation: str
) -> None:
    """Memory, versions, tag and copy of a sweep that may still run stay until it is named."""
    before = account.snapshot()
    leave(account, isolation, 3 if isolation == "clone" else 10)
    plan = plan_orphans(account.name, account.gateway, take_over=("another",))
    assert plan.others == ("sweep-1",)
    assert plan.is_empty
    plan = plan_orphans(account.name, account.gateway, take_over=("sweep-1",))
    assert plan.others == ()
    recover_orphans(
        plan, account.gateway, sleep=no_sleep, on_progress=ignore, take_over=("sweep-1",)
    )
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("sweep_id", "said"),
    [
        ("20260101-115800-abcdef", "started 2 min ago"),
        ("20260101-000000-abcdef", "started 12 h ago"),
        ("20251222-120000-abcdef", "started 10 days ago"),
        ("99999999-999999", "of unknown age"),
        ("sweep-1", "of unknown age"),
    ],
)
def test_a_sweeps_age_is_told_by_its_id(sweep_id: str, said: str) -> None:
    """The id begins with the time of the start, in UTC."""
    assert describe_age(sweep_id, datetime(2026, 1, 1, 12, tzinfo=UTC)) == said
