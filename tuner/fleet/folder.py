"""A fleet's folder: its plan, its queue, its sweeps, and the log of everything it did.

plan.json      what was planned; all that changes afterwards is whose side effects are agreed to
queue.sqlite   where every item is
sweeps/        a sweep file for each function that was reached
audit.jsonl    every action with its time, only ever added to
lock, stop     held while it runs; there if it's to stop
"""

from __future__ import annotations

import json
import os
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tuner.errors import FleetError, InputError
from tuner.fleet.queue import FleetQueue
from tuner.fleet.windows import check_window
from tuner.lease.journal import is_locked, lock_file
from tuner.model.fleet import FLEET_SCHEMA, FleetPlan, FleetState, FleetStatus
from tuner.model.record import from_record, to_record
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import datetime

    from tuner.model.fleet import FleetItem, FleetProgress

_PLAN: Final = "plan.json"
_STOP: Final = "stop"
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class FleetFolder:
    """Where a fleet is kept."""

    path: Path
    plan: FleetPlan

    @classmethod
    def create(cls, path: Path, plan: FleetPlan) -> Self:
        """Write the plan into a new folder, or over a plan that never ran.

        Raises FleetError for a folder with anything else in it.
        """
        with writing(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            others = [each.name for each in path.iterdir() if each.name != _PLAN]
            if others:
                what = "a fleet that has run" if (path / _PLAN).exists() else "something else"
                raise FleetError(f"{path} has {what} in it: name a new folder with `out`")
        folder = cls(path, plan)
        folder.write()
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the plan. Raises FleetError."""
        file = path / _PLAN
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            version = document.get("schema_version") if isinstance(document, dict) else None
            if version != FLEET_SCHEMA:
                raise FleetError(f"{file} is of another version of tuner: plan the fleet again")
            plan = from_record(FleetPlan, document)
            for window in plan.windows:
                check_window(window)
            return cls(path, plan)
        except NotADirectoryError:
            raise FleetError(f"{path} is a file: give the folder of a fleet") from None
        except FileNotFoundError:
            raise FleetError(
                f"{path} has no fleet: plan one with tuner fleet plan `out={path}`"
            ) from None
        except OSError as error:
            raise FleetError(f"{file} can't be read: {error.strerror}") from None
        except (ValueError, RecursionError, InputError) as error:
            raise FleetError(f"{file} is damaged ({error}): plan the fleet again") from None

    def agreed(self, names: Collection[str]) -> Self:
        """The same with the side effects of these functions agreed to: `write` keeps that.

        Raises InputError for a name that isn't planned.
        """
        if missing := set(names) - {each.name for each in self.plan.items}:
            raise InputError(
                f"`allow_side_effects`: {', '.join(sorted(missing))} isn't among the functions to "
                f"sweep: see tuner fleet status {self.path}"
            )
        items = tuple(
            replace(each, allows_side_effects=each.allows_side_effects or each.name in names)
            for each in self.plan.items
        )
        return replace(self, plan=replace(self.plan, items=items))

    def write(self) -> None:
        """Write the plan. Raises FleetError."""
        with writing(self.path):
            write_whole(self.path / _PLAN, json.dumps(to_record(self.plan), indent=1).encode())

    def queue(self, *, survives_power_loss: bool = True) -> FleetQueue:
        """Open the queue. Raises FleetError."""
        return FleetQueue(
            self.path / "queue.sqlite",
            self.plan.items,
            self.plan.budget_usd,
            survives_power_loss=survives_power_loss,
        )

    def _queue_to_read(self) -> FleetQueue:
        """Open the queue, of a folder that can't be written too. Raises FleetError."""
        try:
            return self.queue()
        except FleetError:
            with suppress(FleetError):
                file = self.path / "queue.sqlite"
                return FleetQueue(file, self.plan.items, self.plan.budget_usd, read_only=True)
            raise

    def sweep_file(self, item: FleetItem) -> Path:
        """Where an item's sweep goes."""
        parts = (item.place.account or "account", item.place.region, item.name)
        return self.path / "sweeps" / f"{'.'.join(_UNUSUAL.sub('_', each) for each in parts)}.jsonl"

    def status(self, now: datetime, *, is_running: bool | None = None) -> FleetStatus:
        """Where everything is; `is_running` is said of a fleet that runs elsewhere.

        Raises FleetError.
        """
        with self._queue_to_read() as queue:
            items, seconds = queue.progress(), queue.seconds_left(now.timestamp())
        items = tuple(map(self._as_it_lies, items))
        if not (is_running_in(self.path) if is_running is None else is_running):
            waiting = sum(each.state in {"pending", "running"} for each in items)
            return FleetStatus(self.plan, _state_at_rest(items, waiting), items)
        if seconds is None:
            return FleetStatus(self.plan, "running", items)
        eta = (now + timedelta(seconds=seconds)).isoformat(timespec="seconds")
        return FleetStatus(self.plan, "running", items, seconds, eta)

    def _as_it_lies(self, item: FleetProgress) -> FleetProgress:
        """With its sweep's file where the folder is now: it may have been moved."""
        if item.sweep_file is None:
            return item
        return replace(item, sweep_file=str(self.path / "sweeps" / Path(item.sweep_file).name))

    # Stopping

    def ask_to_stop(self) -> None:
        """Ask the process that runs it to stop. Raises FleetError."""
        with writing(self.path):
            (self.path / _STOP).touch()

    @property
    def is_to_stop(self) -> bool:
        """Whether somebody asked for it."""
        return (self.path / _STOP).exists()

    def forget_stop(self) -> None:
        """It runs again. Raises FleetError."""
        with writing(self.path):
            (self.path / _STOP).unlink(missing_ok=True)


def _state_at_rest(items: Sequence[FleetProgress], waiting: int) -> FleetState:
    if not waiting:
        return "done"
    return "stopped" if any(each.attempt_count for each in items) else "planned"


class AuditLog:
    """Adds a line for every action: when, what, which item. No payload and no secret is in it."""

    def __init__(
        self, file: Path, now: Callable[[], datetime], *, survives_power_loss: bool = True
    ) -> None:
        self._file = file
        self._now = now
        self._is_synced = survives_power_loss
        self._lock = threading.Lock()

    def write(self, action: str, key: str | None, **facts: Any) -> None:
        """Add a line, in the file before it returns. Raises FleetError."""
        line: dict[str, Any] = {"at": self._now().isoformat(), "pid": os.getpid(), "action": action}
        if key is not None:
            line["item"] = key
        line |= {name: value for name, value in facts.items() if value is not None}
        text = json.dumps(line, separators=(",", ":")) + "\n"
        with writing(self._file), self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if self._is_synced:
                os.fsync(file.fileno())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raise FleetError, naming the path, where it can't be written."""
    try:
        yield
    except OSError as error:
        raise FleetError(f"{path} can't be written: {error.strerror}") from None


@contextmanager
def fleet_lock(folder: Path) -> Iterator[None]:
    """Have a fleet alone; the kernel frees it however the process ends.

    Raises FleetError while another process has it.
    """
    with writing(folder):
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            lock_file(descriptor)
        except OSError:
            raise FleetError(
                f"the fleet in {folder} is running already: see tuner fleet status {folder}"
            ) from None
        yield
    finally:
        os.close(descriptor)


def is_running_in(folder: Path) -> bool:
    """Whether a process has the fleet at this moment."""
    try:
        return is_locked(folder / "lock")
    except FileNotFoundError:
        return False
    except OSError:
        return True
