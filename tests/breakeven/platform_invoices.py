"""Invoices of the other platforms, computed by hand: prices of us-east-1, months of 730 hours.

An address is 0.005 dollars an hour, 20 GB of gp3 1.60 a month.
"""

from __future__ import annotations

from tests.breakeven.invoice import Invoice, fleet_usd

PLATFORM_INVOICES = (
    Invoice(
        "Fargate: two tasks of 1 vCPU + 2 GB",
        "2*730*(0.04048 + 2*0.004445 + 0.005)",
        "79.38",
        lambda: fleet_usd("Fargate x86_64", "1 vCPU + 2 GB", 2),
    ),
    Invoice(
        "Fargate: three of the smallest task",
        "3*730*(0.25*0.04048 + 0.5*0.004445 + 0.005)",
        "37.98",
        lambda: fleet_usd("Fargate x86_64", "0.25 vCPU + 0.5 GB", 3),
    ),
    Invoice(
        "Fargate: ten tasks of 16 vCPU + 32 GB",
        "10*730*(16*0.04048 + 32*0.004445 + 0.005)",
        "5802.92",
        lambda: fleet_usd("Fargate x86_64", "16 vCPU + 32 GB", 10),
    ),
    Invoice(
        "Fargate on arm: two tasks of 1 vCPU + 2 GB",
        "2*730*(0.03238 + 2*0.00356 + 0.005)",
        "64.97",
        lambda: fleet_usd("Fargate arm64", "1 vCPU + 2 GB", 2),
    ),
    Invoice(
        "Fargate Spot: two tasks of 1 vCPU + 2 GB",
        "2*730*(0.01288871 + 2*0.00141527 + 0.005)",
        "30.25",
        lambda: fleet_usd("Fargate x86_64", "1 vCPU + 2 GB", 2, spot_share=1.0),
    ),
    Invoice(
        "Fargate: a third of four tasks on Spot",
        "4*730*(0.7*(0.04048 + 2*0.004445) + 0.3*(0.01288871 + 2*0.00141527) + 0.005)",
        "129.28",
        lambda: fleet_usd("Fargate x86_64", "1 vCPU + 2 GB", 4, spot_share=0.3),
    ),
    Invoice(
        "Fargate with a one-year plan",
        "2*730*(0.032384 + 2*0.003556 + 0.005)",
        "64.96",
        lambda: fleet_usd("Fargate x86_64", "1 vCPU + 2 GB", 2, savings_plan=True),
    ),
    Invoice(
        "a load balancer before two tasks, 50 requests a second: two capacity units",
        "2*730*(0.04048 + 2*0.004445 + 0.005) + 730*(0.0225 + 2*0.005) + 730*2*0.008",
        "114.79",
        lambda: fleet_usd(
            "Fargate x86_64", "1 vCPU + 2 GB", 2, requests=131_400_000, trigger="http"
        ),
    ),
    Invoice(
        "a load balancer at its own price",
        "2*730*(0.04048 + 2*0.004445 + 0.005) + 18",
        "97.38",
        lambda: fleet_usd(
            "Fargate x86_64",
            "1 vCPU + 2 GB",
            2,
            requests=131_400_000,
            trigger="http",
            load_balancer_usd_per_month=18,
        ),
    ),
    Invoice(
        "two tasks behind two NAT gateways",
        "2*730*(0.04048 + 2*0.004445) + 2*730*0.045",
        "137.78",
        lambda: fleet_usd("Fargate x86_64", "1 vCPU + 2 GB", 2, nat=True),
    ),
    Invoice(
        "2 kB of logs a request, ten million of them",
        "2*730*(0.04048 + 2*0.004445 + 0.005) + 20*0.50",
        "89.38",
        lambda: fleet_usd(
            "Fargate x86_64", "1 vCPU + 2 GB", 2, requests=10_000_000, log_kb_per_request=2.0
        ),
    ),
    Invoice(
        "operating costs 120 dollars",
        "2*730*(0.04048 + 2*0.004445 + 0.005) + 120",
        "199.38",
        lambda: fleet_usd("Fargate x86_64", "1 vCPU + 2 GB", 2, ops_cost_usd=120),
    ),
    Invoice(
        "EC2: two t4g.small with 20 GB each",
        "2*730*(0.0168 + 0.005) + 2*20*0.08",
        "35.03",
        lambda: fleet_usd("EC2 arm64", "t4g.small", 2),
    ),
    Invoice(
        "ECS on EC2: three c7i.large",
        "3*730*(0.08925 + 0.005) + 3*20*0.08",
        "211.21",
        lambda: fleet_usd("ECS on EC2 x86_64", "c7i.large", 3),
    ),
    Invoice(
        "Managed Instances: three m7g.xlarge, 100 million requests",
        "3*730*0.1632*1.15 + 100*0.20",
        "431.02",
        lambda: fleet_usd("Managed Instances arm64", "m7g.xlarge", 3, requests=100_000_000),
    ),
    Invoice(
        "Managed Instances: no requests, no scale to zero",
        "3*730*0.1632*1.15",
        "411.02",
        lambda: fleet_usd("Managed Instances arm64", "m7g.xlarge", 3),
    ),
)
