"""From the traffic options to traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.breakeven.traffic import (
    SECONDS_PER_MONTH,
    Traffic,
    read_traffic,
    traffic_of_rate,
)
from tuner.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def traffic_of(
    rate_per_s: float | None,
    per_month: float | None,
    path: Path | None = None,
    peak_ratio: float | None = None,
) -> Traffic:
    """Traffic of at most one of the three. Raises InputError."""
    if sum(given is not None for given in (rate_per_s, per_month, path)) > 1:
        raise InputError("give one of --rate, --per-month and --traffic, not several")
    if path is not None:
        return read_traffic(path, peak_ratio)
    if per_month is not None:
        rate_per_s = per_month / SECONDS_PER_MONTH
    return traffic_of_rate(rate_per_s, peak_ratio)
