"""A function's own traffic, from CloudWatch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tuner.breakeven.traffic import traffic_of_minutes
from tuner.errors import InputError, UsageError

if TYPE_CHECKING:
    from tuner.breakeven.traffic import Traffic
    from tuner.model.sweep import Sweep


def cloudwatch_traffic(
    sweep: Sweep,
    *,
    days: int,
    now: datetime,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    peak_ratio: float | None = None,
) -> Traffic:
    """The traffic of the swept function over the `days` before the last full hour.

    Only reads (cloudwatch:GetMetricStatistics). Raises InputError for days that CloudWatch does not
    keep by the minute and where nothing came, AwsError and its kin.
    """
    from tuner.aws import connect  # noqa: PLC0415 - loads boto3
    from tuner.aws.metrics import MAX_DAYS  # noqa: PLC0415 - as above

    if not 1 <= days <= MAX_DAYS:
        raise UsageError(
            f"--days {days} cannot be: CloudWatch keeps minutes for {MAX_DAYS} days, give 1 to "
            f"{MAX_DAYS}"
        )
    if sweep.environment == "local" and endpoint_url is None:
        raise InputError(
            "the sweep ran on this machine, where the function has no traffic of its own: "
            "give --rate or --traffic FILE"
        )
    function = sweep.function
    end = now.replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(days=days)
    with connect(
        region=region or function.region, profile=profile, endpoint_url=endpoint_url
    ) as gateway:
        minutes = gateway.minute_loads(function.name, start=start, days=days)
    return traffic_of_minutes(minutes, start=start, hours=days * 24, peak_ratio=peak_ratio)
