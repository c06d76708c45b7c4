"""Prices of the other platforms as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tuner.pricing import load_price_book
from tuner.pricing.refresh import Refresh
from tuner.report.prices import platforms_json, render_refresh


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


def test_a_refresh_counts_what_it_found_and_names_what_it_did_not() -> None:
    """One of a kind is singular, and what is not in the list is said to stay."""
    counts = (("lambda", 2), ("fargate", 0), ("ec2", 1), ("network", 0))
    found = Refresh(Path("prices.json"), (("eu-west-1", counts),), changed_count=1)
    line, changed, _ = render_refresh(found).splitlines()
    assert line == (
        "eu-west-1: 2 Lambda architectures, 1 EC2 type; no Fargate architectures, "
        "no network prices (prices known before stay)"
    )
    assert changed == "1 price changed"
