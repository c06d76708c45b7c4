"""The table of findings, `tuner/model/findings.toml`, as values."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.messages.source import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE: Final = PACKAGE / "model" / "findings.toml"


class FindingCode(NamedTuple):
    """What the table says of a code."""

    severities: tuple[str, ...]
    meaning: str
    evidence: str
    remedy: str


@cache
def finding_codes() -> Mapping[str, FindingCode]:
    """Every code; an entry with more or less than these four parts is none."""
    entries = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    for code, entry in entries.items():
        assert entry.keys() == {*FindingCode._fields}, (
            f"[{code}] of findings.toml has {', '.join(entry)}: it needs "
            f"{', '.join(FindingCode._fields)}"
        )
    return {code: FindingCode(**entry) for code, entry in entries.items()}
