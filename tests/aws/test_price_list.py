"""The Price List API at the wire: what is asked, over pages, and what is refused."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Received, Reply
from tests.cli.running import run_here
from tests.pricing.price_lists import fleet_items, lambda_items
from tuner.aws.price_list_api import PriceList
from tuner.errors import AccessDeniedError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.aws.wire import WireServer

DENIED = Reply(
    400, {"__type": "AccessDeniedException", "message": "not authorized: pricing:GetProducts"}
)
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}


def matches(item: dict[str, Any], asked: list[dict[str, str]]) -> bool:
    """What AWS does with filters."""
    attributes = {
        **item["product"]["attributes"],
        "productFamily": item["product"]["productFamily"],
    }
    tests = {
        "TERM_MATCH": lambda had, value: had == value,
        "CONTAINS": lambda had, value: value in had,
        "ANY_OF": lambda had, value: had in value.split(","),
    }
    return all(
        tests[each["Type"]](attributes.get(each["Field"], ""), each["Value"]) for each in asked
    )


def price_list_api(received: Received) -> Reply:
    """Two items a page, of the one service that the made items all stand for."""
    asked = received.json
    found = [one for one in (*lambda_items(), *fleet_items()) if matches(one, asked["Filters"])]
    start = int(asked.get("NextToken", "0"))
    page = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in found[start:][:2]]}
    if start + 2 < len(found):
        page["NextToken"] = str(start + 2)
    return Reply(body=page)


@pytest.fixture
def price_list(wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> PriceList:
    for name, given in KEYS.items():
        monkeypatch.setenv(name, given)
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", wire.url)
    return PriceList(region="eu-west-1")


def test_every_page_is_read(wire: WireServer, price_list: PriceList) -> None:
    """Items of all pages come, and the region is always among the filters."""
    wire.answer = price_list_api
    with price_list:
        found = list(
            price_list.products("eu-west-1", "AmazonECS", (("CONTAINS", "usagetype", "Fargate"),))
        )
    assert len(found) == 6
    assert len(wire.received) == 3
    asked = wire.received[0].json
    assert asked["ServiceCode"] == "AmazonECS"
    assert {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"} in asked["Filters"]


def test_a_refusal_is_one_line(wire: WireServer, price_list: PriceList) -> None:
    """Without pricing:GetProducts the action is named."""
    wire.say(DENIED)
    with price_list, pytest.raises(AccessDeniedError, match="GetProducts"):
        list(price_list.products("eu-west-1", "AWSLambda", ()))


def test_a_refresh_asks_little_and_is_used(wire: WireServer, tmp_path: Path) -> None:
    """A dozen questions about one region, EC2 by name, and the next answer has the new prices."""
    wire.answer = price_list_api
    variables = {**KEYS, "AWS_ENDPOINT_URL_PRICING": wire.url, "XDG_DATA_HOME": str(tmp_path)}
    ran = run_here("prices", "refresh", "--region", "eu-west-1", **variables)
    assert ran.returncode == 0, ran.stderr
    [told] = [line for line in ran.stdout.splitlines() if line.startswith("eu-west-1: ")]
    assert re.findall(r"\d+ (?:Lambda|Fargate|EC2)", told) == ["2 Lambda", "2 Fargate", "2 EC2"]
    questions = [r for r in wire.received if "NextToken" not in r.json]
    assert len(questions) <= 13
    for question in questions:
        if question.json["ServiceCode"] == "AmazonEC2":
            assert len(question.json["Filters"]) > 1
        assert all(len(each["Value"]) <= 1024 for each in question.json["Filters"])
    shown = run_here("prices", "show", "--region", "eu-west-1", "--json", **variables)
    prices = json.loads(shown.stdout)
    assert prices["lambda"][0]["duration_tiers"][0]["price_usd_per_gb_second"] == "0.0000183334"
    assert prices["network"][0]["load_balancer_hour_usd"] == "0.0252"


def test_a_failure_in_the_middle_changes_nothing(wire: WireServer, tmp_path: Path) -> None:
    """The second question is refused: no file is written, and exit code and error object say so."""
    replies = iter([Reply(body={"PriceList": [json.dumps(one) for one in lambda_items()]})])
    wire.answer = lambda _: next(replies, DENIED)
    variables = {**KEYS, "AWS_ENDPOINT_URL_PRICING": wire.url, "XDG_DATA_HOME": str(tmp_path)}
    ran = run_here("prices", "refresh", "--region", "eu-west-1", "--json", **variables)
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["code"] == "access_denied_error"
    assert not list(tmp_path.rglob("prices.json"))
