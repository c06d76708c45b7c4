"""What somebody else changes or publishes while a lease is open stays."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.lease.account import Account, Faulty
from tuner.errors import ConflictError, ForeignChangeError
from tuner.lease.journal import find_unfinished


def test_a_deployment_in_mid_window_stays_and_the_memory_is_set_back(account: Account) -> None:
    """Somebody else's code and timeout stay; the memory is the sweep's, and it is set back."""

    def deploy(number: int, name: str) -> None:
        if name == "publish_version" and number > 8:
            account.client.update_function_configuration(
                FunctionName=account.name,
                Timeout=77,
                Environment={"Variables": {"TOKEN": "secret"}},
            )

    control = Faulty(account.gateway, before_call=deploy)
    with pytest.raises(ForeignChangeError) as caught, account.lease(control) as lease:
        lease.publish([512, 1024])
    message = str(caught.value)
    assert "timeout_s" in message
    assert "its memory is now 512 MB" in message
    assert "secret" not in message
    now = account.read()
    assert (now.timeout_s, now.memory_mb) == (77, 512)
    assert find_unfinished(account.state_dir) == ()
    assert len(account.snapshot()["versions"]) == 2  # $LATEST and the owner's


def test_a_deployment_of_code_alone_does_not_keep_the_sweeps_memory(account: Account) -> None:
    """Their code stays, under a RevisionId that moved, and the memory is as before."""
    before = account.read()

    def deploy(number: int, name: str) -> None:
        if name == "publish_version" and number > 8:
            package = io.BytesIO()
            with zipfile.ZipFile(package, "w") as archive:
                archive.writestr("handler.py", "theirs = True")
            account.client.update_function_code(
                FunctionName=account.name, ZipFile=package.getvalue()
            )

    control = Faulty(account.gateway, before_call=deploy)
    said = "code_sha256 of .LATEST"
    with pytest.raises(ForeignChangeError, match=said), account.lease(control) as lease:
        lease.publish([512, 1024])
    now = account.read()
    assert now.code_sha256 != before.code_sha256
    assert now.memory_mb == 512
    assert find_unfinished(account.state_dir) == ()


def test_a_memory_that_somebody_else_sets_in_mid_window_stays(account: Account) -> None:
    """A foreign memory is no business of the sweep: it stops, and nothing of its own is left."""

    def resize(_number: int, name: str) -> None:
        if name == "publish_version":
            account.client.update_function_configuration(FunctionName=account.name, MemorySize=2048)

    control = Faulty(account.gateway, before_call=resize)
    with pytest.raises(ForeignChangeError, match="2048 MB"), account.lease(control) as lease:
        lease.publish([1024])
    assert account.read().memory_mb == 2048
    assert find_unfinished(account.state_dir) == ()


def test_a_touched_revision_stops_the_window(account: Account) -> None:
    """A RevisionId that moved before an update stops the sweep, and the memory is set back."""
    before = account.snapshot()

    def touch(number: int, name: str) -> None:
        if name == "update_memory" and number == 9:
            account.client.update_function_configuration(FunctionName=account.name, Timeout=3)

    control = Faulty(account.gateway, before_call=touch)
    with pytest.raises(ConflictError), account.lease(control) as lease:
        lease.publish([512, 1024])
    assert account.snapshot() == before


def test_a_change_between_plan_and_lease_is_refused(account: Account) -> None:
    """A function that is not as it was planned for is not touched."""
    planned = account.lease()
    account.client.update_function_configuration(FunctionName=account.name, Timeout=9)
    before = account.snapshot()
    with pytest.raises(ForeignChangeError, match="timeout_s changed since the plan"), planned:
        pass
    assert account.snapshot() == before
    assert not list((account.state_dir / "journals").glob("*"))


def test_an_existing_version_is_measured_and_never_deleted(account: Account) -> None:
    """Where Lambda gives back a version that existed before, it stays, with its alias."""
    account.client.publish_version(FunctionName=account.name, Description="the next release")
    before = account.snapshot()
    with account.lease() as lease:
        [entry] = lease.publish([512]).published
        assert (entry.version, entry.is_new) == ("2", False)
    assert account.snapshot() == before
    assert [finding.code for finding in lease.findings] == ["version_reused"]


def test_a_version_that_got_an_alias_is_kept_and_told(account: Account) -> None:
    """An alias that points at a sweep's version keeps it; the others are deleted."""
    with account.lease() as lease:
        lease.publish([128, 256])
        account.client.update_alias(
            FunctionName=account.name,
            Name="live",
            FunctionVersion="1",
            RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
        )
    numbers = [version["Version"] for version in account.snapshot()["versions"]]
    assert numbers == ["$LATEST", "1", "2"]
    assert "version_kept" in {finding.code for finding in lease.findings}


def test_versions_of_others_published_meanwhile_are_kept(account: Account) -> None:
    """A version with another Description that appears during the sweep is not the sweep's."""
    with account.lease() as lease:
        lease.publish([128])
        account.client.publish_version(FunctionName=account.name, Description="another release")
    versions = account.snapshot()["versions"]
    assert [version["Description"] for version in versions[1:]] == [
        "owner's release",
        "another release",
    ]


def test_a_function_that_is_deleted_meanwhile_leaves_nothing(account: Account) -> None:
    """Nothing can be restored or deleted then, and no journal stays."""
    with account.lease() as lease:
        lease.publish([128])
        account.client.delete_function(FunctionName=account.name)
    assert find_unfinished(account.state_dir) == ()


def test_a_version_that_came_out_wrong_is_deleted_all_the_same(account: Account) -> None:
    """A version with the sweep's Description and another memory is the sweep's to delete."""

    class Careless(Faulty):
        """Somebody resizes right before the publishing, and no RevisionId stops it."""

        def publish_version(self, function: str, description: str, code: str, _: object) -> Any:
            account.client.update_function_configuration(FunctionName=function, MemorySize=2048)
            return self.control.publish_version(function, description, code, None)

    control: Any = Careless(account.gateway)
    with pytest.raises(ForeignChangeError), account.lease(control) as lease:
        lease.publish([128])
    assert account.read().memory_mb == 2048
    assert [v["Version"] for v in account.snapshot()["versions"]] == ["$LATEST", "1"]
