"""What `tuner live-check` found: what the tool assumes of Lambda, beside what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

State = Literal["same", "differs", "not seen"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing that the tool takes for granted."""

    topic: str
    assumed: str
    seen: str
    """What was seen, or why nothing was."""
    state: State


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured or read: a number in the unit of its name, or a word."""

    name: str
    number: float | None = None
    text: str | None = None

    @property
    def value(self) -> float | str | None:
        """The number or the word."""
        return self.text if self.number is None else self.number


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came, as JSON with account, names and ids replaced."""

    name: str
    body: str


@dataclass(frozen=True, slots=True)
class LiveCheck:
    """One check of one place."""

    environment: Literal["aws", "local"]
    region: str
    runtime: str
    made_at: str
    """UTC, ISO 8601."""
    tool_version: str
    assumptions: tuple[Assumption, ...]
    figures: tuple[Figure, ...] = ()
    replies: tuple[Reply, ...] = ()
    created: bool = False
    """Whether a function was made: without one, the check only read."""
    expected_cost_usd: float = 0.0
    cost_usd: float = 0.0
    wall_s: float = 0.0
    left: tuple[str, ...] = ()
    """What is left of it, which must be nothing."""


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """How much the check does with its own function."""

    sizes_mb: tuple[int, ...] = (128, 256, 512, 832, 1024, 1536, 1769, 3008)
    cpu_s: float = 0.3
    """CPU time of one run: a shorter one reads high, because its first window is a full one."""
    repetitions: int = 3
    alias_count: int = 200
    """Invocations of a weighted alias."""
    sweep_sizes_mb: tuple[int, ...] = (128, 512, 1024)
    sweep_invocations: int = 8
    timeout_s: int = 10
    kills: bool = True
    """Whether a process is killed in the middle of publishing, and recovered."""


Rule = Literal["same", "near", "shown"]
"""How a figure of two places is compared: it must be the same, within a tenth, or is only shown."""

_SHOWN: Final = ("_ms", "_s", "_count", "_verdict")
_NEAR: Final = ("cpu_share", "quota_period")


def rule_of(name: str) -> Rule:
    """How a figure is compared: times and counts are a place's own."""
    if name.startswith(_NEAR):
        return "near"
    return "shown" if name.endswith(_SHOWN) else "same"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure, or one field of a reply, in two places."""

    what: str
    first: str
    second: str
    state: Literal["same", "differs", "shown", "only in one"]


@dataclass(frozen=True, slots=True)
class CheckComparison:
    """A check beside another."""

    first: LiveCheck
    second: LiveCheck
    rows: tuple[Difference, ...]

    def count(self, state: str) -> int:
        """How many rows are in a state."""
        return sum(row.state == state for row in self.rows)
