"""The hidden line by which a comment is found again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Self, cast
from urllib.parse import quote, unquote

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
