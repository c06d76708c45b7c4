"""What one unit of a fleet can do, and its monthly cost: tasks and instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tuner.breakeven.answer import BillItem, total_usd
from tuner.model.lambda_limits import HOURS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from tuner.pricing import FargatePrices, FargateRate, InstancePrices, ManagedInstancesPrices

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
    """One unit of a fleet: what it can do, and its monthly cost.

    `sustained_vcpu` is below `vcpu` for burstable types: their baseline. `items` add up to
    `month_usd`.
    """

    name: str
    vcpu: float
    sustained_vcpu: float
    memory_mb: float
    month_usd: float
    min_process_mb: float = 0.0
    items: tuple[BillItem, ...] = ()


def fargate_offers(
    prices: FargatePrices, *, rate: FargateRate, spot_share: float, extra: Sequence[BillItem]
) -> tuple[Offer, ...]:
    """Every allowed pair of vCPU and memory; `spot_share` of the tasks at the spot price.

    `extra` is added to every unit's month (such as its public address). The caller makes sure that
    a spot price is known if the share is above 0.
    """
    return tuple(
        _offer(
            f"{_plain(vcpu)} vCPU + {_plain(gb)} GB",
            vcpu=float(vcpu),
            memory_mb=float(gb) * 1024,
            items=(*_task_items(prices, rate, spot_share, vcpu, gb), *extra),
        )
        for vcpu, gb in prices.sizes
    )


def instance_offers(
    instances: Iterable[InstancePrices], *, reserved_gib: float, extra: Sequence[BillItem]
) -> tuple[Offer, ...]:
    """EC2 types, minus what the operating system keeps."""
    return tuple(
        _offer(
            instance.name,
            vcpu=instance.vcpu_count,
            sustained_vcpu=instance.vcpu_count * float(instance.baseline_ratio or 1),
            memory_mb=max(float(instance.memory_gib) - reserved_gib, 0) * 1024,
            items=(_instance_item(instance), *extra),
        )
        for instance in instances
    )


def managed_offers(
    instances: Sequence[InstancePrices], prices: ManagedInstancesPrices
) -> tuple[Offer, ...]:
    """Types of the c, m and r families, fee included; the service keeps a vCPU and a GiB."""
    offers = []
    for instance in instances:
        if instance.baseline_ratio is not None or instance.vcpu_count <= MANAGED_RESERVED_VCPU:
            continue
        item = _instance_item(instance)
        fee = BillItem(
            f"management fee on {instance.name}",
            item.quantity,
            item.unit,
            float(instance.hour_usd * prices.fee_ratio),
        )
        offers.append(
            _offer(
                instance.name,
                vcpu=instance.vcpu_count - MANAGED_RESERVED_VCPU,
                memory_mb=(float(instance.memory_gib) - MANAGED_RESERVED_GIB) * 1024,
                items=(item, fee),
                min_process_mb=MANAGED_MIN_ENVIRONMENT_MB,
            )
        )
    return tuple(offers)


def _offer(
    name: str,
    *,
    vcpu: float,
    memory_mb: float,
    items: tuple[BillItem, ...],
    sustained_vcpu: float | None = None,
    min_process_mb: float = 0.0,
) -> Offer:
    sustained = vcpu if sustained_vcpu is None else sustained_vcpu
    return Offer(name, vcpu, sustained, memory_mb, total_usd(items), min_process_mb, items)


def _instance_item(instance: InstancePrices) -> BillItem:
    return BillItem(instance.name, HOURS_PER_MONTH, "instance-hour", float(instance.hour_usd))


def _task_items(
    prices: FargatePrices, rate: FargateRate, spot_share: float, vcpu: Decimal, gb: Decimal
) -> tuple[BillItem, ...]:
    shares = [("Fargate", rate, 1.0)]
    if spot_share and prices.spot is not None:
        shares = [("Fargate", rate, 1 - spot_share), ("Fargate Spot", prices.spot, spot_share)]
    items = []
    for name, at, share in shares:
        hours = HOURS_PER_MONTH * share
        items += [
            BillItem(f"{name} vCPU", hours * float(vcpu), "vCPU-hour", float(at.vcpu_hour_usd)),
            BillItem(f"{name} memory", hours * float(gb), "GB-hour", float(at.gb_hour_usd)),
        ]
    return tuple(items)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
