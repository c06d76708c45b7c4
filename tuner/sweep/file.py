"""Sweep files: JSON Lines, a record a line, flushed after every invocation.

    sweep       schema_version, tool_version, started_at, environment, function, plan, and the
                goal with its limits (earlier files have none); first
    prior       what an earlier sweep says about the function, then a prior_environment for each of
                its execution environments; only where an earlier sweep was named
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
import dataclasses
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from tuner.errors import SweepFileError, UsageError
from tuner.model.finding import Finding
from tuner.model.function import FunctionConfig  # noqa: TC001 - as SweepPlan
from tuner.model.goal import Goal  # noqa: TC001 - as SweepPlan
from tuner.model.invocation import Invocation
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.model.plan import SweepPlan  # noqa: TC001 - Header is read by its hints
from tuner.model.prior_evidence import PriorEnvironment, PriorEvidence
from tuner.model.record import RecordError, from_record
from tuner.model.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")

SCHEMA_VERSION: Final = 1
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
MAX_LINE_BYTES: Final = 1024 * 1024
MAX_PAYLOAD_LINE_BYTES: Final = 9 * 1024 * 1024
"""6 MB in base64."""
MAX_KEPT_BYTES: Final = 32 * 1024 * 1024
"""For all kept payloads together."""


_SWEEP: Final = b'{"record":"sweep"'
_PAYLOAD: Final = b'{"record":"payload"'


@dataclass(frozen=True, slots=True)
class Header:
    """What is known about a sweep when it begins."""

    tool_version: str
    started_at: str
    environment: Literal["aws", "local"]
    function: FunctionConfig
    plan: SweepPlan
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a sweep ended."""

    end: Literal["complete", "interrupted", "budget", "failed"]
    wall_s: float
    throttle_count: int


@dataclass(frozen=True, slots=True)
class MemoryCap:
    """What the account allows at most."""

    memory_mb: int


@dataclass(frozen=True, slots=True)
class KeptPayload:
    """An event that was sent."""

    name: str
    event_index: int
    base64: str


Record = PriorEvidence | PriorEnvironment | Invocation | KeptPayload | Finding | MemoryCap | End
RECORD_NAMES: Final[Mapping[type[Record], str]] = {
    PriorEvidence: "prior",
    PriorEnvironment: "prior_environment",
    Invocation: "invocation",
    KeptPayload: "payload",
    Finding: "finding",
    MemoryCap: "memory_cap",
    End: "end",
}
"""The records that may follow the header, with their names in the file."""
_KINDS: Final = {name: kind for kind, name in RECORD_NAMES.items()}


def read_sweep(path: Path) -> Sweep:
    """Read a sweep file strictly; `Sweep.file` is its path.

    A torn last line or a missing end means that the sweep was cut off: `Sweep.end` is None. Raises
    SweepFileError, with file and line, for anything else that this version wouldn't write.
    """
    sweep: Sweep | None = None
    reading = _Reading()
    for number, line in _lines(path):
        try:
            record = _record(line)
            if sweep is None:
                sweep = _begin(record, path)
            else:
                reading.take(record, sweep)
        except RecordError as error:
            if sweep is None and b'"sweep"' not in line[:64]:
                raise SweepFileError(
                    f"{path} isn't a sweep file: give one that tuner tune saved"
                ) from None
            raise SweepFileError(f"{path}, line {number}: {error}") from error
    if sweep is None:
        raise SweepFileError(f"{path} isn't a sweep file, or was cut off before it began")
    return reading.complete(sweep)


def read_payloads(path: Path) -> dict[tuple[str, int], bytes]:
    """Read the events kept in a sweep file, by class and index. Raises SweepFileError."""
    found = {}
    for number, line in _lines(path):
        if not line.startswith(_PAYLOAD):
            continue
        try:
            record = _record(line)
            record.pop("record")
            kept = _value(KeptPayload, record)
            found[kept.name, kept.event_index] = base64.b64decode(kept.base64, validate=True)
        except ValueError as error:
            raise SweepFileError(f"{path}, line {number}: {error}") from error
    return found


class _Reading:
    """What has been read after the header."""

    def __init__(self) -> None:
        self._prior: PriorEvidence | None = None
        self._prior_environments: list[PriorEnvironment] = []
        self._invocations: list[Invocation] = []
        self._findings: list[Finding] = []
        self._memory_cap_mb: int | None = None
        self._end: End | None = None

    def take(self, record: dict[str, Any], sweep: Sweep) -> None:
        """Take one record. Raises RecordError."""
        if self._end is not None:
            raise RecordError("something follows the end of the sweep")
        kind = _KINDS.get(str(record.pop("record", None)))
        if kind is None:
            raise RecordError("the record's kind is unknown")
        match _value(kind, record):  # payloads are read only on request, by `read_payloads`
            case PriorEvidence() as prior:
                self._prior = prior
            case PriorEnvironment() as environment:
                _check_prior(environment, self._prior, sweep.plan)
                self._prior_environments.append(environment)
            case Invocation() as invocation:
                self._invocations.append(self._checked(invocation, sweep))
            case Finding() as finding:
                self._findings.append(finding)
            case MemoryCap() as cap:
                self._memory_cap_mb = cap.memory_mb
            case End() as end:
                self._end = end

    def complete(self, sweep: Sweep) -> Sweep:
        """Return the sweep with everything that was read."""
        throttles = sum(invocation.throttle_count for invocation in self._invocations)
        return dataclasses.replace(
            sweep,
            invocations=tuple(self._invocations),
            findings=tuple(self._findings),
            end=self._end.end if self._end else None,
            wall_s=self._end.wall_s if self._end else 0.0,
            throttle_count=self._end.throttle_count if self._end else throttles,
            memory_cap_mb=self._memory_cap_mb,
            prior=self._prior
            and dataclasses.replace(self._prior, environments=tuple(self._prior_environments)),
        )

    def _checked(self, invocation: Invocation, sweep: Sweep) -> Invocation:
        plan = sweep.plan
        if invocation.index != len(self._invocations):
            raise RecordError(f"index {invocation.index} follows {len(self._invocations) - 1}")
        # The current size is measured even if the operator's limits exclude it.
        if invocation.memory_mb not in {*plan.sizes_mb, sweep.function.memory_mb}:
            raise RecordError(f"{invocation.memory_mb} MB isn't a size of the plan")
        if all(invocation.payload != payload.name for payload in plan.payloads):
            raise RecordError("its payload isn't in the plan")
        if min(_amounts(invocation)) < 0:
            raise RecordError("an amount is negative")
        return invocation


def _check_prior(
    environment: PriorEnvironment, prior: PriorEvidence | None, plan: SweepPlan
) -> None:
    if prior is None:
        raise RecordError("no record says which earlier sweep this belongs to")
    if all(environment.payload != payload.name for payload in plan.payloads):
        raise RecordError("its payload isn't in the plan")
    if not MIN_MEMORY_MB <= environment.memory_mb <= MAX_MEMORY_MB:
        raise RecordError(f"{environment.memory_mb} MB isn't a size")
    if min(environment.durations_ms, default=-1) < 0:
        raise RecordError("it has no duration, or a negative one")


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
        raise RecordError("this isn't a sweep file")
    if version > SCHEMA_VERSION:
        raise RecordError(
            f"the file is of version {version}, this tuner reads up to {SCHEMA_VERSION}: update it"
        )
    if version < 1:
        raise RecordError(
            f"the file is of version {version}, which can't be read any more: tune again"
        )
    if isinstance(goal := record.get("goal"), dict):
        goal.pop("cost_slack_ratio", None)  # from the former rule: the new one answers
    try:
        header = _value(Header, record)
    except UsageError as error:
        raise RecordError(f"the goal is invalid: {error}") from None
    return Sweep(
        plan=header.plan,
        function=header.function,
        environment=header.environment,
        started_at=header.started_at,
        tool_version=header.tool_version,
        file=str(path),
        goal=header.goal,
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
    """Read whole lines, numbered from 1; anything after the last line break was torn off."""
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
        raise SweepFileError(f"{path} can't be read ({error.strerror})") from error


def holds_sweep(path: Path) -> bool:
    """Whether this file has a sweep, which cost money to measure. Raises OSError."""
    return start_of(path).startswith(_SWEEP)


def sweeps_below(folder: Path) -> Iterator[Path]:
    """The files below a folder that have a sweep, in order; what can't be read is left out."""
    for path in sorted(folder.rglob("*.jsonl")):
        with suppress(OSError):
            if path.is_file() and holds_sweep(path):
                yield path


def start_of(path: Path) -> bytes:
    """The beginning of a file; empty without one."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(64)
