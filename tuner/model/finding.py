"""Something that the operator should know, with what to do about it.

`findings.toml` beside this file has every code of this version (a saved sweep may have older ones):
what it means, what its message shows, and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuner.errors import parameters_in

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: a stable code for machines, a sentence with evidence and advice for people.

    The sentence names options by their Python parameters, as error messages do.
    """

    code: str
    severity: Severity
    message: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that the message names."""
        return parameters_in(self.message)
