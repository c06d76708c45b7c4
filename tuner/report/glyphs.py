"""The signs that a report draws with, and their stand-ins where an encoding lacks them."""

from __future__ import annotations

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
