"""The worker of a fleet on Step Functions: sweeps one item, in a process whose disk may vanish.

It runs the item as `tuner fleet run` runs a fleet of one, in a folder whose contents are in the
bucket before anything is changed. So whatever ends a worker, the next one undoes what it left, goes
on with what it measured, and counts what was in flight as spent.
"""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tuner.api.fleet import run_folder
from tuner.api.fleet_payloads import fetched
from tuner.errors import AwsError, FleetError, TunerError
from tuner.fleet.folder import FleetFolder
from tuner.fleet.remote import FleetBucket
from tuner.fleet.windows import is_open
from tuner.model.fleet import FleetPlan, ItemResult
from tuner.model.record import from_record
from tuner.sweep.io import Clock, StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tuner.fleet.remote import ObjectStore
    from tuner.model.fleet import FleetItem, FleetProgress

_TO_GIVE_BACK_S: Final = 90.0
"""Before its end a worker stops, so that it can give its function back."""
_MOST_OF_TIME: Final = 0.25
"""Of a short timeout."""
_STATE: Final = "state"
_AUDIT: Final = "audit.jsonl"
_KEPT: Final = (
    ("", "queue.sqlite"),
    ("", _AUDIT),
    ("sweeps", ".jsonl"),
    (f"{_STATE}/journals", ".jsonl"),
)
"""What the next worker needs of a folder: where, and how names end."""


class SweepInterruptedError(TunerError):
    """The worker ran out of time; the next one goes on."""


class ItemBusyError(TunerError):
    """Another worker may still have the item."""


class SweepFailedError(TunerError):
    """The item's sweep failed; its result says why."""


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """One item, as the state machine hands it over."""

    bucket: FleetBucket
    plan: FleetPlan
    """With this item alone."""
    concurrency: int
    """Workers at once."""
    execution_arn: str

    @property
    def item(self) -> FleetItem:
        """The item."""
        return self.plan.items[0]


def read_task(event: Mapping[str, Any], store: Callable[[str], ObjectStore]) -> WorkerTask:
    """Read the state machine's event; `store` opens a bucket. Raises FleetError."""
    try:
        plan = from_record(FleetPlan, {**event["plan"], "items": [event["item"]]})
        bucket = FleetBucket(store(str(event["bucket"])), plan.fleet_id)
        if event["prefix"] != bucket.prefix:
            raise FleetError("the event is of another fleet")
        return WorkerTask(bucket, plan, int(event["concurrency"]), str(event["execution"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FleetError(f"the event isn't a fleet's item ({error}): deploy again") from None


def work(task: WorkerTask, folder: Path, *, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Sweep the item if it has no result yet, and return its state.

    `folder` is for files of this worker alone. Raises SweepInterruptedError, ItemBusyError,
    SweepFailedError, FleetError and AwsError.
    """
    clock, path = Clock(), folder / "fleet"
    if folder.exists():
        shutil.rmtree(folder)  # an earlier worker's in the same environment: the bucket counts
    name = FleetFolder(path, task.plan).sweep_file(task.item).stem
    with _alone(task, name, clock, seconds_left()) as known:
        if known is not None:
            return {"item": known.progress.item.key, "state": known.progress.state, "skipped": True}
        if not is_open(task.plan.windows, clock.now()):
            raise SweepFailedError("it's outside the hours when the fleet may run: run it again")
        plan = fetched(task.plan, task.bucket, folder / "payloads")
        progress = _sweep(replace(task, plan=plan), path, seconds_left(), clock)
    if progress.state == "failed":
        raise SweepFailedError(progress.reason or "it failed")
    if progress.state not in {"done", "excluded"}:
        raise SweepInterruptedError("it ran out of time, and gave its function back")
    return {"item": progress.item.key, "state": progress.state}


def handle(
    event: Mapping[str, Any], *, seconds_left: Callable[[], float], folder: Path
) -> dict[str, Any]:
    """Work off the state machine's event, with the credentials of where this runs.

    Raises what `read_task` and `work` raise.
    """
    from tuner.aws.gateway import open_connection
    from tuner.aws.remote_fleet import BucketObjects
    from tuner.aws.services import Services

    session, _ = open_connection(region=None, profile=None, endpoint_url=None)
    with Services(session, purpose="fleet", least_interval_s=0.0) as services:
        task = read_task(event, lambda bucket: BucketObjects(services, bucket))
        return work(task, folder, seconds_left=seconds_left)


def _sweep(task: WorkerTask, path: Path, left_s: float, clock: Clock) -> FleetProgress:
    fleet = FleetFolder.create(path, task.plan)
    sweep = fleet.sweep_file(task.item)
    name = sweep.stem
    kept = _KeptFolder(task.bucket, name, path)
    kept.fetch()
    stop = StopSignal()
    to_give_back_s = min(_TO_GIVE_BACK_S, left_s * _MOST_OF_TIME)
    timer = threading.Timer(max(left_s - to_give_back_s, 0), stop.request)
    timer.daemon = True
    timer.start()
    is_final = False
    try:
        status = run_folder(
            fleet,
            state_dir=path / _STATE,
            concurrency=task.concurrency,
            stop=stop,
            clock=clock,
            keep=kept.keep,
        )
        (progress,) = status.items
        if progress.state == "pending" and progress.reason is not None:
            # Its account can't be reached: that's told, and another execution tries it again.
            progress = replace(progress, state="failed")
        if sweep.exists():
            task.bucket.store.write(f"{task.bucket.prefix}/sweeps/{sweep.name}", sweep.read_bytes())
        if progress.state in {"done", "excluded", "failed"}:
            result = ItemResult(progress, clock.now().timestamp(), task.execution_arn)
            task.bucket.keep_result(name, result)
            is_final = result.is_final(task.item)
        return progress
    finally:
        timer.cancel()
        kept.end(is_final=is_final)


@contextmanager
def _alone(task: WorkerTask, name: str, clock: Clock, left_s: float) -> Iterator[ItemResult | None]:
    """Have an item alone until this worker's end, or the result that it ended with.

    Raises ItemBusyError.
    """
    bucket = task.bucket
    key = f"{bucket.prefix}/work/{name}/claim"
    now_s = clock.now().timestamp()
    mine = json.dumps({"until": now_s + left_s}).encode()
    if not bucket.store.claim(key, mine, None):
        if known := _final(task, name):
            yield known
            return
        before = bucket.store.read(key)
        if before is not None and _until_s(before) > now_s:
            raise ItemBusyError("an earlier worker may still have the item")
        if not bucket.store.claim(key, mine, before):
            raise ItemBusyError("another worker has just taken the item")
    try:
        yield _final(task, name)  # read once nobody else may write it
    finally:
        with suppress(AwsError):  # it ends by itself
            bucket.store.delete(key)


def _final(task: WorkerTask, name: str) -> ItemResult | None:
    """The item's result, if it's never swept again. Raises FleetError and AwsError."""
    known = task.bucket.result(name)
    return known if known is not None and known.is_final(task.item) else None


def _until_s(claim: bytes) -> float:
    try:
        return float(json.loads(claim)["until"])
    except (KeyError, TypeError, ValueError):
        return 0.0


class _KeptFolder:
    """A fleet's folder that is in the bucket as well, whole at every step: what the next worker
    needs.
    """

    def __init__(self, bucket: FleetBucket, name: str, path: Path) -> None:
        self._bucket = bucket
        self._name = name
        self._path = path
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def fetch(self) -> None:
        """Write what an earlier worker kept. Raises AwsError and FleetError."""
        self._kept = self._bucket.files(self._name)
        for name, data in self._kept.items():
            file = self._path / name
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.write_bytes(data)

    def keep(self) -> None:
        """Write everything, if any of what the next worker needs has changed. Raises AwsError."""
        with self._lock:
            files = self._read()
            if _without_audit(files) != _without_audit(self._kept):
                self._bucket.keep_files(self._name, files)
                self._kept = files

    def end(self, *, is_final: bool) -> None:
        """Write what a later execution goes on with; of an item that is final, the audit log alone.
        Raises AwsError.
        """
        with self._lock:
            files = self._read()
            if is_final:
                self._bucket.end_files(self._name, files.get(_AUDIT, b""))
            elif files != self._kept:
                self._bucket.keep_files(self._name, files)

    def _read(self) -> dict[str, bytes]:
        files = {}
        for folder, suffix in _KEPT:
            with suppress(FileNotFoundError):
                for each in (self._path / folder).iterdir():
                    if each.name.endswith(suffix):
                        files[f"{folder}/{each.name}" if folder else each.name] = each.read_bytes()
        return files


def _without_audit(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name != _AUDIT}
