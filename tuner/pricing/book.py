"""What AWS charges by region, as of a date: Lambda, other platforms, the network of a fleet, and
what carries events to a function (SQS, SNS, Kinesis, EventBridge).

`PriceBook` finds the prices of a place.
"""

from __future__ import annotations

import datetime
import difflib
import math
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import PriceError
from tuner.model.finding import Finding
from tuner.pricing.log_prices import LogPrices

if TYPE_CHECKING:
    from collections.abc import Sequence

FREE_EPHEMERAL_STORAGE_MB: Final = 512

# 1/1024 and 1/1000 have few decimals: with this many digits no product is ever rounded.
_EXACT: Final = Context(prec=60)


@dataclass(frozen=True, slots=True)
class PriceTier:
    """A GB-second price and the monthly usage that it goes up to (None: no limit)."""

    upper_bound_gb_seconds: Decimal | None
    price_usd_per_gb_second: Decimal


@dataclass(frozen=True, slots=True)
class SnapStartPrices:
    """What SnapStart adds: storing the snapshot, and restoring from it (free for managed Java)."""

    cache_price_usd_per_gb_second: Decimal
    restore_price_usd_per_gb: Decimal


@dataclass(frozen=True, slots=True)
class LambdaPrices:
    """List prices for one architecture in one region, without free tier and discounts.

    `as_of` is the last day on which the region's prices were confirmed; tiers ascend.
    """

    region: str
    architecture: str
    as_of: str
    request_price_usd: Decimal
    duration_tiers: tuple[PriceTier, ...]
    ephemeral_storage_price_usd_per_gb_second: Decimal
    provisioned_idle_price_usd_per_gb_second: Decimal
    provisioned_duration_price_usd_per_gb_second: Decimal
    snap_start: SnapStartPrices | None
    """None if no SnapStart price is published for the region."""

    def invocation_cost_usd(
        self, memory_mb: int, billed_duration_ms: int, ephemeral_storage_mb: int = 512
    ) -> float:
        """Return what one on-demand invocation costs in the first tier: exact, then rounded once.

        request + GB × seconds × GB-second price + GB of /tmp above 512 MB × seconds × its price,
        with 1 GB = 1,024 MB (AWS Lambda pricing page).
        """
        return float(self.exact_cost_usd(memory_mb, billed_duration_ms, ephemeral_storage_mb))

    def exact_cost_usd(
        self, memory_mb: int, billed_duration_ms: int, ephemeral_storage_mb: int = 512
    ) -> Decimal:
        """Return the cost of `invocation_cost_usd` without any rounding."""
        with localcontext(_EXACT):
            rate = self._price_usd_per_ms(memory_mb, ephemeral_storage_mb)
            return self.request_price_usd + rate * billed_duration_ms

    def price_usd_per_ms(self, memory_mb: int, ephemeral_storage_mb: int = 512) -> float:
        """Return the price of one billed millisecond: cost = request price + this × billed ms."""
        with localcontext(_EXACT):
            return float(self._price_usd_per_ms(memory_mb, ephemeral_storage_mb))

    def duration_cost_usd(self, gb_seconds: Decimal) -> Decimal:
        """Return what a month's GB-seconds cost over the tiers, duration only."""
        cost, lower = Decimal(), Decimal()
        with localcontext(_EXACT):
            for tier in self.duration_tiers:
                bound = tier.upper_bound_gb_seconds
                upper = gb_seconds if bound is None else min(gb_seconds, bound)
                cost += (upper - lower) * tier.price_usd_per_gb_second
                if upper == gb_seconds:
                    break
                lower = upper
        return cost

    def _price_usd_per_ms(self, memory_mb: int, ephemeral_storage_mb: int) -> Decimal:
        extra_mb = max(ephemeral_storage_mb - FREE_EPHEMERAL_STORAGE_MB, 0)
        compute = memory_mb * self.duration_tiers[0].price_usd_per_gb_second
        storage = extra_mb * self.ephemeral_storage_price_usd_per_gb_second
        return (compute + storage) / 1024 / 1000


@dataclass(frozen=True, slots=True)
class FargateRate:
    """The price of an hour of one vCPU and of one GB, as of a day."""

    as_of: str
    vcpu_hour_usd: Decimal
    gb_hour_usd: Decimal


@dataclass(frozen=True, slots=True)
class FargatePrices:
    """Linux tasks of one architecture; None if no price is published or known."""

    region: str
    architecture: str
    on_demand: FargateRate
    spot: FargateRate | None
    savings_plan_1y: FargateRate | None
    storage_gb_hour_usd: Decimal
    """Ephemeral storage above 20 GB."""
    sizes: tuple[tuple[Decimal, Decimal], ...]
    """The (vCPU, GB) pairs that a task may have, ascending."""


@dataclass(frozen=True, slots=True)
class InstancePrices:
    """One EC2 type on demand: Linux, shared tenancy.

    `baseline_ratio` is the share of each vCPU that a burstable type may always use; else None.
    """

    region: str
    as_of: str
    name: str
    vcpu_count: int
    memory_gib: Decimal
    architecture: str
    baseline_ratio: Decimal | None
    hour_usd: Decimal


@dataclass(frozen=True, slots=True)
class NetworkPrices:
    """What a fleet needs besides its units; None if no price is known for the region.

    `dates` has the date of each known price, by field name.
    """

    region: str
    dates: tuple[tuple[str, str], ...]
    nat_hour_usd: Decimal | None = None
    nat_gb_usd: Decimal | None = None
    public_ipv4_hour_usd: Decimal | None = None
    logs_gb_usd: Decimal | None = None
    load_balancer_hour_usd: Decimal | None = None
    load_balancer_lcu_hour_usd: Decimal | None = None
    gp3_gb_month_usd: Decimal | None = None
    api_gateway_request_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EventPrices:
    """List prices in the first tier, without free tiers; None if no price is known for the region.

    `dates` has the date of each known price, by field name. Deliveries from SNS and EventBridge to
    a function of the same account cost nothing, so they have no price here.
    """

    region: str
    dates: tuple[tuple[str, str], ...]
    sqs_request_usd: Decimal | None = None
    sqs_fifo_request_usd: Decimal | None = None
    """A request of up to 64 KB."""
    sns_publish_usd: Decimal | None = None
    """Each 64 KB of a published message."""
    eventbridge_event_usd: Decimal | None = None
    """Each 64 KB of a custom event; AWS services' own events are free."""
    kinesis_shard_hour_usd: Decimal | None = None
    kinesis_put_unit_usd: Decimal | None = None
    """Each 25 KB of a record, in a provisioned stream."""
    kinesis_stream_hour_usd: Decimal | None = None
    """The others are for on-demand streams, with records in whole KB ..."""
    kinesis_in_gb_usd: Decimal | None = None
    kinesis_out_gb_usd: Decimal | None = None
    kinesis_consumer_shard_hour_usd: Decimal | None = None
    """... and these two for a consumer with enhanced fan-out on a provisioned stream."""
    kinesis_consumer_gb_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ManagedInstancesPrices:
    """Lambda Managed Instances: a fee on EC2's on-demand price, and requests."""

    region: str
    as_of: str
    fee_ratio: Decimal
    request_usd: Decimal


def billed_duration_ms(
    duration_ms: float,
    *,
    init_duration_ms: float | None = None,
    billed_restore_duration_ms: float | None = None,
) -> int:
    """Return the milliseconds that Lambda charges for one invocation.

    The handler's time and the INIT before it (or, with SnapStart, the billed part of the restore)
    are added and then rounded up to 1 ms: AWS Lambda pricing page; INIT since 2025-08-01. The sum
    is decimal, as the times are printed: 402.04 + 2597.96 is 3000, not a little more. Raises
    ValueError for a time that is negative or not finite.
    """
    times = (duration_ms, init_duration_ms or 0.0, billed_restore_duration_ms or 0.0)
    if not all(0 <= time < math.inf for time in times):
        raise ValueError(f"times must be finite and not negative: {times}")
    return math.ceil(sum((Decimal(repr(float(time))) for time in times), Decimal()))


_Entry = TypeVar(
    "_Entry",
    FargatePrices,
    InstancePrices,
    NetworkPrices,
    EventPrices,
    LogPrices,
    ManagedInstancesPrices,
)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every known price. `as_of` is the day on which Lambda's were published."""

    as_of: str
    sources: tuple[str, ...]
    """Where the prices are from, one sentence each."""
    lambda_entries: tuple[LambdaPrices, ...]
    fargate_entries: tuple[FargatePrices, ...] = ()
    instance_entries: tuple[InstancePrices, ...] = ()
    network_entries: tuple[NetworkPrices, ...] = ()
    event_entries: tuple[EventPrices, ...] = ()
    log_entries: tuple[LogPrices, ...] = ()
    managed_instances_entries: tuple[ManagedInstancesPrices, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions with known Lambda prices, sorted."""
        return tuple(sorted({entry.region for entry in self.lambda_entries}))

    def lambda_prices(self, region: str, architecture: str) -> LambdaPrices:
        """Return Lambda's prices; PriceError names the known regions or architectures."""
        of_region = [entry for entry in self.lambda_entries if entry.region == region]
        if not of_region:
            raise PriceError(_unknown("region", region, self.regions))
        for entry in of_region:
            if entry.architecture == architecture:
                return entry
        known = [entry.architecture for entry in of_region]
        raise PriceError(_unknown("architecture", architecture, known))

    def fargate_prices(self, region: str, architecture: str) -> FargatePrices:
        """Return Fargate's prices; PriceError if none are known."""
        return _found(self.fargate_entries, "Fargate", region, architecture)[0]

    def instances(self, region: str, architecture: str) -> tuple[InstancePrices, ...]:
        """Return the EC2 types sold there, by name; PriceError if none are known."""
        return _found(self.instance_entries, "EC2", region, architecture)

    def network_prices(self, region: str) -> NetworkPrices:
        """Return what a fleet needs besides its units; PriceError if nothing is known."""
        return _found(self.network_entries, "load balancer, NAT or IPv4", region)[0]

    def event_prices(self, region: str) -> EventPrices:
        """Return what carrying events to a function costs; PriceError if nothing is known."""
        return _found(self.event_entries, "SQS, SNS, Kinesis or EventBridge", region)[0]

    def log_prices(self, region: str) -> LogPrices:
        """Return what logs cost by class and tier; PriceError if nothing is known."""
        return _found(self.log_entries, "CloudWatch Logs", region)[0]

    def managed_instances_prices(self, region: str) -> ManagedInstancesPrices:
        """Return the fee and request price of Managed Instances; PriceError if unknown."""
        return _found(self.managed_instances_entries, "Lambda Managed Instances", region)[0]


def _unknown(what: str, asked: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(asked.lower(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no Lambda price is known for {what} {asked!r}{hint} (known: {', '.join(known)})"


def _found(
    entries: Sequence[_Entry], what: str, region: str, architecture: str | None = None
) -> tuple[_Entry, ...]:
    """The entries for a place. Raises PriceError if there are none."""
    found = tuple(
        entry
        for entry in entries
        if entry.region == region
        and (architecture is None or getattr(entry, "architecture", None) == architecture)
    )
    if not found:
        where = region if architecture is None else f"{region} {architecture}"
        raise PriceError(f"no {what} price is known for {where}")
    return found


MAX_PRICE_AGE_DAYS: Final = 90


def age_findings(as_of: str, today: datetime.date | None) -> tuple[Finding, ...]:
    """A warning if the oldest price used is over 90 days old; nothing if no day is given."""
    if today is None or (today - datetime.date.fromisoformat(as_of)).days <= MAX_PRICE_AGE_DAYS:
        return ()
    # No count of days, because a comment would change daily.
    message = (
        f"the oldest price used is from {as_of}, over {MAX_PRICE_AGE_DAYS} days ago: run tuner "
        "prices refresh"
    )
    return (Finding("old_prices", "warning", message),)
