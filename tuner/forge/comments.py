"""Comments and suggestions on lines: one per key, posted once, updated in place, or withdrawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self, cast
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.forge.protocol import Comment, Forge, Remark, Suggestion


Action = Literal["posted", "updated", "unchanged", "newer_there"]


class Delivery(NamedTuple):
    """What was done, and where the comment is."""

    action: Action
    url: str


def deliver(forge: Forge, text: str, *, key: str, measured: datetime) -> Delivery:
    """Bring `text` to the pull request as the comment `key`. Raises ForgeError.

    A comment with a later measurement stays. Concurrent runs may each post: every run looks again
    after posting, and all of them keep the oldest comment with the newest text.
    """
    body = f"{text.rstrip()}\n\n{Marker(key, measured)}"
    there = _with_key(forge, key)
    if not there:
        posted = forge.create(body)
        there = _with_key(forge, key)
        if len(there) < 2:
            return Delivery("posted", posted.url)
    kept, *others = there
    newest = max(there, key=_measured)
    wanted = body
    action: Action = "updated"
    if _measured(newest) > measured:
        wanted, action = newest.body, "newer_there"
    elif is_same(kept.body, body):
        action = "unchanged"
    if not is_same(kept.body, wanted):
        kept = forge.update(kept, wanted)
    for other in others:
        forge.delete(other)
    return Delivery(action, kept.url)


def is_newer_there(forge: Forge, *, key: str, measured: datetime) -> bool:
    """Whether a comment with a later measurement exists. Raises ForgeError."""
    return any(_measured(comment) > measured for comment in _with_key(forge, key))


def _with_key(forge: Forge, key: str) -> list[Comment]:
    marked = ((comment, Marker.of(comment.body)) for comment in forge.own_comments())
    return [each for each, its in marked if its and (its.kind, its.key) == ("comment", key)]


def _measured(comment: Comment) -> datetime:
    marker = Marker.of(comment.body)
    assert marker is not None
    return marker.measured


def is_same(one: str, other: str) -> bool:
    """Whether two texts are the same except for line breaks, which forges rewrite."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


Kind = Literal["comment", "suggestion", "withdrawn"]
_LINE: Final = re.compile(
    r"<!-- lambda-tuner:(?P<kind>comment|suggestion|withdrawn) "
    r'key="(?P<key>[^"<>]*)" measured="(?P<measured>[0-9TZ:.+-]+)" -->'
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Which comment this is (`key`), and when its content was measured (UTC)."""

    key: str
    measured: datetime
    kind: Kind = "comment"

    def __str__(self) -> str:
        """An HTML comment, which forges don't show. A percent-encoded key can't end it."""
        measured = self.measured.astimezone(UTC).isoformat().replace("+00:00", "Z")
        key = quote(self.key, safe="")
        return f'<!-- lambda-tuner:{self.kind} key="{key}" measured="{measured}" -->'

    @classmethod
    def of(cls, body: str) -> Self | None:
        """The marker in a comment's last line; None if it has none.

        Only the last line counts, so a quoted marker isn't taken for the comment's own.
        """
        match = _LINE.fullmatch(body.rstrip().rpartition("\n")[2].strip())
        if match is None:
            return None
        try:
            measured = datetime.fromisoformat(match["measured"])
        except ValueError:
            return None
        if measured.tzinfo is None:
            return None
        return cls(unquote(match["key"]), measured, cast("Kind", match["kind"]))


_WITHDRAWN: Final = "Withdrawn: a newer measurement says something else; see the comment."


def suggest(
    forge: Forge, suggestions: Sequence[Suggestion], *, key: str, measured: datetime
) -> set[str]:
    """Bring the suggestions of the comment `key` to their lines; return the subjects that have one
    now.

    A suggestion whose line isn't in the diff, or differs there, isn't posted. What an earlier run
    suggested and this one doesn't is removed, or withdrawn in words if somebody replied. Raises
    ForgeError.
    """
    shown = [each for each in suggestions if forge.shows(each)]
    standing = _remarks_with_key(forge, key)
    kept: set[str] = set()
    for subject, remark in standing:
        wanted = [each for each in shown if each.subject == subject and subject not in kept]
        if wanted and (remark.path, remark.line) == (wanted[0].path, wanted[0].line):
            kept.add(subject)
            body = _body(forge, wanted[0], key, measured)
            if not is_same(remark.body, body):
                forge.update_remark(remark, body)
        else:
            _withdraw(forge, remark, key, measured)
    posted = [each for each in shown if each.subject not in kept]
    for each in posted:
        forge.remark(each, _body(forge, each, key, measured))
    if posted:
        _keep_the_oldest(forge, key, measured)
    return {each.subject for each in shown}


def _keep_the_oldest(forge: Forge, key: str, measured: datetime) -> None:
    """Concurrent runs may each post: all of them keep the first."""
    seen: set[str] = set()
    for subject, remark in _remarks_with_key(forge, key):
        if subject in seen:
            _withdraw(forge, remark, key, measured)
        seen.add(subject)


def _remarks_with_key(forge: Forge, key: str) -> list[tuple[str, Remark]]:
    """The comment's remarks, by subject, oldest first."""
    found = []
    for remark in forge.own_remarks():
        marker = Marker.of(remark.body)
        if marker is not None and marker.kind == "suggestion":
            its_key, _, subject = marker.key.rpartition(" ")
            if its_key == key:
                found.append((subject, remark))
    return found


def _withdraw(forge: Forge, remark: Remark, key: str, measured: datetime) -> None:
    if remark.answered:
        marker = Marker(key, measured, "withdrawn")
        forge.update_remark(remark, f"{_WITHDRAWN}\n\n{marker}")
    else:
        forge.delete_remark(remark)


def _body(forge: Forge, suggestion: Suggestion, key: str, measured: datetime) -> str:
    """The fence is longer than any run of backticks in the line, so nothing ends it early."""
    longest = max(map(len, re.findall(r"`+", suggestion.after)), default=0)
    fence = "`" * max(3, longest + 1)
    marker = Marker(f"{key} {suggestion.subject}", measured, "suggestion")
    return f"{suggestion.words}\n\n{fence}{forge.block}\n{suggestion.after}\n{fence}\n\n{marker}"


_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


class NewLine(NamedTuple):
    """A line on the new side; `old_line` is its number before the change, None for an added one."""

    text: str
    old_line: int | None


def new_side(patch: str) -> dict[int, NewLine]:
    """The new-side lines that a file's patch shows, by number (from 1), without line breaks."""
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
