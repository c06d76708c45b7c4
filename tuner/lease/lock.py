"""Keeps two sweeps of one function apart, and a sweep and a recovery.

On one machine, with a locked file. Between machines, with a tag on the function, which isn't
atomic: two sweeps that begin at the same moment may both see their own. The tag advises, and
RevisionId arbitrates. It holds the sweep's id and the original memory, so any machine can restore
the function when the journal's machine is gone.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tuner.errors import AccessDeniedError, AwsError, FunctionNotFoundError, LeaseError
from tuner.lease.journal import lock_file, make_private_dir
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.lease.function_control import FunctionControl, LeaseIO
    from tuner.lease.journal import Journal
    from tuner.lease.unfinished import JournalHeader
    from tuner.model.function import FunctionConfig

SWEEP_TAG: Final = "lambda-tuner-sweep"
# A tag's value can hold letters, digits, spaces and _ . : / = + - @ only.
_VALUE = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,79}) ([1-9][0-9]{0,4}) MB")


@contextmanager
def function_lock(state_dir: Path, header: JournalHeader) -> Iterator[None]:
    """Hold the lock of a function (by region, name and a digest of account and endpoint).

    The kernel frees it however the process ends; the file stays, because removing a locked file
    would let in two holders. Raises LeaseError if another process holds it.
    """
    function = header.function
    name = f"{function.region}.{function.name}.{header.function_digest[:12]}"
    path = state_dir / "locks" / (re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".lock")
    try:
        make_private_dir(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LeaseError(f"the lock {path} can't be created ({error.strerror})") from error
    try:
        try:
            lock_file(descriptor)
        except BlockingIOError as error:
            raise LeaseError(
                f"another sweep (or rollout, or recovery) of {function.name} is running on this "
                "machine: wait for it to end, or stop it"
            ) from error
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class SweepTag:
    """Which sweep has a function, and what its memory was before."""

    sweep_id: str
    memory_mb: int

    @property
    def value(self) -> str:
        """The tag's value."""
        return f"{self.sweep_id} {self.memory_mb} MB"

    @classmethod
    def parse(cls, value: str) -> Self | None:
        """Read a tag's value; None if no sweep wrote it."""
        match = _VALUE.fullmatch(value)
        return cls(match[1], int(match[2])) if match else None


class FunctionTag:
    """The tag of one sweep on its function."""

    def __init__(self, function: FunctionConfig, sweep_id: str, io: LeaseIO) -> None:
        self._name = function.name
        self._arn = function.arn
        self._value = SweepTag(sweep_id, function.memory_mb).value
        self._io = io
        self._may_stand = False

    def set(self, journal: Journal) -> Finding | None:
        """Tag the function; return a finding if tags aren't permitted.

        Raises LeaseError if another sweep has tagged it, and AwsError.
        """
        try:
            self._refuse_other(self._io.control.read_tags(self._arn).get(SWEEP_TAG))
            journal.announce("tag")
            self._may_stand = True
            try:
                self._io.control.set_tag(self._arn, SWEEP_TAG, self._value)
            except AccessDeniedError:
                self._may_stand = has_tag(self._arn, self._value, self._io.control)
                raise
            self._refuse_other(self._io.control.read_tags(self._arn).get(SWEEP_TAG))
        except AccessDeniedError as error:
            return _unmarked_finding(error)
        return None

    def remove(self) -> None:
        """Remove the tag, if it's this sweep's. Raises AwsError."""
        if self._may_stand:
            remove_sweep_tag(self._arn, self._value, self._io)

    def _refuse_other(self, value: str | None) -> None:
        if value in (None, self._value):
            return
        raise LeaseError(
            f"{self._name}: its tag {SWEEP_TAG} says another sweep is using it, perhaps on another "
            f"machine. If none is running: tuner recover `function={self._name}`"
        )


def has_tag(arn: str, value: str, control: FunctionControl) -> bool:
    """Whether the function has this tag; False if tags can't be read. Raises AwsError."""
    try:
        return control.read_tags(arn).get(SWEEP_TAG) == value
    except AccessDeniedError:
        return False


def remove_sweep_tag(arn: str, value: str, io: LeaseIO) -> None:
    """Remove a tag unless it's another sweep's, and confirm that it's gone. Raises AwsError.

    A read without it may be stale, so it's removed even then.
    """

    def attempt() -> None:
        found = io.control.read_tags(arn).get(SWEEP_TAG)
        if found not in (None, value):
            return
        try:
            io.control.remove_tag(arn, SWEEP_TAG)
        except AccessDeniedError:
            if found is None:  # without permission to remove a tag, it was hardly set
                return
            raise
        if io.control.read_tags(arn).get(SWEEP_TAG) == value:
            raise AwsError("it is still set")

    try:
        io.retry(attempt)
    except FunctionNotFoundError:
        return


def _unmarked_finding(error: AccessDeniedError) -> Finding:
    return Finding(
        "no_lock_between_machines",
        "warning",
        f"The function couldn't be tagged as being swept ({error.action or 'tagging'} isn't "
        "allowed), so a sweep of it from another machine might not be noticed right away. "
        "RevisionIds still keep the two from overwriting each other.",
    )
