"""What plain text is written with: signs, their stand-ins in ASCII, and wrapped sentences."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Final

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
    """One set of signs; `braille` tells whether a cell can hold 2 × 4 dots."""

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
    """The text as it is, or in ASCII alone (what has no stand-in becomes a question mark)."""
    if glyphs.braille:
        return text
    return text.translate(_STAND_INS).encode("ascii", "replace").decode("ascii")


SIGNS: Final = {"info": "·", "warning": "!", "error": "!!"}
"""What stands before a finding, by its severity."""
MIN_COLUMNS: Final = 40
MAX_COLUMNS: Final = 100
"""Longer lines are hard to read."""


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Lines of at most `width` columns (40 at least, 100 at most); what has no space stays whole.

    `indent` stands before every line but the first.
    """
    return textwrap.wrap(
        text,
        max(min(width, MAX_COLUMNS), MIN_COLUMNS),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
