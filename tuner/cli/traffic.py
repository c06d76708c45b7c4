"""From the traffic options to traffic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.breakeven.traffic import (
    Traffic,
    read_traffic,
    traffic_of_minutes,
    traffic_of_rate,
)
from tuner.errors import InputError, UsageError
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
        return _of_cloudwatch(sweep, source, peak_ratio)
    if source.name is not None:
        return read_traffic(Path(source.name), peak_ratio)
    if per_month is not None:
        rate_per_s = per_month / SECONDS_PER_MONTH
    return traffic_of_rate(rate_per_s, peak_ratio)


def _of_cloudwatch(sweep: Sweep, source: Source, peak_ratio: float | None) -> Traffic:
    """The traffic of the swept function over some days before the last full hour.

    Only reads (cloudwatch:GetMetricStatistics). Raises UsageError for days that CloudWatch does not
    keep by the minute, InputError where nothing came, AwsError and its kin.
    """
    from tuner.aws import connect  # noqa: PLC0415 - loads boto3
    from tuner.aws.metrics import MAX_DAYS  # noqa: PLC0415 - as above

    if not 1 <= source.days <= MAX_DAYS:
        raise UsageError(
            f"--days {source.days} cannot be: CloudWatch keeps minutes for {MAX_DAYS} days, give 1 "
            f"to {MAX_DAYS}"
        )
    if sweep.environment == "local" and source.endpoint_url is None:
        raise InputError(
            "the sweep ran on this machine, where the function has no traffic of its own: "
            "give --rate or --traffic FILE"
        )
    function = sweep.function
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(days=source.days)
    with connect(
        region=source.region or function.region,
        profile=source.profile,
        endpoint_url=source.endpoint_url,
    ) as gateway:
        minutes = gateway.minute_loads(function.name, start=start, days=source.days)
    return traffic_of_minutes(minutes, start=start, hours=source.days * 24, peak_ratio=peak_ratio)
