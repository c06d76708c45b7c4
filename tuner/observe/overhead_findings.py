"""What stands out among a function's overheads, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tuner.model.finding import Finding
from tuner.model.interval import listed, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.observe.overheads import LogSaving, Overheads

LEAST_SAVING_USD_PER_MONTH: Final = Decimal(10)
"""A change that saves less isn't worth saying."""
NEARLY_THE_MOST_RATIO: Final = Decimal("0.9")
"""Of the most that a change saves: a smaller change that saves so much is advised instead."""
DEBUG_LINES_RATIO: Final = 0.5
"""Of the log's bytes, from which on lines at DEBUG and TRACE are worth saying."""
EXTENSION_RATIO: Final = 0.1
"""Of the duration, from which on what extensions take is worth saying."""


def with_findings(found: Overheads) -> Overheads:
    """The same with what stands out."""
    return replace(found, findings=tuple(overhead_findings(found)))


def overhead_findings(found: Overheads) -> Iterator[Finding]:
    """Logging above compute, low levels, a cheaper class, no retention, extensions' time."""
    saving = _best(found)
    if found.logging_ratio > 1:
        instead = "" if saving is None else f"; {saving.what} would save {_amount(saving)}"
        yield Finding(
            "logging_costs_more_than_compute",
            "warning",
            f"logs cost ${found.logging.usd_per_million:,.2f} a million invocations, compute "
            f"${found.compute_usd_per_million:,.2f}: {found.bytes_per_invocation:,.0f} bytes an "
            f"invocation{instead}",
        )
    low = sum(
        each.share_ratio
        for each in found.shares
        if each.origin == "function" and each.level in ("TRACE", "DEBUG")
    )
    if low >= DEBUG_LINES_RATIO:
        yield Finding(
            "debug_lines_in_production",
            "info",
            f"{percent(low)} of the log are lines at DEBUG or TRACE: set its log level to INFO",
        )
    yield from _cheaper(found)
    yield from _kept(found)
    time = found.extension_time
    if time is not None and time.duration_ratio >= EXTENSION_RATIO:
        names = f" ({listed(found.extensions)})" if found.extensions else ""
        yield Finding(
            "extensions_take_time",
            "info",
            f"extensions{names} take {time.mean_ms:,.1f} ms behind the response, "
            f"{percent(time.duration_ratio)} of the duration: "
            f"${time.usd_per_million:,.2f} a million invocations",
        )


def _cheaper(found: Overheads) -> Iterator[Finding]:
    for each in found.savings:
        month = each.usd_per_month
        if (
            each.name == "infrequent_access"
            and month is not None
            and month >= LEAST_SAVING_USD_PER_MONTH
        ):
            yield Finding(
                "log_class_saves",
                "info",
                f"the class Infrequent Access would save ${month:,.2f} a month; it has no metric "
                "filters, subscriptions or Live Tail, and only a new log group can have it",
            )


def _kept(found: Overheads) -> Iterator[Finding]:
    settings, month = found.settings, found.logging.storage_usd_per_month
    if settings.is_known and settings.retention_days is None and month is not None:
        year = month * 12
        if year >= LEAST_SAVING_USD_PER_MONTH:
            yield Finding(
                "logs_kept_for_ever",
                "info",
                f"logs are never deleted: each month adds ${month:,.2f} a month to the bill, so a "
                f"year's cost ${year:,.2f} a month: set a retention",
            )


def _best(found: Overheads) -> LogSaving | None:
    """The smallest change that saves nearly as much as any that leaves the logs where they are."""
    kept = [
        each
        for each in found.savings
        if each.name not in ("s3", "system_level") and each.usd_per_million > 0
    ]
    most = max((each.usd_per_million for each in kept), default=Decimal())
    return next(
        (each for each in kept if each.usd_per_million >= most * NEARLY_THE_MOST_RATIO), None
    )


def _amount(saving: LogSaving) -> str:
    if saving.usd_per_month is None:
        return f"${saving.usd_per_million:,.2f} of it"
    return f"${saving.usd_per_month:,.2f} a month"
