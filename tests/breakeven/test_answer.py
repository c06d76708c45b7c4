"""The whole answer, from sweeps of known truth."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import pytest

from tests.sweeps import made_function, made_sweep
from tuner.api.breakeven import break_even
from tuner.breakeven.question import Terms
from tuner.breakeven.traffic import Traffic, traffic_of_rate
from tuner.errors import InputError
from tuner.report import breakeven as report


def io_bound_ms(memory_mb: int) -> float:
    """250 ms of waiting and 5 ms of CPU."""
    return 250 + 5 * 1769 / min(memory_mb, 1769)


CPU, IO = made_sweep(), made_sweep(io_bound_ms)


def test_waiting_and_computing_are_told_apart() -> None:
    """The intervals hold the truth of both sweeps: 10 + 200 ms, and 250 + 5 ms."""
    for sweep, wait_ms, cpu_ms in ((CPU, 10, 200), (IO, 250, 5)):
        work = break_even(sweep).work
        assert work.wait_ms.low <= wait_ms <= work.wait_ms.high
        assert work.cpu_ms.low <= cpu_ms <= work.cpu_ms.high
        assert work.memory_used_mb == 60


@pytest.mark.parametrize(
    ("rate", "verdict"), [(1.0, "stay"), (50.0, "too-close"), (1000.0, "containers")]
)
def test_a_waiting_function_leaves_as_its_rate_grows(rate: float, verdict: str) -> None:
    """Lambda bills waiting; a process elsewhere holds other requests meanwhile."""
    answer = break_even(IO, Terms(traffic=traffic_of_rate(rate)))
    assert answer.verdict == verdict
    assert (answer.saving_usd_per_month is not None) == (verdict == "containers")


@pytest.mark.parametrize("rate", [1.0, 50.0, 1000.0])
def test_a_computing_function_with_peaks_stays(rate: float) -> None:
    """A fleet that stands at three times the mean is never cheaper; the peak is what turns it."""
    answer = break_even(CPU, Terms(traffic=traffic_of_rate(rate)))
    assert answer.verdict == "stay"
    if rate == 1000.0:
        said = {finding.code: finding.message for finding in answer.findings}
        assert said["verdict-rests-on"].startswith("a peak of 1 times the mean")
        assert "one core is the limit" in said["one-core-limit"]


def test_without_a_rate_the_break_even_is_still_stated() -> None:
    """No verdict and no cost, but the rate from which on it is cheaper elsewhere."""
    answer = break_even(IO)
    assert answer.verdict is None
    assert answer.break_even_rate_per_s == pytest.approx(23.4, rel=0.1)
    assert all(platform.cost_usd_per_month is None for platform in answer.platforms)


def test_the_json_object_is_the_promised_one() -> None:
    """Its keys, its intervals, and nothing that JSON cannot hold."""
    answer = break_even(IO, Terms(traffic=traffic_of_rate(1000.0)))
    found = json.loads(json.dumps(report.to_json(answer), allow_nan=False))
    promised = {"schema_version", "verdict", "rate_per_s", "platforms", "findings"}
    assert promised | {"assumptions", "prices_as_of"} <= found.keys()
    assert found["schema_version"] == 1
    first, *others = found["platforms"]
    assert (first["kind"], first["break_even_rate_per_s"]) == ("lambda", None)
    for platform in (first, *others):
        cost = platform["cost_usd_per_month"]
        assert {"name", "kind", "units"} <= platform.keys()
        assert cost["low"] <= cost["estimate"] <= cost["high"]
    assert {each["kind"] for each in others} == {"containers", "ec2", "managed-instances"}


def test_missing_prices_are_said_to_be_missing() -> None:
    """Elsewhere than in us-east-1 the load balancer is unknown: said, and the rest is priced."""
    sweep = made_sweep(io_bound_ms)
    there = made_function(region="eu-west-1")
    answer = break_even(replace(sweep, function=there), Terms(traffic=traffic_of_rate(1000.0)))
    said = " ".join(each.message for each in answer.findings if each.code == "price-missing")
    assert "load balancer" in said
    assert "no Lambda Managed Instances price is known for eu-west-1" in said
    assert {each.kind for each in answer.platforms} == {"lambda", "containers", "ec2"}


def test_old_prices_are_a_warning() -> None:
    """Over 90 days is old, whatever the verdict; without a day nothing is said."""
    old = break_even(IO, today=datetime.date(2026, 11, 1))
    assert "old-prices" in {each.code for each in old.findings}
    assert "old-prices" not in {each.code for each in break_even(IO).findings}


def test_one_size_is_one_clear_line() -> None:
    """A sweep of a single size cannot tell waiting from computing."""
    with pytest.raises(InputError, match="only 1024 MB gave warm samples"):
        break_even(made_sweep(sizes_mb=(1024,)))


def test_a_load_by_hour_and_tiers_give_an_answer() -> None:
    """The searched path prices what the formula cannot: shapes and tiers."""
    shape = (0.2,) * 12 + (1.8,) * 12
    traffic = Traffic(1000.0, 1.0, shape)
    answer = break_even(IO, Terms(traffic=traffic, account_gb_seconds=1e9))
    assert answer.verdict in {"containers", "ec2"}
    fargate = answer.platforms[1]
    assert fargate.break_even is not None


def test_payback_needs_a_migration_cost() -> None:
    """$10,000 over the saving is the payback; without a cost there is none."""
    terms = Terms(traffic=traffic_of_rate(1000.0), migration_cost_usd=10_000)
    answer = break_even(IO, terms)
    assert answer.saving_usd_per_month is not None
    assert answer.payback_months == pytest.approx(10_000 / answer.saving_usd_per_month.estimate)


def test_text_and_markdown_have_every_platform() -> None:
    """Each format names each platform and the verdict; the text has the chart."""
    answer = break_even(IO, Terms(traffic=traffic_of_rate(1000.0)))
    text = report.render(answer, width=100)
    assert "CANDIDATE FOR CONTAINERS" in text
    assert "10M" in text
    assert "X" in text
    for platform in answer.platforms:
        assert platform.name in text
        assert platform.units in report.render_markdown(answer)
    assert report.render(answer, width=80, encoding="ascii").isascii()
