"""What a live check makes of replies that the local Lambda never gives, scripted at the wire."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.live_check import NAME, no_sleep
from tests.aws.wire import Received, Reply, WireServer, refusal
from tests.pricing.price_lists import item
from tuner.api.live_check.control_plane import check_alias, check_sizes
from tuner.api.live_check.handlers import check_cpu
from tuner.api.live_check.probing import Probing
from tuner.api.live_check.reading import read_only
from tuner.aws.live_gateway import connect_live
from tuner.model.live_check import CheckPlan
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.aws.live_gateway import LiveGateway
    from tuner.model.live_check import Assumption


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
def gateway(wire: WireServer) -> Iterator[LiveGateway]:
    with connect_live(region="eu-west-1", profile=None, endpoint_url=wire.url) as opened:
        yield opened


@pytest.fixture
def probing(gateway: LiveGateway, tmp_path: Path) -> Probing:
    """One whose clock goes on by 100 ms with every look."""
    prices = load_price_book().lambda_prices("eu-west-1", "x86_64")
    plan = CheckPlan(sizes_mb=(128,), repetitions=1, alias_count=200)
    probing = Probing(gateway, NAME, plan, prices, tmp_path)
    clock = itertools.count(0.0, 0.1)
    probing.clock, probing.sleep = lambda: next(clock), no_sleep
    return probing


def found(probing: Probing, topic: str) -> Assumption:
    [one] = [each for each in probing.assumptions if each.topic == topic]
    return one


def configuration(memory_mb: int, **changes: Any) -> dict[str, Any]:
    return {
        "FunctionName": NAME, "MemorySize": memory_mb, "Timeout": 3, "Version": "$LATEST",
        "RevisionId": "r1", "State": "Active", "LastUpdateStatus": "Successful", **changes,
    }  # fmt: skip


def updating(
    reads: list[int], missing_reads: int = 0, state: str = "Active"
) -> Callable[[Received], Reply]:
    """Lambda whose reads after an update show these sizes in turn, the last one for good, and
    which doesn't find a new version at first.
    """
    after, missing = list(reads), [missing_reads]
    is_updated = False

    def answer(received: Received) -> Reply:
        nonlocal is_updated
        if received.method == "PUT":
            is_updated = True
            return Reply(200, configuration(128, LastUpdateStatus="InProgress"))
        if received.method == "POST":
            return Reply(201, configuration(128, Version="1", State=state))
        if "Qualifier" in received.query:
            missing[0] -= 1
            if missing[0] >= 0:
                return refusal(404, "ResourceNotFoundException", "Function not found")
            return Reply(200, {"Configuration": configuration(128, Version="1")})
        size = 192 if not is_updated else after.pop(0) if len(after) > 1 else after[0]
        return Reply(200, {"Configuration": configuration(size)})

    return answer


def test_reads_that_are_behind_are_counted(wire: WireServer, probing: Probing) -> None:
    """Reads that show the state before an accepted update: how many, for how long, once it
    seemed to be over too.
    """
    wire.answer = updating([192, 128, 192, 128])
    check_sizes(probing)
    figures = {each.name: each.number for each in probing.figures}
    assert (figures["stale_update_count"], figures["stale_read_count"]) == (1, 2)
    assert figures["stale_longest_ms"] == pytest.approx(300, abs=150)
    seen = found(probing, "reads after an update")
    assert seen.state == "same"
    assert seen.seen.startswith("after 1 of 1 updates, for up to")


def test_reads_that_stay_behind_for_longer_than_a_sweep_waits_differ(
    wire: WireServer, probing: Probing
) -> None:
    """A sweep looks again for 15.5 s: what takes longer would stop it."""
    wire.answer = updating([*[192] * 170, 128])
    check_sizes(probing)
    assert found(probing, "reads after an update").state == "differs"


def test_a_version_that_is_not_there_yet_is_waited_for(wire: WireServer, probing: Probing) -> None:
    """Reads that don't find what was published are counted, and the check goes on."""
    wire.answer = updating([128], missing_reads=2, state="Pending")
    check_sizes(probing)
    assert probing.versions == {128: "1"}
    assert found(probing, "a version after publishing").seen == "2 reads didn't find it"
    assert found(probing, "a published version").seen == "Pending and Successful"


def test_a_size_that_the_account_refuses_ends_the_sizes(wire: WireServer, probing: Probing) -> None:
    """An account's limit on memory is put down, and the probes go on with the smaller sizes."""
    words = "'MemorySize' value failed to satisfy constraint: must be less than or equal to 3008"
    usual = updating([128])

    def answer(received: Received) -> Reply:
        if received.method == "PUT" and received.json["MemorySize"] > 3008:
            return refusal(400, "InvalidParameterValueException", words)
        return usual(received)

    wire.answer = answer
    probing.plan = replace(probing.plan, sizes_mb=(128, 4096))
    check_sizes(probing)
    assert list(probing.versions) == [128]
    assert found(probing, "sizes").state == "differs"


def invoking(*replies: Reply) -> Callable[[Received], Reply]:
    """Answer invocations in turn (the last one for good), and accept an alias."""
    waiting = list(replies)

    def answer(received: Received) -> Reply:
        if received.path.endswith("/aliases"):
            return Reply(201, {"Name": "split", "FunctionVersion": "1"})
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return answer


@pytest.mark.parametrize(("went", "state"), [(60, "same"), (45, "same"), (100, "differs")])
def test_weights_that_are_not_kept_are_noticed(
    wire: WireServer, probing: Probing, went: int, state: str
) -> None:
    """Of 200 invocations with a share of 30%, 45 and 60 are believed and 100 are not."""
    second, first = (Reply(200, b"{}", {"X-Amz-Executed-Version": each}) for each in "21")
    wire.answer = invoking(*[second] * went, first)
    probing.versions = {128: "1", 256: "2"}
    check_alias(probing)
    assert found(probing, "weights of an alias").state == state


@pytest.mark.parametrize(
    ("load", "share", "state"),
    [("0.90", 0.04, "not seen"), ("0.10", 0.04, "differs"), ("0.90", 0.0724, "same")],
)
def test_a_share_is_judged_only_where_the_machine_was_free(
    wire: WireServer, probing: Probing, load: str, share: float, state: str
) -> None:
    """A share that is too small beside other work is not seen; without it, it differs."""
    body = json.dumps({"share": share, "gap_starts_ms": [0.0, 20.5, 40.1]}).encode()
    wire.answer = invoking(Reply(200, body, {"x-tuner-host-load": load}))
    probing.versions = {128: "1"}
    check_cpu(probing)
    assert found(probing, "CPU at 128 MB").state == state
    named = {each.name for each in probing.figures}
    assert ("cpu_share_128_mb" in named) == (state != "not seen")
    assert found(probing, "quota window").state == "same"


def price_items(architecture: str) -> list[str]:
    """What the Price List API would say if the package's prices are right."""
    prices = load_price_book().lambda_prices("eu-west-1", architecture)
    end = "-ARM" if architecture == "arm64" else ""
    tiers = [f"{each.price_usd_per_gb_second:f}" for each in prices.duration_tiers]
    bounds = tuple(f"{tier.upper_bound_gb_seconds:f}" for tier in prices.duration_tiers[:-1])
    each = {
        "Request": prices.request_price_usd,
        "Lambda-Storage-GB-Second": prices.ephemeral_storage_price_usd_per_gb_second,
        "Lambda-Provisioned-Concurrency": prices.provisioned_idle_price_usd_per_gb_second,
        "Lambda-Provisioned-GB-Second": prices.provisioned_duration_price_usd_per_gb_second,
    }
    made = [item(f"Lambda-GB-Second{end}", *tiers, region="eu-west-1", bounds=bounds)]
    made += [item(f"{n}{end}", f"{price:f}", region="eu-west-1") for n, price in each.items()]
    snap_start = prices.snap_start
    if snap_start and not end:
        stored, restored = (
            snap_start.cache_price_usd_per_gb_second,
            snap_start.restore_price_usd_per_gb,
        )
        made.append(item("Lambda-SnapStart-Cached-GB-S", f"{stored:f}", region="eu-west-1"))
        made.append(item("Lambda-SnapStart-Restored-GB", f"{restored:f}", region="eu-west-1"))
    return [json.dumps(one) for one in made]


def test_prices_of_the_region_are_compared_in_every_part(
    wire: WireServer, gateway: LiveGateway
) -> None:
    """The package's own prices are the same; with another price of /tmp alone they differ."""
    own = price_items("x86_64") + price_items("arm64")
    storage = load_price_book().lambda_prices("eu-west-1", "x86_64")
    price = f"{storage.ephemeral_storage_price_usd_per_gb_second:f}"
    dearer = [one.replace(price, f"{price}1") for one in price_items("x86_64")]
    for listed, expected in ((own, "same"), (dearer + price_items("arm64"), "differs")):
        page = Reply(200, {"FormatVersion": "aws_v1", "PriceList": listed})

        def answer(received: Received, page: Reply = page) -> Reply:
            asks_prices = "GetProducts" in received.headers.get("x-amz-target", "")
            return page if asks_prices else refusal(501, "NotImplemented", "not here")

        wire.answer = answer
        states = {each.topic: each.state for each in read_only(gateway, None)}
        assert states["prices, x86_64"] == expected
        assert states["prices, arm64"] == "same"
