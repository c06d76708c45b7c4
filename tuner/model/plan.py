"""What a sweep is going to do, as data: shown, agreed to, then carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Isolation = Literal["auto", "version", "clone"]
EstimateBasis = Literal["recent_duration", "timeout"]
Method = Literal["adaptive", "exhaustive"]


@dataclass(frozen=True, slots=True)
class PayloadClass:
    """A payload as the plan and the sweep file know it: no body, only its digest."""

    name: str
    weight: float
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """Sizes, repetitions and limits of one sweep.

    `sizes_mb` ascend. An exhaustive sweep gives every size `warmup_count` invocations that are
    expected to be cold and `repetition_count` more for each payload, interleaved in an order drawn
    from `seed`; an adaptive one picks among the sizes as it goes, and its counts are 0. Where
    `sizes_named` the operator named the sizes, and no other may be recommended.

    The estimates are expected values if `basis` is "recent_duration" (the function's mean duration
    is known), else upper bounds; `max_wall_s` and `max_cost_usd` are upper bounds always: every
    invocation taking the function's whole timeout.
    """

    sweep_id: str
    seed: int
    sizes_mb: tuple[int, ...]
    warmup_count: int
    repetition_count: int
    payloads: tuple[PayloadClass, ...]
    concurrency: int
    max_invocations: int
    budget_usd: float | None
    isolation: Isolation
    estimated_invocation_count: int
    estimated_wall_s: float
    estimated_cost_usd: float
    max_wall_s: float | None = None
    max_cost_usd: float | None = None
    basis: EstimateBasis = "timeout"
    method: Method = "exhaustive"
    sizes_named: bool = False
