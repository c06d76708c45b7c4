"""Kept answers to questions about reports, so that the same question opens no database."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_ROWS: Final = 500
_MOST_ANSWERS: Final = 300

Row = tuple[Any, ...]


class Answers:
    """Rows by question, in a file beside the reports."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: dict[str, Any] = {}
        self._is_changed = False
        with suppress(OSError, ValueError):
            found = json.loads(file.read_text(encoding="utf-8"))
            self._found = found if isinstance(found, dict) else {}

    def get(self, sql: str, values: Sequence[Any]) -> list[Row] | None:
        """The rows of a question; None if it wasn't asked."""
        found = self._found.get(_key(sql, values))
        try:
            return None if found is None else [tuple(map(_value, row)) for row in found]
        except (TypeError, ValueError):
            return None

    def keep(self, sql: str, values: Sequence[Any], rows: Sequence[Row]) -> None:
        """Remember the rows of a question, unless they are many."""
        if len(rows) <= _MOST_ROWS and len(self._found) < _MOST_ANSWERS:
            self._found[_key(sql, values)] = [list(row) for row in rows]
            self._is_changed = True

    def save(self) -> None:
        """Write what was added. If the disk is full, the question is asked again next time."""
        if self._is_changed:
            with suppress(OSError, TypeError, ValueError):
                text = json.dumps(self._found, default=_written, allow_nan=False)
                write_whole(self._file, text.encode(), new_mode=0o600)
            self._is_changed = False


def _key(sql: str, values: Sequence[Any]) -> str:
    return hashlib.sha256(repr((_code_stamp(), sql, list(values))).encode()).hexdigest()


@cache
def _code_stamp() -> int:
    """When the newest module beside this one was written: other code, other answers."""
    return max(each.stat().st_mtime_ns for each in Path(__file__).parent.glob("*.py"))


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    raise TypeError(type(value).__name__)


def _value(value: Any) -> Any:
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value
