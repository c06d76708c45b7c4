"""The log queries of a scan: which groups, at what cost, and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.api.region_reader import parts
from tuner.aws import account_reports, insights
from tuner.aws.insights import LogQuery, QueryAnswer, QueryRuns
from tuner.aws.metric_data import PRICE_USD_PER_METRIC
from tuner.aws.usage_query import CPU_GROUP, cpu_query, day_sums, processor_times, usage_query
from tuner.errors import AwsError
from tuner.model.account import ReadingCost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tuner.api.region_reader import RegionReader
    from tuner.model.account import AccountFunction, FunctionMetrics, LogGroup
    from tuner.model.scan import DaySums

_APART: Final = frozenset(("AccessDeniedException", "AccessDenied", "ResourceNotFoundException"))
"""Refusals that concern one group of a query, while the others may be readable."""
_WITHOUT: Final = "its cost is based on CloudWatch's durations, without advice"


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """Which groups will be queried, why others aren't, and what it will cost."""

    groups: tuple[str, ...]
    unread: Mapping[str, str]
    """By function: why its log won't be read."""
    kept_days: Mapping[str, float]
    """By function: how many days its log goes back, where that's less than the window."""
    cost: ReadingCost
    with_logs: bool


def plan_queries(
    reader: RegionReader,
    functions: Sequence[AccountFunction],
    metrics: Mapping[str, FunctionMetrics],
    *,
    with_logs: bool,
) -> QueryPlan:
    """Find the groups to query: those of functions that ran. Without logs, there are none."""
    ran = [
        each
        for each in functions
        if with_logs and (each.name not in metrics or metrics[each.name].invocation_count)
    ]
    groups = reader.log_groups(ran) if ran else {}
    unread: dict[str, str] = {}
    kept_days: dict[str, float] = {}
    asked: dict[str, LogGroup] = {}
    window = reader.journal.window
    window_days = (window.end - window.start).total_seconds() / 86_400
    for each in ran:
        group = None if groups is None else groups.get(each.log_group)
        if why := why_unread(each, group, is_known=groups is not None):
            unread[each.name] = f"{why}: {_WITHOUT}"
        elif group is not None:
            asked[group.name] = group
            if group.retention_days is not None and group.retention_days < window_days:
                kept_days[each.name] = group.retention_days
    size = sum(
        insights.bytes_to_scan(each, start=window.start, end=window.end, now=window.begun_at)
        for each in asked.values()
    )
    cost = ReadingCost(
        size,
        insights.price_usd(size),
        reader.metric_count,
        reader.metric_count * PRICE_USD_PER_METRIC,
    )
    return QueryPlan(tuple(sorted(asked)), unread, kept_days, cost, with_logs)


def why_unread(function: AccountFunction, group: LogGroup | None, *, is_known: bool) -> str | None:
    """Why a function's log can't be queried; None if it can."""
    if not is_known:
        return "its log group isn't known"
    if group is None:
        return f"it has no log group {function.log_group}"
    if group.log_class in insights.WITHOUT_INSIGHTS:
        return f"its log group is of the class {group.log_class}, which no query can read"
    if not function.log_has_reports:
        return "it logs JSON at SystemLogLevel WARN, which has no reports"
    return None


class LogQueries:
    """Sends a plan's queries, through the reader's journal."""

    def __init__(self, reader: RegionReader, plan: QueryPlan) -> None:
        self._reader = reader
        self._plan = plan
        self.bytes_scanned = 0.0

    def day_sums(
        self, functions: Sequence[AccountFunction]
    ) -> tuple[dict[str, list[DaySums]], dict[str, str]]:
        """Sums by function, and for functions whose query was refused, why."""
        plan, reader = self._plan, self._reader
        whose = {each.log_group: each.name for each in functions}
        found: dict[str, list[DaySums]] = {name: [] for name in map(whose.get, plan.groups) if name}
        refused: dict[str, str] = {}
        queries = [
            (f"query/{number}", self._query(part, usage_query()))
            for number, part in enumerate(parts(plan.groups, insights.GROUPS_A_QUERY))
        ]
        done = 0
        for query, answer in self._answers(queries):
            if isinstance(answer, AwsError):
                names = [whose[group] for group in query.log_groups if group in whose]
                refused |= dict.fromkeys(names, f"its log can't be read ({answer})")
                continue
            for each in day_sums(answer.rows, whose):
                found.setdefault(each.function, []).append(each)
            done += len(query.log_groups)
            reader.tell(f"{reader.place}: {done:,} of {len(plan.groups):,} logs read")
        return found, refused

    def processor_times(
        self, functions: Sequence[AccountFunction]
    ) -> dict[str, tuple[tuple[int, float], ...]]:
        """Mean CPU time by size, of functions with the Lambda Insights extension."""
        has_any = any(each.has_lambda_insights for each in functions)
        if not (has_any and self._plan.with_logs):
            return {}
        [(_, answer)] = self._answers([("cpu", self._query((CPU_GROUP,), cpu_query()))])
        if isinstance(answer, AwsError):
            self._reader.cannot("CPU time of Lambda Insights", answer)
            return {}
        return processor_times(answer.rows)

    def _query(self, groups: Sequence[str], text: str) -> LogQuery:
        window = self._reader.journal.window
        return LogQuery(tuple(groups), text, window.start, window.end, insights.MOST_ROWS)

    def _answers(
        self, queries: Iterable[tuple[str, LogQuery]]
    ) -> Iterator[tuple[LogQuery, QueryAnswer | AwsError]]:
        """Kept answers first, then CloudWatch's. A refused query is split to find the group."""
        waiting, reader = [], self._reader
        for key, query in queries:
            kept = reader.kept(key)
            if kept is None:
                waiting.append((key, query))
            else:
                self.bytes_scanned += kept["bytes"]
                yield query, QueryAnswer(tuple(kept["rows"]), kept["bytes"], len(kept["rows"]))
        runs = QueryRuns(
            reader.services,
            waiting,
            started={key: found for key, _ in waiting if (found := reader.kept(f"{key}/id"))},
            on_start=lambda key, query_id: reader.keep(f"{key}/id", query_id),
        )
        for key, query, answer in runs.answers():
            if isinstance(answer, AwsError):
                parts = insights.halves(query)
                if parts is None or account_reports.error_code(answer) not in _APART:
                    yield query, answer
                    continue
                for number, part in enumerate(parts):
                    runs.add(f"{key}.{number}", part)
                continue
            self.bytes_scanned += answer.bytes_scanned
            reader.keep(key, {"rows": answer.rows, "bytes": answer.bytes_scanned})
            yield query, answer
