"""Every function of an account, ranked by what tuning would save."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.api.judging import judged, scan_of
from tuner.api.log_queries import LogQueries, plan_queries
from tuner.api.region_reader import RegionReader
from tuner.api.scan_journal import ScanJournal
from tuner.api.staleness import with_staleness
from tuner.aws.insights import price_usd
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AwsError, NotAgreedError
from tuner.model.account import ReadingCost
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.observation import Window
from tuner.model.scan import FunctionEvidence
from tuner.observe.scanning import NO_REPORT, advise_function
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tuner.api.log_queries import QueryPlan
    from tuner.api.reading import Caller
    from tuner.aws.session import Session
    from tuner.model.account import AccountFunction, FunctionMetrics
    from tuner.model.scan import Scan
    from tuner.observe.scanning import Advise, SortKey

_ASSUMPTIONS: Final = (
    "list prices, without free tier and volume tiers",
    "a month of 730 hours like the window",
    "x86_64 or arm64 as each function is set now",
)


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to scan. No region means the profile's, no profile the usual credentials."""

    regions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    endpoint_url: str | None = None
    days: float = 14
    sort: SortKey = "saving"
    with_logs: bool = True
    """Without, costs are CloudWatch's durations alone, and nothing is advised."""
    restart: bool = False
    """Ask everything again, instead of resuming a scan that was interrupted."""


class _Place(NamedTuple):
    """A region of an account, with what was read before the price is agreed to."""

    reader: RegionReader
    functions: tuple[AccountFunction, ...]
    metrics: dict[str, FunctionMetrics]
    plan: QueryPlan
    queries: LogQueries


def scan_account(
    request: ScanRequest,
    caller: Caller,
    *,
    advise: Advise | None = advise_function,
    least_interval_s: float | None = None,
) -> Scan:
    """Read every function, and rank them; nothing is changed.

    The caller is asked once about the price of the log queries. An interrupted scan of the same
    question resumes where it was, within a day. A region that can't be read becomes a finding,
    unless none can. Raises AwsError and its subclasses, InputError, NotAgreedError.
    """
    asked = [request.regions, request.profiles, request.endpoint_url, request.days]
    with (
        ScanJournal.open(
            caller.state_dir, asked, now=caller.now, days=request.days, restart=request.restart
        ) as journal,
        ExitStack() as opened,
    ):
        if journal.resumed_count:
            caller.tell(f"resuming the scan that began at {journal.window.begun_at:%H:%M} UTC")
        ask = partial(
            Services, purpose="scan", least_interval_s=least_interval_s, sleep=caller.sleep
        )
        everywhere = (opened.enter_context(each) for each in _services(request, ask))
        readers = (RegionReader(each, journal, tell=caller.tell) for each in everywhere)
        book, findings = current_price_book(), list[Finding]()
        places = [*_places(readers, findings, with_logs=request.with_logs)]
        estimated = _sum_of(each.plan.cost for each in places)
        if request.with_logs and not caller.agree(estimated):
            raise NotAgreedError("nothing was queried")
        window = Window(journal.window.start, journal.window.end)
        functions = []
        for place in places:
            evidence, asked_optimizer = _evidence(place)
            found = judged(
                evidence, window.seconds or 0.0, book, findings, advise,
                asked_optimizer=asked_optimizer,
            )  # fmt: skip
            functions += with_staleness(found, evidence, caller.state_dir, book)
            findings += (*place.reader.findings, *_kept_for_less(place, evidence))
        scanned = sum(each.queries.bytes_scanned for each in places)
        scan = scan_of(
            functions,
            sort=request.sort,
            window=window,
            sources=[f"Lambda, CloudWatch and its logs in {each.reader.place}" for each in places],
            book=book,
            cost=replace(estimated, log_bytes=scanned, query_usd=price_usd(scanned)),
            findings=findings,
            assumptions=_ASSUMPTIONS,
            today=journal.window.end.date(),
        )
        journal.done()
    return scan


def _services(request: ScanRequest, ask: Callable[[Session], Services]) -> Iterator[Services]:
    """One for each region of each profile. Raises InputError and CredentialsError."""
    for profile in request.profiles or (None,):
        for region in request.regions or (None,):
            yield ask(
                open_session(region=region, profile=profile, endpoint_url=request.endpoint_url)
            )


def _places(
    readers: Iterable[RegionReader], findings: list[Finding], *, with_logs: bool
) -> Iterator[_Place]:
    """Every place that can be read, with its plan. Raises AwsError where none can."""
    errors: list[AwsError] = []
    count = 0
    for reader in readers:
        try:
            functions = reader.functions()
        except AwsError as error:
            errors.append(error)
            findings.append(Finding("not_read", "warning", f"{reader.place}: {error}"))
            continue
        count += 1
        metrics = reader.metrics(functions)
        plan = plan_queries(reader, functions, metrics, with_logs=with_logs)
        yield _Place(reader, functions, metrics, plan, LogQueries(reader, plan))
    if errors and not count:
        raise errors[0]


def _evidence(place: _Place) -> tuple[list[FunctionEvidence], bool]:
    """Read the rest, and put together what is known of each function; whether Compute Optimizer
    was asked.

    A function that ran, as far as metrics tell, whose log was read and had no report, counts as
    unread.
    """
    reader, functions, metrics, plan, queries = place
    found, refused = queries.day_sums(functions)
    digests = reader.code_digests(found)
    cpu = queries.processor_times(functions)
    provisioned = reader.provisioned(functions, metrics)
    optimizer = reader.optimizer()
    made = []
    for each in functions:
        name, sums = each.name, found.get(each.name)
        unread = plan.unread.get(name) or refused.get(name)
        ran = name in metrics and metrics[name].invocation_count
        is_idle = name in metrics and not ran
        if plan.with_logs and unread is None and not (sums or is_idle):
            unread = NO_REPORT + (": its cost is based on CloudWatch's durations" if ran else "")
        made.append(
            FunctionEvidence(
                function=each,
                metrics=metrics.get(name),
                days=tuple(sums or ()) if is_idle or (sums and unread is None) else None,
                optimizer=(optimizer or {}).get(name),
                provisioned=provisioned.get(name, ()),
                unread=unread,
                kept_days=plan.kept_days.get(name),
                digests=digests.get(name, ()),
                processor_ms=cpu.get(name, ()),
            )
        )
    return made, optimizer is not None


def _kept_for_less(place: _Place, evidence: Iterable[FunctionEvidence]) -> Iterator[Finding]:
    days = [each.kept_days for each in evidence if each.kept_days is not None]
    if days:
        yield Finding(
            "retention_short",
            "warning",
            f"{place.reader.place}: the logs of {counted(len(days), 'function')} are kept for "
            f"{' or '.join(f'{each:g}' for each in sorted(set(days)))} days: their figures are of "
            "those",
        )


def _sum_of(costs: Iterable[ReadingCost]) -> ReadingCost:
    listed = [*costs]
    return ReadingCost(
        sum(each.log_bytes for each in listed),
        sum(each.query_usd for each in listed),
        sum(each.metric_count for each in listed),
        sum(each.metric_usd for each in listed),
    )
