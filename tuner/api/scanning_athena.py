"""The same ranking from an archive in S3, which Athena reads; Lambda isn't called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tuner.api.judging import judged, scan_of
from tuner.api.reading import AT_LIST_PRICE
from tuner.api.scan_journal import ScanJournal
from tuner.api.staleness import with_staleness
from tuner.aws.athena import AthenaQueries, price_usd
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AwsError, InputError, NotAgreedError
from tuner.model.account import ReadingCost
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.observation import Window
from tuner.observe.archive_days import evidence_of, sums_of_text
from tuner.observe.archive_table import S3Location, table_of
from tuner.observe.report_sql import days_query
from tuner.observe.scanning import advise_function
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.api.reading import Caller
    from tuner.model.function import Architecture
    from tuner.model.scan import Scan
    from tuner.observe.archive_days import SumsRow
    from tuner.observe.archive_table import ArchiveTable
    from tuner.observe.scanning import SortKey


@dataclass(frozen=True, slots=True)
class AthenaRequest:
    """Which archive to scan: `s3://BUCKET/FOLDER`. No region means the profile's."""

    archive: str
    work_group: str = "primary"
    results: str | None = None
    """Where Athena writes answers, as `archive`; None: where the work group says."""
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    days: float = 14
    architecture: Architecture | None = None
    sort: SortKey = "saving"
    restart: bool = False
    """Query again, instead of taking the answer of a scan that was interrupted."""


def scan_athena(request: AthenaRequest, caller: Caller) -> Scan:
    """Rank the functions of an archive; the caller is asked once about the price.

    A table is made for the query, and removed. An interrupted query is stopped; the answer of one
    that a killed scan had sent is taken, within a day, and isn't paid again. Raises AwsError and
    its subclasses, UsageError, InputError, NotAgreedError.
    """
    location = S3Location.of(request.archive, "athena")
    results = None if request.results is None else S3Location.of(request.results, "results")
    session = open_session(
        region=request.region, profile=request.profile, endpoint_url=request.endpoint_url
    )
    asked = ["athena", location.url(), session.region, request.profile, request.endpoint_url,
             request.work_group, request.days]  # fmt: skip
    with (
        ScanJournal.open(
            caller.state_dir, asked, now=caller.now, days=request.days, restart=request.restart
        ) as journal,
        Services(session, purpose="scan", sleep=caller.sleep) as services,
    ):
        if journal.resumed_count:
            caller.tell(f"resuming the scan that began at {journal.window.begun_at:%H:%M} UTC")
        queries = AthenaQueries(services, work_group=request.work_group, results=results)
        window = Window(journal.window.start, journal.window.end)
        table = table_of(location, queries.objects(location), window)
        if not table.parts:
            raise InputError(
                f"{location.url()} has no logs of the last {request.days:g} days: give `athena` "
                "the folder of an export or of Firehose"
            )
        if journal.get("query") is None and not caller.agree(_cost(table.size_bytes)):
            raise NotAgreedError("nothing was queried")
        texts, scanned = _ask(queries, table, window, journal, caller.tell)
        found = _scan(
            request, table, window, sums_of_text(texts),
            region=session.region, cost=_cost(scanned), state_dir=caller.state_dir,
            today=journal.window.end.date(),
        )  # fmt: skip
        journal.done()
    return found


def _cost(size_bytes: int) -> ReadingCost:
    return ReadingCost(size_bytes, price_usd(size_bytes), 0, 0.0)


def _scan(
    request: AthenaRequest,
    table: ArchiveTable,
    window: Window,
    rows: list[SumsRow],
    *,
    region: str,
    cost: ReadingCost,
    state_dir: Path,
    today: datetime.date,
) -> Scan:
    """The ranking of the functions in the query's rows. Raises InputError where none is named."""
    readable = [each for each in rows if each[5] is not None]
    evidence, unnamed = evidence_of(readable, region=region, architecture=request.architecture)
    if not evidence:
        raise InputError(
            f"no report in {table.location.url()} of the last {request.days:g} days has a "
            "function's name: let each export begin with its log group (aws/lambda/NAME)"
        )
    book, findings = current_price_book(), [*_findings(table, rows, unnamed)]
    functions = judged(
        evidence, window.seconds or 0.0, book, findings, advise_function, asked_optimizer=False
    )
    return scan_of(
        with_staleness(functions, evidence, state_dir, book),
        sort=request.sort,
        window=window,
        sources=(table.location.url(),),
        book=book,
        cost=cost,
        findings=findings,
        assumptions=(
            f"prices of {region}",
            AT_LIST_PRICE,
            "a month of 730 hours like the window",
            *([] if request.architecture else ["architecture x86_64, which logs don't say"]),
        ),
        today=today,
    )


def _ask(
    queries: AthenaQueries,
    table: ArchiveTable,
    window: Window,
    journal: ScanJournal,
    tell: Callable[[str], None],
) -> tuple[list[tuple[str | None, ...]], int]:
    """The query's rows, and the bytes that it scanned. Whatever happens, no table is left."""
    earlier = journal.get("table")
    journal.keep("table", [*{*(earlier or ()), table.drop()}])  # before it's made
    try:
        tell(
            f"Athena reads {counted(f'{table.object_count:,}', 'object')} of {table.location.url()}"
        )
        if (query := journal.get("query")) is None:
            for statement in (table.create(), *table.add_parts()):
                queries.run(statement)
        query, scanned = queries.run(
            days_query(f'"{table.name}"', window),
            started=query,
            on_start=partial(journal.keep, "query"),
        )
        return [*queries.rows(query)], scanned
    finally:
        for statement in journal.get("table"):
            try:
                queries.run(statement)
            except AwsError as error:
                tell(f"the scan's table couldn't be removed ({error}): run {statement} in Athena")


def _findings(table: ArchiveTable, rows: list[SumsRow], unnamed: int) -> Iterator[Finding]:
    unreadable = sum(each[6] for each in rows if each[5] is None)
    if unreadable:
        yield Finding(
            "unreadable_lines",
            "warning",
            f"{counted(f'{unreadable:,}', 'line')} of the archive look like reports and can't be "
            "read, so the counts are too low by as many",
        )
    if table.unpacked_count:
        yield Finding(
            "not_logs",
            "warning",
            f"{counted(f'{table.unpacked_count:,}', 'object')} aren't named .gz: Athena takes them "
            "for plain text, so packed ones have no report",
        )
    if table.left_out_count:
        yield Finding(
            "not_logs",
            "warning",
            f"{counted(f'{table.left_out_count:,}', 'object')} left out: they lie beside the "
            "folders of the archive rather than in them",
        )
    if unnamed:
        message = f"{counted(f'{unnamed:,}', 'report')} of no named function left out"
        yield Finding("unnamed_reports", "warning", message)
