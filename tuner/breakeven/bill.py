"""Monthly bills, item by item: exact decimals, as an invoice adds them up.

Sources: the pricing pages of AWS Lambda, AWS Fargate, Amazon EC2, Elastic Load Balancing and
Amazon VPC. A month has 730 hours, as AWS's own calculator counts it.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuner.pricing import (
        FargateRate,
        InstancePrices,
        LambdaPrices,
        ManagedInstancesPrices,
        NetworkPrices,
    )

HOURS_PER_MONTH: Final = 730
FREE_REQUESTS: Final = 1_000_000
FREE_GB_SECONDS: Final = 400_000
MINIMUM_S: Final = 60
"""Fargate tasks and EC2 instances are charged for a minute at least."""
FREE_TASK_STORAGE_GB: Final = 20
SAVINGS_PLAN_LAMBDA_RATIO: Final = Decimal("0.12")
"""One year, no upfront; on duration and provisioned concurrency, not on requests."""

_EXACT: Final = Context(prec=60)


def lambda_usd(
    prices: LambdaPrices,
    *,
    requests: int,
    memory_mb: int,
    billed_ms: Decimal,
    ephemeral_storage_mb: int = 512,
    account_gb_seconds: Decimal = Decimal(),
    free_tier: bool = False,
    savings_plan: bool = False,
) -> Decimal:
    """A month on demand: requests, GB-seconds over the tiers, and /tmp above 512 MB.

    `billed_ms` is an invocation's mean, INIT in it. `account_gb_seconds` are those that the
    account uses already: the function's own begin in the tier after them, and find less of the
    free tier (none of its requests: how many others there are is not known).
    """
    with localcontext(_EXACT):
        seconds = requests * billed_ms / 1000
        gb_seconds = seconds * memory_mb / 1024
        storage = seconds * max(ephemeral_storage_mb - 512, 0) / 1024
        if free_tier:
            left = max(FREE_GB_SECONDS - account_gb_seconds, Decimal())
            gb_seconds = max(gb_seconds - left, Decimal())
            if not account_gb_seconds:
                requests = max(requests - FREE_REQUESTS, 0)
        duration = prices.duration_cost_usd(account_gb_seconds + gb_seconds)
        duration -= prices.duration_cost_usd(account_gb_seconds)
        if savings_plan:
            duration *= 1 - SAVINGS_PLAN_LAMBDA_RATIO
        return (
            requests * prices.request_price_usd
            + duration
            + storage * prices.ephemeral_storage_price_usd_per_gb_second
        )


def provisioned_usd(
    prices: LambdaPrices,
    *,
    environment_count: int,
    hours: Decimal,
    requests: int,
    memory_mb: int,
    billed_ms: Decimal,
) -> Decimal:
    """Provisioned concurrency: every environment's time, requests, and duration at its rate."""
    with localcontext(_EXACT):
        idle_gb_seconds = environment_count * hours * 3600 * memory_mb / 1024
        busy_gb_seconds = requests * billed_ms / 1000 * memory_mb / 1024
        return (
            idle_gb_seconds * prices.provisioned_idle_price_usd_per_gb_second
            + busy_gb_seconds * prices.provisioned_duration_price_usd_per_gb_second
            + requests * prices.request_price_usd
        )


def snap_start_usd(
    prices: LambdaPrices, *, memory_mb: int, hours: Decimal, restore_count: int
) -> Decimal:
    """SnapStart beside Java: the snapshot's time in the cache, and each restore from it.

    Raises ValueError where no SnapStart price is published.
    """
    if prices.snap_start is None:
        raise ValueError(f"no SnapStart price is published for {prices.region}")
    with localcontext(_EXACT):
        gigabytes = Decimal(memory_mb) / 1024
        cache = gigabytes * hours * 3600 * prices.snap_start.cache_price_usd_per_gb_second
        return cache + gigabytes * restore_count * prices.snap_start.restore_price_usd_per_gb


def fargate_usd(
    rate: FargateRate, *, vcpu: Decimal, memory_gb: Decimal, task_count: int, seconds: Decimal
) -> Decimal:
    """Tasks of one size that each run for `seconds`, a minute at least."""
    with localcontext(_EXACT):
        hours = max(seconds, Decimal(MINIMUM_S)) / 3600
        return task_count * hours * (vcpu * rate.vcpu_hour_usd + memory_gb * rate.gb_hour_usd)


def task_storage_usd(
    price_gb_hour_usd: Decimal, *, storage_gb: int, task_count: int, hours: Decimal
) -> Decimal:
    """Ephemeral storage of Fargate tasks: what is above 20 GB."""
    return task_count * hours * max(storage_gb - FREE_TASK_STORAGE_GB, 0) * price_gb_hour_usd


def instances_usd(instance: InstancePrices, *, count: int, seconds: Decimal) -> Decimal:
    """EC2 instances on demand that each run for `seconds`, a minute at least."""
    with localcontext(_EXACT):
        return count * max(seconds, Decimal(MINIMUM_S)) / 3600 * instance.hour_usd


def managed_instances_usd(
    prices: ManagedInstancesPrices,
    instance: InstancePrices,
    *,
    count: int,
    hours: Decimal,
    requests: int,
) -> Decimal:
    """Lambda Managed Instances: EC2 on demand, the fee on it, and requests; no duration."""
    with localcontext(_EXACT):
        machine = count * hours * instance.hour_usd
        return machine * (1 + prices.fee_ratio) + requests * prices.request_usd


def load_balancer_usd(
    hour_usd: Decimal, lcu_hour_usd: Decimal, *, hours: Decimal, lcu: Decimal
) -> Decimal:
    """An Application Load Balancer with `lcu` load balancer capacity units on average."""
    return hours * (hour_usd + lcu * lcu_hour_usd)


def nat_usd(network: NetworkPrices, *, gateway_count: int, hours: Decimal, gb: Decimal) -> Decimal:
    """NAT gateways and what flows through them. Raises ValueError where no price is known."""
    if network.nat_hour_usd is None or network.nat_gb_usd is None:
        raise ValueError(f"no NAT price is known for {network.region}")
    return gateway_count * hours * network.nat_hour_usd + gb * network.nat_gb_usd
