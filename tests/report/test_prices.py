"""Prices of the other platforms as JSON."""

from __future__ import annotations

import json

from tuner.pricing import load_price_book
from tuner.report.prices import platforms_json


def test_a_region_has_every_platforms_prices_as_published() -> None:
    """Prices are decimal strings; what is not known is null, or an empty list."""
    found = json.loads(json.dumps(platforms_json(load_price_book(), "eu-west-1")))
    x86 = next(each for each in found["fargate"] if each["architecture"] == "x86_64")
    assert x86["on_demand"]["vcpu_hour_usd"] == "0.04048"
    assert x86["savings_plan_1y"] is None
    assert found["network"][0]["load_balancer_hour_usd"] is None
    assert found["network"][0]["nat_hour_usd"] == "0.048"
    assert {"t4g.micro", "c7g.large"} <= {each["name"] for each in found["ec2"]}
    assert found["managed_instances"] == []
