"""Invoices of the other platforms, computed by hand: prices of us-east-1, months of 730 hours."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.breakeven.invoice import BOOK, MONTH_S, Invoice
from tuner.breakeven.bill import (
    fargate_usd,
    instances_usd,
    load_balancer_usd,
    managed_instances_usd,
    nat_usd,
    task_storage_usd,
)

if TYPE_CHECKING:
    from tuner.pricing import FargateRate

FARGATE = BOOK.fargate_prices("us-east-1", "x86_64")
FARGATE_ARM = BOOK.fargate_prices("us-east-1", "arm64")
EC2 = {
    entry.name: entry
    for architecture in ("x86_64", "arm64")
    for entry in BOOK.instances("us-east-1", architecture)
}
MANAGED = BOOK.managed_instances_prices("us-east-1")
NETWORK = BOOK.network_prices("us-east-1")


def rate_of(rate: FargateRate | None) -> FargateRate:
    assert rate is not None
    return rate


PLATFORM_INVOICES = (
    Invoice(
        "Fargate: two tasks of 1 vCPU + 2 GB",
        "2*730*(0.04048 + 2*0.004445)",
        "72.08",
        lambda: fargate_usd(
            FARGATE.on_demand, vcpu=Decimal(1), memory_gb=Decimal(2), task_count=2, seconds=MONTH_S
        ),
    ),
    Invoice(
        "Fargate: the smallest task",
        "730*(0.25*0.04048 + 0.5*0.004445)",
        "9.01",
        lambda: fargate_usd(
            FARGATE.on_demand,
            vcpu=Decimal("0.25"),
            memory_gb=Decimal("0.5"),
            task_count=1,
            seconds=MONTH_S,
        ),
    ),
    Invoice(
        "Fargate: ten tasks of 16 vCPU + 32 GB",
        "10*730*(16*0.04048 + 32*0.004445)",
        "5766.42",
        lambda: fargate_usd(
            FARGATE.on_demand,
            vcpu=Decimal(16),
            memory_gb=Decimal(32),
            task_count=10,
            seconds=MONTH_S,
        ),
    ),
    Invoice(
        "Fargate: 1,000 tasks of 10 s pay a minute each",
        "1000*60/3600*(0.04048 + 2*0.004445)",
        "0.82",
        lambda: fargate_usd(
            FARGATE.on_demand,
            vcpu=Decimal(1),
            memory_gb=Decimal(2),
            task_count=1000,
            seconds=Decimal(10),
        ),
    ),
    Invoice(
        "Fargate: 1,000 tasks of 61 s pay 61",
        "1000*61/3600*(0.04048 + 2*0.004445)",
        "0.84",
        lambda: fargate_usd(
            FARGATE.on_demand,
            vcpu=Decimal(1),
            memory_gb=Decimal(2),
            task_count=1000,
            seconds=Decimal(61),
        ),
    ),
    Invoice(
        "Fargate on arm: two tasks of 1 vCPU + 2 GB",
        "2*730*(0.03238 + 2*0.00356)",
        "57.67",
        lambda: fargate_usd(
            FARGATE_ARM.on_demand,
            vcpu=Decimal(1),
            memory_gb=Decimal(2),
            task_count=2,
            seconds=MONTH_S,
        ),
    ),
    Invoice(
        "Fargate Spot: two tasks of 1 vCPU + 2 GB",
        "2*730*(0.01288871 + 2*0.00141527)",
        "22.95",
        lambda: fargate_usd(
            rate_of(FARGATE.spot),
            vcpu=Decimal(1),
            memory_gb=Decimal(2),
            task_count=2,
            seconds=MONTH_S,
        ),
    ),
    Invoice(
        "Fargate with a one-year plan",
        "2*730*(0.032384 + 2*0.003556)",
        "57.66",
        lambda: fargate_usd(
            rate_of(FARGATE.savings_plan_1y),
            vcpu=Decimal(1),
            memory_gb=Decimal(2),
            task_count=2,
            seconds=MONTH_S,
        ),
    ),
    Invoice(
        "Fargate storage: 50 GB on two tasks",
        "2*730*30*0.000111",
        "4.86",
        lambda: task_storage_usd(
            FARGATE.storage_gb_hour_usd, storage_gb=50, task_count=2, hours=Decimal(730)
        ),
    ),
    Invoice(
        "Fargate storage: 20 GB is free",
        "0",
        "0.00",
        lambda: task_storage_usd(
            FARGATE.storage_gb_hour_usd, storage_gb=20, task_count=2, hours=Decimal(730)
        ),
    ),
    Invoice(
        "EC2: two t4g.small",
        "2*730*0.0168",
        "24.53",
        lambda: instances_usd(EC2["t4g.small"], count=2, seconds=MONTH_S),
    ),
    Invoice(
        "EC2: three c7i.large",
        "3*730*0.08925",
        "195.46",
        lambda: instances_usd(EC2["c7i.large"], count=3, seconds=MONTH_S),
    ),
    Invoice(
        "EC2: 30 s of c7g.large pay a minute",
        "100*60/3600*0.0725",
        "0.12",
        lambda: instances_usd(EC2["c7g.large"], count=100, seconds=Decimal(30)),
    ),
    Invoice(
        "EC2: an r7g.2xlarge for a day",
        "24*0.4284",
        "10.28",
        lambda: instances_usd(EC2["r7g.2xlarge"], count=1, seconds=Decimal(86400)),
    ),
    Invoice(
        "Managed Instances: three m7g.xlarge, 100 million requests",
        "3*730*0.1632*1.15 + 100*0.20",
        "431.02",
        lambda: managed_instances_usd(
            MANAGED, EC2["m7g.xlarge"], count=3, hours=Decimal(730), requests=100_000_000
        ),
    ),
    Invoice(
        "Managed Instances: no requests, no scale to zero",
        "3*730*0.1632*1.15",
        "411.02",
        lambda: managed_instances_usd(
            MANAGED, EC2["m7g.xlarge"], count=3, hours=Decimal(730), requests=0
        ),
    ),
    Invoice(
        "a load balancer with two capacity units",
        "730*(0.0225 + 2*0.008)",
        "28.11",
        lambda: load_balancer_usd(
            Decimal("0.0225"), Decimal("0.008"), hours=Decimal(730), lcu=Decimal(2)
        ),
    ),
    Invoice(
        "two NAT gateways and 100 GB",
        "2*730*0.045 + 100*0.045",
        "70.20",
        lambda: nat_usd(NETWORK, gateway_count=2, hours=Decimal(730), gb=Decimal(100)),
    ),
)
