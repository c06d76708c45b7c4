"""What an earlier sweep says about a function before it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PriorEnvironment:
    """What one execution environment took with one payload, warm or cold.

    `payload` is this sweep's name for it.
    """

    payload: str
    memory_mb: int
    environment: str
    cold: bool
    durations_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ProductionSize:
    """What production's invocations took at one size: durations by the latest version that ran
    there, memory by all of them. None: not known.
    """

    memory_mb: int
    invocation_count: int
    mean_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    max_memory_used_mb: int | None = None
    oom_count: int = 0


@dataclass(frozen=True, slots=True)
class PriorEvidence:
    """Evidence from another source, kept with the sweep that it informs.

    For an earlier sweep, `source_id` is its id. `differs` names what has changed since (the code,
    the region): if it's empty, the evidence informs the curves' level and shape, otherwise only
    their shape, and less surely.
    """

    source_id: str
    started_at: str
    code_sha256: str
    source: Literal["sweep", "observation"] = "sweep"
    differs: tuple[str, ...] = ()
    other_events: tuple[str, ...] = ()
    """Payloads whose event has changed: for them, too, it informs the shape alone."""
    killed_mb: int | None = None
    """The largest size that was killed for memory; None if the code has changed."""
    environments: tuple[PriorEnvironment, ...] = ()
    rate_per_s: float | None = None
    """Of an observation: invocations a second in production."""
    cold_start_share: float | None = None
    """Of an observation: how many of them were cold starts."""
    production: tuple[ProductionSize, ...] = ()
    """Of an observation: its sizes, ascending."""

    def tells_level(self, payload: str) -> bool:
        """Whether nothing that matters has changed since."""
        return not self.differs and payload not in self.other_events

    @property
    def payloads(self) -> tuple[str, ...]:
        """The payloads that it covers."""
        return tuple(sorted({each.payload for each in self.environments}))

    @property
    def sizes_mb(self) -> tuple[int, ...]:
        """The sizes that were sampled, ascending."""
        return tuple(sorted({each.memory_mb for each in self.environments}))

    @property
    def sample_count(self) -> int:
        """Number of invocations in it."""
        return sum(len(each.durations_ms) for each in self.environments)
