"""What a function pays besides its work: its logs, extensions, tracing, metrics, and layers' INIT.

Figures by the month need a day of logs; those of a million invocations are always there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from tuner.logs.log_message import LEVELS
from tuner.observe.layer_weight import layer_weights
from tuner.observe.log_bill import LogBill, LogCost, LogVolume, gigabytes
from tuner.observe.usage import per_month

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.logs.log_message import Level, LogOrigin
    from tuner.logs.log_sizes import LogSizes
    from tuner.model.finding import Finding
    from tuner.model.observation import Observation
    from tuner.observe.layer_weight import LayerWeight, VersionInit
    from tuner.pricing import LambdaPrices, LogPrices
    from tuner.pricing.log_prices import LogDestination

SavingName = Literal[
    "level_info", "level_warn", "level_error", "system_level", "json", "infrequent_access", "s3"
]
_MOST_STREAMS: Final = 5
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How the function logs; None: not known.

    `retention_days` is None where logs are kept for ever, or where `is_known` is False.
    `metered_bytes` is CloudWatch's own sum over the window where the lines are only a sample of it.
    `already_gb` is what the account's other logs fill of a month's tiers, and `group` the log group
    where the function shares one.
    """

    destination: LogDestination = "STANDARD"
    retention_days: int | None = None
    is_known: bool = False
    metered_bytes: float | None = None
    already_gb: Decimal = Decimal()
    is_scaled: bool = False
    """Whether nothing was metered, and the sample's bytes of a report were taken for all."""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class LogShare:
    """One kind of line: whose it is and its level, with what its ingestion costs."""

    origin: LogOrigin
    level: Level
    event_count: int
    size_bytes: int
    share_ratio: float
    usd_per_million: Decimal


@dataclass(frozen=True, slots=True)
class LogSaving:
    """What a change of how the function logs would save; negative: it costs more."""

    name: SavingName
    what: str
    usd_per_million: Decimal
    usd_per_month: Decimal | None


@dataclass(frozen=True, slots=True)
class ExtensionTime:
    """What extensions take behind the response, by JSON logs' `platform.runtimeDone`."""

    invocation_count: int
    mean_ms: float
    duration_ratio: float
    """Of the duration that is billed for the handler."""
    usd_per_million: Decimal


@dataclass(frozen=True, slots=True)
class Tracing:
    """X-Ray's recorded traces: the share of invocations that have one, and what they cost."""

    traced_ratio: float
    usd_per_million: Decimal | None
    usd_per_month: Decimal | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Custom metrics that embedded-metric lines make, those of Lambda Insights among them."""

    metric_count: int
    insights_count: int
    usd_per_month: Decimal | None
    """In the first tier of metrics; None if no price is known."""
    insights_log_usd_per_million: Decimal
    """Of Lambda Insights' own lines, of which each invocation writes one."""


@dataclass(frozen=True, slots=True)
class Overheads:
    """The answer about one function."""

    function: str
    settings: LogSettings
    is_json: bool
    event_count: int
    size_bytes: int
    bytes_per_invocation: float
    volume: LogVolume
    logging: LogCost
    compute_usd_per_million: Decimal
    compute_usd_per_month: Decimal | None
    shares: tuple[LogShare, ...]
    streams: tuple[tuple[str, int], ...]
    """The largest log streams with their bytes."""
    stream_count: int
    savings: tuple[LogSaving, ...]
    extensions: tuple[str, ...]
    extension_time: ExtensionTime | None
    tracing: Tracing
    metrics: Metrics
    versions: tuple[VersionInit, ...]
    layers: tuple[LayerWeight, ...]
    prices_as_of: str
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def is_sample(self) -> bool:
        """Whether the lines are a part of what was metered or counted."""
        return self.settings.metered_bytes is not None

    @property
    def logging_ratio(self) -> float:
        """Logging over compute, of a million invocations."""
        return float(self.logging.usd_per_million / self.compute_usd_per_million)


def weigh_overheads(
    found: Observation,
    sizes: LogSizes,
    settings: LogSettings,
    versions: tuple[VersionInit, ...],
    prices: tuple[LambdaPrices, LogPrices],
    *,
    insights: LogSizes | None = None,
) -> Overheads:
    """Price what a function's lines weigh, against its compute.

    Where the lines are a sample, shares are the sample's, and sums those that CloudWatch metered.
    `insights` has lines of Lambda Insights from a log of their own.
    """
    lambda_prices, log_prices = prices
    count, sampled = found.usage.invocation_count, sizes.size_bytes
    whole = Decimal(sampled if settings.metered_bytes is None else settings.metered_bytes)
    volume = _volume(found, whole)
    bill = LogBill(log_prices, settings.retention_days, settings.already_gb)
    return Overheads(
        function=found.function,
        settings=settings,
        is_json=_is_json(sizes),
        event_count=sizes.event_count,
        size_bytes=round(whole),
        bytes_per_invocation=float(whole / count),
        volume=volume,
        logging=bill.of(volume, settings.destination),
        compute_usd_per_million=found.cost_usd_per_million,
        compute_usd_per_month=found.cost_usd_per_month,
        shares=tuple(_shares(sizes, volume, bill, settings.destination)),
        streams=tuple(sizes.streams.most_common(_MOST_STREAMS)),
        stream_count=len(sizes.streams),
        savings=tuple(_savings(sizes, volume, bill, settings.destination)),
        extensions=tuple(sorted(sizes.extensions)),
        extension_time=_extension_time(found, sizes, lambda_prices),
        tracing=_tracing(found, sizes, log_prices),
        metrics=_metrics((sizes,) if insights is None else (sizes, insights), log_prices),
        versions=versions,
        layers=tuple(layer_weights(versions)),
        prices_as_of=min(log_prices.as_of, lambda_prices.as_of),
        assumptions=tuple(_assumptions(settings, sizes)),
    )


def _volume(found: Observation, size_bytes: Decimal) -> LogVolume:
    size_gb = gigabytes(size_bytes)
    a_million = size_gb / found.usage.invocation_count * _MILLION
    return LogVolume(a_million, per_month(size_gb, found.window))


def _is_json(sizes: LogSizes) -> bool:
    return any(
        each.json_count for (origin, _), each in sizes.shares.items() if origin == "platform"
    )


def _part(size_bytes: int, sizes: LogSizes) -> Decimal:
    return Decimal(size_bytes) / sizes.size_bytes if sizes.size_bytes else Decimal()


def _shares(
    sizes: LogSizes, volume: LogVolume, bill: LogBill, destination: LogDestination
) -> Iterator[LogShare]:
    """The largest first."""
    ordered = sorted(sizes.shares.items(), key=lambda pair: -pair[1].size_bytes)
    for (origin, level), each in ordered:
        ratio = _part(each.size_bytes, sizes)
        cost = bill.of(volume.share(ratio), destination)
        yield LogShare(
            origin,
            level,
            each.event_count,
            each.size_bytes,
            float(ratio),
            cost.ingestion_usd_per_million,
        )


def _savings(
    sizes: LogSizes, volume: LogVolume, bill: LogBill, now: LogDestination
) -> Iterator[LogSaving]:
    """What a higher level, JSON, the Infrequent Access class and delivery to S3 would save."""
    before = bill.of(volume, now)

    def saving(name: SavingName, what: str, after: LogCost) -> LogSaving:
        months = (before.usd_per_month, after.usd_per_month)
        month = None if None in months else months[0] - months[1]  # type: ignore[operator] # neither is None
        return LogSaving(name, what, before.usd_per_million - after.usd_per_million, month)

    names: dict[Level, SavingName] = {
        "INFO": "level_info", "WARN": "level_warn", "ERROR": "level_error",
    }  # fmt: skip
    most = 0
    for level, name in names.items():
        below = LEVELS[: LEVELS.index(level)]
        dropped = sum(sizes.shares[("function", each)].size_bytes for each in below
                      if ("function", each) in sizes.shares)  # fmt: skip
        if dropped > most:
            most = dropped
            kept = volume.share(1 - _part(dropped, sizes))
            yield saving(name, f"log level {level}", bill.of(kept, now))
    _, platform = sizes.of("platform")
    if _is_json(sizes) and platform:
        what = "system log level WARN (no more reports to observe)"
        kept = volume.share(1 - _part(platform, sizes))
        yield saving("system_level", what, bill.of(kept, now))
    if not _is_json(sizes) and sizes.size_bytes:
        as_json = sum(each.json_bytes for each in sizes.shares.values())
        yield saving(
            "json",
            "JSON format, the same lines",
            bill.of(volume.share(_part(as_json, sizes)), now),
        )
    if now == "STANDARD":
        after = bill.of(volume, "INFREQUENT_ACCESS")
        yield saving("infrequent_access", "class Infrequent Access", after)
    if now != "DELIVERY":
        what = "delivery to S3 (its storage not counted)"
        yield saving("s3", what, bill.of(volume, "DELIVERY"))


def _extension_time(
    found: Observation, sizes: LogSizes, prices: LambdaPrices
) -> ExtensionTime | None:
    """None where logs don't tell: text, or a system log level above DEBUG."""
    times = sizes.after_response_ms
    if not times or found.usage.durations is None:
        return None
    mean = sum(times) / len(times)
    a_ms = prices.duration_tiers[0].price_usd_per_gb_second * found.memory_mb / 1024 / 1000
    return ExtensionTime(
        len(times),
        mean,
        mean / found.usage.durations.mean_ms if found.usage.durations.mean_ms else 0.0,
        Decimal(repr(mean)) * a_ms * _MILLION,
    )


def _tracing(found: Observation, sizes: LogSizes, prices: LogPrices) -> Tracing:
    ratio = sizes.traced_count / sizes.report_count if sizes.report_count else 0.0
    if prices.trace_usd is None:
        return Tracing(ratio, None, None)
    a_million = Decimal(repr(ratio)) * prices.trace_usd * _MILLION
    in_window = a_million * found.usage.invocation_count / _MILLION
    return Tracing(ratio, a_million, per_month(in_window, found.window))


def _metrics(weighed: tuple[LogSizes, ...], prices: LogPrices) -> Metrics:
    found = frozenset().union(*(each.metrics for each in weighed))
    counts = [each.of("lambda_insights") for each in weighed]
    lines, size = (sum(each[part] for each in counts) for part in (0, 1))
    a_million = gigabytes(size) / lines * _MILLION if lines else Decimal()
    price = prices.metric_month_usd
    return Metrics(
        len(found),
        sum(each[0] == "LambdaInsights" for each in found),
        None if price is None else price * len(found),
        a_million * prices.first_tier_usd("STANDARD"),
    )


def _assumptions(settings: LogSettings, sizes: LogSizes) -> Iterator[str]:
    yield "list prices; a GB is 2^30 bytes"
    if settings.already_gb:
        yield f"the account's other logs fill {settings.already_gb:,.0f} GB of the month's tiers"
    else:
        yield "no other logs in the month's tiers (`account_log_gb`)"
    yield "stored logs are 15% of their size (AWS's Pricing Calculator)"
    if not settings.is_known:
        yield f"class {settings.destination} (`log_class`)"
    if settings.retention_days is None:
        kept = "for ever" if settings.is_known else "for a time that isn't known"
        yield f"logs are kept {kept}: storage is of one month's (`retention_days`)"
    else:
        yield f"logs are kept for {settings.retention_days} days"
    if settings.metered_bytes is not None:
        sums = "by their bytes a report" if settings.is_scaled else "as CloudWatch metered"
        yield f"levels by {sizes.event_count:,} lines that were read, sums {sums}"
    if settings.group is not None:
        yield f"all of the log group {settings.group}, which other functions may share"
