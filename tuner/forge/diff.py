"""What a unified diff shows of a file's new side."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class NewLine(NamedTuple):
    """A line of the new side; `old_line` is its number before the change, None for an added one."""

    text: str
    old_line: int | None


def new_side(patch: str) -> dict[int, NewLine]:
    """The lines of the new side that a file's patch shows, by number (from 1); no line breaks."""
    found: dict[int, NewLine] = {}
    old = new = 0
    for line in patch.split("\n"):
        if header := _HUNK.match(line):
            old, new = int(header[1]), int(header[2])
        elif new and line.startswith((" ", "+")):
            added = line.startswith("+")
            found[new] = NewLine(line[1:].removesuffix("\r"), None if added else old)
            new, old = new + 1, old + (not added)
        elif new and line.startswith("-"):
            old += 1
    return found
