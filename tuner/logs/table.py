"""Reads tables that CloudWatch's console exports as CSV: rows of a query, or of events.

A message may go over several lines between quotes. A quote that never ends costs its own row: the
next line begins anew.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Final

from tuner.logs.messages import REPORT
from tuner.logs.records import is_header, read_row
from tuner.logs.unpacked import TornFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.logs.lines import LineReader

_SEPARATORS: Final = ",;\t"
_MOST_HEADER: Final = 4096
_MOST_ROW: Final = 2 << 20
"""Characters of a row; a message has a million at most."""
_MOST_ROW_LINES: Final = 20_000


class Header:
    """Names of a table's columns, and how they are separated."""

    def __init__(self, names: tuple[str, ...], separator: str) -> None:
        self.names = names
        apart = re.escape(separator)
        self._cell = re.compile(
            rf' *"([^"]*(?:""[^"]*)*)" *(?={apart}|$)|([^{apart}"]*)(?={apart}|$)'
        )

    def cells(self, row: str) -> list[str] | None:
        """The values of a row; None where quotes stand elsewhere than around a value."""
        found, at = [], 0
        while at <= len(row):
            cell = self._cell.match(row, at)
            if cell is None:
                return None
            quoted, bare = cell.groups()
            found.append(bare if quoted is None else quoted.replace('""', '"'))
            at = cell.end() + 1
        return found


def header_of(text: str) -> Header | None:
    """The header of a table that begins here; None where it is none."""
    line = text.lstrip().partition("\n")[0].strip()
    if len(line) > _MOST_HEADER:
        return None
    for separator in _SEPARATORS:
        names = tuple(name.strip().strip('"') for name in line.split(separator))
        if is_header(names):
            return Header(names, separator)
    return None


def read_table(reader: LineReader, header: Header, lines: Iterator[str]) -> None:
    """Read the rows below the header. Raises TornFileError behind a last row that is cut off."""
    messages, names = reader.messages, header.names
    rows = _rows(header, lines)
    next(rows)
    cells: list[str] | None = []
    for number, line, cells in rows:
        messages.number = number
        if cells is not None and len(cells) == len(names):
            read_row(messages, {k: v for k, v in zip(names, cells, strict=True) if v})
        elif REPORT in line or "platform.report" in line:
            why = "in a row whose quotes don't end"
            if cells is not None:
                why = f"in a row of {len(cells)} columns below {len(names)}"
            messages.collector.cannot_read(messages.origin.source, number, why, line)
    if cells is None:
        raise TornFileError("a table whose last row is cut off")


def _rows(header: Header, lines: Iterator[str]) -> Iterator[tuple[int, str, list[str] | None]]:
    """Rows with text in them: the number of its first line, that line, and its values; None for a
    line whose quotes don't end, behind which the next one begins a row.
    """
    again: deque[str] = deque()
    number = 0

    def following() -> str | None:
        return again.popleft() if again else next(lines, None)

    while (line := following()) is not None:
        number += 1
        parts, length, is_open = [line], len(line), line.count('"') % 2 == 1
        while is_open and length < _MOST_ROW and len(parts) < _MOST_ROW_LINES:
            if (more := following()) is None:
                break
            parts.append(more)
            length += len(more)
            is_open ^= more.count('"') % 2 == 1
        cells = None if is_open else header.cells("\n".join(parts).removesuffix("\r"))
        if cells is None:
            again.extendleft(reversed(parts[1:]))
        if line.strip():
            yield number, line, cells
        if cells is not None:
            number += len(parts) - 1
