"""An estimate with its uncertainty, and how shares, counts and lists are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 90% interval, in the unit of the field that holds it.

    >>> round(tuner.Interval(estimate=200.0, low=190.0, high=214.0).half_width_ratio, 3)
    0.06
    """

    estimate: float
    low: float
    high: float

    @property
    def half_width_ratio(self) -> float:
        """Half the interval's width over the estimate (the "± 3%" of a table)."""
        return (self.high - self.low) / 2 / self.estimate if self.estimate else 0.0

    def times(self, factor: float) -> Interval:
        """Estimate and ends times a factor from 0 on, such as a share times an amount."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)


def percent(ratio: float, decimals: int | None = None) -> str:
    """A share in whole percent, with one digit below 1%, or as many as asked: `40%`, `0.7%`."""
    return f"{percent_digits(ratio, decimals)}%"


def percent_digits(ratio: float, decimals: int | None = None) -> str:
    """The same without the sign, for the ends of an interval."""
    value = ratio * 100
    if decimals is None:
        decimals = 0 if abs(value) >= 0.95 else 1
    return f"{value:z.{decimals}f}".replace("-", "−")  # z: no sign before a zero


def figure(value: float, digits: int = 3, separator: str = ",") -> str:
    """At most so many significant digits but every whole one, and no power of ten: `21.2`, `1,234`,
    `0.00005`; below a billionth as Python writes it.
    """
    text = f"{value:{separator}.{digits}g}"
    if "e" not in text or abs(value) < 1e-9:
        return text
    return f"{value:{separator}.0f}" if abs(value) >= 1 else f"{Decimal(text):f}"


def counted(count: int | str, noun: str) -> str:
    """A count with its noun, as written: `1 size`, `1,200 invocations`."""
    return f"{count} {noun}{'' if str(count) == '1' else 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are: `a, b, c and 4 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
