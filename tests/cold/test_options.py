"""What SnapStart and provisioned concurrency cost and remove, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from tests.sweeps import made_function
from tuner.cold.arrivals import Arrivals, arrivals_of_times
from tuner.cold.options import (
    Facts,
    Lognormal,
    Traffic,
    lognormal_of,
    options_of,
    percentiles,
    snap_start_refusal,
    snap_start_upgrade,
)
from tuner.cold.share import Work, share_over_keep_alive, stretches_of
from tuner.pricing import load_price_book

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")
MONTH_S = 730 * 3600


def exactly(ms: float) -> Lognormal:
    """A duration that hardly varies."""
    return Lognormal(math.log(ms), 1e-6)


def traffic_of(arrivals: Arrivals, init_ms: float = 1000.0) -> Traffic:
    stretches = stretches_of(arrivals, Work(100.0, 0.0, init_ms), np.random.default_rng(1))
    share = share_over_keep_alive(stretches, init_ms, request_count=arrivals.request_count)
    return Traffic(arrivals, stretches, share)


def facts_of(runtime: str = "python3.13", **more: object) -> Facts:
    function = made_function(1024, runtime=runtime, **more)
    return Facts(function, PRICES, exactly(100.0), exactly(100.0), exactly(1000.0))


def test_prices_by_hand() -> None:
    """A request every 700 s, all of them alone: cold if they live for 10 minutes."""
    arrivals = arrivals_of_times([700.0 * number for number in range(201)])
    none, snap, ready = options_of(facts_of(), traffic_of(arrivals))
    requests = MONTH_S / 700
    each_usd = 0.0000002 + (1100 + 0.5) / 1000 * 0.0000166667  # half a ms by rounding up
    assert none.share == 1
    assert none.cost_usd_per_month == pytest.approx(requests * each_usd, rel=1e-6)
    restored_usd = 0.0000002 + (153 + 0.5) / 1000 * 0.0000166667 + 0.0001397998
    cache_usd = 0.0000015046 * MONTH_S
    assert snap.standing_usd_per_month == pytest.approx(cache_usd)
    assert snap.cost_usd_per_month == pytest.approx(requests * restored_usd + cache_usd, rel=1e-6)
    assert (ready.environment_count, ready.hours_per_month, ready.share) == (1, 730, 0)
    idle_usd = 0.0000041667 * MONTH_S
    each_usd = 0.0000002 + 0.1 * 0.0000097222
    assert ready.cost_usd_per_month == pytest.approx(idle_usd + requests * each_usd, rel=1e-6)


def test_latencies_by_hand() -> None:
    """All cold: INIT and run; SnapStart: an assumed restore and run; provisioned: the run."""
    arrivals = arrivals_of_times([700.0 * number for number in range(201)])
    none, snap, ready = options_of(facts_of(), traffic_of(arrivals))
    assert none.latency_ms is not None
    assert none.latency_ms.p99 == pytest.approx(1100, rel=1e-3)
    assert snap.latency_ms is not None
    assert snap.latency_ms.p50 == pytest.approx(600, rel=0.05)
    assert ready.latency_ms is not None
    assert ready.latency_ms.p99 == pytest.approx(100, rel=1e-3)


def test_a_mixture_has_the_percentiles_of_its_parts() -> None:
    """2% of cold ones: p95 is a warm one's, p99 in the middle of the cold ones."""
    parts = [(0.98, Lognormal(math.log(100), 0.1)), (0.02, Lognormal(math.log(2000), 0.1))]
    found = percentiles(parts)
    warm = NormalDist(math.log(100), 0.1)
    assert found.p95 == pytest.approx(math.exp(warm.inv_cdf(0.95 / 0.98)), rel=1e-6)
    assert found.p99 == pytest.approx(2000, rel=1e-3)


def test_environments_are_provisioned_for_what_runs_at_once() -> None:
    """Ten at the same moment, once an hour: ten, and no cold start is left."""
    arrivals = arrivals_of_times([3600.0 * hour for hour in range(48) for _ in range(10)])
    ready = options_of(facts_of(), traffic_of(arrivals))[-1]
    assert (ready.environment_count, ready.share) == (10, 0)


def test_provisioned_concurrency_leaves_a_tenth_of_the_cold_starts() -> None:
    """At a rate at which two seldom meet, one environment isn't enough for that."""
    traffic = traffic_of(Arrivals(1.0))
    ready = options_of(facts_of(), traffic)[-1]
    assert ready.share is not None
    assert ready.share <= 0.1 * traffic.share.estimate
    assert ready.environment_count is not None
    assert ready.environment_count > 1


def test_a_restore_that_was_measured_is_used_and_init_is_not_known() -> None:
    """With SnapStart on, nothing tells what INIT would be."""
    function = made_function(1024)
    facts = Facts(function, PRICES, exactly(100), exactly(100), None, exactly(250.0))
    (snap,) = options_of(facts, traffic_of(Arrivals(0.001)))
    assert snap.name == "snapstart"
    assert snap.cold_latency_ms is not None
    assert snap.cold_latency_ms.p50 == pytest.approx(350, rel=1e-3)


def test_the_part_of_a_restore_that_was_billed_is_priced() -> None:
    """Restores of 1.8 s that bill a second each cost as much more as any other second."""
    function, traffic = made_function(1024), traffic_of(Arrivals(0.001))
    facts = Facts(function, PRICES, exactly(100), exactly(100), None, exactly(1800.0), 1053.0)
    (snap,) = options_of(facts, traffic)
    (assumed,) = options_of(replace(facts, billed_restore_ms=None), traffic)
    cold_count = 0.001 * MONTH_S * traffic.share.estimate
    a_second_usd = 1000 * PRICES.price_usd_per_ms(1024, 512)
    assert snap.cost_usd_per_month is not None
    assert assumed.cost_usd_per_month is not None
    assert snap.cost_usd_per_month - assumed.cost_usd_per_month == pytest.approx(
        cold_count * a_second_usd
    )


def test_java_pays_for_no_snapshot() -> None:
    """Neither its cache nor a restore."""
    snap = options_of(facts_of("java21"), None)[1]
    assert (snap.name, snap.standing_usd_per_month, snap.cost_usd_per_month) == (
        "snapstart",
        0,
        None,
    )


@pytest.mark.parametrize(
    ("runtime", "more", "refused", "newer"),
    [
        ("python3.12", {}, False, None),
        ("python3.15", {}, False, None),
        ("python3.9", {}, False, "python3.12"),
        ("java8.al2", {}, False, "java11"),
        ("java25", {}, False, None),
        ("dotnet6", {}, False, "dotnet8"),
        ("dotnet10", {}, False, None),
        ("nodejs24.x", {}, True, None),
        ("provided.al2023", {}, True, None),
        (None, {"package_type": "Image"}, True, None),
        ("python3.13", {"ephemeral_storage_mb": 1024}, True, None),
    ],
)
def test_snap_start_is_offered_where_there_is_any(
    runtime: str | None, more: dict[str, object], refused: bool, newer: str | None
) -> None:
    """By runtime, package and /tmp; with the version that has it where the own is too old."""
    function = made_function(1024, runtime=runtime, **more)
    assert (snap_start_refusal(function, PRICES) is not None) == refused
    if not refused:
        assert snap_start_upgrade(function) == newer


def test_what_is_provisioned_already_is_not_offered_again() -> None:
    """Requests that were all cold, and one environment that serves them: as it is has no cold start
    and pays for it all month, SnapStart excludes it, and more wouldn't remove anything.
    """
    arrivals = arrivals_of_times([700.0 * number for number in range(201)])
    stretches = traffic_of(arrivals).stretches
    share = share_over_keep_alive(stretches, 1000.0, request_count=201, ready_count=1)
    facts = replace(facts_of(), ready_count=1)
    none, ready = options_of(facts, Traffic(arrivals, stretches, share))
    assert (none.name, none.share, none.environment_count, none.hours_per_month) == (
        "none", 0, 1, 730,
    )  # fmt: skip
    assert none.standing_usd_per_month == pytest.approx(0.0000041667 * MONTH_S)
    assert none.latency_ms is not None
    assert none.latency_ms.p99 == pytest.approx(100, rel=1e-3)
    assert (ready.name, ready.environment_count) == ("provisioned", 1)
    assert ready.cost_usd_per_month == pytest.approx(none.cost_usd_per_month)
    assert options_of(facts, None)[0].standing_usd_per_month == none.standing_usd_per_month


def test_more_is_offered_than_is_provisioned_already() -> None:
    """Ten at the same moment, once an hour, and four that are there: six are cold, and ten none."""
    arrivals = arrivals_of_times([3600.0 * hour for hour in range(48) for _ in range(10)])
    stretches = traffic_of(arrivals).stretches
    share = share_over_keep_alive(stretches, 1000.0, request_count=480, ready_count=4)
    assert share.estimate == pytest.approx(0.6)
    none, ready = options_of(
        replace(facts_of(), ready_count=4), Traffic(arrivals, stretches, share)
    )
    assert (none.share, none.environment_count) == (share.estimate, 4)
    assert (ready.share, ready.environment_count) == (0, 10)


def test_one_sample_has_a_usual_spread() -> None:
    """And none is no distribution."""
    assert lognormal_of([]) is None
    one = lognormal_of([100.0])
    assert one is not None
    assert one.spread == 0.18
