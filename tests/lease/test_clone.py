"""A copy takes the sweep: the function is only read, and nothing of the copy stays."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import Account, Faulty, Killed, ignore
from tests.lease.recovering import recover_all
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    ForeignChangeError,
    InputError,
    LeaseError,
    LeftChangedError,
    UnknownTrafficError,
)
from tuner.lease.clone import LiveTraffic, choose_isolation, copy_name
from tuner.lease.journal import find_unfinished
from tuner.lease.recover import plan_recovery

if TYPE_CHECKING:
    from tuner.lease.window import Leased

COPY = copy_name("sweep-1")


def test_the_function_is_only_read_and_the_copy_is_like_it(account: Account) -> None:
    """Code, settings and size are the function's; its revision never moves; the copy goes."""
    account.client.update_function_configuration(
        FunctionName=account.name,
        Environment={"Variables": {"TOKEN": "s3cret"}},
        EphemeralStorage={"Size": 1024},
        TracingConfig={"Mode": "Active"},
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/owners/own"},
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    )
    before, original = account.snapshot(), account.read()
    with account.lease(isolation="clone") as lease:
        assert lease.function_name == COPY
        copy = account.client.get_function(FunctionName=COPY)
        for size in (lease.publish([128, 512]), lease.publish([3008])):
            for entry in size.published:
                version = account.gateway.read_function(COPY, entry.version)
                assert version.memory_mb == entry.memory_mb
    ours = copy["Configuration"]
    theirs = account.client.get_function_configuration(FunctionName=account.name)
    for name in ("Environment", "EphemeralStorage", "TracingConfig", "VpcConfig", "CodeSha256"):
        assert ours[name] == theirs[name]
    assert ours["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{COPY}"
    assert ours["LoggingConfig"]["LogFormat"] == "JSON"
    assert ours["Description"] == f"lambda-tuner sweep sweep-1 copy of {account.name}"
    assert copy["Tags"] == {"lambda-tuner-sweep": "sweep-1"}
    assert account.read() == original
    assert account.snapshot() == before
    assert find_unfinished(account.state_dir) == ()


def test_nothing_that_leads_traffic_is_copied(account: Account) -> None:
    """The copy has no alias, policy or reserved concurrency."""
    account.client.add_permission(
        FunctionName=account.name, StatementId="s3", Action="lambda:*", Principal="s3.amazonaws.com"
    )
    account.client.put_function_concurrency(
        FunctionName=account.name, ReservedConcurrentExecutions=1
    )
    with account.lease(isolation="clone"):
        assert account.client.list_aliases(FunctionName=COPY)["Aliases"] == []
        assert "Concurrency" not in account.client.get_function(FunctionName=COPY)
        with pytest.raises(account.client.exceptions.ResourceNotFoundException):
            account.client.get_policy(FunctionName=COPY)
    account.client.delete_function_concurrency(FunctionName=account.name)


def test_a_killed_sweep_leaves_a_copy_that_recover_finds(account: Account) -> None:
    """The journal was on the disk before the copy was made; its deletion is planned, then done."""
    before = account.snapshot()
    control = Faulty(account.gateway, 1, "after", Killed(), lasts=True)
    with suppress(Killed), account.lease(control, isolation="clone"):
        raise AssertionError("never reached")
    assert control.calls[1] == "create_copy"
    assert COPY in account.functions()
    [journal] = find_unfinished(account.state_dir)
    plan = plan_recovery(journal, account.gateway, endpoint_url=account.gateway.endpoint_url)
    assert plan.describe() == (f"{account.name}: delete its temporary copy {COPY}",)
    recover_all(account)
    assert COPY not in account.functions()
    assert account.snapshot() == before
    assert recover_all(account) == []


def test_the_copy_goes_even_if_the_function_went_first(account: Account) -> None:
    """A copy may outlive its original: recovering deletes it all the same."""
    with (
        suppress(Killed),
        account.lease(
            Faulty(account.gateway, 2, "before", Killed(), lasts=True), isolation="clone"
        ) as lease,
    ):
        lease.publish([128])
    account.client.delete_function(FunctionName=account.name)
    recover_all(account)
    assert COPY not in account.functions()


def test_a_function_of_the_copys_name_that_is_no_copy_stays(account: Account) -> None:
    """The Description tells a copy: somebody's own function is neither taken nor deleted."""
    original = account.client.get_function_configuration(FunctionName=account.name)
    account.client.create_function(
        FunctionName=COPY,
        Role=original["Role"],
        Runtime="python3.13",
        Handler="handler.handler",
        Code={"ZipFile": account.code},
    )
    with pytest.raises(LeaseError), account.lease(isolation="clone"):
        raise AssertionError("never reached")
    assert COPY in account.functions()
    [note] = recover_all(account)
    assert "kept" in note
    assert COPY in account.functions()
    account.client.delete_function(FunctionName=COPY)


def test_a_copy_that_cannot_be_deleted_is_said_to_be_left(account: Account) -> None:
    """The error names the copy and `tuner recover`, and the journal stays."""

    class Sticky(Faulty):
        def delete_copy(self, copy: str, description: str) -> None:
            raise AwsError("no")

    control: Any = Sticky(account.gateway)
    said = f"{COPY} wasn't deleted .*tuner recover"
    with pytest.raises(LeftChangedError, match=said), account.lease(control, isolation="clone"):
        pass
    recover_all(account)
    assert COPY not in account.functions()


def test_logs_that_may_not_be_deleted_are_a_finding(account: Account) -> None:
    """The copy is gone; its log group is named."""

    class NoLogs(Faulty):
        def delete_logs_of_copy(self, copy: str) -> None:
            raise AccessDeniedError("no")

    control: Any = NoLogs(account.gateway)
    with account.lease(control, isolation="clone") as lease:
        pass
    assert [finding.code for finding in lease.findings] == ["log_group_left"]
    assert COPY not in account.functions()


def test_a_deployment_between_plan_and_copy_stops_the_sweep(account: Account) -> None:
    """Another memory in the copy than was planned for: nothing is measured, the copy goes."""

    class Late(Faulty):
        def create_copy(self, function: str, *rest: Any) -> Any:
            account.client.update_function_configuration(FunctionName=function, MemorySize=640)
            return self.control.create_copy(function, *rest)

    control: Any = Late(account.gateway)
    with pytest.raises(ForeignChangeError), account.lease(control, isolation="clone"):
        raise AssertionError("never reached")
    assert COPY not in account.functions()
    assert account.read().memory_mb == 640


def test_only_copies_can_be_deleted_whole(account: Account) -> None:
    """No other name and no other description passes the gateway."""
    with pytest.raises(InputError):
        account.gateway.delete_copy(account.name, "the next release")
    with pytest.raises(InputError):
        account.gateway.create_copy(account.name, "any-name", "x", {})
    with account.lease(isolation="clone") as lease:
        with pytest.raises(ConflictError):
            account.gateway.delete_copy(lease.function_name, "another")
        assert COPY in account.functions()


def test_auto_takes_a_copy_only_where_it_must() -> None:
    """Version if nothing reaches $LATEST, clone if anything does, an error if that is unknown."""
    assert choose_isolation("auto", LiveTraffic(), "f") == "version"
    assert choose_isolation("auto", LiveTraffic(("S3",), ("its policy",)), "f") == "clone"
    with pytest.raises(UnknownTrafficError, match="`isolation=clone`"):
        choose_isolation("auto", LiveTraffic((), ("its policy",)), "f")
    assert choose_isolation("version", LiveTraffic(("S3",)), "f") == "version"
    assert choose_isolation("clone", LiveTraffic(), "f") == "clone"


def test_what_reaches_the_function_is_found(account: Account) -> None:
    """A resource policy and an alias on $LATEST count; a policy on an alias does not."""
    assert account.gateway.live_traffic(account.name) == LiveTraffic()
    add = account.client.add_permission
    common = {"FunctionName": account.name, "Action": "lambda:InvokeFunction"}
    add(**common, StatementId="a", Principal="sns.amazonaws.com", Qualifier="live")
    assert account.gateway.live_traffic(account.name) == LiveTraffic()
    add(**common, StatementId="a", Principal="s3.amazonaws.com")
    assert account.gateway.live_traffic(account.name).sources == ("s3 (resource policy)",)


def test_a_lease_is_one_thing_to_its_borrower(account: Account) -> None:
    """Both kinds are borrowed, published from and given back alike."""
    leases: list[Leased] = []
    for isolation in ("version", "clone"):
        with account.lease(isolation=isolation, on_progress=ignore) as lease:
            leases.append(lease)
            assert [p.memory_mb for p in lease.publish([256]).published] == [256]
    assert leases[0].function_name == account.name
