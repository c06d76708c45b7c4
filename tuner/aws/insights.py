"""CloudWatch Logs Insights: queries over up to 50 log groups, their price, all pages of results.

A query is priced by the bytes it scans, whatever it finds. Its cost is estimated from the groups'
sizes before it starts, and known from its statistics afterwards.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from tuner.aws.account_reports import error_code
from tuner.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from tuner.aws.services import Services
    from tuner.model.account import LogGroup

PRICE_USD_PER_GB: Final = 0.005
"""Per GB scanned: us-east-1, price feed of 2025-09-23."""
GROUPS_A_QUERY: Final = 50
MOST_ROWS: Final = 100_000
"""Of one query, by pages of 10,000."""
WITHOUT_INSIGHTS: Final = frozenset(("DELIVERY",))
"""Log classes that can't be queried."""
_BYTES_PER_GB: Final = 1e9
_UNDER_WAY: Final = frozenset(("Scheduled", "Running"))
_BUSY: Final = "LimitExceededException"

Key = TypeVar("Key")


def price_usd(bytes_scanned: float) -> float:
    """The price of scanning this much."""
    return bytes_scanned / _BYTES_PER_GB * PRICE_USD_PER_GB


def bytes_to_scan(group: LogGroup, *, start: datetime, end: datetime, now: datetime) -> float:
    """How much of a group a query over a window scans, as if it had grown evenly.

    The stored bytes are those of the days since the group was made, or that it retains.
    """
    days = max((now - group.created_at).total_seconds() / 86400, 1 / 24)
    if group.retention_days is not None:
        days = min(days, group.retention_days)
    asked_days = min((end - start).total_seconds() / 86400, days)
    return group.stored_bytes * asked_days / days


@dataclass(frozen=True, slots=True)
class LogQuery:
    """One query; `limit` bounds its rows, 100,000 at most."""

    log_groups: tuple[str, ...]
    text: str
    start: datetime
    end: datetime
    limit: int = 10_000


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """Rows as field to text, as Insights gives them, and what the query scanned."""

    rows: tuple[dict[str, str], ...]
    bytes_scanned: float
    matched_count: int


class QueryRuns(Generic[Key]):
    """Runs queries side by side and yields each answer when it's ready."""

    def __init__(
        self,
        services: Services,
        queries: Iterable[tuple[Key, LogQuery]],
        *,
        started: Mapping[Key, str] | None = None,
        on_start: Callable[[Key, str], None] = lambda *_: None,
        at_once: int = 10,
    ) -> None:
        """`started` has the ids of queries that an earlier run already paid for."""
        self._services = services
        self._waiting = deque(queries)
        self._started = dict(started or {})
        self._taken_over = set(self._started.values())
        self._on_start = on_start
        self._at_once = at_once
        self._running: dict[Key, tuple[str, LogQuery]] = {}

    def add(self, key: Key, query: LogQuery) -> None:
        """Run one more."""
        self._waiting.append((key, query))

    def answers(self) -> Iterator[tuple[Key, LogQuery, QueryAnswer | AwsError]]:
        """Yield each query with its answer, or with the error that it ended in."""
        while self._waiting or self._running:
            yield from self._start_some()
            ended = [*self._ended()]
            yield from ended
            if self._running and not ended:
                self._services.sleep(self._services.look_every_s)

    def _start_some(self) -> Iterator[tuple[Key, LogQuery, AwsError]]:
        while self._waiting and len(self._running) < self._at_once:
            key, query = self._waiting.popleft()
            query_id = self._started.pop(key, None)
            try:
                query_id = query_id or self._start(query)
            except AwsError as error:
                if error_code(error) != _BUSY or not self._running:
                    yield key, query, error
                    continue
                self._waiting.appendleft((key, query))  # other users' queries count as well
                return
            self._on_start(key, query_id)
            self._running[key] = query_id, query

    def _start(self, query: LogQuery) -> str:
        answer = self._services.ask(
            "logs",
            "StartQuery",
            logGroupNames=list(query.log_groups),
            queryString=f"{query.text}\n| limit {query.limit}",
            startTime=int(query.start.timestamp()),
            endTime=int(query.end.timestamp()) - 1,  # the second that it names is included
        )
        return str(answer["queryId"])

    def _ended(self) -> Iterator[tuple[Key, LogQuery, QueryAnswer | AwsError]]:
        for key, (query_id, query) in [*self._running.items()]:
            try:
                answer = self._answer(query_id)
            except AwsError as error:
                del self._running[key]
                if query_id in self._taken_over:  # its results are kept for a while only
                    self._taken_over.discard(query_id)
                    self._waiting.append((key, query))
                else:
                    yield key, query, error
                continue
            if answer is not None:
                del self._running[key]
                yield key, query, answer

    def _answer(self, query_id: str) -> QueryAnswer | None:
        """The whole answer of a finished query; None while it runs."""
        first = self._services.ask("logs", "GetQueryResults", queryId=query_id)
        status = first.get("status", "Unknown")
        if status in _UNDER_WAY:
            return None
        if status != "Complete":
            raise AwsError(
                f"a query of the logs in {self._services.region} ended as {status}: ask again, or "
                "for fewer `days`"
            )
        rows = [*_rows(first)]
        page = first
        while token := page.get("nextToken"):
            page = self._services.ask("logs", "GetQueryResults", queryId=query_id, nextToken=token)
            rows += _rows(page)
        statistics = first.get("statistics") or {}
        return QueryAnswer(
            tuple(rows),
            float(statistics.get("bytesScanned", 0)),
            int(statistics.get("recordsMatched", len(rows))),
        )


def run_query(services: Services, query: LogQuery) -> QueryAnswer:
    """Run one query to its end. Raises AwsError."""
    [(_, _, answer)] = QueryRuns(services, [(0, query)]).answers()
    if isinstance(answer, AwsError):
        raise answer
    return answer


def halves(query: LogQuery) -> tuple[LogQuery, LogQuery] | None:
    """The same query for each half of its groups; None if there is only one."""
    middle = len(query.log_groups) // 2
    if not middle:
        return None
    first, second = query.log_groups[:middle], query.log_groups[middle:]
    return replace(query, log_groups=first), replace(query, log_groups=second)


def _rows(page: dict[str, Any]) -> Iterator[dict[str, str]]:
    for row in page.get("results", ()):
        yield {each["field"]: each["value"] for each in row if "value" in each}
