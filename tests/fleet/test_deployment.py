"""What a fleet's workers are deployed from, and the calls that start and follow an execution."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from botocore.stub import Stubber

from tests.cli.running import run_here
from tests.fleet.fleets import HERE, Objects, items, plan_of
from tuner.api.fleet_deploy import write_deployment
from tuner.api.fleet_payloads import fetched, sent
from tuner.api.fleet_remote import start_remote
from tuner.aws.gateway import open_connection
from tuner.aws.remote_fleet import MapExecutions
from tuner.aws.services import Services
from tuner.errors import AwsError, FleetError, InputError
from tuner.fleet.folder import FleetFolder
from tuner.fleet.loop import MOST_LEASES
from tuner.fleet.remote import ExecutionState, FleetBucket, StartedExecution, collect
from tuner.fleet.state_machine import BUSY, CONCURRENCY, INTERRUPTED, definition
from tuner.model.fleet import FleetItem, FleetPlace, FleetProgress, ItemResult

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.fleet.remote import ExecutionStatus

_MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:fleet"
_MAP_RUN = "arn:aws:states:eu-west-1:111122223333:mapRun:fleet/Fleet:1"
_EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:fleet:20261130-1"


class _Yaml(yaml.SafeLoader):
    """Reads CloudFormation's short functions as their values."""


_Yaml.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def deployed(tmp_path: Path, fleet: tuple[FleetItem, ...]) -> tuple[str, dict[str, Any]]:
    folder = FleetFolder.create(tmp_path / "fleet", plan_of(fleet))
    write_deployment(folder, tmp_path / "out")
    text = (tmp_path / "out" / "template.yaml").read_text()
    return text, yaml.load(text, _Yaml)


def test_every_action_of_a_role_has_its_reason(tmp_path: Path) -> None:
    """In the template no action is granted without a comment beside it, and none by a wildcard."""
    text, document = deployed(tmp_path, items(3))
    for name in ("WorkerRole", "StateMachineRole"):
        for policy in document["Resources"][name]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    assert "*" not in action
                    granted = re.findall(
                        rf"(?:- |Action: ){re.escape(action)}( # .+)?$", text, re.MULTILINE
                    )
                    assert granted
                    assert all(granted), action


def test_workers_may_assume_the_plans_roles_alone(tmp_path: Path) -> None:
    """With functions of another account only, a worker may assume that role, and nothing else."""
    role = "arn:aws:iam::444455556666:role/tuner"
    there = FleetPlace("444455556666", "eu-west-1", role_arn=role)
    _, document = deployed(tmp_path, items(2, place=there))  # type: ignore[arg-type]
    *_, sweep = document["Resources"]["WorkerRole"]["Properties"]["Policies"]
    (statement,) = sweep["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (["sts:AssumeRole"], [role])


def test_the_definition_fits_the_worker() -> None:
    """The map holds no more leases than can be restored in a minute, and what the worker raises to
    be tried again is what the definition tries again.
    """
    from tuner.api import fleet_worker

    assert definition()["States"]["SweepAll"]["MaxConcurrency"] == CONCURRENCY <= MOST_LEASES
    assert hasattr(fleet_worker, INTERRUPTED)
    assert hasattr(fleet_worker, BUSY)
    text = json.dumps(definition())
    assert set(re.findall(r"\$\{(\w+)\}", text)) == {"Partition", "Worker"}


@pytest.fixture
def stubbed() -> Iterator[tuple[MapExecutions, Stubber]]:
    session, _ = open_connection(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9"
    )
    with Services(session, purpose="fleet") as services:
        stubber = Stubber(services.client("stepfunctions"))
        with stubber:
            yield MapExecutions(services), stubber
        stubber.assert_no_pending_responses()


def test_an_execution_is_started_followed_stopped_and_redriven(
    stubbed: tuple[MapExecutions, Stubber],
) -> None:
    """Each call has the parameters of Step Functions' own model, and its answer is read."""
    executions, stubber = stubbed
    counts = dict.fromkeys(
        ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total",
         "resultsWritten"), 0,
    ) | {"running": 3}  # fmt: skip
    at = plan_of(()).created_at
    named = {"executionArn": _EXECUTION}
    stubber.add_response(
        "start_execution", {**named, "startDate": at},
        {"stateMachineArn": _MACHINE, "name": "one", "input": "{}"},
    )  # fmt: skip
    stubber.add_response(
        "describe_execution",
        {**named, "stateMachineArn": _MACHINE, "status": "RUNNING", "startDate": at}, named,
    )  # fmt: skip
    stubber.add_response(
        "list_map_runs",
        {"mapRuns": [{**named, "mapRunArn": _MAP_RUN, "stateMachineArn": _MACHINE,
                      "startDate": at}]}, named,
    )  # fmt: skip
    stubber.add_response(
        "describe_map_run",
        {"mapRunArn": _MAP_RUN, **named, "status": "RUNNING", "startDate": at, "maxConcurrency": 8,
         "toleratedFailurePercentage": 100.0, "toleratedFailureCount": 0, "itemCounts": counts,
         "executionCounts": counts}, {"mapRunArn": _MAP_RUN},
    )  # fmt: skip
    stubber.add_response("stop_execution", {"stopDate": at}, named)
    stubber.add_response("redrive_execution", {"redriveDate": at}, named)
    assert executions.start(_MACHINE, "one", "{}") == _EXECUTION
    state = executions.state(_EXECUTION)
    assert (state.status, state.running_count) == ("running", 3)
    executions.stop(_EXECUTION)
    executions.redrive(_EXECUTION)


class Scripted:
    """`Executions` in a given status, which are redriven or refuse that."""

    def __init__(self, status: ExecutionStatus, *, refuses: bool = False) -> None:
        self._status = status
        self._refuses = refuses
        self.asked: list[str] = []

    def start(self, _machine: str, _name: str, _document: str) -> str:
        self.asked.append("start")
        return _EXECUTION

    def state(self, _execution: str) -> ExecutionState:
        return ExecutionState(self._status)

    def stop(self, _execution: str) -> None:
        raise NotImplementedError

    def redrive(self, _execution: str) -> None:
        self.asked.append("redrive")
        if self._refuses:
            raise AwsError("its history is gone")


@pytest.mark.parametrize(
    ("runs", "agreed", "asked"),
    [
        (Scripted("aborted"), "", ["redrive"]),
        (Scripted("failed"), "", ["redrive"]),
        (Scripted("timed_out"), "", ["redrive"]),
        (Scripted("aborted", refuses=True), "", ["redrive", "start"]),
        (Scripted("aborted"), "f000", ["start"]),
        (Scripted("succeeded"), "", ["start"]),
    ],
)
def test_what_was_stopped_is_redriven_with_the_same_items_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Scripted, agreed: str, asked: list[str]
) -> None:
    """An execution that ended early goes on, unless its items are others by now or it's refused;
    items that failed alone take another execution.
    """
    folder = FleetFolder.create(tmp_path / "fleet", plan_of(items(2)))
    opened = nullcontext((FleetBucket(Objects(), folder.plan.fleet_id), runs))
    monkeypatch.setattr("tuner.api.fleet_remote._open", lambda *_: opened)
    start_remote(folder, bucket="fleets", state_machine=_MACHINE)
    start_remote(folder.agreed([agreed] if agreed else []), bucket="fleets", state_machine=_MACHINE)
    assert runs.asked == ["start", *asked]


def test_a_refusal_names_the_policy(stubbed: tuple[MapExecutions, Stubber]) -> None:
    """Whoever may not start an execution is told which action is missing."""
    executions, stubber = stubbed
    stubber.add_client_error("start_execution", "AccessDeniedException", "not authorized")
    with pytest.raises(AwsError, match="StartExecution"):
        executions.start(_MACHINE, "one", "{}")


def test_files_that_are_too_large_to_send_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payload set's folder may have anything beside it."""
    (tmp_path / "set.toml").touch()
    with (tmp_path / "other").open("wb") as file:
        file.truncate(1 << 30)
    plan = plan_of((FleetItem(HERE, "f", (str(tmp_path / "set.toml"),), max_cost_usd=1.0),))
    monkeypatch.setattr(type(tmp_path), "read_bytes", None)
    with pytest.raises(InputError, match="too large to send to workers"):
        sent(plan, FleetBucket(Objects(), plan.fleet_id))


@pytest.mark.parametrize("spec", ["fleet-payload:tree/", "fleet-payload:tree/../../x"])
def test_a_name_of_the_bucket_stays_in_the_workers_folder(tmp_path: Path, spec: str) -> None:
    """An absolute name is below the folder too, and a payload's own leads nowhere else."""
    outside, there = tmp_path / "outside.json", tmp_path / "there"
    plan = plan_of((FleetItem(HERE, "f", (spec,), max_cost_usd=1.0),))
    bucket = FleetBucket(Objects(), plan.fleet_id)
    bucket.store.write(f"{bucket.prefix}/payloads/tree/{outside}", b"{}")
    if ".." in spec:
        with pytest.raises(FleetError, match="strange name"):
            fetched(plan, bucket, there)
    else:
        fetched(plan, bucket, there)
    assert not outside.exists()


def test_results_that_cannot_be_kept_are_one_line(tmp_path: Path) -> None:
    """A full disk, or a file in the place of the sweeps' folder, names what can't be written."""
    plan = plan_of(items(1))
    folder = FleetFolder.create(tmp_path / "fleet", plan)
    bucket = FleetBucket(Objects(), plan.fleet_id)
    [item] = plan.items
    name = folder.sweep_file(item)
    done = ItemResult(FleetProgress(item, "done"), 1.0, _EXECUTION)
    bucket.keep_result(name.stem, done)
    bucket.store.write(f"{bucket.prefix}/sweeps/{name.name}", b"{}")
    name.parent.write_text("not a folder")
    with folder.queue() as queue, pytest.raises(FleetError, match="can't be written"):
        collect(folder, bucket, queue, _EXECUTION, 2.0, running_count=0)


def test_a_damaged_result_is_one_line() -> None:
    """Whatever the bucket has in a result's place, deep nesting too, is named with the item."""
    bucket = FleetBucket(Objects(), "one")
    for damaged in (b"[" * 100_000, b"{}", b"{"):
        bucket.store.write(f"{bucket.prefix}/results/f.json", damaged)
        with pytest.raises(FleetError, match="the result of f in the bucket is damaged"):
            bucket.result("f")


def test_damaged_files_of_an_attempt_are_one_line() -> None:
    """Wherever a byte of the archive is another one, they're read as they were or refused."""
    bucket = FleetBucket(Objects(), "one")
    bucket.keep_files("f", {"a": b"text " * 40})
    key = f"{bucket.prefix}/work/f.zip"
    whole = bucket.store.read(key)
    assert whole is not None
    for place in range(len(whole)):
        bucket.store.write(key, whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(FleetError):
            bucket.files("f")


def test_payloads_reach_the_worker_whole(tmp_path: Path) -> None:
    """A file, a folder and a set with its files are the same where the worker reads them; what
    isn't a file stays as it is.
    """
    here = tmp_path / "here"
    (here / "many").mkdir(parents=True)
    (here / "many" / "a.json").write_text("[1]")
    (here / "set.toml").write_text("[classes.a]\nfile = 'many/a.json'\n")
    (here / "one.json").write_text("{}")
    specs = (
        str(here / "one.json"),
        str(here / "many"),
        str(here / "set.toml"),
        "{}",
        "test-events",
    )
    plan = plan_of((FleetItem(HERE, "f", specs, max_cost_usd=1.0),))
    bucket = FleetBucket(Objects(), plan.fleet_id)
    (item,) = fetched(sent(plan, bucket), bucket, tmp_path / "there").items
    one, many, toml, *others = item.payloads
    assert others == ["{}", "test-events"]
    assert [path.startswith(str(tmp_path / "there")) for path in (one, many, toml)] == [True] * 3
    from pathlib import Path as Here

    assert Here(one).read_text() == "{}"
    assert (Here(many) / "a.json").read_text() == "[1]"
    assert (Here(toml).parent / "many" / "a.json").read_text() == "[1]"


def test_payloads_that_are_too_many_are_refused(tmp_path: Path) -> None:
    """A set in a folder with far more than payloads isn't sent to the bucket."""
    for number in range(1_001):
        (tmp_path / f"{number}.json").write_text("{}")
    (tmp_path / "set.toml").write_text("")
    plan = plan_of((FleetItem(HERE, "f", (str(tmp_path / "set.toml"),), max_cost_usd=1.0),))
    with pytest.raises(InputError, match="too large"):
        sent(plan, FleetBucket(Objects(), plan.fleet_id))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "FLEET", "--yes", "--engine", "step-functions"], "needs --bucket and"),
        (["run", "FLEET", "--yes", "--bucket", "b"], "are for --engine"),
        (["deploy", "FLEET", "--out", "FLEET"], "isn't empty"),
        (["deploy", "FLEET", "--out", "NEW", "--wheel", "none.whl"], "isn't a wheel"),
        (["deploy", "nowhere", "--out", "NEW"], "has no fleet"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Whatever is wrong: one line with what to do, and nothing is written."""
    FleetFolder.create(tmp_path / "fleet", plan_of(items(1)))
    places = {"FLEET": str(tmp_path / "fleet"), "NEW": str(tmp_path / "new")}
    ran = run_here("fleet", *[places.get(each, each) for each in arguments])
    assert ran.returncode in {1, 2}
    assert message in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_a_fleet_stays_with_its_engine(tmp_path: Path) -> None:
    """What was started on Step Functions isn't run here as well."""
    folder = FleetFolder.create(tmp_path / "fleet", plan_of(items(1)))
    StartedExecution(_EXECUTION, _MACHINE, "fleets").keep(folder)
    ran = run_here("fleet", "run", str(folder.path), "--yes")
    assert ran.returncode == 2
    assert "--engine step-functions" in ran.stderr
