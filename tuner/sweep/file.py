"""Sweep files: JSON Lines, a record a line, flushed after every invocation.

    sweep       schema_version, tool_version, started_at, environment, function, plan, and the
                goal with its limits (earlier files have none); first
    invocation  one call, in the order in which they ended
    payload     an event that was sent, only where they were asked to be kept
    finding     something the operator should know
    memory_cap  what the account allows at most, only where it refused a size
    end         how the sweep ended; last, absent if it was cut off

A file holds what redoes the analysis: no payload (a digest stands for it) unless it was asked for,
no environment value, no account id, and not the function's Description, which is its owner's prose.

History: 1 the first version.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeVar

from tuner.errors import SweepFileError
from tuner.model.finding import Finding
from tuner.model.function import FunctionConfig, mask_account
from tuner.model.goal import Goal  # noqa: TC001 - as SweepPlan
from tuner.model.invocation import Invocation
from tuner.model.plan import SweepPlan  # noqa: TC001 - _Header is read by its hints
from tuner.model.record import RecordError, from_record, to_record
from tuner.model.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.model.sweep import SweepEnd

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_LINE_BYTES: Final = 1024 * 1024
MAX_PAYLOAD_LINE_BYTES: Final = 9 * 1024 * 1024
"""6 MB in base64."""
MAX_KEPT_BYTES: Final = 32 * 1024 * 1024
"""Of all kept payloads together."""


_SWEEP: Final = b'{"record":"sweep"'
_PAYLOAD: Final = b'{"record":"payload"'


@dataclass(frozen=True, slots=True)
class _Header:
    tool_version: str
    started_at: str
    environment: Literal["aws", "local"]
    function: FunctionConfig
    plan: SweepPlan
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class _End:
    end: Literal["complete", "interrupted", "budget", "failed"]
    wall_s: float
    throttle_count: int


@dataclass(frozen=True, slots=True)
class _MemoryCap:
    memory_mb: int


@dataclass(frozen=True, slots=True)
class _KeptPayload:
    name: str
    event_index: int
    base64: str


class SweepWriter:
    """Writes one sweep file, readable by its owner only; a context manager."""

    def __init__(self, path: Path, *, sync: bool = False, replace: bool = False) -> None:
        """Open the file, making its folder; with `replace` an earlier sweep gives way to this one,
        and nothing else ever does.

        `sync` has every record on the disk before the next invocation: what was sent is known even
        after a power cut. Raises SweepFileError.
        """
        self.path = path
        self._sync = sync
        self._failure: SweepFileError | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _check_free(path, replace=replace)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, sweep: Sweep) -> None:
        """Write the header of a sweep that is about to begin."""
        try:
            os.ftruncate(self._descriptor, 0)
        except OSError as error:
            raise self._unwritable(error) from error
        function = dataclasses.replace(
            sweep.function, arn=mask_account(sweep.function.arn), description=""
        )
        header = _Header(
            sweep.tool_version,
            sweep.started_at,
            sweep.environment,
            function,
            sweep.plan,
            sweep.goal,
        )
        try:
            self._write({"record": "sweep", "schema_version": SCHEMA_VERSION, **to_record(header)})
        except SweepFileError:
            with suppress(OSError):  # half a header is no sweep: nothing of it is left
                os.ftruncate(self._descriptor, 0)
            raise

    def invocation(self, invocation: Invocation) -> None:
        """Append an invocation."""
        self._write({"record": "invocation", **to_record(invocation)})

    def payload(self, name: str, event_index: int, body: bytes) -> None:
        """Append an event: the operator asked for it to be kept."""
        text = base64.b64encode(body).decode()
        self._write({"record": "payload", **to_record(_KeptPayload(name, event_index, text))})

    def finding(self, finding: Finding) -> None:
        """Append a finding."""
        self._write({"record": "finding", **to_record(finding)})

    def memory_cap(self, memory_mb: int) -> None:
        """Append what the account allows at most."""
        self._write({"record": "memory_cap", **to_record(_MemoryCap(memory_mb))})

    def end(self, end: SweepEnd, *, wall_s: float, throttle_count: int) -> None:
        """Append the end; nothing may follow."""
        self._write({"record": "end", **to_record(_End(end, wall_s, throttle_count))})

    def close(self) -> None:
        """Close the file; one that nothing was written to is removed."""
        if self._descriptor < 0:
            return
        if os.fstat(self._descriptor).st_size == 0:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1

    def _write(self, record: dict[str, Any]) -> None:
        """Write one line at once, without a buffer: a crash loses no invocation that ended."""
        if self._failure is not None:  # nothing may follow a gap
            raise self._failure
        line = json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
            if self._sync:
                os.fsync(self._descriptor)
        except OSError as error:
            self._failure = self._unwritable(error)
            raise self._failure from error

    def _unwritable(self, error: OSError) -> SweepFileError:
        return SweepFileError(
            f"the sweep file {self.path} cannot be written ({error.strerror}): give another --out"
        )


def read_sweep(path: Path) -> Sweep:
    """Read a sweep file strictly; `Sweep.file` is its path.

    A torn last line, and a missing end, are the traces of a sweep that was cut off: `Sweep.end` is
    None then. Raises SweepFileError, with file and line, for anything else that is not as this
    version writes it.
    """
    sweep: Sweep | None = None
    reading = _Reading()
    for number, line in _lines(path):
        try:
            record = _record(line)
            if sweep is None:
                sweep = _begin(record, path)
            else:
                reading.take(record, sweep.plan)
        except RecordError as error:
            raise SweepFileError(f"{path}, line {number}: {error}") from error
    if sweep is None:
        raise SweepFileError(f"{path} is no sweep file, or was cut off before it began")
    return reading.complete(sweep)


def read_payloads(path: Path) -> dict[tuple[str, int], bytes]:
    """Read the events that a sweep file keeps, by class and index. Raises SweepFileError."""
    found = {}
    for number, line in _lines(path):
        if not line.startswith(_PAYLOAD):
            continue
        try:
            record = _record(line)
            record.pop("record")
            kept = _value(_KeptPayload, record)
            found[kept.name, kept.event_index] = base64.b64decode(kept.base64, validate=True)
        except (RecordError, binascii.Error) as error:
            raise SweepFileError(f"{path}, line {number}: {error}") from error
    return found


class _Reading:
    """What has been read behind the header."""

    def __init__(self) -> None:
        self._invocations: list[Invocation] = []
        self._findings: list[Finding] = []
        self._memory_cap_mb: int | None = None
        self._end: _End | None = None

    def take(self, record: dict[str, Any], plan: SweepPlan) -> None:
        """Take one record. Raises RecordError."""
        if self._end is not None:
            raise RecordError("something follows the end of the sweep")
        match record.pop("record", None):
            case "invocation":
                self._invocations.append(self._checked(_value(Invocation, record), plan))
            case "finding":
                self._findings.append(_value(Finding, record))
            case "memory_cap":
                self._memory_cap_mb = _value(_MemoryCap, record).memory_mb
            case "payload":
                _value(_KeptPayload, record)  # kept for whoever asks for it, `read_payloads`
            case "end":
                self._end = _value(_End, record)
            case _:
                raise RecordError("the record is of no known kind")

    def complete(self, sweep: Sweep) -> Sweep:
        """Return the sweep with all that was read."""
        throttles = sum(invocation.throttle_count for invocation in self._invocations)
        return dataclasses.replace(
            sweep,
            invocations=tuple(self._invocations),
            findings=tuple(self._findings),
            end=self._end.end if self._end else None,
            wall_s=self._end.wall_s if self._end else 0.0,
            throttle_count=self._end.throttle_count if self._end else throttles,
            memory_cap_mb=self._memory_cap_mb,
        )

    def _checked(self, invocation: Invocation, plan: SweepPlan) -> Invocation:
        if invocation.index != len(self._invocations):
            raise RecordError(f"index {invocation.index} follows {len(self._invocations) - 1}")
        if invocation.memory_mb not in plan.sizes_mb:
            raise RecordError(f"{invocation.memory_mb} MB is no size of the plan")
        if all(invocation.payload != payload.name for payload in plan.payloads):
            raise RecordError("its payload is none of the plan")
        if min(_amounts(invocation)) < 0:
            raise RecordError("an amount is negative")
        return invocation


def _amounts(invocation: Invocation) -> Iterator[float]:
    yield from (invocation.started_s, invocation.client_duration_ms, invocation.cost_usd)
    yield invocation.throttle_count
    if invocation.report is not None:
        report = invocation.report
        yield from (report.duration_ms, report.billed_duration_ms, report.memory_size_mb)
        yield from (report.max_memory_used_mb or 0, report.init_duration_ms or 0)
        yield from (report.restore_duration_ms or 0, report.billed_restore_duration_ms or 0)


def _begin(record: dict[str, Any], path: Path) -> Sweep:
    version = record.pop("schema_version", None)
    if record.pop("record", None) != "sweep" or type(version) is not int:
        raise RecordError("this is no sweep file")
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"the file is of version {version}, this tuner reads up to {SCHEMA_VERSION}: update it"
        )
    if version < 1:
        raise RecordError(f"the file is of version {version}, which is no longer read: tune again")
    header = _value(_Header, record)
    if header.goal is not None and not _is_possible(header.goal):
        raise RecordError("the goal has a limit that no goal can have")
    return Sweep(
        plan=header.plan,
        function=header.function,
        environment=header.environment,
        started_at=header.started_at,
        tool_version=header.tool_version,
        file=str(path),
        goal=header.goal,
    )


def _is_possible(goal: Goal) -> bool:
    """Whether its limits are within what the command line takes."""
    ratios = (goal.cost_slack_ratio, goal.tolerance_ratio, goal.cold_start_share)
    amounts = (goal.max_duration_ms, goal.max_cost_usd_per_million)
    return (
        all(0 <= ratio <= 1 for ratio in ratios)
        and all(amount is None or amount > 0 for amount in amounts)
        and (goal.percentile is None or 0 < goal.percentile < 100)
    )


def _value(kind: type[T], record: dict[str, Any]) -> T:
    try:
        return from_record(kind, record)
    except RecordError as error:
        raise RecordError(f"the record {error}") from None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise RecordError("this is not JSON") from None
    if not isinstance(record, dict):
        raise RecordError("this is not an object")
    return record


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Read whole lines, numbered from 1; what stands behind the last line break was torn off."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_FILE_BYTES:
                raise SweepFileError(f"{path} is too large for a sweep file")
            number = 0
            while line := file.readline(MAX_PAYLOAD_LINE_BYTES + 1):
                number += 1
                if len(line) > (
                    MAX_PAYLOAD_LINE_BYTES if line.startswith(_PAYLOAD) else MAX_LINE_BYTES
                ):
                    raise SweepFileError(f"{path}, line {number}: the line is too long")
                if line.endswith(b"\n"):
                    yield number, line
    except OSError as error:
        raise SweepFileError(f"{path} cannot be read ({error.strerror})") from error


def holds_sweep(path: Path) -> bool:
    """Whether a sweep stands in this file: it cost money to measure. Raises OSError."""
    return _start(path).startswith(_SWEEP)


def _check_free(path: Path, *, replace: bool) -> None:
    """Raise SweepFileError if what would be overwritten is no sweep, or one that is to stay."""
    start = _start(path)
    if not start:
        return
    if not start.startswith(_SWEEP):
        raise SweepFileError(f"{path} exists and is no sweep file: give another --out")
    if not replace:
        raise SweepFileError(
            f"{path} holds a sweep already: give another --out, --resume {path} to go on from it "
            "in a new file, or --force to replace it"
        )


def _start(path: Path) -> bytes:
    """The beginning of a file; empty without one."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(64)
