"""Refreshed prices: read from price lists, kept, and preferred where they are newer."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.pricing import price_lists
from tuner.errors import PriceError
from tuner.pricing import load_price_book
from tuner.pricing.renewal import current_price_book, refresh_from_files

if TYPE_CHECKING:
    from pathlib import Path

TODAY = datetime.date(2026, 11, 25)
BUNDLED = load_price_book()


def refresh(folder: Path, *texts: str) -> None:
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"list{number}.json")
        paths[-1].write_text(text)
    refresh_from_files(paths, today=TODAY, data_dir=folder)


@pytest.mark.parametrize("write", [price_lists.saved, price_lists.offer_file])
def test_lambda_prices_are_read_whole_and_preferred(tmp_path: Path, write: object) -> None:
    """Tiers in order, every rate, its day; Lambda@Edge and Managed Instances are not mixed in."""
    refresh(tmp_path, write(price_lists.lambda_items()))
    book = current_price_book(tmp_path)
    prices = book.lambda_prices("eu-west-1", "x86_64")
    assert prices.as_of == "2026-11-20"
    assert [
        (tier.upper_bound_gb_seconds, str(tier.price_usd_per_gb_second))
        for tier in prices.duration_tiers
    ] == [
        (Decimal(6000000000), "0.0000183334"),
        (Decimal(15000000000), "0.0000165"),
        (None, "0.0000146667"),
    ]
    assert prices.request_price_usd == Decimal("0.0000002")
    assert prices.ephemeral_storage_price_usd_per_gb_second == Decimal("0.000000034")
    assert prices.provisioned_idle_price_usd_per_gb_second == Decimal("0.0000045834")
    assert prices.provisioned_duration_price_usd_per_gb_second == Decimal("0.0000106945")
    assert prices.snap_start is not None
    assert prices.snap_start.restore_price_usd_per_gb == Decimal("0.0001537778")
    managed = book.managed_instances_prices("eu-west-1")
    assert (managed.request_usd, managed.fee_ratio) == (Decimal("0.0000002"), Decimal("0.15"))
    arm = book.lambda_prices("eu-west-1", "arm64")
    assert arm.duration_tiers == BUNDLED.lambda_prices("eu-west-1", "arm64").duration_tiers
    assert book.lambda_prices("us-east-1", "x86_64") == BUNDLED.lambda_prices("us-east-1", "x86_64")


def test_the_other_platforms_are_read(tmp_path: Path) -> None:
    """Fargate, Linux instances and the network; spot keeps its own day, relations are left out."""
    refresh(tmp_path, price_lists.saved(price_lists.fleet_items()))
    book, before = current_price_book(tmp_path), BUNDLED.fargate_prices("eu-west-1", "x86_64")
    fargate = book.fargate_prices("eu-west-1", "x86_64")
    assert (fargate.on_demand.vcpu_hour_usd, fargate.on_demand.gb_hour_usd) == (
        Decimal("0.0445"),
        Decimal("0.0049"),
    )
    assert (fargate.spot, fargate.sizes) == (before.spot, before.sizes)
    arm = {entry.name: entry for entry in book.instances("eu-west-1", "arm64")}
    x86 = {entry.name: entry for entry in book.instances("eu-west-1", "x86_64")}
    assert (arm["c7g.large"].hour_usd, arm["c7g.large"].as_of) == (Decimal("0.085"), "2026-11-20")
    assert x86["t3.small"].baseline_ratio == Decimal("0.2")
    assert x86["m7i.large"] in BUNDLED.instances("eu-west-1", "x86_64")
    network = book.network_prices("eu-west-1")
    assert network.load_balancer_hour_usd == Decimal("0.0252")
    assert network.load_balancer_lcu_hour_usd == Decimal("0.0084")
    assert network.public_ipv4_hour_usd == Decimal("0.005")
    assert network.gp3_gb_month_usd == Decimal("0.088")
    assert network.logs_gb_usd == Decimal("0.6")
    assert network.api_gateway_request_usd == Decimal("0.00000111")
    assert set(dict(network.dates).values()) == {"2026-11-20"}


def test_what_brings_events_is_read(tmp_path: Path) -> None:
    """By service, the first paid tier, in us-east-1 under its own names; a free tier is none."""
    refresh(tmp_path, price_lists.saved(price_lists.event_items()))
    book = current_price_book(tmp_path)
    found = book.event_prices("eu-west-1")
    assert (found.sqs_request_usd, found.sqs_fifo_request_usd) == (
        Decimal("0.00000041"),
        Decimal("0.00000051"),
    )
    assert (found.sns_publish_usd, found.eventbridge_event_usd) == (
        Decimal("0.00000052"),
        Decimal("0.0000011"),
    )
    assert (found.kinesis_shard_hour_usd, found.kinesis_in_gb_usd) == (
        Decimal("0.018"),
        Decimal("0.091"),
    )
    assert found.kinesis_consumer_gb_usd == Decimal("0.0147")
    assert set(dict(found.dates).values()) == {"2026-11-20"}
    assert book.event_prices("us-east-1") == BUNDLED.event_prices("us-east-1")
    virginia = price_lists.item(
        "Requests-RBP", "0.0000004", region="us-east-1", servicecode="AWSQueueService"
    )
    refresh(tmp_path, price_lists.saved([virginia]))
    again = current_price_book(tmp_path)
    assert dict(again.event_prices("us-east-1").dates)["sqs_request_usd"] == "2026-11-20"
    assert again.event_prices("eu-west-1") == found


def test_a_file_of_an_earlier_version_still_counts(tmp_path: Path) -> None:
    """It has no prices of events: the bundled ones stay, and a refresh adds to it."""
    refresh(tmp_path, price_lists.saved(price_lists.lambda_items()))
    kept = json.loads((tmp_path / "prices.json").read_text())
    del kept["events"]
    (tmp_path / "prices.json").write_text(json.dumps(kept))
    assert current_price_book(tmp_path).event_entries == BUNDLED.event_entries
    refresh(tmp_path, price_lists.saved(price_lists.event_items()))
    book = current_price_book(tmp_path)
    assert book.event_prices("eu-west-1").sqs_request_usd == Decimal("0.00000041")
    assert book.lambda_prices("eu-west-1", "x86_64").as_of == "2026-11-20"


def test_a_second_refresh_adds_to_the_first(tmp_path: Path) -> None:
    """Prices of another file or region do not push out those that were fetched before."""
    refresh(tmp_path, price_lists.saved(price_lists.fleet_items()[10:11]))  # NAT by the hour
    refresh(tmp_path, price_lists.saved(price_lists.fleet_items()[11:12]))  # NAT by the GB
    refresh(tmp_path, price_lists.saved(price_lists.lambda_items("eu-west-2", "EUW2-")))
    book = current_price_book(tmp_path)
    network = book.network_prices("eu-west-1")
    assert network.nat_hour_usd == network.nat_gb_usd == Decimal("0.05")
    assert book.lambda_prices("eu-west-2", "x86_64").as_of == "2026-11-20"


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_beside(tmp_path: Path) -> None:
    """Where the prices cannot be written one line says so, and no half-made file stays."""
    (tmp_path / "prices.json").mkdir()
    with pytest.raises(PriceError, match="can't be written: Is a directory"):
        refresh(tmp_path, price_lists.saved(price_lists.lambda_items()))
    assert {each.name for each in tmp_path.iterdir()} == {"list0.json", "prices.json"}


def test_older_prices_never_replace_newer_ones(tmp_path: Path) -> None:
    """A saved list from before the snapshot's day is kept, and not used."""
    old = [{**one, "publicationDate": "2024-01-01T00:00:00Z"} for one in price_lists.lambda_items()]
    refresh(tmp_path, price_lists.saved(old))
    assert current_price_book(tmp_path).lambda_entries == BUNDLED.lambda_entries


def test_an_incomplete_list_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    """Lambda without its provisioned rates is no Lambda price; nothing is filled in."""
    refresh(
        tmp_path,
        price_lists.saved(
            price_lists.lambda_items()[:6]
            + [one for one in price_lists.fleet_items() if "DataProc" in one["product"]["sku"]]
        ),
    )
    book = current_price_book(tmp_path)
    assert book.lambda_entries == BUNDLED.lambda_entries
    assert book.network_prices("eu-west-1").logs_gb_usd == Decimal("0.6")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not JSON"),
        ('{"a": 1}', "holds no price list"),
        ('{"PriceList": ["{}"]}', "without product and attributes"),
        ('{"PriceList": []}', "no price that tuner uses was found"),
        (
            json.dumps([{**price_lists.item("Request", "1"), "terms": {"OnDemand": {"x": {}}}}]),
            "the prices of Request can't be read",
        ),
        (price_lists.saved([price_lists.item("Request", "NaN")]), "the prices of Request can't be"),
        ('{"products": [], "terms": {}}', "is no offer file"),
        ('{"products": {"A": 1}, "terms": {}}', "is no offer file"),
        ('{"products": {"A": {}}, "terms": []}', "is no offer file"),
        (
            json.dumps([{"product": {"attributes": {"regionCode": "eu-west-1", "usagetype": 5}}}]),
            "no price that tuner uses was found",
        ),
        (
            json.dumps([{**price_lists.item("Request", "1"), "publicationDate": "30 Nov 2026"}]),
            "'30 Nov 2026' isn't a publication date",
        ),
    ],
)
def test_what_is_no_price_list_changes_nothing(tmp_path: Path, text: str, complaint: str) -> None:
    """One clear line, and the file of an earlier refresh stays byte for byte."""
    refresh(tmp_path, price_lists.saved(price_lists.lambda_items()))
    before = (tmp_path / "prices.json").read_bytes()
    with pytest.raises(PriceError, match=complaint):
        refresh(tmp_path, text)
    assert (tmp_path / "prices.json").read_bytes() == before


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 1}', '{"schema_version": 9}'])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    """A refreshed file that cannot be read is an error with its way out, never passed over."""
    (tmp_path / "prices.json").write_text(text)
    with pytest.raises(PriceError, match="delete it, or refresh again"):
        current_price_book(tmp_path)


@pytest.mark.parametrize("items", [price_lists.lambda_items, price_lists.fleet_items])
def test_a_file_with_a_date_that_is_none_is_named(tmp_path: Path, items: Any) -> None:
    """Prices are dated: otherwise the first that is compared with today would end the command."""
    refresh(tmp_path, price_lists.saved(items()))
    file = tmp_path / "prices.json"
    assert current_price_book(tmp_path)
    file.write_text(file.read_text().replace('"2026-11-20"', '"20 Nov 2026"'))
    with pytest.raises(PriceError, match="delete it, or refresh again"):
        current_price_book(tmp_path)
