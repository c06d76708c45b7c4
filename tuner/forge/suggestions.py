"""Suggestions on lines of the change: each posted once, renewed, or withdrawn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.forge.comments import Marker, is_same

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tuner.forge.protocol import Remark, Review, Suggestion


_WITHDRAWN: Final = "Withdrawn: a newer measurement says something else; see the comment."


def suggest(
    review: Review, suggestions: Sequence[Suggestion], *, key: str, measured: datetime
) -> set[str]:
    """Bring the suggestions of the comment `key` to their lines; return whose stand there now.

    One whose line the diff does not show (or shows otherwise) is not posted. What an earlier run
    suggested and this one does not is removed, or withdrawn in words where somebody replied.
    Raises ForgeError.
    """
    shown = [each for each in suggestions if review.shows(each)]
    standing = _with_key(review, key)
    kept: set[str] = set()
    for subject, remark in standing:
        wanted = [each for each in shown if each.subject == subject and subject not in kept]
        if wanted and (remark.path, remark.line) == (wanted[0].path, wanted[0].line):
            kept.add(subject)
            body = _body(review, wanted[0], key, measured)
            if not is_same(remark.body, body):
                review.update_remark(remark, body)
        else:
            _withdraw(review, remark, key, measured)
    posted = [each for each in shown if each.subject not in kept]
    for each in posted:
        review.remark(each, _body(review, each, key, measured))
    if posted:
        _keep_the_oldest(review, key, measured)
    return {each.subject for each in shown}


def _keep_the_oldest(review: Review, key: str, measured: datetime) -> None:
    """Runs at the same time may each post: all keep the first one."""
    seen: set[str] = set()
    for subject, remark in _with_key(review, key):
        if subject in seen:
            _withdraw(review, remark, key, measured)
        seen.add(subject)


def _with_key(review: Review, key: str) -> list[tuple[str, Remark]]:
    """The comment's remarks, by subject, oldest first."""
    found = []
    for remark in review.own_remarks():
        marker = Marker.of(remark.body)
        if marker is not None and marker.kind == "suggestion":
            its_key, _, subject = marker.key.rpartition(" ")
            if its_key == key:
                found.append((subject, remark))
    return found


def _withdraw(review: Review, remark: Remark, key: str, measured: datetime) -> None:
    if remark.answered:
        marker = Marker(key, measured, "withdrawn")
        review.update_remark(remark, f"{_WITHDRAWN}\n\n{marker}")
    else:
        review.delete_remark(remark)


def _body(review: Review, suggestion: Suggestion, key: str, measured: datetime) -> str:
    """The fence is longer than every run of backticks in the line, so that nothing ends it."""
    longest = max(map(len, re.findall(r"`+", suggestion.after)), default=0)
    fence = "`" * max(3, longest + 1)
    marker = Marker(f"{key} {suggestion.subject}", measured, "suggestion")
    return f"{suggestion.words}\n\n{fence}{review.block}\n{suggestion.after}\n{fence}\n\n{marker}"


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
