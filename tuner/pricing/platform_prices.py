"""What the platforms beside Lambda charge in one region."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FargateRate:
    """The price of an hour of one vCPU and of one GB, as of a day."""

    as_of: str
    vcpu_hour_usd: Decimal
    gb_hour_usd: Decimal


@dataclass(frozen=True, slots=True)
class FargatePrices:
    """Linux tasks of one architecture; None where no price is published or known."""

    region: str
    architecture: str
    on_demand: FargateRate
    spot: FargateRate | None
    savings_plan_1y: FargateRate | None
    storage_gb_hour_usd: Decimal
    """Ephemeral storage above 20 GB."""
    sizes: tuple[tuple[Decimal, Decimal], ...]
    """The pairs of (vCPU, GB) that a task may have, ascending."""


@dataclass(frozen=True, slots=True)
class InstancePrices:
    """One EC2 type on demand: Linux, shared tenancy.

    `baseline_ratio` is the share of each vCPU that a burstable type may use for ever; else None.
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
    """What stands around a fleet; None where no price is known for the region.

    `dates` has the day of each price that is known, by its field's name.
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

    def updated(self, other: NetworkPrices) -> NetworkPrices:
        """The same with every price that `other` has from the same day or later."""
        mine = dict(self.dates)
        newer = {name: day for name, day in other.dates if day >= mine.get(name, "")}
        return replace(
            self,
            dates=tuple(sorted({**mine, **newer}.items())),
            **{name: getattr(other, name) for name in newer},
        )


@dataclass(frozen=True, slots=True)
class ManagedInstancesPrices:
    """Lambda Managed Instances: a fee on EC2's on-demand price, and requests."""

    region: str
    as_of: str
    fee_ratio: Decimal
    request_usd: Decimal
