"""The bundled prices of the platforms beside Lambda."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tuner.errors import PriceError
from tuner.pricing import load_price_book

BOOK = load_price_book()


def test_every_region_with_lambda_has_fargate_and_ec2() -> None:
    """36 regions have both architectures of Fargate and EC2, and the network's prices."""
    assert len(BOOK.regions) == 36
    for region in BOOK.regions:
        for architecture in ("x86_64", "arm64"):
            assert BOOK.fargate_prices(region, architecture).on_demand.vcpu_hour_usd > 0
            assert BOOK.instances(region, architecture)
        assert BOOK.network_prices(region).nat_hour_usd is not None


def test_us_east_1_is_as_published() -> None:
    """Fargate, spot, an EC2 type with its burst baseline, and the load balancer."""
    fargate = BOOK.fargate_prices("us-east-1", "x86_64")
    assert (fargate.on_demand.vcpu_hour_usd, fargate.on_demand.gb_hour_usd) == (
        Decimal("0.04048"),
        Decimal("0.004445"),
    )
    assert fargate.spot is not None
    assert fargate.spot.as_of == "2026-09-28"
    assert fargate.savings_plan_1y is not None
    assert fargate.savings_plan_1y.vcpu_hour_usd == Decimal("0.032384")
    types = {entry.name: entry for entry in BOOK.instances("us-east-1", "arm64")}
    assert types["t4g.small"].hour_usd == Decimal("0.0168")
    assert types["t4g.small"].baseline_ratio == Decimal("0.2")
    assert types["c7g.large"].baseline_ratio is None
    assert BOOK.network_prices("us-east-1").load_balancer_hour_usd == Decimal("0.0225")


def test_fargate_sells_only_its_pairs() -> None:
    """A quarter vCPU has 0.5, 1 or 2 GB, and one vCPU 2 to 8."""
    sizes = BOOK.fargate_prices("us-east-1", "arm64").sizes
    assert [gb for vcpu, gb in sizes if vcpu == Decimal("0.25")] == [Decimal("0.5"), 1, 2]
    assert [gb for vcpu, gb in sizes if vcpu == 1] == list(range(2, 9))


def test_what_is_not_known_is_missing() -> None:
    """No price is filled in: another region's load balancer, any API gateway, spot on arm."""
    assert BOOK.network_prices("eu-west-1").load_balancer_hour_usd is None
    assert BOOK.network_prices("us-east-1").api_gateway_request_usd is None
    assert BOOK.fargate_prices("sa-east-1", "arm64").spot is None
    with pytest.raises(PriceError, match="Managed Instances price is known for eu-west-1"):
        BOOK.managed_instances_prices("eu-west-1")
    with pytest.raises(PriceError, match="no Fargate price is known for nowhere-1 arm64"):
        BOOK.fargate_prices("nowhere-1", "arm64")
