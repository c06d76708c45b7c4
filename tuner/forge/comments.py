"""One comment a key: posted, updated in place, or left alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self, cast
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from tuner.forge.protocol import Comment, Forge


Action = Literal["posted", "updated", "unchanged", "newer_there"]


class Delivery(NamedTuple):
    """What was done, and where the comment is."""

    action: Action
    url: str


def deliver(forge: Forge, text: str, *, key: str, measured: datetime) -> Delivery:
    """Bring `text` to the pull request as the comment `key`. Raises ForgeError.

    A comment of a later measurement stays as it is. Runs at the same time may each post: every run
    looks again behind its own post, and all keep the oldest comment with the newest text.
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
    """Whether a comment of a later measurement is there. Raises ForgeError."""
    return any(_measured(comment) > measured for comment in _with_key(forge, key))


def _with_key(forge: Forge, key: str) -> list[Comment]:
    found = []
    for comment in forge.own_comments():
        marker = Marker.of(comment.body)
        if marker is not None and (marker.kind, marker.key) == ("comment", key):
            found.append(comment)
    return found


def _measured(comment: Comment) -> datetime:
    marker = Marker.of(comment.body)
    assert marker is not None
    return marker.measured


def is_same(one: str, other: str) -> bool:
    """Whether two texts are the same but for line breaks, which forges rewrite."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


Kind = Literal["comment", "suggestion", "withdrawn"]
_LINE: Final = re.compile(
    r"<!-- lambda-tuner:(?P<kind>comment|suggestion|withdrawn) "
    r'key="(?P<key>[^"<>]*)" measured="(?P<measured>[0-9TZ:.+-]+)" -->'
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Which comment this is (`key`), and when what it shows was measured (UTC)."""

    key: str
    measured: datetime
    kind: Kind = "comment"

    def __str__(self) -> str:
        """An HTML comment, which forges do not show. The key is percent-encoded: none ends it."""
        measured = self.measured.astimezone(UTC).isoformat().replace("+00:00", "Z")
        key = quote(self.key, safe="")
        return f'<!-- lambda-tuner:{self.kind} key="{key}" measured="{measured}" -->'

    @classmethod
    def of(cls, body: str) -> Self | None:
        """The marker that is a comment's last line; None where it has none.

        Only the last line counts, so that what a comment quotes is not taken for its own.
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
