"""What a function does in production, from its logs, metrics and settings in AWS."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from tuner.api.live_reports import LivePlan, LiveReader, check_readable
from tuner.aws import function_list, log_groups, metric_data
from tuner.aws.function_ref import check_region, parse_reference
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.aws.usage_query import CPU_GROUP
from tuner.errors import AwsError, UsageError
from tuner.model.finding import Finding
from tuner.observe import kept
from tuner.observe.folder import ObservationFolder
from tuner.observe.reading_findings import reading_findings
from tuner.observe.usage import observe as observe_store
from tuner.pricing.book import FREE_EPHEMERAL_STORAGE_MB, age_finding
from tuner.pricing.renewal import current_price_book
from tuner.report.observation import to_json

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from pathlib import Path

    from tuner.api.live_reports import LiveSource
    from tuner.aws.function_ref import FunctionRef
    from tuner.model.account import AccountFunction, FunctionMetrics, ReadingCost
    from tuner.model.observation import Observation, Usage, Window
    from tuner.pricing import LambdaPrices, PriceBook


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """Which function, where it is, and what of its past is wanted."""

    function: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    days: float = 14
    source: LiveSource = "auto"
    discount_percent: float = 0.0


def observe_live(
    request: LiveRequest,
    *,
    state_dir: Path,
    now: datetime.datetime,
    agree: Callable[[ReadingCost], bool],
    tell: Callable[[str], None] = lambda _: None,
    price_book: PriceBook | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Observation:
    """Say what a function did and cost in the last days, by CloudWatch.

    The window ends now, or where the same was asked within the hour. `agree` is asked with what log
    queries will cost. What else may not be read becomes a finding. Raises AwsError and its
    subclasses, InputError, PriceError and NotAgreedError.
    """
    reference = parse_reference(request.function)
    region = request.region
    if reference.region is not None:
        check_region(reference, region or reference.region)
        region = reference.region
    if not 0 <= request.discount_percent < 100:
        raise UsageError(
            f"`discount_percent` {request.discount_percent:g} is out of range: 0 to under 100"
        )
    if request.days <= 0:
        raise UsageError(f"`days={request.days:g}` is no time to look back: give one at least")
    end = now.replace(microsecond=0)
    session = open_session(
        region=region, profile=request.profile, endpoint_url=request.endpoint_url
    )
    if session.is_loopback:  # one account lives there, and some servers know names only
        reference = replace(reference, account_id=None)
    with Services(session, purpose="observe", sleep=sleep) as services:
        seen = _Seen(services, reference, end - timedelta(days=request.days), end)
        function = seen.function
        book = price_book or current_price_book()
        prices = book.lambda_prices(function.region, function.architecture)  # before a query's cost
        reader = LiveReader(
            services, seen.plan(request.source), request.source, agree=agree, tell=tell
        )
        store, reading = reader.read(ObservationFolder(state_dir), asked=function.name)
        window = reading.asked_window or reading.window
        aged = age_finding(prices.as_of, now.date())
        with store:
            found = observe_store(
                store,
                function.name,
                own_window=window,
                sources=reading.sources,
                prices=prices,
                account=function.account or None,
                settings=function,
                discount_ratio=Decimal(repr(float(request.discount_percent))) / 100,
                unreadable_line_count=reading.unreadable_count,
                findings=(
                    *reader.findings,
                    *reading_findings(reading),
                    *([aged] if aged else []),
                ),
                assumptions=(
                    "list prices without free tier and volume tiers",
                    *([f"{request.discount_percent:g}% off"] if request.discount_percent else []),
                    "durations are of invocations that succeeded",
                ),
            )
        metrics = seen.metrics_of(window)
        if metrics is not None and not metrics.invocation_count:
            metrics = None  # of a server without them: its log has reports
        logs_usd = seen.log_cost_usd(window, book)
    found = replace(
        found,
        throttle_count=None if metrics is None else metrics.throttle_count,
        max_concurrency=found.max_concurrency if metrics is None else metrics.max_concurrency,
        ephemeral_storage_cost_usd=_storage_cost_usd(function, found.usage, prices),
        log_ingestion_cost_usd=logs_usd,
        findings=(*found.findings, *seen.findings, *_missing(metrics, found.usage)),
    )
    kept.keep(state_dir, to_json(found))
    return found


class _Seen:
    """What AWS says about the function besides its log."""

    def __init__(
        self,
        services: Services,
        reference: FunctionRef,
        start: datetime.datetime,
        end: datetime.datetime,
    ) -> None:
        self._services = services
        self._start = start
        self._end = end
        self.findings: list[Finding] = []
        self.function = function_list.read_function(services, reference)

    def plan(self, source: LiveSource) -> LivePlan:
        """Its log, if that has reports to read. Raises InputError and AwsError."""
        function = self.function
        names = [function.log_group, *([CPU_GROUP] if function.has_lambda_insights else [])]
        groups = log_groups.find_log_groups(self._services, names)
        metrics = self._metrics(self._start, self._end)
        group = check_readable(function, groups.get(function.log_group), metrics, source)
        count = None if metrics is None else metrics.invocation_count
        return LivePlan(((function, group),), self._start, self._end, count, groups.get(CPU_GROUP))

    def metrics_of(self, window: Window) -> FunctionMetrics | None:
        """CloudWatch's sums over what was read; None where that's not allowed."""
        if window.start is None or window.end is None or self.findings:
            return None
        return self._metrics(window.start, window.end)

    def log_cost_usd(self, window: Window, book: PriceBook) -> Decimal | None:
        """The cost of its log's ingestion; None if bytes or price aren't known."""
        price = next(
            (each.logs_gb_usd for each in book.network_entries
             if each.region == self.function.region), None
        )  # fmt: skip
        if price is None or window.start is None or window.end is None or self.findings:
            return None
        try:
            size = metric_data.ingested_bytes(
                self._services,
                self.function.log_group,
                start=window.start,
                end=window.end,
                period_s=_period_s(window.start, window.end),
            )
        except AwsError as error:
            self._cannot(error)
            return None
        return None if size is None else Decimal(size) / 10**9 * price

    def _metrics(self, start: datetime.datetime, end: datetime.datetime) -> FunctionMetrics | None:
        name = self.function.name
        try:
            return metric_data.function_metrics(
                self._services, [name], start=start, end=end, period_s=_period_s(start, end)
            )[name]
        except AwsError as error:
            self._cannot(error)
            return None

    def _cannot(self, error: AwsError) -> None:
        message = f"throttles, concurrency and log costs are left out ({error})"
        if not self.findings:
            self.findings.append(Finding("not_read", "warning", message))


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
    if not extra_mb:
        return Decimal()
    seconds = usage.billed_gb_seconds / function.memory_mb * 1024
    return seconds * extra_mb / 1024 * prices.ephemeral_storage_price_usd_per_gb_second


def _missing(metrics: FunctionMetrics | None, usage: Usage) -> tuple[Finding, ...]:
    """A finding where CloudWatch counts clearly more invocations than there are reports."""
    if metrics is None or metrics.invocation_count <= usage.invocation_count * 1.02 + 5:
        return ()
    return (
        Finding(
            "reports_missing",
            "warning",
            f"CloudWatch counts {metrics.invocation_count:,} invocations, and "
            f"{usage.invocation_count:,} have a report: costs are too low by as many",
        ),
    )
