"""Writes sweep files, one line at a time."""

from __future__ import annotations

import dataclasses
import glob
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tuner.errors import LeaseError, SweepFileError
from tuner.lease.journal import lock_file, sync_dir
from tuner.model.function import mask_account
from tuner.model.record import to_record
from tuner.sweep.file import (
    RECORD_NAMES,
    SCHEMA_VERSION,
    Header,
    holds_sweep,
    read_sweep,
    start_of,
)

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep
    from tuner.sweep.file import Record


class SweepWriter:
    """Writes one sweep file, readable by its owner only; a context manager."""

    def __init__(
        self,
        path: Path,
        *,
        sync: bool = False,
        replace: bool = False,
        continues: Sweep | None = None,
    ) -> None:
        """Open the file, making its folder; only `replace` lets it replace an earlier sweep.

        `sync` flushes every record to disk before the next invocation, so what was sent is known
        even after a power cut. `continues` is the sweep in this very file being resumed: it stays
        as it is until `settle`. Raises SweepFileError.
        """
        self.path = path
        self._sync = sync
        self._failure: SweepFileError | None = None
        self._continues = continues
        self._beside: Path | None = None
        """Where a resumed sweep is written until it has everything measured before."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if continues is not None:
                _check_unchanged(path, continues)
                resolved = path.resolve()
                _remove_abandoned(resolved)
                self._beside = resolved.with_name(f".{resolved.name}.{os.getpid()}.new")
                path = self._beside
            else:
                _check_free(path, replace=replace)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.fchmod(descriptor, 0o600)
            if self._beside is not None:
                with suppress(OSError, LeaseError):  # not every file system has locks
                    lock_file(descriptor)
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
        header = Header(
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
            with suppress(OSError):  # half a header isn't a sweep: remove it
                os.ftruncate(self._descriptor, 0)
            raise
        if sweep.prior is not None:
            # Kept, so that this one can be answered without the earlier one's file.
            self.append(dataclasses.replace(sweep.prior, environments=()))
            for environment in sweep.prior.environments:
                self.append(environment)
        if self._sync:
            _keep_name(self.path)

    def settle(self) -> None:
        """Replace the earlier sweep with the resumed one, which has all of it by now.

        At any moment one of the two is whole, however this process ends.
        """
        if self._beside is None or self._continues is None:
            return
        _check_unchanged(self.path, self._continues)  # the function's lock has been held since
        try:
            os.fsync(self._descriptor)
            self._beside.replace(self.path.resolve())
        except OSError as error:
            raise self._unwritable(error) from error
        self._beside = None
        _keep_name(self.path)

    def append(self, value: Record) -> None:
        """Append a record; nothing may follow the end."""
        self._write({"record": RECORD_NAMES[type(value)], **to_record(value)})

    def close(self) -> None:
        """Close the file; remove it if nothing was written."""
        if self._descriptor < 0:
            return
        if self._beside is not None:
            self._beside.unlink(missing_ok=True)
        elif os.fstat(self._descriptor).st_size == 0:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1

    def _write(self, record: dict[str, Any]) -> None:
        """Write one line at once, without a buffer: a crash loses no finished invocation."""
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
            f"the sweep file {self.path} can't be written ({error.strerror}): give another `out`"
        )


def _keep_name(path: Path) -> None:
    """Make sure the file's name survives a power cut, if the file system can promise that."""
    with suppress(OSError):
        sync_dir(path.resolve().parent)


def _remove_abandoned(path: Path) -> None:
    """Remove what a killed process wrote beside this file: nobody holds its lock."""
    for beside in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        with suppress(OSError, LeaseError), beside.open("r+b") as file:
            lock_file(file.fileno())
            beside.unlink()


def continued_in(out: Path | None, earlier: Sweep | None) -> Sweep | None:
    """Return the resumed sweep if `out` is its own file: it goes on there."""
    if out is None or earlier is None or earlier.file is None:
        return None
    return earlier if out.resolve() == Path(earlier.file).resolve() else None


def _check_free(path: Path, *, replace: bool) -> None:
    """Raise SweepFileError if the file to be overwritten isn't a sweep, or is to be kept."""
    if not start_of(path):
        return
    if not holds_sweep(path):
        raise SweepFileError(f"{path} exists and isn't a sweep file: give another `out`")
    if not replace:
        raise SweepFileError(
            f"{path} holds a sweep already: give another `out`, `resume` {path} to continue it, "
            "or `force=True` to replace it"
        )


def _check_unchanged(path: Path, earlier: Sweep) -> None:
    """Raise SweepFileError if the file has more, or another sweep, since it was read."""
    now = read_sweep(path)
    if (now.plan.sweep_id, len(now.invocations), now.end) != (
        earlier.plan.sweep_id,
        len(earlier.invocations),
        earlier.end,
    ):
        raise SweepFileError(f"{path} has changed since it was read: run again")
