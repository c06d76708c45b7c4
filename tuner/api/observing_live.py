"""What a function does in production, from its logs, metrics and settings in AWS."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from tuner.api.live_reports import LivePlan, LiveReader, check_readable, open_services
from tuner.api.reading import AT_LIST_PRICE, ReadLogs, discount_ratio, every_version
from tuner.aws import function_list, log_groups, metric_data
from tuner.aws.function_ref import check_region, parse_reference
from tuner.aws.usage_query import CPU_GROUP
from tuner.errors import AwsError
from tuner.model.finding import Finding
from tuner.observe import kept
from tuner.observe.usage import reading_findings
from tuner.pricing.book import FREE_EPHEMERAL_STORAGE_MB, age_findings
from tuner.pricing.log_prices import BYTES_PER_GB
from tuner.pricing.renewal import current_price_book
from tuner.report.observation import to_json

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator

    from tuner.api.reading import Caller, LiveRequest, LiveSource
    from tuner.aws.services import ReadingPurpose, Services
    from tuner.model.account import AccountFunction, FunctionMetrics
    from tuner.model.observation import Observation, Usage
    from tuner.pricing import LambdaPrices, PriceBook

T = TypeVar("T")


def observe_live(
    request: LiveRequest, caller: Caller, *, price_book: PriceBook | None = None
) -> Observation:
    """Say what a function did and cost in the last days, by CloudWatch.

    The window ends now, or where the same was asked within the hour. The caller is asked about the
    price of log queries. What else may not be read becomes a finding. Raises UsageError, AwsError
    and its subclasses, InputError, PriceError and NotAgreedError.
    """
    with live_logs(request, caller, price_book=price_book) as (logs, metrics, book):
        found = logs.observed()
        start, end = found.window.start, found.window.end
        assert start is not None and end is not None  # noqa: PT018 - a live source has a window
        sums = metrics.sums(start, end)
        if sums is not None and not sums.invocation_count:
            sums = None  # of a server without metrics: its log has reports
        logs_usd = metrics.log_cost_usd(start, end, book)
        function = metrics.function
    found = replace(
        found,
        throttle_count=None if sums is None else sums.throttle_count,
        max_concurrency=found.max_concurrency if sums is None else sums.max_concurrency,
        ephemeral_storage_cost_usd=_storage_cost_usd(function, found.usage, logs.prices),
        log_ingestion_cost_usd=logs_usd,
        findings=(*found.findings, *metrics.findings, *_missing(sums, found.usage)),
    )
    kept.keep(caller.state_dir, to_json(found))
    return found


@contextmanager
def live_logs(
    request: LiveRequest,
    caller: Caller,
    *,
    price_book: PriceBook | None = None,
    purpose: ReadingPurpose = "observe",
    reports_only: bool = False,
) -> Iterator[tuple[ReadLogs, Metrics, PriceBook]]:
    """The reports of a function in an account, its metrics, and the prices.

    For a watch, with what lines tell of errors, traces and messages (unless `reports_only`), and up
    to now. Raises what `observe_live` does.
    """
    reference, where = parse_reference(request.function or ""), request.where
    if reference.region is not None:
        check_region(reference, where.region or reference.region)
        where = replace(where, region=reference.region)
    percent = request.discount_percent
    discount = discount_ratio(percent)
    start, end = request.window(caller.now)
    with open_services(where, purpose, caller) as services:
        if services.session.is_loopback:  # one account lives there; some servers know names only
            reference = replace(reference, account_id=None)
        function = function_list.read_function(services, reference)
        book = price_book or current_price_book()
        prices = book.lambda_prices(function.region, function.architecture)  # before a query's cost
        metrics = Metrics(services, function)
        plan = _plan(services, function, metrics, (start, end), request.source)
        reader = LiveReader(
            services,
            plan,
            request.source,
            caller,
            with_requests=purpose == "watch" and not reports_only,
        )
        store, reading = reader.read(asked=function.name)
        with store:
            logs = ReadLogs(
                store,
                reading,
                function.name,
                function.account or None,
                prices,
                (
                    *reader.findings,
                    *reading_findings(reading),
                    *age_findings(prices.as_of, caller.today),
                ),
                (
                    *every_version(reference.qualifier),
                    AT_LIST_PRICE,
                    *([f"{percent:g}% off"] if percent else []),
                ),
                discount_ratio=discount,
                settings=function,
            )
            yield logs, metrics, book


def _plan(
    services: Services,
    function: AccountFunction,
    metrics: Metrics,
    window: tuple[datetime.datetime, datetime.datetime],
    source: LiveSource,
) -> LivePlan:
    """The function's log, if that has reports to read. Raises InputError and AwsError."""
    names = [function.log_group, *([CPU_GROUP] if function.has_lambda_insights else [])]
    groups = log_groups.find_log_groups(services, names)
    sums = metrics.sums(*window)
    group = check_readable(function, groups.get(function.log_group), sums, source)
    count = None if sums is None else sums.invocation_count
    return LivePlan(((function, group),), *window, count, groups.get(CPU_GROUP))


class Metrics:
    """CloudWatch's metrics of a function. Once they can't be read, all are None."""

    def __init__(self, services: Services, function: AccountFunction) -> None:
        self.services = services
        self.function = function
        self.findings: list[Finding] = []

    def sums(self, start: datetime.datetime, end: datetime.datetime) -> FunctionMetrics | None:
        """Invocations, errors, throttles and concurrency."""
        name = self.function.name
        found = self._ask(
            lambda: metric_data.function_metrics(
                self.services, [name], start=start, end=end, period_s=_period_s(start, end)
            )
        )
        return None if found is None else found[name]

    def log_cost_usd(
        self, start: datetime.datetime, end: datetime.datetime, book: PriceBook
    ) -> Decimal | None:
        """The cost of its log's ingestion; None if bytes or price aren't known."""
        region, group = self.function.region, self.function.log_group
        prices = (each.logs_gb_usd for each in book.network_entries if each.region == region)
        price = next(prices, None)
        if price is None:
            return None
        size = self._ask(
            lambda: metric_data.ingested_bytes(
                self.services, group, start=start, end=end, period_s=_period_s(start, end)
            )
        )
        return None if size is None else Decimal(size) / BYTES_PER_GB * price

    def _ask(self, ask: Callable[[], T]) -> T | None:
        if self.findings:
            return None
        try:
            return ask()
        except AwsError as error:
            message = f"throttles, concurrency and log costs are left out ({error})"
            self.findings.append(Finding("not_read", "warning", message))
            return None


def _period_s(start: datetime.datetime, end: datetime.datetime) -> int:
    """The shortest that CloudWatch keeps so long: a minute for 15 days, five for 63, else an hour.

    Data points lie on whole periods, and a window begins and ends at any second.
    """
    days = (end - start).total_seconds() / 86_400
    return 60 if days < 15 else 300 if days < 63 else 3600


def _storage_cost_usd(
    function: AccountFunction, usage: Usage, prices: LambdaPrices
) -> Decimal | None:
    """Of /tmp above 512 MB, at the size that is set now."""
    if function.ephemeral_storage_mb is None:
        return None
    extra_mb = max(function.ephemeral_storage_mb - FREE_EPHEMERAL_STORAGE_MB, 0)
    seconds = usage.billed_gb_seconds / function.memory_mb * 1024
    return seconds * extra_mb / 1024 * prices.ephemeral_storage_price_usd_per_gb_second


def _missing(sums: FunctionMetrics | None, usage: Usage) -> Iterator[Finding]:
    """A finding where CloudWatch counts clearly more invocations than there are reports."""
    if sums is not None and sums.invocation_count > usage.invocation_count * 1.02 + 5:
        yield Finding(
            "reports_missing",
            "warning",
            f"CloudWatch counts {sums.invocation_count:,} invocations, and "
            f"{usage.invocation_count:,} have a report: costs are too low by as many",
        )
