"""An estimate and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 90 % interval, in the unit of the field that holds it."""

    estimate: float
    low: float
    high: float

    @property
    def half_width_ratio(self) -> float:
        """Half the interval's width over the estimate (the "± 3 %" of a table)."""
        return (self.high - self.low) / 2 / self.estimate if self.estimate else 0.0
