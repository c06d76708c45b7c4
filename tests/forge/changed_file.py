"""A file of a change: its diff as a forge gives it, and the lines that a comment may stand on."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

CONTEXT = 3


@dataclass
class ChangedFile:
    before: str
    after: str

    @property
    def patch(self) -> str:
        """Hunks alone, without the headers that name files: what both forges give."""
        old, new = self.before.split("\n"), self.after.split("\n")
        diff = difflib.unified_diff(old, new, n=CONTEXT, lineterm="")
        return "\n".join(list(diff)[2:])

    @property
    def lines(self) -> dict[int, int | None]:
        """Of the new side, by number: the old number, None for an added line."""
        old, new = self.before.split("\n"), self.after.split("\n")
        found: dict[int, int | None] = {}
        matcher = difflib.SequenceMatcher(None, old, new)
        for group in matcher.get_grouped_opcodes(CONTEXT):
            for tag, at, _, start, end in group:
                for offset in range(end - start):
                    found[start + offset + 1] = at + offset + 1 if tag == "equal" else None
        return found

    def moved(self, line: int | None, after: str) -> int | None:
        """Where a line is once the file reads `after`; None where it is gone."""
        if line is None:
            return None
        text, new = self.after.split("\n")[line - 1], after.split("\n")
        return new.index(text) + 1 if new.count(text) == 1 else None
