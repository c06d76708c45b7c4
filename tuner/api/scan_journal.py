"""What a scan has read so far, on disk, so that an interrupted scan resumes and pays once.

One file a scan, `scans/<digest of what was asked>.jsonl` in the state folder, readable by its owner
only: a header, then a line for each answer. It's removed when the scan is done. Names of functions
and sums are in it; no log line is, and no setting that isn't shown.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

from tuner.errors import InputError
from tuner.model.observation import days_before

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA_VERSION: Final = 2
KEPT_FOR: Final = timedelta(hours=24)
"""An older journal says too little about the account today."""


@dataclass(frozen=True, slots=True)
class ScanWindow:
    """When the scan began, and the time that it looks at."""

    begun_at: datetime
    start: datetime
    end: datetime


class ScanJournal:
    """Answers by key. A line cut off by a power failure counts as not asked."""

    def __init__(self, file: Path, window: ScanWindow, kept: dict[str, Any]) -> None:
        self.file = file
        self.window = window
        self.resumed_count = len(kept)
        self._kept = kept
        self._out: TextIO | None = None

    @classmethod
    def open(
        cls, state_dir: Path, asked: object, *, now: datetime, days: float, restart: bool = False
    ) -> Self:
        """Resume the scan with the same request, or begin one. Raises UsageError and InputError."""
        text = json.dumps([SCHEMA_VERSION, asked], sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        file = state_dir / "scans" / f"{name}.jsonl"
        window, kept = _read(file)
        is_new = restart or window is None or abs(now - window.begun_at) > KEPT_FOR
        if window is None or is_new:
            end = now.replace(minute=0, second=0, microsecond=0)
            window, kept = ScanWindow(now, days_before(end, days), end), {}
        journal = cls(file, window, kept)
        journal._begin(is_new=is_new)
        return journal

    def once(self, key: str, ask: Callable[[], Any]) -> Any:
        """Return the kept answer for a key, or ask and keep it; it must be JSON."""
        if key not in self._kept:
            self.keep(key, ask())
        return self._kept[key]

    def get(self, key: str) -> Any:
        """The kept answer for a key; None without one."""
        return self._kept.get(key)

    def keep(self, key: str, answer: Any) -> None:
        """Keep an answer. Raises InputError if it can't be written."""
        self._kept[key] = answer
        self._write({"key": key, "answer": answer})

    def done(self) -> None:
        """Remove the file: nothing is left to resume."""
        self.close()
        self.file.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and keep it for the next run."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, *, is_new: bool) -> None:
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_CREAT | os.O_WRONLY | (os.O_TRUNC if is_new else os.O_APPEND)
            self._out = os.fdopen(os.open(self.file, flags, 0o600), "a", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{self.file} can't be written: {error.strerror}") from None
        if is_new:
            times = (self.window.begun_at, self.window.start, self.window.end)
            self._write({"window": [each.isoformat() for each in times]})
        else:
            self._out.write("\n")  # ends a line that was cut off

    def _write(self, line: dict[str, Any]) -> None:
        assert self._out is not None
        try:
            self._out.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._out.flush()
            os.fsync(self._out.fileno())
        except OSError as error:
            raise InputError(f"{self.file} can't be written: {error.strerror}") from None


def _read(file: Path) -> tuple[ScanWindow | None, dict[str, Any]]:
    window, kept = None, {}
    with contextlib.suppress(OSError), file.open(encoding="utf-8", errors="replace") as lines:
        for text in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
                line = json.loads(text)
                if "window" in line:
                    window = ScanWindow(*map(datetime.fromisoformat, line["window"]))
                else:
                    kept[line["key"]] = line["answer"]
    return window, kept
