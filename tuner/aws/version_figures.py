"""What came of each version's invocations: from REPORT lines, or from CloudWatch's metrics.

Reports tell everything but throttles, half a minute later, and cost nothing to read
(FilterLogEvents). Metrics tell invocations, errors, throttles and the mean duration, three minutes
later, for $0.01 a thousand (GetMetricData).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tuner.aws.log_groups import to_ms
from tuner.aws.metric_data import metric_values
from tuner.logs.collector import Collector
from tuner.logs.messages import MessageReader
from tuner.model.observation import Origin
from tuner.rollout.figures import Arm, VersionFigures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tuner.aws.services import Services
    from tuner.logs.collector import ReportRow
    from tuner.rollout.figures import Source

_BLOCK_S: Final = 60.0
_LOG_DELAY_S: Final = 30.0
_METRIC_DELAY_S: Final = 180.0
# On this machine, lines are there at once.
_LOOPBACK_BLOCK_S: Final = 1.0
_LOOPBACK_DELAY_S: Final = 0.5
_LOOK_BACK: Final = timedelta(seconds=5)
"""Before a span: what runtimes say of an error comes just before its report."""
# Lines of the platform and of runtimes that say how a request went, whichever matches. What a
# runtime says without a request's id belongs to its stream's next report.
_TEXT_PATTERN: Final = (
    '?"REPORT RequestId" ?"[ERROR]" ?"Invoke Error" ?"Uncaught Exception" '
    '?"Unhandled Promise Rejection" ?"Task timed out" ?"Runtime exited" ?"Process exited" '
    '?"Traceback (most recent call last)"'
)
_JSON_PATTERN: Final = '{ ($.type = "platform.report") || ($.errorType = "*") }'


class LogFigures(VersionFigures):
    """Figures from the reports in a function's log group."""

    source: Source = "logs"

    def __init__(self, services: Services, log_group: str, *, logs_json: bool) -> None:
        self._services = services
        self._group = log_group
        self._pattern = _JSON_PATTERN if logs_json else _TEXT_PATTERN
        is_loopback = services.session.is_loopback
        self.block_s = _LOOPBACK_BLOCK_S if is_loopback else _BLOCK_S
        self.delay_s = _LOOPBACK_DELAY_S if is_loopback else _LOG_DELAY_S

    def read(
        self, function: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Arm]:
        """See `VersionFigures`."""
        rows: list[ReportRow] = []
        collector = Collector(rows.extend)
        reader = MessageReader(collector, Origin(self._group, function=function))
        for event in self._services.listed(
            "logs",
            "FilterLogEvents",
            logGroupName=self._group,
            startTime=to_ms(start - _LOOK_BACK),
            endTime=to_ms(end) - 1,
            filterPattern=self._pattern,
        ):
            at_us = int(event["timestamp"]) * 1000
            stream = reader.stream(event.get("logStreamName") or None)
            reader.message(event["message"].rstrip("\n"), at_us, stream)
        collector.flush()
        version_of = {number: origin.version for origin, number in collector.origins.items()}
        since_us = to_ms(start) * 1000
        by_version: defaultdict[str, list[ReportRow]] = defaultdict(list)
        for row in rows:
            version = version_of[row[0]]
            if version is not None and version in versions and (row[3] or 0) >= since_us:
                by_version[version].append(row)
        return {version: _arm(found) for version, found in by_version.items()}


def _arm(rows: Sequence[ReportRow]) -> Arm:
    # A retried event has its request's id again; pages may overlap, and what was said of an error
    # was taken by the first of two equal reports.
    unique = list({(row[2], row[3], row[4]): row for row in reversed(rows)}.values())[::-1]
    outcomes = [row[11] for row in unique]
    warm = [row for row in unique if row[11] == "success" and row[8] is None and row[9] is None]
    return Arm(
        count=len(outcomes),
        failure_count=sum(each != "success" for each in outcomes),
        timeout_count=outcomes.count("timeout"),
        kill_count=outcomes.count("oom"),
        durations_ms=tuple(row[4] for row in warm),
        billed_ms=tuple(float(row[5]) for row in warm),
    )


class MetricFigures(VersionFigures):
    """Figures from CloudWatch's metrics of an alias, by the version that was executed."""

    source: Source = "metrics"
    block_s = _BLOCK_S
    delay_s = _METRIC_DELAY_S

    def __init__(self, services: Services, alias: str) -> None:
        self._services = services
        self._alias = alias

    def read(
        self, function: str, versions: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, Arm]:
        """See `VersionFigures`."""
        asked = [
            (version, metric, "Sum", self._dimensions(function, version))
            for version in versions
            for metric in ("Invocations", "Errors", "Throttles", "Duration")
        ]
        found = metric_values(
            self._services, asked, start=start, end=end, period_s=int(self.block_s)
        )

        def total(version: str, metric: str) -> float:
            return sum(found[version, metric])

        return {
            version: Arm(
                count=round(total(version, "Invocations")),
                failure_count=round(total(version, "Errors")),
                throttle_count=round(total(version, "Throttles")),
                mean_duration_ms=(
                    total(version, "Duration") / total(version, "Invocations")
                    if total(version, "Invocations")
                    else None
                ),
            )
            for version in versions
        }

    def _dimensions(self, function: str, version: str) -> dict[str, str]:
        resource = f"{function}:{self._alias}"
        return {"FunctionName": function, "Resource": resource, "ExecutedVersion": version}
