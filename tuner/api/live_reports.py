"""A function's reports straight from CloudWatch, into the same table as archives.

It asks Logs Insights first; if that's denied, FilterLogEvents, which is free but slow. What was
read is kept for the window: the same question within the hour reads no log again, or, for a watch,
what was logged since.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuner.api.region_reader import parts
from tuner.aws import insights, log_groups
from tuner.aws.insights import LogQuery
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.aws.usage_query import REPORT_QUERY, REQUESTS_QUERY, cpu_events_query, report_rows
from tuner.errors import AccessDeniedError, InputError, NotAgreedError
from tuner.logs.messages import MessageReader
from tuner.model.account import ReadingCost
from tuner.model.finding import Finding
from tuner.model.interval import counted, figure
from tuner.model.observation import Origin, Window
from tuner.observe.folder import ObservationFolder
from tuner.report.numbers import usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api.reading import Caller, LiveSource
    from tuner.aws.services import Purpose
    from tuner.logs.collector import Collector
    from tuner.model.account import AccountFunction, FunctionMetrics, LogGroup, LogLine
    from tuner.model.request import Target
    from tuner.observe.folder import Reading
    from tuner.observe.store import ReportStore

MOST_REPORTS: Final = 1_000_000
"""More than these aren't read one by one: the window is narrowed to the latest."""
_ROWS_A_SLICE: Final = 80_000
"""Reports that a query is planned for, out of the 100,000 that it may return."""
_LINES_A_REQUEST: Final = 3


@dataclass(frozen=True, slots=True)
class LivePlan:
    """Functions of a region with their log groups, and the window to read."""

    logs: tuple[tuple[AccountFunction, LogGroup], ...]
    start: datetime
    end: datetime
    invocation_count: int | None
    """From CloudWatch's metrics, to decide how many slices are needed."""
    cpu_group: LogGroup | None = None
    """Where the Lambda Insights extension writes its events, if one has it."""

    @property
    def name(self) -> str:
        """The source's name in the answer."""
        function, group = self.logs[0]
        place = f"{function.account}:{function.region}"
        if len(self.logs) == 1:
            return f"CloudWatch Logs {place}:{group.name}"
        return f"CloudWatch Logs {place}, {len(self.logs)} groups"


def open_services(where: Target, purpose: Purpose, caller: Caller) -> Services:
    """What an account is asked with. Raises InputError and CredentialsError."""
    return Services(open_session(**where.connection), purpose=purpose, sleep=caller.sleep)


def check_readable(
    function: AccountFunction,
    group: LogGroup | None,
    metrics: FunctionMetrics | None,
    source: LiveSource,
) -> LogGroup:
    """Return the group. Raises InputError if it has no readable reports."""
    seen = ""
    if metrics is not None:
        seen = f" (CloudWatch counts {metrics.invocation_count:,} invocations)"
    place = f"in {function.region}{seen}"
    if group is None:
        raise InputError(
            f"{function.name} has no log group {function.log_group} {place}: it was never invoked, "
            "its role can't write logs, or the group was deleted"
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


def narrowed(plan: LivePlan) -> tuple[LivePlan, tuple[Finding, ...]]:
    """Shorten the window to what the groups retain, and to at most a million reports."""
    findings = []
    days = (plan.end - plan.start) / timedelta(days=1)
    kept = [group.retention_days for _, group in plan.logs if group.retention_days is not None]
    if kept and min(kept) < days:
        least = min(kept)
        short = sum(each < days for each in kept)
        if len(plan.logs) == 1:
            plan = replace(plan, start=plan.end - timedelta(days=least))
            told = f"the log is kept for {least} of the {days:g} days: the figures are of those"
        else:
            told = (
                f"{counted(short, 'log')} kept for less than {days:g} days, one for {least}: "
                "earlier costs are missing"
            )
        findings.append(Finding("retention_short", "warning", told))
    if plan.invocation_count is not None and plan.invocation_count > MOST_REPORTS:
        share = MOST_REPORTS / plan.invocation_count
        start = plan.end - (plan.end - plan.start) * share
        plan = replace(plan, start=start.replace(minute=0, second=0, microsecond=0))
        findings.append(
            Finding(
                "window_narrowed",
                "info",
                f"CloudWatch counts {plan.invocation_count:,} invocations: only those since "
                f"{plan.start:%Y-%m-%d %H:%M} UTC are read one by one",
            )
        )
    return plan, tuple(findings)


class LiveReader:
    """Reads the logs of a plan; the caller is asked about the cost of queries."""

    def __init__(
        self,
        services: Services,
        plan: LivePlan,
        source: LiveSource,
        caller: Caller,
        *,
        with_requests: bool = False,
    ) -> None:
        self._services = services
        self._span = plan.end - plan.start
        self._plan, self.findings = narrowed(plan)
        self._source = source
        self._caller = caller
        self._is_watch = with_requests
        self._query = REQUESTS_QUERY if with_requests else REPORT_QUERY
        self._lines_each = _LINES_A_REQUEST if with_requests else 1
        self._scanned: float | None = None

    def read(self, *, asked: str) -> tuple[ReportStore, Reading]:
        """Read the reports into a store, or take what's kept of this hour's question; a watch is
        told of what came since, too.

        `asked` is the function whose rows are those that name none. Raises AwsError, InputError and
        NotAgreedError.
        """
        plan = self._plan
        groups = sorted(group.name for _, group in plan.logs)
        hours = f"{plan.start:%Y-%m-%dT%H} {plan.end:%Y-%m-%dT%H}"
        question = f"{self._span} {hours} {groups} {self._lines_each}"
        store, reading = ObservationFolder(self._caller.state_dir).read_live(
            plan.name,
            question,
            Window(plan.start, plan.end),
            self._take,
            asked=asked,
            up_to_now=self._is_watch,
        )
        if self._scanned is not None:
            price = usd(insights.price_usd(self._scanned))
            self._caller.tell(
                f"Queries scanned {figure(self._scanned / 1e9, 2)} GB, which costs {price}."
            )
        return store, reading

    def _take(self, collector: Collector, window: Window) -> None:
        plan = self._plan
        assert window.start is not None and window.end is not None  # noqa: PT018 - see `read`
        if (window.start, window.end) != (plan.start, plan.end):
            plan = replace(plan, start=window.start, end=window.end, invocation_count=None)
        readers = {
            group.name: MessageReader(
                collector,
                Origin(
                    plan.name,
                    function=function.name,
                    account=function.account or None,
                    region=function.region,
                    architecture=function.architecture,
                ),
            )
            for function, group in plan.logs
        }
        first = next(iter(readers.values()))
        for line in self._lines(plan):
            collector.line_count += 1
            reader = readers.get(line.log_group)
            if reader is None:  # of Lambda Insights: it tells of requests by their ids
                first.message(line.message, line.at_us, first.plain)
            else:
                reader.message(line.message, line.at_us, reader.stream(line.log_stream))
        for reader in readers.values():
            reader.end()

    def _lines(self, plan: LivePlan) -> Iterator[LogLine]:
        if self._source != "events":
            try:
                yield from self._queried(plan)
            except AccessDeniedError as error:
                if self._source == "insights" or self._scanned is not None:
                    raise
                self._caller.tell(
                    f"No query is allowed ({error}): reading event by event, which is slow."
                )
            else:
                return
        for function, group in plan.logs:
            yield from log_groups.report_lines(
                self._services,
                group.name,
                start=plan.start,
                end=plan.end,
                logs_json=function.logs_json,
                with_others=self._is_watch,  # what tells of failures and messages is of any kind
            )

    def _queried(self, plan: LivePlan) -> Iterator[LogLine]:
        """Query slice by slice, each for no more rows than a query returns."""
        asked = [
            (part, self._query)
            for part in parts([group for _, group in plan.logs], insights.GROUPS_A_QUERY)
        ]
        if plan.cpu_group is not None:
            names = [each.name for each, _ in plan.logs if each.has_lambda_insights]
            asked.append(((plan.cpu_group,), cpu_events_query(names)))
        now = datetime.now(UTC)
        size = sum(
            insights.bytes_to_scan(group, start=plan.start, end=plan.end, now=now)
            for groups, _ in asked
            for group in groups
        )
        if not self._caller.agree(ReadingCost(size, insights.price_usd(size), 0, 0.0)):
            raise NotAgreedError("nothing was queried")
        for groups, text in asked:
            for start, end in _slices(plan, self._lines_each):
                yield from self._slice(tuple(each.name for each in groups), text, start, end)

    def _slice(
        self, groups: tuple[str, ...], text: str, start: datetime, end: datetime
    ) -> Iterator[LogLine]:
        begin: datetime | None = start
        while begin is not None:
            query = LogQuery(groups, text, begin, end, insights.MOST_ROWS)
            answer = insights.run_query(self._services, query)
            self._scanned = (self._scanned or 0.0) + answer.bytes_scanned
            lines = [*report_rows(answer.rows, groups[0])]
            yield from lines
            begin = _rest(lines, answer.matched_count, begin, end)


def _slices(log: LivePlan, lines_each: int) -> Iterator[tuple[datetime, datetime]]:
    """The window in parts of whole seconds that are small enough if traffic is even."""
    count = max(math.ceil((log.invocation_count or 0) * lines_each / _ROWS_A_SLICE), 1)
    step = timedelta(seconds=math.ceil((log.end - log.start).total_seconds() / count))
    start = log.start
    while start < log.end:
        yield start, min(start + step, log.end)
        start += step


def _rest(
    lines: list[LogLine], matched_count: int, start: datetime, end: datetime
) -> datetime | None:
    """Where to continue if a query matched more rows than it returned; None if it didn't.

    The last second is queried again, since the store counts the same line once. Raises InputError
    if that second alone has too many.
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
