"""What a watch found: which function runs away, by what evidence, what it costs, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tuner.model.finding import Finding
    from tuner.model.observation import Window

Evidence = tuple[tuple[str, str | float | None], ...]
"""Names, with their units, and values; None is not known."""


@dataclass(frozen=True, slots=True)
class WatchFinding:
    """A finding about a function: a code and a sentence, and what they rest on. Times are UTC."""

    finding: Finding
    function: str
    since: datetime
    """When it began, as far as the evidence tells."""
    until: datetime | None
    """When it ended; None while it goes on at the window's end."""
    evidence: Evidence
    usd_per_hour: float
    """What it costs an hour now: over the window's last hour, or since it began if that's later; 0
    once it ended."""
    action: str
    """What to do, in a sentence."""


@dataclass(frozen=True, slots=True)
class WatchedFunction:
    """A function that was watched, and what couldn't be judged of it, and why."""

    name: str
    region: str
    architecture: str
    memory_mb: int
    history_days: float
    invocation_count: int
    cost_usd: float
    usd_per_hour: float
    """What all of it costs an hour now: over the window's last hour."""
    prices_as_of: str
    not_judged: tuple[str, ...]
    notes: tuple[Finding, ...]
    """What reading its logs came to."""
    start: datetime | None = None
    """From when on it's told of; what the logs have from before is history."""
    end: datetime | None = None
    """Now, as far as its logs tell."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The answer of `watch`; findings are listed by severity, the dearest first."""

    window: Window
    functions: tuple[WatchedFunction, ...]
    findings: tuple[WatchFinding, ...]

    @property
    def is_alarming(self) -> bool:
        """Whether a warning or an error was found."""
        return any(each.finding.severity != "info" for each in self.findings)
