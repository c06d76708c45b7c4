"""The sweeps kept in the state folder: listing them, and removing old ones."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner import session
from tuner.breakeven.terms import Terms
from tuner.decision.saving import with_saving
from tuner.errors import InputError, SweepFileError, TunerError, UsageError
from tuner.lease.journal import journal_dir
from tuner.model.observation import days_before
from tuner.session.breakeven import saving_needed, with_observed_rate
from tuner.sweep.file import read_sweep
from tuner.sweep.store import SweepStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tuner.model.recommendation import Choice
    from tuner.model.sweep import Sweep

_MAY_RUN: Final = timedelta(days=1)
"""How long a file without an end may belong to a running sweep: none takes longer."""


@dataclass(frozen=True, slots=True)
class KeptSweep:
    """One file; if it can't be read, `sweep` is None and `problem` says why."""

    function: str
    started_at: datetime
    """UTC; for a file that can't be read, when it was last written."""
    file: Path
    size_bytes: int
    sweep: Sweep | None
    problem: str | None
    is_live: bool
    """Whether it is running, or left something for `tuner recover`."""

    def to_dict(self) -> dict[str, Any]:
        """As an entry of `tuner sweeps --json`, with its verdict."""
        sweep, choice, problem = self.sweep, None, self.problem
        try:
            choice = sweep and _choice(sweep)
        except TunerError as error:
            problem = str(error)
        return {
            "id": self.file.stem,
            "function": self.function,
            "started_at": f"{self.started_at:%Y-%m-%dT%H:%M:%SZ}",
            "environment": sweep and sweep.environment,
            "invocation_count": sweep and len(sweep.invocations),
            "cost_usd": sweep and sweep.cost_usd,
            "end": sweep and sweep.end,
            "current_mb": sweep and sweep.function.memory_mb,
            "verdict": choice and choice.verdict,
            "memory_mb": choice and choice.memory_mb,
            "file": str(self.file),
            "size_bytes": self.size_bytes,
            "live": self.is_live,
            "problem": problem,
        }


def list_sweeps(
    state_dir: Path,
    *,
    function: str | None = None,
    environment: str | None = None,
    since: datetime | None = None,
) -> tuple[KeptSweep, ...]:
    """The kept sweeps that match, newest first."""
    store = SweepStore(state_dir)
    found = (
        _read(path, name, state_dir)
        for name in ([function] if function else store.names())
        for path in store.files(name)
    )
    matching = (
        each
        for each in found
        if (since is None or each.started_at >= since)
        and (environment is None or (each.sweep and each.sweep.environment == environment))
    )
    return tuple(sorted(matching, key=lambda each: (each.started_at, each.file.stem), reverse=True))


def choose_old(
    kept: Iterable[KeptSweep],
    *,
    keep: int | None = None,
    older_than_days: float | None = None,
    now: datetime,
) -> tuple[KeptSweep, ...]:
    """The ones in a list (newest first) that may be removed, never a live one.

    A function's newest `keep` stay, and so does anything recent enough. A file that can't be read
    goes by its age alone. Raises UsageError without either limit, or for one that is no age.
    """
    if keep is None and older_than_days is None:
        raise UsageError("say which sweeps may go: give `keep`, `older_than_days`, or both")
    since = (
        None if older_than_days is None else days_before(now, older_than_days, "older_than_days")
    )
    counts: Counter[str] = Counter()
    chosen = []
    for each in kept:
        is_old = since is None or each.started_at < since
        if each.sweep is None:
            may_go = is_old and older_than_days is not None
        else:
            counts[each.function] += 1
            may_go = is_old and (keep is None or counts[each.function] > keep)
        if may_go and not each.is_live:
            chosen.append(each)
    return tuple(chosen)


def remove(chosen: Sequence[KeptSweep], state_dir: Path) -> tuple[KeptSweep, ...]:
    """Remove the files, except those that have become live; return what was removed.

    Raises InputError for one that can't be removed.
    """
    removed = []
    for each in chosen:
        if _is_live(each.file, each.sweep, state_dir):
            continue
        try:
            each.file.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{each.file} can't be removed: {error.strerror}") from None
        removed.append(each)
        with contextlib.suppress(OSError):  # others are still in it
            each.file.parent.rmdir()
    return tuple(removed)


def _read(path: Path, name: str, state_dir: Path) -> KeptSweep:
    stat = path.stat()
    written = datetime.fromtimestamp(stat.st_mtime, UTC)
    sweep, problem = None, None
    try:
        sweep = read_sweep(path)
        written = sweep.began_at
    except SweepFileError as error:
        problem = str(error)
    live = _is_live(path, sweep, state_dir)
    function = name if sweep is None else sweep.function.name
    return KeptSweep(function, written, path, stat.st_size, sweep, problem, live)


def _choice(sweep: Sweep) -> Choice:
    """As `tuner report` has it: a resize that saves too little a month becomes a keep."""
    terms = with_observed_rate(Terms(), sweep.prior)
    return with_saving(session.analyse(sweep), saving_needed(terms))[0]


def _is_live(path: Path, sweep: Sweep | None, state_dir: Path) -> bool:
    if (journal_dir(state_dir) / f"{path.stem}.jsonl").exists():
        return True
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return False
    ended = sweep is not None and sweep.end is not None
    return not ended and datetime.now(UTC) - written < _MAY_RUN
