"""What lies under an answer's means: each payload's curve, and what a cold start adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuner.model.interval import Interval
    from tuner.model.recommendation import SizeEstimate


@dataclass(frozen=True, slots=True)
class PayloadCurve:
    """One payload's share of the mix and what the curve says of it at every candidate size."""

    payload: str
    weight_ratio: float
    curve: tuple[SizeEstimate, ...]


@dataclass(frozen=True, slots=True)
class ColdStartEstimate:
    """What a cold start is billed beyond a warm invocation at one size (INIT or restore)."""

    memory_mb: int
    billed_extra_ms: Interval


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What lies under the mean: each payload's curve, and what a cold start adds.

    `cold_starts` is empty where no cold start was billed for its INIT.
    """

    payloads: tuple[PayloadCurve, ...]
    cold_starts: tuple[ColdStartEstimate, ...]
