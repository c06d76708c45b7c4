"""The units that a platform may be built of: tasks and instances with their monthly prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from tuner.breakeven.bill import HOURS_PER_MONTH, fargate_usd, instances_usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.pricing import FargatePrices, FargateRate, InstancePrices, ManagedInstancesPrices

Kind = Literal["lambda", "containers", "ec2", "managed-instances"]

MONTH_S: Final = Decimal(HOURS_PER_MONTH * 3600)
EC2_RESERVED_GIB: Final = 0.25
"""Kept for the operating system."""
ECS_RESERVED_GIB: Final = 0.5
"""Kept for the operating system and the agent."""
MANAGED_RESERVED_VCPU: Final = 1
MANAGED_RESERVED_GIB: Final = 1.0
MANAGED_MIN_ENVIRONMENT_MB: Final = 2048
ROOT_VOLUME_GB: Final = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """One unit of a fleet: what it can do, and what a month of it costs.

    `sustained_vcpu` is below `vcpu` for burstable types: their baseline.
    """

    name: str
    vcpu: float
    sustained_vcpu: float
    memory_mb: float
    month_usd: float
    min_process_mb: float = 0.0


def fargate_offers(
    prices: FargatePrices, *, rate: FargateRate, spot_share: float, extra_usd: Decimal
) -> tuple[Offer, ...]:
    """Every allowed pair of vCPU and memory; `spot_share` of the tasks at the spot price.

    `extra_usd` is added to every unit's month (its public address, say). The caller has made sure
    that a spot price is known if the share is above 0.
    """
    return tuple(
        Offer(
            name=f"{_plain(vcpu)} vCPU + {_plain(gb)} GB",
            vcpu=float(vcpu),
            sustained_vcpu=float(vcpu),
            memory_mb=float(gb) * 1024,
            month_usd=float(_task_month_usd(prices, rate, spot_share, vcpu, gb) + extra_usd),
        )
        for vcpu, gb in prices.sizes
    )


def instance_offers(
    instances: Iterable[InstancePrices], *, reserved_gib: float, extra_usd: Decimal
) -> tuple[Offer, ...]:
    """EC2 types, with what the operating system keeps taken off."""
    return tuple(
        Offer(
            name=instance.name,
            vcpu=instance.vcpu_count,
            sustained_vcpu=instance.vcpu_count * float(instance.baseline_ratio or 1),
            memory_mb=max(float(instance.memory_gib) - reserved_gib, 0) * 1024,
            month_usd=float(instances_usd(instance, count=1, seconds=MONTH_S) + extra_usd),
        )
        for instance in instances
    )


def managed_offers(
    instances: Sequence[InstancePrices], prices: ManagedInstancesPrices
) -> tuple[Offer, ...]:
    """Types of the c, m and r families, fee included; the service keeps a vCPU and a GiB."""
    return tuple(
        Offer(
            name=instance.name,
            vcpu=instance.vcpu_count - MANAGED_RESERVED_VCPU,
            sustained_vcpu=instance.vcpu_count - MANAGED_RESERVED_VCPU,
            memory_mb=(float(instance.memory_gib) - MANAGED_RESERVED_GIB) * 1024,
            month_usd=float(
                instances_usd(instance, count=1, seconds=MONTH_S) * (1 + prices.fee_ratio)
            ),
            min_process_mb=MANAGED_MIN_ENVIRONMENT_MB,
        )
        for instance in instances
        if instance.baseline_ratio is None and instance.vcpu_count > MANAGED_RESERVED_VCPU
    )


def _task_month_usd(
    prices: FargatePrices, rate: FargateRate, spot_share: float, vcpu: Decimal, gb: Decimal
) -> Decimal:
    def month(at: FargateRate) -> Decimal:
        return fargate_usd(at, vcpu=vcpu, memory_gb=gb, task_count=1, seconds=MONTH_S)

    share = Decimal(repr(spot_share))
    if not share or prices.spot is None:
        return month(rate)
    return month(rate) * (1 - share) + month(prices.spot) * share


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
