"""Something that the operator should know, with what to do about it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import parameters_in

if TYPE_CHECKING:
    from collections.abc import Mapping

Severity = Literal["info", "warning", "error"]
TABLE: Final = Path(__file__).with_name("findings.toml")


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: a stable code for machines, a sentence with evidence and advice for people.

    The sentence names an option by its parameter in Python, as the message of an error does.
    """

    code: str
    severity: Severity
    message: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the message names."""
        return parameters_in(self.message)


@dataclass(frozen=True, slots=True)
class FindingCode:
    """What the table says of a code."""

    severities: tuple[Severity, ...]
    meaning: str
    evidence: str
    """What the message tells of this one case."""
    remedy: str


@cache
def finding_codes() -> Mapping[str, FindingCode]:
    """Every code that a finding of this version can have; a saved sweep may hold older ones."""
    entries = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        code: FindingCode(tuple(each["severities"]), *(each[name] for name in _TEXTS))
        for code, each in entries.items()
    }


_TEXTS: Final = ("meaning", "evidence", "remedy")
