"""Makes an observation of one function: what it did in a window, and what that costs; and says what
is wrong with the logs that were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.advice import Advice, Situation
from tuner.model.finding import Finding
from tuner.model.interval import counted, listed
from tuner.model.lambda_limits import HOURS_PER_MONTH
from tuner.model.observation import MemoryObservation, Observation, Window, days_before
from tuner.observe.archive_days import function_days, observed_sizes
from tuner.observe.side_files import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from tuner.model.account import AccountFunction
    from tuner.model.observation import Usage
    from tuner.observe.folder import Reading
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices

_EXACT: Final = Context(prec=80)
_LEAST_FOR_A_MONTH: Final = timedelta(days=1)
_OF_SEVERAL: Final = Advice(
    "unknown",
    None,
    None,
    None,
    "several functions of this name are added up, and one's size tells nothing of another's",
)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Span:
    """What narrows a source's own window: ends of any zone (UTC without one), or days counted back
    from the last line.
    """

    start: datetime | None = None
    end: datetime | None = None
    days: float | None = None

    def of(self, own: Window) -> Window:
        """The window of an answer. Raises InputError where nothing is left of it."""
        if own.start is None or own.end is None:
            if self.is_given:
                raise InputError(
                    "no line has a time, so no window is known: leave out `start`, `end`, `days`"
                )
            return own
        end = own.end if self.end is None else min(own.end, in_utc(self.end))
        start = own.start if self.start is None else max(own.start, in_utc(self.start))
        if self.days is not None:
            start = max(start, days_before(end, self.days))
        if start > end:
            raise InputError(
                f"no line is in that window: the lines are from {_day(own.start)} to "
                f"{_day(own.end)} (UTC), so give another `start`, `end` or `days`"
            )
        return Window(start, end)

    @property
    def is_given(self) -> bool:
        """Whether it narrows anything."""
        return (self.start, self.end, self.days) != (None, None, None)


ALL: Final = Span()
"""Narrows nothing."""


def cost_usd(usage: Usage, prices: LambdaPrices, discount_ratio: Decimal = Decimal()) -> Decimal:
    """Requests and billed GB-seconds at the first tier's list price, exact, less a discount."""
    with localcontext(_EXACT):
        price = prices.duration_tiers[0].price_usd_per_gb_second
        duration = Decimal(usage.billed_mb_ms) * price / 1024 / 1000
        cost = usage.invocation_count * prices.request_price_usd + duration
        return cost * (1 - discount_ratio)


def per_month(amount: Decimal, window: Window) -> Decimal | None:
    """What a window has, such as its cost, scaled to a month of 730 hours; None under one day."""
    seconds = window.seconds
    if seconds is None or seconds < _LEAST_FOR_A_MONTH.total_seconds():
        return None
    return amount * HOURS_PER_MONTH * 3600 / Decimal(seconds)


def observe(
    store: ReportStore,
    function: str,
    reading: Reading,
    prices: LambdaPrices,
    *,
    span: Span = ALL,
    account: str | None = None,
    settings: AccountFunction | None = None,
    discount_ratio: Decimal = Decimal(),
    findings: tuple[Finding, ...] = (),
    assumptions: tuple[str, ...] = (),
) -> Observation:
    """The usage of a function, and what to do about its memory. `settings` are today's, where they
    are known. Raises InputError where there is no report of it in the window.
    """
    window = span.of(reading.asked_window or reading.window)
    asked = window if span.is_given else Window()
    usage = store.total(function, asked, account=account)
    if usage is None:
        raise InputError(_nothing(store, function, span, reading))
    by_memory = tuple(
        MemoryObservation(
            each.memory_mb, each.version, each.usage, cost_usd(each.usage, prices, discount_ratio)
        )
        for each in store.usage(function, asked, account=account)
    )
    cost = cost_usd(usage, prices, discount_ratio)
    latest_mb = store.latest_memory_mb(function, asked, account=account)
    memory_mb = latest_mb or by_memory[-1].memory_mb
    memory_mb = memory_mb if settings is None else settings.memory_mb
    situation = Situation(
        memory_mb=memory_mb,
        window_s=window.seconds,
        timeout_s=None if settings is None else settings.timeout_s,
        ephemeral_storage_mb=None if settings is None else settings.ephemeral_storage_mb,
        discount_ratio=float(discount_ratio),
    )
    facts = (function, asked, account, situation)
    return Observation(
        function=function,
        region=prices.region,
        architecture=prices.architecture,
        memory_mb=memory_mb,
        window=window,
        sources=reading.sources,
        usage=usage,
        by_memory=by_memory,
        cost_usd=cost,
        cost_usd_per_month=per_month(cost, window),
        max_concurrency=store.max_concurrency(function, asked, account=account),
        unreadable_line_count=reading.unreadable_count,
        left_out_count=store.count_others(function),
        prices_as_of=prices.as_of,
        findings=findings,
        assumptions=assumptions,
        advice=_OF_SEVERAL
        if any(each.code == "mixed_accounts" for each in findings)
        else store.remember(
            "advice", (facts, prices), Advice, lambda: _advice(store, facts, prices)
        ),
    )


def _advice(
    store: ReportStore, facts: tuple[str, Window, str | None, Situation], prices: LambdaPrices
) -> Advice:
    # numpy and scipy: not needed for what was answered before
    from tuner.observe.advice import advise  # noqa: PLC0415

    function, window, account, situation = facts
    days, processor_ms = function_days(store, function, window, account=account)
    sizes = observed_sizes(days, memory_mb=situation.memory_mb, processor_ms=processor_ms)
    return advise(sizes, situation, prices)


def _nothing(store: ReportStore, function: str, span: Span, reading: Reading) -> str:
    if span.is_given and store.total(function) is not None:
        return f"no report of {function} is in that window: give another `start`, `end` or `days`"
    names = sorted({each.function for each in store.functions() if each.function})
    if names:
        return f"there is no REPORT line of {function}: the logs are of {listed(names, 5)}"
    return f"there is no REPORT line of {function}: {why_nothing(reading)}"


def why_nothing(reading: Reading) -> str:
    """What is wrong with logs without a report, and what to do."""
    if reading.torn:
        name, why = reading.torn[0]
        return f"{name} can't be unpacked to the end ({why}), so give it whole"
    if reading.unreadable:
        first = reading.unreadable[0]
        return f"{first.source}:{first.line} looks like one and can't be read ({first.why})"
    if reading.quoted_count:
        lines = counted(f"{reading.quoted_count:,}", "line")
        return (
            f"{lines} with one in the middle of other text or of JSON, which a function may have "
            "printed: give the log as CloudWatch exports or delivers it"
        )
    if reading.line_count == 0 and reading.asked_window is None:
        return "the logs have no lines, so check that the export is whole"
    return (
        "at that log level Lambda may write none, so take logs of the system log level INFO, or "
        "look at whether these are a function's logs"
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def reading_findings(reading: Reading) -> Iterator[Finding]:
    """Findings about an archive, for whichever function was asked."""
    if reading.unreadable_count:
        where = [f"{each.source}:{each.line} ({each.why})" for each in reading.unreadable]
        count = reading.unreadable_count
        what = "looks like a report" if count == 1 else "look like reports"
        yield Finding(
            "unreadable_lines",
            "warning",
            f"{counted(count, 'line')} {what} and can't be read, so the counts are too low by as "
            f"many: {_first(where, count)}",
        )
    if reading.torn:
        where = [f"{name} ({why})" for name, why in reading.torn]
        yield Finding(
            "torn_file",
            "warning",
            f"{counted(len(where), 'file')} can't be unpacked to the end, and what comes before "
            f"was read: {_first(where, len(where))}",
        )
    if reading.unusable:
        where = [f"{name} ({why})" for name, why in reading.unusable]
        yield Finding(
            "not_logs",
            "warning",
            f"{counted(len(where), 'file')} left out: {_first(where, len(where))}",
        )
    if reading.too_long_count:
        yield Finding(
            "long_lines",
            "warning",
            f"{counted(reading.too_long_count, 'line')} left out for being over 32 MB long",
        )
    if reading.quoted_count:
        yield Finding(
            "quoted_reports",
            "info",
            f"{counted(reading.quoted_count, 'line')} with a REPORT in the middle of other text: "
            "taken for what a function printed, and not counted",
        )
    if reading.window.start is None and reading.report_count:
        yield Finding(
            "no_times",
            "warning",
            "no line has a time, so there is no window, no rate and no cost a month: take logs "
            "with their timestamps",
        )


def _first(where: Sequence[str], count: int) -> str:
    more = count - min(len(where), _SHOWN)
    return "; ".join(where[:_SHOWN]) + (f"; and {more} more" if more else "")
