"""Invoices computed by hand: the working, the amount to the cent, and what the code bills.

Prices are those of us-east-1 unless said; a month has 730 hours; 1,769 MB are 1.7275390625 GB.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tuner.breakeven.bill import (
    fargate_usd,
    instances_usd,
    lambda_usd,
    load_balancer_usd,
    managed_instances_usd,
    nat_usd,
    provisioned_usd,
    snap_start_usd,
    task_storage_usd,
)
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.pricing import FargateRate

BOOK = load_price_book()
X86 = BOOK.lambda_prices("us-east-1", "x86_64")
ARM = BOOK.lambda_prices("us-east-1", "arm64")
CAPE_TOWN = BOOK.lambda_prices("af-south-1", "x86_64")
FARGATE = BOOK.fargate_prices("us-east-1", "x86_64")
FARGATE_ARM = BOOK.fargate_prices("us-east-1", "arm64")
EC2 = {
    entry.name: entry
    for architecture in ("x86_64", "arm64")
    for entry in BOOK.instances("us-east-1", architecture)
}
MANAGED = BOOK.managed_instances_prices("us-east-1")
NETWORK = BOOK.network_prices("us-east-1")
MONTH_S = Decimal(730 * 3600)


class Invoice(NamedTuple):
    """A case, its working, the amount in dollars, and the code's bill."""

    case: str
    working: str
    amount_usd: str
    bill: Callable[[], Decimal]


def rate_of(rate: FargateRate | None) -> FargateRate:
    assert rate is not None
    return rate


INVOICES = (
    Invoice(
        "a million empty-ish runs",
        "1000000*0.0000002 + 1000000*0.1*0.125*0.0000166667",
        "0.41",
        lambda: lambda_usd(X86, requests=1_000_000, memory_mb=128, billed_ms=Decimal(100)),
    ),
    Invoice(
        "one core for a second, a million times",
        "1000000*0.0000002 + 1000000*1*1.7275390625*0.0000166667",
        "28.99",
        lambda: lambda_usd(X86, requests=1_000_000, memory_mb=1769, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "INIT billed with the run: 1234 + 464 ms",
        "50000*0.0000002 + 50000*1.698*0.125*0.0000166667",
        "0.19",
        lambda: lambda_usd(X86, requests=50_000, memory_mb=128, billed_ms=Decimal(1698)),
    ),
    Invoice(
        "30 million runs of 120 ms at 1 GB",
        "30*0.20 + 30000000*0.120*0.0000166667",
        "66.00",
        lambda: lambda_usd(X86, requests=30_000_000, memory_mb=1024, billed_ms=Decimal(120)),
    ),
    Invoice(
        "the largest size for a minute",
        "1000*0.0000002 + 1000*60*10*0.0000166667",
        "10.00",
        lambda: lambda_usd(X86, requests=1000, memory_mb=10240, billed_ms=Decimal(60000)),
    ),
    Invoice(
        "a run of 15 minutes",
        "100*0.0000002 + 100*900*2.9375*0.0000166667",
        "4.41",
        lambda: lambda_usd(X86, requests=100, memory_mb=3008, billed_ms=Decimal(900000)),
    ),
    Invoice(
        "a mean with a fraction: 1 % INIT",
        "10*0.20 + 10000000*0.1025*0.5*0.0000166667",
        "10.54",
        lambda: lambda_usd(X86, requests=10_000_000, memory_mb=512, billed_ms=Decimal("102.5")),
    ),
    Invoice(
        "2 GB of /tmp",
        "0.20 + 1000000*1*0.0000166667 + 1000000*1*2*0.0000000309",
        "16.93",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            ephemeral_storage_mb=2560,
        ),
    ),
    Invoice(
        "/tmp at the free 512 MB",
        "0.20 + 1000000*1*0.0000166667",
        "16.87",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            ephemeral_storage_mb=512,
        ),
    ),
    Invoice(
        "/tmp at its largest",
        "0.20 + 1000000*0.0000166667 + 1000000*9.5*0.0000000309",
        "17.16",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            ephemeral_storage_mb=10240,
        ),
    ),
    Invoice(
        "exactly the first tier's end",
        "6000*0.20 + 6000000000*0.0000166667",
        "101200.20",
        lambda: lambda_usd(X86, requests=6_000_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "a million GB-s into the second tier",
        "6001*0.20 + 6000000000*0.0000166667 + 1000000*0.000015",
        "101215.40",
        lambda: lambda_usd(X86, requests=6_001_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "exactly the second tier's end",
        "15000*0.20 + 6000000000*0.0000166667 + 9000000000*0.000015",
        "238000.20",
        lambda: lambda_usd(X86, requests=15_000_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "into the third tier",
        "16000*0.20 + 6000000000*0.0000166667 + 9000000000*0.000015 + 1000000000*0.0000133334",
        "251533.60",
        lambda: lambda_usd(X86, requests=16_000_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "the account is at the first tier's end already",
        "0.20 + 1000000*0.000015",
        "15.20",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            account_gb_seconds=Decimal(6_000_000_000),
        ),
    ),
    Invoice(
        "the account is just below it",
        "0.20 + 500000*0.0000166667 + 500000*0.000015",
        "16.03",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            account_gb_seconds=Decimal(5_999_500_000),
        ),
    ),
    Invoice(
        "the account is in the third tier",
        "0.20 + 1000000*0.0000133334",
        "13.53",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            account_gb_seconds=Decimal(15_000_000_000),
        ),
    ),
    Invoice(
        "free tier covers all",
        "0",
        "0.00",
        lambda: lambda_usd(
            X86, requests=1_000_000, memory_mb=1024, billed_ms=Decimal(400), free_tier=True
        ),
    ),
    Invoice(
        "the account leaves 100,000 GB-s of the free tier",
        "1000000*0.0000002 + (1000000 - 100000)*0.0000166667",
        "15.20",
        lambda: lambda_usd(
            X86,
            requests=1_000_000,
            memory_mb=1024,
            billed_ms=Decimal(1000),
            account_gb_seconds=Decimal(300_000),
            free_tier=True,
        ),
    ),
    Invoice(
        "a request above the free million",
        "1000000*0.0000002",
        "0.20",
        lambda: lambda_usd(
            X86, requests=2_000_000, memory_mb=1024, billed_ms=Decimal(200), free_tier=True
        ),
    ),
    Invoice(
        "GB-seconds above the free 400,000",
        "100000*0.0000166667",
        "1.67",
        lambda: lambda_usd(
            X86, requests=1_000_000, memory_mb=1024, billed_ms=Decimal(500), free_tier=True
        ),
    ),
    Invoice(
        "a savings plan takes 12 % off the duration alone",
        "10*0.20 + 10000000*0.0000166667*0.88",
        "148.67",
        lambda: lambda_usd(
            X86, requests=10_000_000, memory_mb=1024, billed_ms=Decimal(1000), savings_plan=True
        ),
    ),
    Invoice(
        "arm: ten million runs",
        "10*0.20 + 1000000*0.0000133334",
        "15.33",
        lambda: lambda_usd(ARM, requests=10_000_000, memory_mb=1024, billed_ms=Decimal(100)),
    ),
    Invoice(
        "arm: exactly its first tier's end",
        "7500*0.20 + 7500000000*0.0000133334",
        "101500.50",
        lambda: lambda_usd(ARM, requests=7_500_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "arm: into its second tier",
        "7501*0.20 + 7500000000*0.0000133334 + 1000000*0.0000120001",
        "101512.70",
        lambda: lambda_usd(ARM, requests=7_501_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "arm: into its third tier",
        "18751*0.20 + 7500000000*0.0000133334 + 11250000000*0.0000120001 + 1000000*0.0000106667",
        "238762.49",
        lambda: lambda_usd(ARM, requests=18_751_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "Cape Town",
        "10*0.27 + 10000000*0.0000221",
        "223.70",
        lambda: lambda_usd(CAPE_TOWN, requests=10_000_000, memory_mb=1024, billed_ms=Decimal(1000)),
    ),
    Invoice(
        "provisioned: 10 environments all month, idle",
        "10*730*3600*0.0000041667",
        "109.50",
        lambda: provisioned_usd(
            X86,
            environment_count=10,
            hours=Decimal(730),
            requests=0,
            memory_mb=1024,
            billed_ms=Decimal(0),
        ),
    ),
    Invoice(
        "provisioned: busy",
        "10*730*3600*0.0000041667 + 20000000*0.5*0.0000097222 + 20*0.20",
        "210.72",
        lambda: provisioned_usd(
            X86,
            environment_count=10,
            hours=Decimal(730),
            requests=20_000_000,
            memory_mb=1024,
            billed_ms=Decimal(500),
        ),
    ),
    Invoice(
        "provisioned: office hours at 1,769 MB",
        "5*176*3600*1.7275390625*0.0000041667 + 1000000*0.3*1.7275390625*0.0000097222 + 0.20",
        "28.04",
        lambda: provisioned_usd(
            X86,
            environment_count=5,
            hours=Decimal(176),
            requests=1_000_000,
            memory_mb=1769,
            billed_ms=Decimal(300),
        ),
    ),
    Invoice(
        "SnapStart: a month in the cache, 10,000 restores",
        "730*3600*0.0000015046 + 10000*0.0001397998",
        "5.35",
        lambda: snap_start_usd(X86, memory_mb=1024, hours=Decimal(730), restore_count=10_000),
    ),
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


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("invoice", INVOICES, ids=lambda invoice: invoice.case)
def test_a_bill_is_the_hand_computed_invoice_to_the_cent(invoice: Invoice) -> None:
    """What the code bills is the amount of the invoice."""
    assert str(cents(invoice.bill())) == invoice.amount_usd


@pytest.mark.parametrize("invoice", INVOICES, ids=lambda invoice: invoice.case)
def test_the_working_gives_the_amount(invoice: Invoice) -> None:
    """The working of an invoice, in decimals, is its amount: the table has no slip of the pen."""
    decimals = re.sub(r"(\d+(?:\.\d+)?)", r"Decimal('\1')", invoice.working)
    with localcontext(prec=60):
        assert str(cents(eval(decimals, {"Decimal": Decimal}))) == invoice.amount_usd


def test_there_are_at_least_forty() -> None:
    """The table covers forty cases or more, each once."""
    assert len({invoice.case for invoice in INVOICES}) == len(INVOICES) >= 40
