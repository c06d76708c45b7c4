"""A live check against the local Lambda: what it puts down, and that nothing of it is left."""

from __future__ import annotations

import json
import random
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.api.live_check import NAME, SMALL, functions, no_sleep, scripted_place
from tests.aws.agreement import as_iam_sees, check_allowed
from tests.conftest import COUNTED
from tests.lease.account import Killed
from tests.lease.in_process import without_sockets
from tests.lease.wire_faults import Wire, faulty
from tuner.api.live_check.check import Place, check_place, read_place
from tuner.api.live_check.file import read_check, to_document, write_check
from tuner.api.live_check.probing import BUDGET_USD
from tuner.api.live_check.sweeps import undo
from tuner.aws.changing_policy import least_live_check_policy
from tuner.errors import InputError, NotAgreedError, TunerError, UsageError
from tuner.lease.journal import find_unfinished
from tuner.model.live_check import LiveCheck
from tuner.sweep.io import StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SAMPLE_SIZE: Final = 3
SEED: Final = 20261130
_OUTSIDE = re.compile(r"(?<![0-9.])(?!0{12})[0-9]{12}(?![0-9])")


@pytest.fixture(scope="module")
def place_and_handle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Any]]:
    with scripted_place(tmp_path_factory.mktemp("live-check")) as found:
        yield found


@pytest.fixture
def place(place_and_handle: tuple[Place, Any], tmp_path: Path) -> Place:
    return replace(place_and_handle[0], state_dir=tmp_path / "state")


@pytest.fixture(scope="module")
def found(
    place_and_handle: tuple[Place, Any], tmp_path_factory: pytest.TempPathFactory
) -> LiveCheck:
    """One whole check with a killed sweep, which others look at."""
    place = replace(place_and_handle[0], state_dir=tmp_path_factory.mktemp("state"))
    read = read_place(place)
    return check_place(place, read, NAME, replace(SMALL, kills=True), sleep=no_sleep)


def states(check: LiveCheck) -> dict[str, str]:
    return {each.topic: each.state for each in check.assumptions}


def test_the_first_step_changes_nothing_and_says_what_it_could_not_see(place: Place) -> None:
    """Whatever the place lacks is "not seen"; no function is made, nothing is written."""
    check = read_place(place)
    assert not check.created
    assert states(check)["a function's fields"] == "same"
    assert states(check)["prices, x86_64"] == "not seen"
    assert "differs" not in states(check).values()
    assert functions(place) == ["orders"]
    assert not place.state_dir.exists()


def test_the_second_step_sees_what_the_tool_relies_on(found: LiveCheck) -> None:
    """Revisions, deduplication, both sweeps, a killed sweep and the reports, all as assumed."""
    relied_on = (
        "an old RevisionId", "publishing twice", "reads after an update",
        "after a sweep, version", "after a sweep, clone", "a killed sweep, recovered",
        "the report as Text", "the report as JSON", "at the end",
    )  # fmt: skip
    assert {states(found)[topic] for topic in relied_on} == {"same"}
    figures = {each.name: each.value for each in found.figures}
    assert figures["killed_in_window"] == "changed"
    assert figures["old_revision"] == "PreconditionFailedException"
    assert figures["failure_timeout"] == "Unhandled Sandbox.Timedout"
    assert 0 < found.cost_usd < BUDGET_USD


def test_its_policy_allows_what_it_calls_and_no_more(place: Place) -> None:
    """Every call of both steps is in the printed policy, and every action in it is called."""
    calls: list[tuple[str, str]] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.extend(as_iam_sees(model.name, params))

    # The control plane's client is there already; others are made on the way.
    gateway = place.gateway
    watched = (gateway._session.boto.events, gateway._control.client.meta.events)
    for events in watched:
        events.register("provide-client-params", record)
    gateway._invocations.close()
    check_place(place, read_place(place), NAME, SMALL, sleep=no_sleep)
    for events in watched:
        events.unregister("provide-client-params", record)
    calls = [(action, resource.replace("us-east-1", "eu-west-1")) for action, resource in calls]
    check_allowed(calls, least_live_check_policy(region="eu-west-1", account_id="123456789012"))


def test_nothing_is_left_of_it(place: Place, found: LiveCheck) -> None:
    """Neither its function nor a copy, a journal or another function's change."""
    assert found.left == ()
    assert functions(place) == ["orders"]


def test_the_file_has_nothing_of_the_account(found: LiveCheck, tmp_path: Path) -> None:
    """Account id, names, request ids and digests are replaced, and it's read back as written."""
    write_check(found, tmp_path / "new" / "check.json")
    text = (tmp_path / "new" / "check.json").read_text()
    assert not _OUTSIDE.search(text)
    assert NAME not in text
    assert "orders" not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)
    assert "role/any" not in text
    assert read_check(tmp_path / "new" / "check.json") == read_check_again(found)


def read_check_again(check: LiveCheck) -> LiveCheck:
    """Replies are kept as JSON, whose text may be spaced in another way."""
    bodies = tuple(replace(r, body=json.dumps(json.loads(r.body))) for r in check.replies)
    return replace(check, replies=bodies)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"kind": "live_check", "schema_version": 2}', "[" * 5000, "\xff"]
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    """What isn't such a file is named, with why."""
    file = tmp_path / "other.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=r"other\.json is not the file of a live check: it \w+"):
        read_check(file)


def test_a_damaged_file_is_refused(found: LiveCheck, tmp_path: Path) -> None:
    """A file in which something has another type is not half believed."""
    document = to_document(found)
    document["assumptions"][0]["state"] = "perhaps"
    (tmp_path / "check.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="state is not one of"):
        read_check(tmp_path / "check.json")


def test_it_stops_before_it_costs_more_than_a_cent(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the money is spent no probe is invoked any more, and the function is deleted."""
    monkeypatch.setattr("tuner.api.live_check.probing.BUDGET_USD", 0.0)
    with pytest.raises(NotAgreedError, match="stopped"):
        check_place(place, read_place(place), NAME, SMALL, sleep=no_sleep)
    assert functions(place) == ["orders"]


def test_it_stops_when_it_is_asked_to(place: Place) -> None:
    """A first Ctrl-C ends the probes, and the function is deleted."""
    stop, steps = StopSignal(), list[str]()

    def on_step(step: str) -> None:
        steps.append(step)
        if step.startswith("CPU"):
            stop.request()

    with pytest.raises(KeyboardInterrupt):
        check_place(
            place, read_place(place), NAME, SMALL, on_step=on_step, stop=stop, sleep=no_sleep
        )
    assert steps[-1].startswith("CPU")
    assert functions(place) == ["orders"]
    assert find_unfinished(place.state_dir) == ()


def test_without_a_role_nothing_is_made(place: Place) -> None:
    """Neither a role nor a function whose role it could have: one line, and no request."""
    nothing = replace(place, role_arn=None, function=None)
    with pytest.raises(UsageError, match="needs a role"):
        check_place(nothing, read_place(nothing), NAME, SMALL, sleep=no_sleep)


EMPTY: Final = LiveCheck("local", "us-east-1", "python3.13", "", "", ())
AT_ANY_CALL: Final = ("killed before", "killed after", "gone after")


def control_calls(place: Place, handle: Any) -> list[int]:
    """The numbers of the second step's requests but for invocations, which change nothing that a
    kill could leave.
    """
    wire = Wire()
    with without_sockets(handle), faulty(wire):
        check_place(place, EMPTY, NAME, SMALL, sleep=no_sleep)
    return [n for n, request in enumerate(wire.requests) if "/invocations" not in request]


def check_fault_at(place: Place, handle: Any, fault: str, number: int) -> bool:
    """Kill the check at a request (or let the request fail), recover, and hold that nothing is
    left; return whether a journal was.
    """
    with without_sockets(handle):
        with suppress(Killed, TunerError), faulty(Wire(fault, number)):
            check_place(place, EMPTY, NAME, SMALL, sleep=no_sleep)
        journals = find_unfinished(place.state_dir)
        for journal in journals:
            undo(journal, place.gateway, place.state_dir, no_sleep)
        case = f"{fault} request {number}"
        assert functions(place) == ["orders"], case
        assert find_unfinished(place.state_dir) == (), case
    return bool(journals)


def test_a_sample_of_kills_leaves_nothing(
    place: Place, place_and_handle: tuple[Place, Any]
) -> None:
    """Killed at any call after the function is made, and recovered: nothing is left."""
    handle, rng = place_and_handle[1], random.Random(SEED)
    calls = control_calls(place, handle)[4:-6]
    recovered = [
        check_fault_at(place, handle, rng.choice(AT_ANY_CALL[:2]), number)
        for number in rng.sample(calls, SAMPLE_SIZE)
    ]
    assert all(recovered)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", AT_ANY_CALL)
def test_a_fault_at_every_call_leaves_nothing(
    place: Place,
    place_and_handle: tuple[Place, Any],
    fault: str,
    record_property: Callable[[str, Any], None],
) -> None:
    """Killed or cut off at every call of the control plane in turn, and recovered."""
    handle = place_and_handle[1]
    recovered = [
        check_fault_at(place, handle, fault, number) for number in control_calls(place, handle)
    ]
    what = f"live check, {fault} every call"
    record_property(COUNTED, (what, len(recovered), sum(recovered)))
