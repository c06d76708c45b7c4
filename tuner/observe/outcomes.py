"""The outcome ledger: one line of JSON for each verified forecast, in the state folder.

A line is only ever added, in one write, so that no reader or crash sees half of another's; a sweep
that is verified again has a later line, which counts in place of the earlier ones.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tuner.errors import InputError
from tuner.model.record import RecordError, from_record, to_record
from tuner.model.verification import Outcome

if TYPE_CHECKING:
    from pathlib import Path


def ledger_file(state_dir: Path) -> Path:
    """Where it is."""
    return state_dir / "outcomes.jsonl"


def keep_outcome(state_dir: Path, outcome: Outcome) -> None:
    """Add an outcome. Raises InputError where the file can't be written."""
    file = ledger_file(state_dir)
    line = json.dumps(to_record(outcome), allow_nan=False).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, b"\n" + line if torn else line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(f"the ledger {file} can't be written ({error.strerror})") from None


def read_outcomes(state_dir: Path) -> tuple[Outcome, ...]:
    """The latest outcome of each sweep, in order of time; torn or foreign lines are left out."""
    found: dict[str, Outcome] = {}
    try:
        lines = ledger_file(state_dir).read_bytes().splitlines()
    except OSError:
        return ()
    for line in lines:
        with suppress(ValueError, RecordError, RecursionError):
            outcome = from_record(Outcome, json.loads(line))
            found[outcome.sweep_id] = outcome
    return tuple(sorted(found.values(), key=lambda each: each.verified_at))
