"""The hidden line by which a comment is found again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import quote, unquote

_LINE: Final = re.compile(
    r'<!-- lambda-tuner:comment key="(?P<key>[^"<>]*)" measured="(?P<measured>[0-9TZ:.+-]+)" -->'
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Which comment this is (`key`), and when what it shows was measured (UTC)."""

    key: str
    measured: datetime

    def __str__(self) -> str:
        """An HTML comment, which forges do not show. The key is percent-encoded: none ends it."""
        measured = self.measured.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return (
            f'<!-- lambda-tuner:comment key="{quote(self.key, safe="")}" measured="{measured}" -->'
        )

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
        return cls(unquote(match["key"]), measured)
