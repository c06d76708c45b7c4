"""A fleet on Step Functions: the state machine on an interpreter, with the real worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import run_here, variables_for
from tests.fleet.interpreter import BUCKET, changed, client, interpreted, wait_until_ended
from tuner.api.fleet_worker import ItemBusyError, SweepFailedError, read_task, work
from tuner.aws.gateway import open_connection
from tuner.aws.remote_fleet import BucketObjects
from tuner.aws.services import Services
from tuner.fleet.folder import FleetFolder
from tuner.fleet.remote import FleetBucket, StartedExecution, execution_input
from tuner.model.record import to_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet.interpreter import WorkerExecutor
    from tuner.local import LocalLambda

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COUNT = 3

Interpreted = tuple["LocalLambda", "WorkerExecutor", str]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Interpreted]:
    with interpreted(tmp_path / "workers", COUNT) as serving:
        yield serving


def planned(local: LocalLambda, tmp_path: Path, count: int = COUNT) -> FleetFolder:
    (tmp_path / "names.txt").write_text("".join(f"f{number:04}\n" for number in range(count)))
    (tmp_path / "event.json").write_text('{"a": 1}')
    ran = run_here(
        "fleet", "plan", "--functions", str(tmp_path / "names.txt"), "--payload",
        str(tmp_path / "event.json"), "--budget-usd", "5", "--out", str(tmp_path / "fleet"),
        "--endpoint-url", local.endpoint_url, "--region", local.region,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return FleetFolder.open(tmp_path / "fleet")


def started(served: Interpreted, folder: FleetFolder, *options: str) -> str:
    """Run the fleet to its execution's end; return how that ended."""
    local, _, machine = served
    ran = run_here(
        "fleet", "run", str(folder.path), "--engine", "step-functions", "--bucket", BUCKET,
        "--state-machine", machine, "--yes", "--endpoint-url", local.endpoint_url,
        "--region", local.region, *options,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    execution = StartedExecution.of(folder)
    assert execution is not None
    return wait_until_ended(local, execution.execution_arn, within_s=120)


def status(folder: FleetFolder) -> Any:
    ran = run_here("fleet", "status", str(folder.path), "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_second_execution_does_only_what_failed(served: Interpreted, tmp_path: Path) -> None:
    """A function that isn't there fails alone; once it's back, another execution sweeps it and
    invokes no other, and every sweep is in the folder.
    """
    local, executor, _ = served
    folder = planned(local, tmp_path)
    lambdas = client(local, "lambda")
    code = lambdas.get_function(FunctionName="f0001")["Configuration"]
    lambdas.delete_function(FunctionName="f0001")
    assert started(served, folder) == "SUCCEEDED"
    first = status(folder)
    assert (first["state"], first["done_count"], first["failed_count"]) == ("done", 2, 1)
    assert executor.refused == ["SweepFailedError"]
    ran_count = len(executor.invocations)
    assert first["invocation_count"] == ran_count
    again_with(lambdas, code)
    assert started(served, folder) == "SUCCEEDED"
    last = status(folder)
    assert (last["state"], last["done_count"], last["lease_count"]) == ("done", COUNT, 0)
    (again,) = [each for each in last["functions"] if each["name"] == "f0001"]
    assert again["sweep"] is not None
    assert last["invocation_count"] == len(executor.invocations) > ran_count
    assert sum(bool(each.get("skipped")) for each in executor.worked) == 2
    assert changed(local, COUNT) == []
    assert len(list((folder.path / "sweeps").glob("*.jsonl"))) == COUNT
    assert last["cost_usd"] <= last["budget_usd"]


def test_side_effects_are_agreed_to_for_another_execution(
    served: Interpreted, tmp_path: Path
) -> None:
    """An item that is left out for its side effects stays so in the next execution, until its name
    is agreed to: then it's swept, and nothing else is.
    """
    local, executor, _ = served
    folder = planned(local, tmp_path)
    client(local, "lambda").put_function_event_invoke_config(
        FunctionName="f0001", MaximumRetryAttempts=2
    )
    assert started(served, folder) == "SUCCEEDED"
    first = status(folder)
    assert (first["done_count"], first["excluded_count"]) == (2, 1)
    assert started(served, folder) == "SUCCEEDED"
    again = status(folder)
    assert (again["done_count"], again["excluded_count"]) == (2, 1)
    assert started(served, folder, "--allow-side-effects", "f0001") == "SUCCEEDED"
    last = status(folder)
    assert (last["state"], last["done_count"], last["excluded_count"]) == ("done", COUNT, 0)
    assert last["invocation_count"] == len(executor.invocations)
    assert changed(local, COUNT) == []


def again_with(lambdas: Any, was: dict[str, Any]) -> None:
    """Make a function again."""
    import io
    import zipfile

    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("main.py", "")
    lambdas.create_function(
        FunctionName=was["FunctionName"], Role=was["Role"], Runtime="python3.13",
        Handler="main.handler", MemorySize=was["MemorySize"], Timeout=was["Timeout"],
        Code={"ZipFile": package.getvalue()},
    )  # fmt: skip


_WORKER = """\
import json, sys
from pathlib import Path
from tuner.api.fleet_worker import handle
handle(json.loads(sys.argv[1]), seconds_left=lambda: float(sys.argv[3]), folder=Path(sys.argv[2]))
"""


def test_what_a_killed_worker_left_is_undone_by_the_next(
    served: Interpreted, tmp_path: Path
) -> None:
    """A worker is killed in the middle of its sweep, with its disk: while it may still run nobody
    else takes the item; then the next restores the function, and finishes within the item's limit.
    What both did is in one audit log.
    """
    local, executor, _ = served
    folder = planned(local, tmp_path, 1)
    executor._time_scale = 1.0
    session, _ = open_connection(region=local.region, profile=None, endpoint_url=local.endpoint_url)
    with Services(session, purpose="fleet") as services:
        bucket = FleetBucket(BucketObjects(services, BUCKET), folder.plan.fleet_id)
        event = execution_input(folder.plan, BUCKET, bucket.prefix)
        event |= {"item": to_record(folder.plan.items[0]), "concurrency": 8, "execution": "one"}
        lifetime_s = 12.0
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-c", _WORKER, json.dumps(event), str(tmp_path / "one"),
             str(lifetime_s)],
            env=variables_for(AWS_ENDPOINT_URL=local.endpoint_url, AWS_REGION=local.region,
                              AWS_DEFAULT_REGION=local.region),
        )  # fmt: skip
        while len(executor.invocations) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.wait()
        executor._time_scale = 0
        assert changed(local, COUNT) != [], "it was killed too late"
        (name,) = [folder.sweep_file(each).stem for each in folder.plan.items]
        assert bucket.is_leased(name)
        task = read_task(event, lambda name: BucketObjects(services, name))
        with pytest.raises(ItemBusyError):
            work(task, tmp_path / "two", seconds_left=lambda: 60.0)
        while time.monotonic() < began + lifetime_s + 5:
            time.sleep(0.1)
        answer = work(task, tmp_path / "two", seconds_left=lambda: 60.0)
        assert answer["state"] == "done"
        assert changed(local, COUNT) == []
        result = bucket.result(name)
        assert result is not None
        assert result.progress.attempt_count == 2
        assert result.progress.cost_usd <= folder.plan.items[0].max_cost_usd
        assert bucket.names("work") == set()
        audit = bucket.store.read(f"{bucket.prefix}/audit/{name}.jsonl")
        assert audit is not None
        begun = [
            line for line in map(json.loads, audit.splitlines()) if line["action"] == "started"
        ]
        assert len({line["pid"] for line in begun}) == len(begun) == 2


def test_a_worker_outside_the_hours_changes_nothing(served: Interpreted, tmp_path: Path) -> None:
    """Outside the plan's windows a worker fails before it touches anything."""
    local, executor, _ = served
    folder = planned(local, tmp_path, 1)
    session, _ = open_connection(region=local.region, profile=None, endpoint_url=local.endpoint_url)
    with Services(session, purpose="fleet") as services:
        bucket = FleetBucket(BucketObjects(services, BUCKET), folder.plan.fleet_id)
        event = execution_input(folder.plan, BUCKET, bucket.prefix)
        event["plan"]["windows"] = [{"start": "10:00", "end": "10:00", "zone": "UTC", "days": [7]}]
        event |= {"item": to_record(folder.plan.items[0]), "concurrency": 8, "execution": "one"}
        task = read_task(event, lambda name: BucketObjects(services, name))
        with pytest.raises(SweepFailedError, match="outside the hours"):
            work(task, tmp_path / "one", seconds_left=lambda: 60.0)
    assert executor.invocations == []


def test_a_worker_that_cannot_reach_its_account_tells_why(
    served: Interpreted, tmp_path: Path
) -> None:
    """It fails with what couldn't be reached, as its result too, and doesn't count as interrupted,
    which would only be tried again and again.
    """
    local, _, _ = served
    folder = planned(local, tmp_path, 1)
    session, _ = open_connection(region=local.region, profile=None, endpoint_url=local.endpoint_url)
    with Services(session, purpose="fleet") as services:
        bucket = FleetBucket(BucketObjects(services, BUCKET), folder.plan.fleet_id)
        event = execution_input(folder.plan, BUCKET, bucket.prefix)
        event |= {"item": to_record(folder.plan.items[0]), "concurrency": 8, "execution": "one"}
        event["plan"] = {**event["plan"], "endpoint_url": "http://127.0.0.1:9"}
        task = read_task(event, lambda name: BucketObjects(services, name))
        with pytest.raises(SweepFailedError, match=r"127\.0\.0\.1:9"):
            work(task, tmp_path / "one", seconds_left=lambda: 60.0)
        (name,) = [folder.sweep_file(each).stem for each in folder.plan.items]
        result = bucket.result(name)
        assert result is not None
        assert result.progress.state == "failed"
