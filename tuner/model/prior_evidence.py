"""What is known of a function before it is measured: by an earlier sweep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PriorEnvironment:
    """What one execution environment took with one payload, warm or cold.

    `payload` is the name that this sweep has for it.
    """

    payload: str
    memory_mb: int
    environment: str
    cold: bool
    durations_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PriorEvidence:
    """Evidence of another source, kept with the sweep that it informs.

    Of an earlier sweep, `source_id` is its id. `differs` names what is not as it was then (the
    code, the region): where it is empty, it informs level and shape of the curves, otherwise their
    shape alone, and less surely.
    """

    source_id: str
    started_at: str
    code_sha256: str
    source: Literal["sweep"] = "sweep"
    differs: tuple[str, ...] = ()
    other_events: tuple[str, ...] = ()
    """Payloads whose event is another than then: it informs their shape alone, too."""
    killed_mb: int | None = None
    """The largest size that was killed for memory; None where the code is another."""
    environments: tuple[PriorEnvironment, ...] = ()

    def tells_level(self, payload: str) -> bool:
        """Whether nothing that matters has changed since."""
        return not self.differs and payload not in self.other_events

    @property
    def payloads(self) -> tuple[str, ...]:
        """The payloads that it tells of."""
        return tuple(sorted({each.payload for each in self.environments}))

    @property
    def sizes_mb(self) -> tuple[int, ...]:
        """The sizes that were sampled, ascending."""
        return tuple(sorted({each.memory_mb for each in self.environments}))

    @property
    def sample_count(self) -> int:
        """Invocations that it rests on."""
        return sum(len(each.durations_ms) for each in self.environments)
