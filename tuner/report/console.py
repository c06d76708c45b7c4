"""Parts of text output: signs, their ASCII stand-ins, wrapped sentences, and tables."""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from tuner.model.finding import Finding

_STAND_INS: Final = str.maketrans(
    {
        "·": "-",
        "–": "-",
        "−": "-",
        "—": "-",
        "→": "->",
        "±": "+-",
        "×": "x",
        "▶": ">",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "’": "'",
        "µ": "u",
    }
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; `braille` says whether a cell can have 2 × 4 dots."""

    braille: bool
    measured: str
    recommended: str
    current: str
    axis_y: str
    axis_x: str
    corner: str
    tick: str


UNICODE: Final = Glyphs(True, "●", "◆", "◇", "│", "─", "└", "┴")
ASCII: Final = Glyphs(False, "o", "R", "N", "|", "-", "+", "+")


def glyphs_for(encoding: str) -> Glyphs:
    """The richest set that the encoding can show; plain ASCII for an unknown encoding."""
    try:
        "⠿●◆◇│─└┴▶−±→".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def fit_to(text: str, glyphs: Glyphs) -> str:
    """The text as it is, or in ASCII only (without a stand-in, a question mark)."""
    if glyphs.braille:
        return text
    return text.translate(_STAND_INS).encode("ascii", "replace").decode("ascii")


def as_text(lines: Iterable[str], encoding: str) -> str:
    """Lines as one text that the encoding can show; nothing foreign in them acts on a terminal."""
    return fit_to("\n".join(map(plain, lines)) + "\n", glyphs_for(encoding))


SIGNS: Final = {"info": "·", "warning": "!", "error": "!!"}
"""The sign before a finding, by severity."""
MIN_COLUMNS: Final = 40
MAX_COLUMNS: Final = 100
"""Longer lines are hard to read."""


def remark(finding: Finding) -> str:
    """A finding behind its sign."""
    return f"{SIGNS[finding.severity]} {plain(finding.message)}"


def paragraphs(texts: Iterable[str], width: int, *, indent: str = "") -> list[str]:
    """The lines of each text, as `wrapped` breaks it."""
    return [line for text in texts for line in wrapped(text, width, indent=indent)]


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Lines of at most `width` columns (at least 40, at most 100); unbroken words stay whole.

    `indent` begins every line except the first.
    """
    return textwrap.wrap(
        text,
        max(min(width, MAX_COLUMNS), MIN_COLUMNS),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table_lines(rows: Sequence[Sequence[str]], justify: str, *, indent: int = 2) -> list[str]:
    """Lines of a table, as wide as its cells; `justify` has `<` or `>` for each column.

    A column without any cell is left out.
    """
    from rich.padding import Padding  # noqa: PLC0415 - not needed for every line on stderr
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    shown = [column for column in range(len(justify)) if any(row[column] for row in rows)]
    table = Table.grid(padding=(0, 2, 0, 0))
    for column in shown:
        table.add_column(justify="right" if justify[column] == ">" else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(row[column]) for column in shown))
    console = text_console(10_000)
    console.print(Padding(table, (0, 0, 0, indent)))
    return printed_lines(console)


def table_below(head: Sequence[str], rows: Iterable[Sequence[str]], justify: str) -> list[str]:
    """An empty line and the table; nothing without a row."""
    found = [*rows]
    return ["", *table_lines([head, *found], justify)] if found else []


def text_console(width: int, *, color: bool = False) -> Console:
    """A console that keeps what is printed on it, whatever the environment says."""
    from rich.console import Console  # noqa: PLC0415 - as above

    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )


def printed_lines(console: Console) -> list[str]:
    """What was printed on a `text_console`, without spaces at the ends of lines."""
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]
