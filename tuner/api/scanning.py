"""Every function of an account, ranked by what tuning would save."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.api.account_evidence import evidence_of
from tuner.api.judging import judged, prices_as_of
from tuner.api.log_queries import LogQueries, plan_queries
from tuner.api.region_reader import RegionReader
from tuner.api.scan_journal import ScanJournal
from tuner.aws.insights import price_usd
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AwsError, NotAgreedError
from tuner.model.account import ReadingCost
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.observation import Window
from tuner.model.scan import Scan
from tuner.observe.advising import advise_function
from tuner.observe.scanning import rank, total_cost_usd_per_month
from tuner.pricing.book import age_finding
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tuner.api.log_queries import QueryPlan
    from tuner.aws.session import Session
    from tuner.model.account import AccountFunction, FunctionMetrics
    from tuner.model.scan import ScannedFunction
    from tuner.observe.scanning import Advise, SortKey
    from tuner.pricing import PriceBook

_ASSUMPTIONS: Final = (
    "list prices, without free tier and volume tiers",
    "a month of 730 hours like the window",
    "x86_64 or arm64 as each function is set now",
)


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What is to be scanned. No region means the profile's, no profile the usual credentials."""

    regions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    endpoint_url: str | None = None
    days: float = 14
    sort: SortKey = "saving"
    with_logs: bool = True
    """Without, costs are CloudWatch's durations alone, and nothing is advised."""
    restart: bool = False
    """Ask everything again, instead of going on with a scan that was interrupted."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A region of an account, opened, with what was read before the price is agreed to."""

    name: str
    reader: RegionReader
    functions: tuple[AccountFunction, ...]
    metrics: dict[str, FunctionMetrics]
    plan: QueryPlan
    queries: LogQueries


@dataclass(slots=True)
class _Found:
    functions: list[ScannedFunction] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def scan_account(
    request: ScanRequest,
    *,
    state_dir: Path,
    now: datetime.datetime,
    agree: Callable[[ReadingCost], bool],
    tell: Callable[[str], None] = lambda _: None,
    advise: Advise | None = advise_function,
    least_interval_s: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Scan:
    """Read every function, and rank them; nothing is changed.

    `agree` is asked once, with what the log queries will cost. An interrupted scan of the same
    question goes on where it was, within a day. A region that can't be read is told, unless all
    can't. Raises AwsError and its subclasses, InputError, NotAgreedError.
    """
    asked = [request.regions, request.profiles, request.endpoint_url, request.days]
    with (
        ScanJournal.open(
            state_dir, asked, now=now, days=request.days, restart=request.restart
        ) as journal,
        ExitStack() as opened,
    ):
        if journal.resumed_count:
            tell(f"resuming the scan that began at {journal.window.begun_at:%H:%M} UTC")
        found = _Found()
        open_services = partial(
            Services, purpose="scan", least_interval_s=least_interval_s, sleep=sleep
        )
        everywhere = (opened.enter_context(each) for each in _services(request, open_services))
        places = [*_places(everywhere, journal, found, tell, with_logs=request.with_logs)]
        estimated = _sum_of(each.plan.cost for each in places)
        if request.with_logs and not agree(estimated):
            raise NotAgreedError("nothing was queried")
        book = current_price_book()
        for place in places:
            _read_place(place, journal, book, found, advise)
        window = Window(journal.window.start, journal.window.end)
        scan = _scan(found, request.sort, window, book, places)
        journal.done()
    return scan


def _services(
    request: ScanRequest, open_services: Callable[[Session], Services]
) -> Iterator[Services]:
    """One for each region of each profile. Raises InputError and CredentialsError."""
    for profile in request.profiles or (None,):
        for region in request.regions or (None,):
            yield open_services(
                open_session(region=region, profile=profile, endpoint_url=request.endpoint_url)
            )


def _places(
    everywhere: Iterable[Services],
    journal: ScanJournal,
    found: _Found,
    tell: Callable[[str], None],
    *,
    with_logs: bool,
) -> Iterator[_Place]:
    """Every place that can be read, with its plan. Raises AwsError where none can."""
    errors: list[AwsError] = []
    count = 0
    for services in everywhere:
        session = services.session
        name = " ".join(each for each in (session.profile, session.region) if each)
        reader = RegionReader(services, journal, name, tell=tell)
        try:
            functions = reader.functions()
        except AwsError as error:
            errors.append(error)
            found.findings.append(Finding("not_read", "warning", f"{name}: {error}"))
            continue
        count += 1
        metrics = reader.metrics(functions)
        plan = plan_queries(reader, functions, metrics, with_logs=with_logs)
        yield _Place(name, reader, functions, metrics, plan, LogQueries(reader, plan))
    if errors and not count:
        raise errors[0]


def _read_place(
    place: _Place,
    journal: ScanJournal,
    book: PriceBook,
    found: _Found,
    advise: Advise | None,
) -> None:
    evidence, asked_optimizer = evidence_of(
        place.reader, place.queries, place.plan, place.functions, place.metrics
    )
    window_s = (journal.window.end - journal.window.start).total_seconds()
    found.functions += judged(
        evidence, window_s, book, found.findings, advise, asked_optimizer=asked_optimizer
    )
    found.findings += place.reader.findings
    short = [each for each in evidence if each.kept_days is not None]
    if short:
        days = sorted({f"{each.kept_days:g}" for each in short}, key=float)
        found.findings.append(
            Finding(
                "retention_short",
                "warning",
                f"{place.name}: the logs of {counted(len(short), 'function')} are kept for "
                f"{' or '.join(days)} days: their figures are of those",
            )
        )


def _scan(
    found: _Found, sort: SortKey, window: Window, book: PriceBook, places: Sequence[_Place]
) -> Scan:
    as_of = prices_as_of(book, found.functions)
    old = None if window.end is None else age_finding(as_of, window.end.date())
    return Scan(
        functions=rank(found.functions, sort),
        window=window,
        sources=tuple(f"Lambda, CloudWatch and its logs in {place.name}" for place in places),
        total_cost_usd_per_month=total_cost_usd_per_month(found.functions),
        cost=_paid(places),
        prices_as_of=as_of,
        findings=(*found.findings, *((old,) if old else ())),
        assumptions=_ASSUMPTIONS,
    )


def _paid(places: Iterable[_Place]) -> ReadingCost:
    """What was asked and scanned, by CloudWatch's own count of bytes."""
    return _sum_of(
        ReadingCost(
            each.queries.bytes_scanned,
            price_usd(each.queries.bytes_scanned),
            each.plan.cost.metric_count,
            each.plan.cost.metric_usd,
        )
        for each in places
    )


def _sum_of(costs: Iterable[ReadingCost]) -> ReadingCost:
    listed = [*costs]
    return ReadingCost(
        sum(each.log_bytes for each in listed),
        sum(each.query_usd for each in listed),
        sum(each.metric_count for each in listed),
        sum(each.metric_usd for each in listed),
    )
