"""A function's reports straight from CloudWatch, into the same table as archives.

Logs Insights is asked first; where that's denied, FilterLogEvents, which costs nothing and is slow.
What was read is kept for the window: the same question within the hour asks for no log again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from tuner.aws import insights, log_groups
from tuner.aws.insights import LogQuery
from tuner.aws.report_query import REPORT_QUERY, cpu_events_query, report_rows
from tuner.errors import AccessDeniedError, InputError, NotAgreedError
from tuner.logs.messages import MessageReader
from tuner.model.account import ReadingCost
from tuner.model.finding import Finding
from tuner.model.observation import Origin, Window
from tuner.report.numbers import usd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tuner.aws.services import Services
    from tuner.logs.collector import Collector
    from tuner.model.account import AccountFunction, FunctionMetrics, LogGroup, LogLine
    from tuner.observe.folder import ObservationFolder, Reading
    from tuner.observe.store import ReportStore

LiveSource = Literal["auto", "insights", "events"]
MOST_REPORTS: Final = 1_000_000
"""More than these aren't read one by one: the window is narrowed to the latest."""
_ROWS_A_SLICE: Final = 80_000
"""Reports that a query is made for, of the 100,000 that it may return."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LiveLog:
    """A function's log, and the window in which it's read."""

    function: AccountFunction
    group: LogGroup
    start: datetime
    end: datetime
    invocation_count: int | None
    """By CloudWatch's metrics, for how many slices are needed."""
    cpu_group: LogGroup | None = None
    """Where the Lambda Insights extension writes its events, for a function that has it."""


def check_readable(
    function: AccountFunction,
    group: LogGroup | None,
    metrics: FunctionMetrics | None,
    source: LiveSource,
) -> LogGroup:
    """Return the group. Raises InputError where it has no reports that could be read."""
    counted = ""
    if metrics is not None:
        counted = f" (CloudWatch counts {metrics.invocation_count:,} invocations)"
    place = f"in {function.region}{counted}"
    if group is None:
        raise InputError(
            f"{function.name} has no log group {function.log_group} {place}: it was never invoked, "
            "its role may not write logs, or the group was deleted"
        )
    if not function.log_has_reports:
        raise InputError(
            f"{function.name} logs JSON at SystemLogLevel WARN {place}, which has no reports: set "
            "its system log level to INFO"
        )
    if group.log_class in insights.WITHOUT_INSIGHTS:
        raise InputError(
            f"the log group of {function.name} is of the class {group.log_class} {place}, which "
            "can't be read: give files of its logs (`logs`)"
        )
    if source == "events" and group.log_class != "STANDARD":
        raise InputError(
            f"the log group of {function.name} is of the class {group.log_class} {place}, which "
            "FilterLogEvents can't read: give `source=insights`"
        )
    return group


def narrowed(log: LiveLog) -> tuple[LiveLog, tuple[Finding, ...]]:
    """The window that can be read: what the group retains, and so many reports at most."""
    findings = []
    days = (log.end - log.start) / timedelta(days=1)
    kept = log.group.retention_days
    if kept is not None and kept < days:
        log = replace(log, start=log.end - timedelta(days=kept))
        findings.append(
            Finding(
                "retention_short",
                "warning",
                f"the log is kept for {kept} of the {days:g} days: the figures are of those",
            )
        )
    if log.invocation_count is not None and log.invocation_count > MOST_REPORTS:
        share = MOST_REPORTS / log.invocation_count
        start = log.end - (log.end - log.start) * share
        log = replace(log, start=start.replace(minute=0, second=0, microsecond=0))
        findings.append(
            Finding(
                "window_narrowed",
                "info",
                f"CloudWatch counts {log.invocation_count:,} invocations: only those since "
                f"{log.start:%Y-%m-%d %H:%M} UTC are read one by one",
            )
        )
    return log, tuple(findings)


class LiveReader:
    """Reads a function's log; `agree` is asked with what a query will cost."""

    def __init__(
        self,
        services: Services,
        log: LiveLog,
        source: LiveSource,
        *,
        agree: Callable[[ReadingCost], bool],
        tell: Callable[[str], None],
    ) -> None:
        self._services = services
        self._log, self.findings = narrowed(log)
        self._source = source
        self._agree = agree
        self._tell = tell
        self._scanned: float | None = None

    def read(self, folder: ObservationFolder) -> tuple[ReportStore, Reading]:
        """Read the reports into the folder's store, or take what's kept of this hour's question.

        Raises AwsError, InputError and NotAgreedError.
        """
        function, group = self._log.function, self._log.group
        name = f"CloudWatch Logs {function.account}:{function.region}:{group.name}"
        hour = f"{self._log.end:%Y-%m-%dT%H}"
        question = f"{self._log.end - self._log.start} {hour}"
        window = Window(self._log.start, self._log.end)
        store, reading = folder.read_live(
            name, question, window, partial(self._take, name), asked=function.name
        )
        if self._scanned is not None:
            price = usd(insights.price_usd(self._scanned))
            self._tell(f"Queries scanned {self._scanned / 1e9:.2g} GB, which costs {price}.")
        return store, reading

    def _take(self, name: str, collector: Collector) -> None:
        function = self._log.function
        reader = MessageReader(
            collector,
            Origin(
                name,
                function=function.name,
                account=function.account or None,
                region=function.region,
                architecture=function.architecture,
            ),
        )
        for lines in self._pages():
            for line in lines:
                reader.number += 1
                at_us = (line.at - _EPOCH) // timedelta(microseconds=1)
                is_report = line.log_group == self._log.group.name
                stream = reader.stream(line.log_stream) if is_report else reader.plain
                reader.message(line.message, at_us, stream)
        collector.line_count = reader.number
        reader.end()

    def _pages(self) -> Iterator[Iterable[LogLine]]:
        log = self._log
        if self._source != "events":
            try:
                yield from self._queried()
            except AccessDeniedError as error:
                if self._source == "insights" or self._scanned is not None:
                    raise
                self._tell(f"No query is allowed ({error}): reading event by event, which is slow.")
            else:
                return
        yield from log_groups.report_lines(
            self._services,
            log.group.name,
            start=log.start,
            end=log.end,
            logs_json=log.function.logs_json,
        )

    def _queried(self) -> Iterator[Iterable[LogLine]]:
        """Ask slice by slice, each for no more rows than a query returns."""
        log = self._log
        asked = [(log.group, REPORT_QUERY)]
        if log.cpu_group is not None:
            asked.append((log.cpu_group, cpu_events_query(log.function.name)))
        now = datetime.now(UTC)
        size = sum(
            insights.bytes_to_scan(group, start=log.start, end=log.end, now=now)
            for group, _ in asked
        )
        if not self._agree(ReadingCost(size, insights.price_usd(size), 0, 0.0)):
            raise NotAgreedError("nothing was queried")
        for group, text in asked:
            for start, end in _slices(log):
                yield from self._slice(group.name, text, start, end)

    def _slice(
        self, group: str, text: str, start: datetime, end: datetime
    ) -> Iterator[Iterable[LogLine]]:
        begin: datetime | None = start
        while begin is not None:
            query = LogQuery((group,), text, begin, end, insights.MOST_ROWS)
            answer = insights.run_query(self._services, query)
            self._scanned = (self._scanned or 0.0) + answer.bytes_scanned
            lines = [*report_rows(answer.rows, group)]
            yield lines
            begin = _rest(lines, answer.matched_count, begin, end)


def _slices(log: LiveLog) -> Iterator[tuple[datetime, datetime]]:
    """The window in parts of whole seconds that are small enough if traffic is even."""
    count = max(math.ceil((log.invocation_count or 0) / _ROWS_A_SLICE), 1)
    step = timedelta(seconds=math.ceil((log.end - log.start).total_seconds() / count))
    start = log.start
    while start < log.end:
        yield start, min(start + step, log.end)
        start += step


def _rest(
    lines: list[LogLine], matched_count: int, start: datetime, end: datetime
) -> datetime | None:
    """Where to go on if a query had more rows than it returned; None if it had not.

    The last second is asked for again: the store counts the same line once. Raises InputError where
    that second alone has too many.
    """
    if not lines or len(lines) >= matched_count:
        return None
    last = lines[-1].at.replace(microsecond=0)
    if last <= start:
        raise InputError(
            f"over {len(lines):,} reports in the second {start:%Y-%m-%d %H:%M:%S} UTC: give `days` "
            "that leave it out"
        )
    return last if last < end else None
