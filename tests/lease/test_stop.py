"""An emergency stop: journaled first, once only, and undone whatever fails on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.lease.account import Account, Faulty, Killed, no_sleep
from tests.lease.recovering import planned, recover_all
from tests.lease.wire_faults import FAULTS, Wire, faulty
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    EndpointError,
    LeaseError,
    LeftChangedError,
)
from tuner.lease.journal import find_unfinished, journal_dir
from tuner.lease.stop import Stopped, stop_function

if TYPE_CHECKING:
    from tuner.lease.function_control import FunctionControl

BEFORE = (None, 5)


def stop(
    account: Account, control: FunctionControl | None = None, stop_id: str = "stop-1"
) -> Stopped:
    return stop_function(
        account.read(),
        account.terms(stop_id, "stop"),
        control=control or account.gateway,
        sleep=no_sleep,
    )


def reserve(account: Account, count: int | None) -> None:
    """What its owner had reserved."""
    if count is not None:
        account.client.put_function_concurrency(
            FunctionName=account.name, ReservedConcurrentExecutions=count
        )


def reserved(account: Account) -> int | None:
    found: int | None = account.snapshot()["concurrency"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("before", BEFORE)
def test_a_stopped_function_runs_nothing_until_recover(
    account: Account, before: int | None
) -> None:
    """Lambda refuses its invocations; recover sets back what was reserved, and nothing else."""
    reserve(account, before)
    found = account.snapshot()
    stopped = stop(account)
    assert (stopped.reserved_before, reserved(account)) == (before, 0)
    with pytest.raises(account.client.exceptions.TooManyRequestsException):
        account.client.invoke(FunctionName=account.name)
    [journal] = find_unfinished(account.state_dir)
    [line] = planned(account, journal).describe()
    back = "remove its reserved concurrency of 0" if before is None else "back from 0 to 5"
    assert "let it run again" in line
    assert back in line
    recover_all(account)
    assert account.snapshot() == found
    assert account.client.invoke(FunctionName=account.name)["StatusCode"] == 200
    assert not find_unfinished(account.state_dir)


def test_the_journal_is_on_the_disk_before_anything_changes(account: Account) -> None:
    """When the first change is sent, it says what was reserved; it has no account id."""
    reserve(account, 5)
    seen: list[str] = []

    def look(_number: int, name: str) -> None:
        if name == "set_reserved_concurrency":
            [file] = journal_dir(account.state_dir).glob("*.jsonl")
            seen.append(file.read_text())

    stop(account, Faulty(account.gateway, before_call=look))
    [text] = seen
    records = [json.loads(line) for line in text.splitlines()]
    assert records[1] == {"record": "stop", "reserved": 5}
    assert "123456789012" not in text


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "error",
    [
        Killed(),
        pytest.param(EndpointError("gone"), marks=pytest.mark.slow),
        pytest.param(AwsError("500"), marks=pytest.mark.slow),
    ],
)
def test_whatever_fails_at_any_call_recover_makes_it_as_before(
    account: Account, before: int | None, moment: Any, error: BaseException
) -> None:
    """Each call in turn, and all after it: then recover, and the account is as it was."""
    reserve(account, before)
    found = account.snapshot()
    control = Faulty(account.gateway)
    stop(account, control)
    recover_all(account)
    for number in range(len(control.calls)):
        with pytest.raises((Killed, LeaseError, AwsError)):
            stop(account, Faulty(account.gateway, number, moment, error, lasts=True))
        recover_all(account)
        assert account.snapshot() == found, f"call {number}"
        assert not find_unfinished(account.state_dir)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_fault_that_passes_does_not_keep_it_from_stopping(account: Account, moment: Any) -> None:
    """Each call fails once: it's stopped all the same."""
    for number in range(3):
        control = Faulty(account.gateway, number, moment, AwsError("500"))
        stop(account, control, f"stop-{number}")
        assert reserved(account) == 0
        recover_all(account)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_network_does_to_any_request(account: Account, fault: str) -> None:
    """Below the SDK: stopped, or as before, or recover makes it so."""
    found = account.snapshot()
    wire = Wire()
    with faulty(wire):
        stop(account)
    recover_all(account)
    for number in range(len(wire.requests)):
        try:
            with faulty(Wire(fault, number)):
                stop(account)
        except (Killed, LeaseError, AwsError):
            pass
        else:
            assert reserved(account) == 0
        recover_all(account)
        assert account.snapshot() == found, f"{fault} at {wire.requests[number]}"


@pytest.mark.parametrize("error", [AccessDeniedError("no"), ConflictError("provisioned")])
def test_a_refusal_changes_nothing_and_leaves_nothing(account: Account, error: AwsError) -> None:
    """It's told as it is, at once, and there's nothing to recover."""
    control = Faulty(account.gateway, 1, "before", error)
    with pytest.raises(type(error)):
        stop(account, control)
    assert control.calls.count("set_reserved_concurrency") == 1
    assert reserved(account) is None
    assert not find_unfinished(account.state_dir)


def test_what_is_not_known_is_left_to_recover(account: Account) -> None:
    """The change took effect and the endpoint was gone: exit code 4, and how to stop by hand."""
    with pytest.raises(LeftChangedError, match="put-function-concurrency") as caught:
        stop(account, Faulty(account.gateway, 1, "after", EndpointError("gone"), lasts=True))
    assert caught.value.exit_code == 4
    assert reserved(account) == 0
    recover_all(account)
    assert reserved(account) is None


def test_it_is_stopped_once(account: Account) -> None:
    """A second stop, and a sweep, say since when; another function isn't meant."""
    stop(account)
    with pytest.raises(LeaseError, match="is stopped already, since 2026"):
        stop(account, stop_id="stop-2")
    with pytest.raises(LeftChangedError, match="is stopped since"), account.lease():
        pass
    first = account.name
    account.make_function()
    stop(account, stop_id="stop-3")
    recover_all(account)
    for name in (first, account.name):
        answer = account.client.get_function_concurrency(FunctionName=name)
        assert "ReservedConcurrentExecutions" not in answer


@pytest.mark.parametrize("since", [None, 7])
def test_a_journal_alone_keeps_nothing_from_being_stopped(
    account: Account, since: int | None
) -> None:
    """A deployment let it run again: it's stopped once more; recover sets back what that set."""
    reserve(account, 5)
    first = stop(account)
    account.client.delete_function_concurrency(FunctionName=account.name)
    reserve(account, since)
    again = stop(account, stop_id="stop-2")
    assert (again.reserved_before, again.stop_id) == (since, first.stop_id)
    assert reserved(account) == 0
    assert len(find_unfinished(account.state_dir)) == 1
    recover_all(account)
    assert reserved(account) == since
    assert not find_unfinished(account.state_dir)


@pytest.mark.parametrize("call", [0, 1])
def test_a_stop_that_was_killed_halfway_is_done_by_the_next(account: Account, call: int) -> None:
    """Killed before the change was sent, or in the middle of its journal: it can be stopped."""
    reserve(account, 5)
    with pytest.raises(Killed):
        stop(account, Faulty(account.gateway, call, "before", Killed(), lasts=True))
    for file in journal_dir(account.state_dir).glob("*.jsonl"):
        file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
    assert stop(account, stop_id="stop-2").reserved_before == 5
    assert reserved(account) == 0
    recover_all(account)
    assert reserved(account) == 5


def test_damaged_journals_keep_nothing_from_being_stopped(account: Account) -> None:
    """One of a sweep and one of a stop, whosever they are."""
    folder = journal_dir(account.state_dir)
    folder.mkdir(parents=True)
    for name in ("20260101-000000-abc123", "stop-20260101-000000-abc123"):
        (folder / f"{name}.jsonl").write_text("no journal\n")
    assert stop(account).reserved_before is None
    assert reserved(account) == 0


def test_provisioned_concurrency_is_named_as_what_keeps_it_from_being_stopped(
    account: Account,
) -> None:
    """Lambda refuses 0 below it: the line says how to take it away, and nothing is left."""
    words = "ReservedConcurrentExecutions 0 should not be lower than provisioned concurrency [5]."
    with pytest.raises(ConflictError, match="delete-provisioned-concurrency-config"):
        stop(account, Faulty(account.gateway, 1, "before", ConflictError(words)))
    assert not find_unfinished(account.state_dir)


def test_somebody_elses_stop_is_not_ours_to_undo(account: Account) -> None:
    """0 that was there before isn't journaled."""
    reserve(account, 0)
    with pytest.raises(LeaseError, match="tuner didn't set it"):
        stop(account)
    assert not find_unfinished(account.state_dir)


def test_a_function_that_is_swept_here_is_stopped_after_it(account: Account) -> None:
    """The sweep holds its lock; the line says to end it."""
    with account.lease() as lease:
        lease.publish([128])
        with pytest.raises(LeaseError, match="is running on this machine"):
            stop(account)
    assert reserved(account) is None
    stop(account)
    assert reserved(account) == 0


def test_what_its_owner_reserves_after_the_stop_stays(account: Account) -> None:
    """Recover names it, leaves it, and closes the journal."""
    stop(account)
    reserve(account, 7)
    [journal] = find_unfinished(account.state_dir)
    [line] = planned(account, journal).describe()
    assert "somebody else set its reserved concurrency since it was stopped (7 now)" in line
    recover_all(account)
    assert reserved(account) == 7
    assert not find_unfinished(account.state_dir)


def test_a_deleted_function_needs_no_recovery(account: Account) -> None:
    """The journal is closed, and that is said."""
    stop(account)
    account.client.delete_function(FunctionName=account.name)
    [journal] = find_unfinished(account.state_dir)
    assert planned(account, journal).describe() == (f"{account.name}: the function is gone",)
    recover_all(account)
    assert not find_unfinished(account.state_dir)
