"""A fleet on Step Functions: starts it, says how far it has come, and stops it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.fleet_payloads import sent
from tuner.errors import AwsError, FleetError, UsageError
from tuner.fleet.folder import AuditLog, fleet_lock
from tuner.fleet.remote import FleetBucket, StartedExecution, collect, execution_input
from tuner.fleet.windows import is_open
from tuner.model.record import to_record
from tuner.sweep.io import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.fleet.folder import FleetFolder
    from tuner.fleet.queue import FleetQueue
    from tuner.fleet.remote import Executions
    from tuner.model.fleet import FleetStatus


def start_remote(
    folder: FleetFolder,
    *,
    bucket: str,
    state_machine: str,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
) -> FleetStatus:
    """Hand the plan to the state machine, and return where everything is.

    Another execution of a plan does only what failed or is missing. Raises FleetError (also for a
    fleet that runs already, here or there), UsageError, InputError and AwsError.
    """
    clock = Clock()
    started = StartedExecution("", state_machine, bucket, region, profile, endpoint_url)
    with fleet_lock(folder.path), folder.queue() as queue, _open(folder, started) as (there, runs):
        _check(folder, queue, runs, clock)
        plan = sent(folder.plan, there)
        items = json.dumps([to_record(each) for each in plan.items]).encode()
        earlier, key = StartedExecution.of(folder), f"{there.prefix}/items.json"
        is_same = earlier is not None and replace(earlier, execution_arn="") == started
        is_same = is_same and there.store.read(key) == items
        if earlier is not None and is_same and _redriven(runs, earlier.execution_arn):
            action, arn = "execution_redriven", earlier.execution_arn
        else:
            there.store.write(key, items)
            document = json.dumps(execution_input(plan, bucket, there.prefix))
            name = f"{folder.plan.fleet_id}-{clock.now():%Y%m%dT%H%M%S%f}"
            action, arn = "execution_started", runs.start(state_machine, name, document)
            replace(started, execution_arn=arn).keep(folder)
        queue.began_elsewhere(clock.now().timestamp())
        audit = AuditLog(folder.path / "audit.jsonl", clock.now)
        audit.write(action, None, execution=arn)
    return folder.status(clock.now(), is_running=True)


def _redriven(runs: Executions, execution: str) -> bool:
    """Whether an execution that was stopped, or failed as a whole, goes on: its map runs again
    those of its items that it hadn't done.
    """
    if runs.state(execution).status in {"running", "succeeded"}:
        return False
    try:
        runs.redrive(execution)
    except AwsError:  # it ended too long ago, or that isn't allowed: another one does the same
        return False
    return True


def remote_status(folder: FleetFolder) -> FleetStatus:
    """Where a fleet is that was started on Step Functions; what has ended is fetched first.

    Raises FleetError and AwsError.
    """
    clock = Clock()
    started = _started(folder)
    with folder.queue() as queue, _open(folder, started) as (there, runs):
        state = runs.state(started.execution_arn)
        # By what was true before: nothing that ended in between is missed.
        now_s, running_count = clock.now().timestamp(), state.running_count
        collect(folder, there, queue, started.execution_arn, now_s, running_count=running_count)
        is_running = state.status == "running"
        if not is_running:
            queue.nothing_runs_elsewhere()
    return folder.status(clock.now(), is_running=is_running)


def stop_remote(folder: FleetFolder) -> bool:
    """Start nothing more; False if it isn't running. Raises FleetError and AwsError.

    Workers that sweep go on to their end, and give their functions back.
    """
    started = _started(folder)
    with _open(folder, started) as (_, runs):
        if runs.state(started.execution_arn).status != "running":
            return False
        runs.stop(started.execution_arn)
    AuditLog(folder.path / "audit.jsonl", Clock().now).write("execution_stopped", None)
    return True


def _check(folder: FleetFolder, queue: FleetQueue, runs: Executions, clock: Clock) -> None:
    """Raise FleetError or UsageError for what can't be started."""
    earlier = StartedExecution.of(folder)
    if earlier is None and any(each.attempt_count for each in queue.progress()):
        raise FleetError(
            f"the fleet in {folder.path} has run on this machine: go on there, or plan another"
        )
    if earlier is not None and runs.state(earlier.execution_arn).status == "running":
        raise FleetError(
            f"the fleet in {folder.path} is running already: see tuner fleet status {folder.path}"
        )
    own = next((each.name for each in folder.plan.items if each.place.profile), None)
    if own is not None:
        raise UsageError(
            f"{own} is reached by a profile, which a worker on Lambda doesn't have: name a role "
            "in fleet.toml, and plan the fleet again"
        )
    if not is_open(folder.plan.windows, clock.now()):
        raise FleetError("it's outside the hours of fleet.toml: start it within them")


def _started(folder: FleetFolder) -> StartedExecution:
    started = StartedExecution.of(folder)
    if started is None:
        raise FleetError(f"the fleet in {folder.path} wasn't started on Step Functions")
    return started


@contextmanager
def _open(
    folder: FleetFolder, started: StartedExecution
) -> Iterator[tuple[FleetBucket, Executions]]:
    from tuner.aws.gateway import open_connection
    from tuner.aws.remote_fleet import BucketObjects, MapExecutions
    from tuner.aws.services import Services

    session, _ = open_connection(
        region=started.region, profile=started.profile, endpoint_url=started.endpoint_url
    )
    with Services(session, purpose="fleet", least_interval_s=0.0) as services:
        store = BucketObjects(services, started.bucket)
        yield FleetBucket(store, folder.plan.fleet_id), MapExecutions(services)
