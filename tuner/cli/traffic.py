"""From the traffic options to traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.breakeven.traffic import (
    Traffic,
    read_traffic,
    traffic_of_rate,
)
from tuner.errors import UsageError
from tuner.model.lambda_limits import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep

CLOUDWATCH: Final = "cloudwatch"


@dataclass(frozen=True, slots=True)
class Source:
    """Where `--traffic` reads: a CSV file, or CloudWatch over some days."""

    name: str | None = None
    days: int = 14
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None


def traffic_of(
    rate_per_s: float | None,
    per_month: float | None,
    source: Source = Source(),
    peak_ratio: float | None = None,
    *,
    sweep: Sweep | None = None,
) -> Traffic:
    """Traffic of at most one of the three; CloudWatch is asked for the swept function's.

    Raises InputError, AwsError and its kin.
    """
    if sum(given is not None for given in (rate_per_s, per_month, source.name)) > 1:
        raise UsageError("give one of --rate, --per-month and --traffic, not several")
    if source.name == CLOUDWATCH and sweep is not None:
        from tuner.api.traffic import cloudwatch_traffic  # noqa: PLC0415 - loads boto3

        return cloudwatch_traffic(
            sweep,
            days=source.days,
            now=datetime.now(UTC),
            region=source.region,
            profile=source.profile,
            endpoint_url=source.endpoint_url,
            peak_ratio=peak_ratio,
        )
    if source.name is not None:
        return read_traffic(Path(source.name), peak_ratio)
    if per_month is not None:
        rate_per_s = per_month / SECONDS_PER_MONTH
    return traffic_of_rate(rate_per_s, peak_ratio)
