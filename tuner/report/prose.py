"""Sentences on the lines of a terminal."""

from __future__ import annotations

import textwrap
from typing import Final

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
