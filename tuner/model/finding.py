"""Something that the operator should know, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: a stable code for machines, a sentence with evidence and advice for people."""

    code: str
    severity: Severity
    message: str
