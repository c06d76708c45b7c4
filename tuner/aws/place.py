"""What was asked and where, and how foreign words are told: the parts of every message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.aws.reference import FunctionRef

_QUOTED_CHARACTERS = 300
_UNTOLD = re.compile(r"\b(?:[0-9]{12}|(?:AKIA|ASIA)[0-9A-Z]{12,})\b")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request went, for messages."""

    region: str | None
    profile: str | None
    endpoint_url: str | None

    @property
    def text(self) -> str:
        """The place in a sentence: the region, and the endpoint if it is not AWS's own."""
        region = self.region or "no region"
        return f"{region} (at {self.endpoint_url})" if self.endpoint_url else region

    @property
    def profile_option(self) -> str:
        """The AWS CLI's option for the same profile, with a space before it."""
        return f" --profile {self.profile}" if self.profile else ""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, for messages."""

    operation: str
    function: FunctionRef | None = None
    qualifier: str | None = None
    memory_mb: int | None = None


def plain(text: object) -> str:
    """Return foreign text fit for one line: bounded, no control characters, ids or keys."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    line = _UNTOLD.sub("…", line)
    return line if len(line) <= _QUOTED_CHARACTERS else line[: _QUOTED_CHARACTERS - 1] + "…"
