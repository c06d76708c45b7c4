"""Parses how often a function is invoked, as people write it: `50/s`, `1M/day`."""

from __future__ import annotations

import math
from typing import Final

from tuner.errors import UsageError
from tuner.model.lambda_limits import SECONDS_PER_MONTH

_RATE_UNITS: Final = {
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "day": 86_400.0,
    "month": float(SECONDS_PER_MONTH),
}
_MOST: Final = 1e15
"""A guard against slips of units: nobody has as many."""
_COUNT_UNITS: Final = {"k": 1e3, "M": 1e6, "G": 1e9}


def parse_rate(text: str) -> float:
    """`50/s`, `50`, `3000/min`, `5k/h`, `1M/day` or `30M/month`, in requests per second. Raises
    UsageError.
    """
    number, _, unit = text.strip().partition("/")
    seconds = _RATE_UNITS.get(unit.strip() or "s")
    if seconds is None:
        raise UsageError(f"{text!r} has no known unit: write 50/s, 3000/min, 1M/day or 30M/month")
    return _parse(number, text, "rate: write 50/s, 3000/min, 1M/day or 30M/month") / seconds


def parse_count(text: str) -> float:
    """`30M`, `500k`, `2G` or `1e6`: above 0. Raises UsageError."""
    return _parse(text, text, "number: write 50, 500k or 30M")


def _parse(number_text: str, given: str, wanted: str) -> float:
    stripped = number_text.strip()
    factor = _COUNT_UNITS.get(stripped[-1:], 1.0)
    try:
        number = float(stripped[:-1] if factor != 1 else stripped) * factor
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{given!r} isn't a {wanted}")
    if number <= 0:
        raise UsageError(f"{given!r} isn't above 0, so there is no cost to compare")
    if number > _MOST:
        raise UsageError(f"{given!r} is more than there can be: check its unit")
    return number
