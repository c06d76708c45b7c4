"""A fleet that runs on Step Functions: what lies in its bucket, and what comes back from it.

Under `fleets/FLEET_ID/` in the bucket, for each item by its sweep file's name:

items.json         what the state machine's map reads
payloads/          files that items are sent
work/ITEM/claim    who has it, and until when
work/ITEM.zip      what an attempt leaves for the next: queue, sweep, and journals of open leases
audit/ITEM.jsonl   every action of its attempts, once it has ended for good
results/ITEM.json  how it ended; an item that is done or left out there is never swept again
sweeps/ITEM.jsonl  its sweep

`execution.json` in the fleet's folder says where it was started.
"""

from __future__ import annotations

import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from tuner.errors import FleetError
from tuner.fleet.folder import writing
from tuner.model.fleet import ItemResult
from tuner.model.record import from_record, to_record
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tuner.fleet.folder import FleetFolder
    from tuner.fleet.queue import FleetQueue
    from tuner.model.fleet import FleetPlan, FleetProgress

_EXECUTION: Final = "execution.json"
_READERS: Final = 16
_SCHEMA: Final = 1
_CLAIM: Final = "/claim"
_FILES: Final = ".zip"


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
    """Where an execution is."""

    status: ExecutionStatus
    running_count: int = 0
    """Items that workers have, by its map run."""
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
        """Go on with one that was stopped or failed as a whole. Raises AwsError."""


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
        except (OSError, ValueError, RecursionError) as error:
            raise FleetError(f"{file} can't be read ({error})") from None

    def keep(self, folder: FleetFolder) -> None:
        """Write it down. Raises FleetError."""
        file = folder.path / _EXECUTION
        with writing(file):
            write_whole(file, json.dumps(to_record(self), indent=1).encode())


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
        except (ValueError, RecursionError) as error:
            raise FleetError(f"the result of {name} in the bucket is damaged ({error})") from None

    def keep_result(self, name: str, result: ItemResult) -> None:
        """Write down how an item ended. Raises AwsError."""
        data = json.dumps(to_record(result)).encode()
        self.store.write(f"{self.prefix}/results/{name}.json", data)

    def files(self, name: str) -> dict[str, bytes]:
        """What an attempt left of an item, by relative path. Raises FleetError and AwsError."""
        data = self.store.read(self._files_key(name))
        if data is None:
            return {}
        try:
            with ZipFile(BytesIO(data)) as archive:
                files = {each: archive.read(each) for each in archive.namelist()}
        except (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise FleetError(f"the files of {name} in the bucket are damaged ({error})") from None
        for each in map(PurePosixPath, files):
            if each.is_absolute() or ".." in each.parts:
                raise FleetError(f"the bucket has a file of a strange name: {each}")
        return files

    def is_leased(self, name: str) -> bool:
        """Whether an attempt may have left something changed. Raises FleetError and AwsError."""
        return any("/journals/" in each for each in self.files(name))

    def keep_files(self, name: str, files: Mapping[str, bytes]) -> None:
        """Write what the next attempt needs, all of it at once. Raises AwsError."""
        data = BytesIO()
        with ZipFile(data, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for each, content in files.items():
                archive.writestr(each, content)
        self.store.write(self._files_key(name), data.getvalue())

    def end_files(self, name: str, audit: bytes) -> None:
        """Keep the audit log alone: there's no next attempt. Raises AwsError."""
        self.store.write(f"{self.prefix}/audit/{name}.jsonl", audit)
        self.store.delete(self._files_key(name))

    def _files_key(self, name: str) -> str:
        return f"{self.prefix}/work/{name}{_FILES}"

    def names(self, part: str) -> set[str]:
        """The first parts of the names below a folder, without their ends."""
        folder = f"{self.prefix}/{part}/"
        return {key.removeprefix(folder) for key in self.store.keys(folder)}


def execution_input(plan: FleetPlan, bucket: str, prefix: str) -> dict[str, Any]:
    """What an execution is started with: the plan without its items, and where those are."""
    whole = to_record(replace(plan, items=(), excluded=()))
    return {"bucket": bucket, "prefix": prefix, "items_key": f"{prefix}/items.json", "plan": whole}


def collect(
    folder: FleetFolder,
    bucket: FleetBucket,
    queue: FleetQueue,
    execution_arn: str,
    now_s: float,
    *,
    running_count: int,
) -> None:
    """Take what has ended from the bucket into the folder; a claim runs only if the map run says
    that any item does: a worker that died leaves its own. Raises FleetError and AwsError.
    """
    ended = {name.removesuffix(".json") for name in bucket.names("results")}
    work = bucket.names("work")
    claimed = {each.removesuffix(_CLAIM) for each in work if each.endswith(_CLAIM)}
    left = {each.removesuffix(_FILES) for each in work if each.endswith(_FILES)}

    def take(progress: FleetProgress) -> None:
        item = progress.item
        file = folder.sweep_file(item)
        if progress.state in {"done", "excluded"}:
            return
        result = bucket.result(file.stem) if file.stem in ended else None
        if result is None or not (result.is_final(item) or result.execution_arn == execution_arn):
            if file.stem in claimed | left:
                queue.seen_elsewhere(
                    item.key,
                    now_s,
                    is_running=running_count > 0 and file.stem in claimed,
                    is_leased=file.stem in left and bucket.is_leased(file.stem),
                )
            return
        if result.progress.item.key != item.key:
            raise FleetError(f"the bucket's result of {file.stem} is of another item")
        sweep = bucket.store.read(f"{bucket.prefix}/sweeps/{file.name}")
        if sweep is not None:
            with writing(file):
                file.parent.mkdir(exist_ok=True)
                write_whole(file, sweep)
        queue.ended_elsewhere(result, None if sweep is None else str(file))

    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(take, queue.progress()))
