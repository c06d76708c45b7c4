"""A fleet that runs on Step Functions: what lies in its bucket, and what comes back from it.

Under `fleets/FLEET_ID/` in the bucket, for each item by its sweep file's name:

items.json         what the state machine's map reads
payloads/          files that items are sent
work/ITEM/         what an attempt leaves for the next: queue, sweep, and journals of open leases
results/ITEM.json  how it ended; an item that is done or left out there is never swept again
sweeps/ITEM.jsonl  its sweep

`execution.json` in the fleet's folder says where it was started.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self

from tuner.errors import FleetError
from tuner.model.fleet import ItemResult
from tuner.model.record import RecordError, from_record, to_record
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuner.fleet.folder import FleetFolder
    from tuner.fleet.queue import FleetQueue
    from tuner.model.fleet import FleetPlan, FleetProgress

_EXECUTION: Final = "execution.json"
_READERS: Final = 16
_SCHEMA: Final = 1


class ObjectStore(Protocol):
    """A bucket."""

    def read(self, key: str) -> bytes | None:
        """An object; None where there is none. Raises AwsError."""

    def write(self, key: str, data: bytes) -> None:
        """Write an object whole. Raises AwsError."""

    def claim(self, key: str, data: bytes, instead_of: bytes | None) -> bool:
        """Write an object if it's still what it was read as (None: absent); False if it isn't."""

    def delete(self, key: str) -> None:
        """Delete an object, if it's there. Raises AwsError."""

    def keys(self, prefix: str) -> Iterable[str]:
        """All that begin with it. Raises AwsError."""


ExecutionStatus = Literal["running", "succeeded", "failed", "timed_out", "aborted"]


@dataclass(frozen=True, slots=True)
class ExecutionState:
    """Where an execution is, by its map run's counts where it has one."""

    status: ExecutionStatus
    running_count: int = 0
    reason: str | None = None
    """Why it failed."""


class Executions(Protocol):
    """The state machine's executions."""

    def start(self, state_machine: str, name: str, document: str) -> str:
        """Start one, once for a name; return its ARN. Raises AwsError."""

    def state(self, execution: str) -> ExecutionState:
        """Where it is. Raises AwsError."""

    def stop(self, execution: str) -> None:
        """Start nothing more of it. Raises AwsError."""

    def redrive(self, execution: str) -> None:
        """Run again what failed in it. Raises AwsError."""


@dataclass(frozen=True, slots=True)
class StartedExecution:
    """Where a fleet was started."""

    execution_arn: str
    state_machine_arn: str
    bucket: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    schema_version: int = _SCHEMA

    @classmethod
    def of(cls, folder: FleetFolder) -> Self | None:
        """The folder's; None where it wasn't started. Raises FleetError."""
        file = folder.path / _EXECUTION
        try:
            return from_record(cls, json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecordError) as error:
            raise FleetError(f"{file} can't be read ({error})") from None

    def keep(self, folder: FleetFolder) -> None:
        """Write it down. Raises FleetError."""
        file = folder.path / _EXECUTION
        try:
            write_whole(file, json.dumps(to_record(self), indent=1).encode())
        except OSError as error:
            raise FleetError(f"{file} can't be written: {error.strerror}") from None


class FleetBucket:
    """A fleet's part of a bucket."""

    def __init__(self, store: ObjectStore, fleet_id: str) -> None:
        self.store = store
        self.prefix = f"fleets/{fleet_id}"

    def result(self, name: str) -> ItemResult | None:
        """How an item ended; None if it hasn't. Raises FleetError and AwsError."""
        data = self.store.read(f"{self.prefix}/results/{name}.json")
        if data is None:
            return None
        try:
            return from_record(ItemResult, json.loads(data))
        except (ValueError, RecordError) as error:
            raise FleetError(f"the result of {name} in the bucket is damaged ({error})") from None

    def keep_result(self, name: str, result: ItemResult) -> None:
        """Write down how an item ended. Raises AwsError."""
        data = json.dumps(to_record(result)).encode()
        self.store.write(f"{self.prefix}/results/{name}.json", data)

    def names(self, part: str) -> set[str]:
        """The first parts of the names below a folder, without their ends."""
        folder = f"{self.prefix}/{part}/"
        return {key.removeprefix(folder) for key in self.store.keys(folder)}


def execution_input(plan: FleetPlan, bucket: str, prefix: str) -> dict[str, Any]:
    """What an execution is started with: the plan without its items, and where those are."""
    whole = to_record(replace(plan, items=(), excluded=()))
    return {"bucket": bucket, "prefix": prefix, "items_key": f"{prefix}/items.json", "plan": whole}


def collect(
    folder: FleetFolder, bucket: FleetBucket, queue: FleetQueue, execution_arn: str, now_s: float
) -> None:
    """Take what has ended from the bucket into the folder. Raises FleetError and AwsError."""
    ended = {name.removesuffix(".json") for name in bucket.names("results")}
    work = bucket.names("work")
    begun = {each.partition("/")[0] for each in work}
    claimed = {each.partition("/")[0] for each in work if each.endswith("/claim")}
    leased = {each.partition("/")[0] for each in work if "/state/journals/" in each}

    def take(progress: FleetProgress) -> None:
        item = progress.item
        file = folder.sweep_file(item)
        if progress.state in {"done", "excluded"}:
            return
        result = bucket.result(file.stem) if file.stem in ended else None
        if result is None or not (result.is_final or result.execution_arn == execution_arn):
            if file.stem in begun:
                queue.seen_elsewhere(
                    item.key,
                    now_s,
                    is_running=file.stem in claimed,
                    is_leased=file.stem in leased,
                )
            return
        if result.progress.item.key != item.key:
            raise FleetError(f"the bucket's result of {file.stem} is of another item")
        sweep = bucket.store.read(f"{bucket.prefix}/sweeps/{file.name}")
        if sweep is not None:
            file.parent.mkdir(exist_ok=True)
            write_whole(file, sweep)
        queue.ended_elsewhere(result, None if sweep is None else str(file))

    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(take, queue.progress()))
