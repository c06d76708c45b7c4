"""Where both versions' figures are from, and what the old version did in the last hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuner.aws.version_figures import LogFigures, MetricFigures
from tuner.errors import AwsError
from tuner.rollout.figures import Arm
from tuner.rollout.needed import ASSUMED_CV

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.aws import LambdaGateway
    from tuner.aws.services import Services
    from tuner.model.function import FunctionConfig, Routing
    from tuner.rollout.figures import VersionFigures

_FIRST_LOOK: Final = timedelta(minutes=10)
_LONG_LOOK: Final = timedelta(hours=1)
_ENOUGH: Final = 200
_LEAST_FOR_CV: Final = 30


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the old version's last invocations were like, and where that is from."""

    figures: VersionFigures
    metrics: VersionFigures | None
    """Where throttles and errors are counted besides, if figures are from reports."""
    arm: Arm
    rate_per_s: float


def read_baseline(
    latest: FunctionConfig,
    before: Routing,
    *,
    gateway: LambdaGateway,
    services: Services,
    warn: Callable[[str], None],
) -> Baseline:
    """Read the old version's last ten minutes, or its last hour if those were quiet.

    From reports, or if they can't be read from metrics, which `warn` is told. Raises AwsError if
    neither can.
    """
    metrics, now = MetricFigures(services, before.alias), datetime.now(UTC)
    if not latest.log_has_reports:
        warn("The log has no reports (JSON at SystemLogLevel WARN): metrics are read instead.")
    else:
        group, logs_json = gateway.log_group(latest.name)
        logs = LogFigures(services, group, logs_json=logs_json)
        try:
            arm, rate_per_s = _recent(logs, latest.name, before.version, now)
        except AwsError as error:
            if gateway.is_loopback:
                raise
            warn(f"The log can't be read ({error}): metrics are read instead.")
        else:
            # A server on this machine has no metrics of functions.
            has_metrics = not gateway.is_loopback and _counts(
                metrics, latest.name, before.version, now, warn
            )
            return Baseline(logs, metrics if has_metrics else None, arm, rate_per_s)
    arm, rate_per_s = _recent(metrics, latest.name, before.version, now)
    return Baseline(metrics, None, arm, rate_per_s)


def _recent(figures: VersionFigures, name: str, version: str, now: datetime) -> tuple[Arm, float]:
    """The last invocations, and how many a second there are."""
    end = now - timedelta(seconds=figures.delay_s)
    middle = end - _FIRST_LOOK
    found = figures.read(name, [version], middle, end).get(version, Arm())
    if found.count >= _ENOUGH:
        return found, found.count / _FIRST_LOOK.total_seconds()
    earlier = figures.read(name, [version], end - _LONG_LOOK, middle).get(version, Arm())
    both = earlier + found
    # Traffic that has just begun isn't spread over the hour.
    rates = found.count / _FIRST_LOOK.total_seconds(), both.count / _LONG_LOOK.total_seconds()
    return both, max(rates)


def _counts(
    metrics: VersionFigures, name: str, version: str, now: datetime, warn: Callable[[str], None]
) -> bool:
    """Whether metrics can be read."""
    end = now - timedelta(seconds=metrics.delay_s)
    try:
        metrics.read(name, [version], end - _FIRST_LOOK, end)
    except AwsError as error:
        warn(
            f"Metrics can't be read ({error}), so throttles aren't watched, and errors only as far "
            "as the log names them: of Python, Node.js and JSON logs, and timeouts and kills of all"
        )
        return False
    return True


def variation(amounts: Sequence[float]) -> float:
    """Standard deviation over mean; what is assumed if there are too few."""
    if len(amounts) < _LEAST_FOR_CV:
        return ASSUMED_CV
    middle = sum(amounts) / len(amounts)
    spread = sum((each - middle) ** 2 for each in amounts) / (len(amounts) - 1)
    return math.sqrt(spread) / middle if middle else ASSUMED_CV
