"""The whole answer, from sweeps of known truth."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from tests.breakeven.test_fleet import work_of
from tests.sweeps import made_function, made_sweep
from tuner.api.answers import break_even
from tuner.breakeven.platform_comparison import compare_platforms
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import Traffic, traffic_of_rate
from tuner.errors import InputError
from tuner.pricing import load_price_book
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
def test_a_computing_function_with_peaks_stays_unless_its_fleet_scales(rate: float) -> None:
    """A fleet sized for the peak all month is never cheaper, and that is what decides."""
    fixed = Terms(traffic=traffic_of_rate(rate), provisioned=False, autoscaling=False)
    answer = break_even(CPU, fixed)
    assert answer.verdict == "stay"
    if rate == 1000.0:
        assert answer.decided_by is not None
        assert (answer.decided_by.name, answer.decided_by.leaves) == ("peak_ratio", True)
        said = {finding.code: finding.message for finding in answer.findings}
        assert said["verdict_rests_on"].startswith("decided by the peak of the day over the mean")
        assert "one core is the limit" in said["one_core_limit"]
        scaled = break_even(CPU, replace(fixed, autoscaling=True))
        assert scaled.verdict == "too-close"


def test_a_heavy_function_is_told_what_arm_saves() -> None:
    """$14,000 a month on Lambda: ECS on arm saves thousands, with its fleet and its costs."""
    heavy = made_sweep(lambda memory_mb: 10 + 900 * 1769 / min(memory_mb, 1769))
    answer = break_even(heavy, Terms(traffic=traffic_of_rate(200.0)))
    costs = {each.name: each.cost_usd_per_month for each in answer.platforms}
    lambda_usd, arm = costs["Lambda"], costs["ECS on EC2 arm64"]
    assert lambda_usd is not None
    assert arm is not None
    assert lambda_usd.estimate == pytest.approx(14_060, rel=0.01)
    saved = lambda_usd.estimate - arm.estimate
    said = {finding.code: finding.message for finding in answer.findings}
    assert f"ECS on EC2 arm64 saves ${saved:,.0f} a month" in said["other_architecture"]
    assert f"it costs ${arm.estimate:,.0f} with" in said["other_architecture"]
    lambda_arm = (
        break_even(
            replace(heavy, function=made_function(architecture="arm64")),
            Terms(traffic=traffic_of_rate(200.0)),
        )
        .platforms[0]
        .cost_usd_per_month
    )
    assert lambda_arm is not None
    less = lambda_usd.estimate - lambda_arm.estimate
    assert said["other_architecture"].endswith(f"Lambda on arm64 saves ${less:,.0f}")


def test_what_decides_flips_the_verdict_of_the_central_values() -> None:
    """Just short of where it flips leaving pays, just beyond it doesn't; none says that of none."""
    heavy = made_sweep(lambda memory_mb: 10 + 900 * 1769 / min(memory_mb, 1769))
    terms = Terms(traffic=traffic_of_rate(200.0))
    deciding = break_even(heavy, terms).decided_by
    assert deciding is not None
    assert (deciding.name, deciding.leaves) == ("utilization", False)
    assert deciding.low < deciding.flips_at < deciding.assumed == 0.6
    for share, pays in ((deciding.flips_at + 0.02, True), (deciding.flips_at - 0.02, False)):
        there = break_even(heavy, replace(terms, utilization=share))
        least = min(
            each.cost_usd_per_month.estimate
            for each in there.platforms[1:]
            if each.same_architecture and each.cost_usd_per_month
        )
        assert there.platforms[0].cost_usd_per_month is not None
        lambda_usd = there.platforms[0].cost_usd_per_month.estimate
        assert (lambda_usd - least >= 0.2 * lambda_usd) == pays
    rare = break_even(CPU, Terms(traffic=traffic_of_rate(1.0)))
    assert rare.decided_by is None
    assert "no single assumption decides this" in rare.findings[0].message
    steady = break_even(heavy, replace(terms, traffic=traffic_of_rate(200.0, 1.0), trigger="queue"))
    assert steady.decided_by is None or steady.decided_by.name != "peak_ratio"


def test_without_a_rate_the_break_even_is_still_stated() -> None:
    """No verdict and no cost, but the rate from which on it is cheaper elsewhere."""
    answer = break_even(IO)
    assert answer.verdict is None
    assert answer.break_even_rate_per_s is not None
    assert answer.break_even_rate_per_s == pytest.approx(20, rel=0.1)
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
    said = " ".join(each.message for each in answer.findings if each.code == "price_missing")
    assert "load balancer" in said
    assert "no Lambda Managed Instances price is known for eu-west-1" in said
    assert {each.kind for each in answer.platforms} == {"lambda", "containers", "ec2"}


def test_old_prices_are_a_warning() -> None:
    """Over 90 days is old, whatever the verdict; without a day nothing is said."""
    old = break_even(IO, today=datetime.date(2026, 11, 1))
    assert "old_prices" in {each.code for each in old.findings}
    assert "old_prices" not in {each.code for each in break_even(IO).findings}
    for answer in (old, break_even(IO)):  # the day is said once
        assert report.render(answer, width=100).count(answer.prices_as_of) == 1


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


def test_a_bill_adds_up_to_its_cost() -> None:
    """Every platform's items are its cost, whatever the terms; the total is checked by hand too."""
    shape = (0.5,) * 12 + (1.5,) * 12
    for terms in (
        Terms(traffic=traffic_of_rate(50.0)),
        Terms(traffic=traffic_of_rate(50.0, 1.0), trigger="queue", savings_plan=True, nat=True),
        Terms(
            traffic=Traffic(1000.0, 1.0, shape, "hours"),
            spot_share=0.3,
            account_gb_seconds=5e9,
            ops_cost_usd=100,
            gateway_usd_per_million=1.0,
            log_kb_per_request=1.5,
            arm_speed=0.9,
        ),
    ):
        for platform in break_even(IO, terms).platforms:
            assert platform.cost_usd_per_month is not None
            total = sum(item.cost_usd for item in platform.bill)
            assert total == pytest.approx(platform.cost_usd_per_month.estimate, rel=1e-9)


def test_a_steady_load_may_be_cheaper_provisioned() -> None:
    """The finding says what it saves, Lambda's row how many stand ready; ruled out, neither is."""
    steady = traffic_of_rate(1000.0, 1.0)
    found = break_even(CPU, Terms(traffic=steady, trigger="queue"))
    assert "provisioned" in found.platforms[0].units
    assert "provisioned_concurrency" in {each.code for each in found.findings}
    without = break_even(CPU, Terms(traffic=steady, trigger="queue", provisioned=False))
    assert "provisioned" not in without.platforms[0].units
    cost, more = (each.platforms[0].cost_usd_per_month.estimate for each in (found, without))
    assert 0.8 * more < cost < more
    for one, other in zip(found.platforms[1:], without.platforms[1:], strict=True):
        if one.break_even is not None and other.break_even is not None:
            assert one.break_even.estimate_per_s >= other.break_even.estimate_per_s


def test_needs_and_speeds_are_told() -> None:
    """A GPU is a warning, and a slower arm raises the cost of arm fleets and no others."""
    rate = traffic_of_rate(1000.0)
    plain = break_even(IO, Terms(traffic=rate))
    slow = break_even(IO, Terms(traffic=rate, arm_speed=0.85, needs_gpu=True))
    assert "needs_gpu" in {each.code for each in slow.findings}
    costs = {each.name: each.cost_usd_per_month for each in slow.platforms}
    for platform in plain.platforms:
        if platform.name == "Fargate arm64":
            assert costs[platform.name].estimate > platform.cost_usd_per_month.estimate
        elif "arm64" not in platform.name:
            assert costs[platform.name] == platform.cost_usd_per_month


def test_a_savings_plan_without_a_price_is_said() -> None:
    """EC2's rates are not known anywhere, Fargate's in us-east-1 alone."""
    terms = Terms(traffic=traffic_of_rate(50.0), savings_plan=True)
    said = " ".join(each.message for each in break_even(IO, terms).findings)
    assert "Compute Savings Plan for EC2 (list price used)" in said
    assert "Plan for Fargate" not in said


def test_an_api_gateway_counts_on_lambdas_side() -> None:
    """As given it makes Lambda cost more; its list price is not bundled, and that is said."""
    rate = traffic_of_rate(1000.0)
    plain, given, listed = (
        break_even(IO, Terms(traffic=rate, gateway_usd_per_million=usd)) for usd in (0.0, 1.0, None)
    )
    costs = [each.platforms[0].cost_usd_per_month for each in (plain, given, listed)]
    assert costs[1].estimate == pytest.approx(costs[0].estimate + 2628, rel=1e-6)
    assert costs[2] == costs[0]
    [missing] = [f.message for f in listed.findings if f.code == "price_missing"]
    assert "API gateway: left out of Lambda, which costs that much more" in missing
    queue = break_even(IO, Terms(traffic=rate, gateway_usd_per_million=1.0, trigger="queue"))
    assert queue.platforms[0].cost_usd_per_month == costs[0]


def test_the_readmes_worked_example_is_what_the_tool_says() -> None:
    """100 ms of one core at 1,769 MB, steady, from a queue, against tasks of 1 vCPU and 2 GB."""
    book = load_price_book()
    small = tuple(replace(each, sizes=((Decimal(1), Decimal(2)),)) for each in book.fargate_entries)
    prices = book.lambda_prices("us-east-1", "x86_64")
    work = replace(
        work_of(wait_ms=0, cpu_ms=100, lambda_ms=100),
        lambda_cost_usd=np.array([prices.invocation_cost_usd(1769, 100)]),
        lambda_memory_mb=1769,
    )
    terms = Terms(traffic=traffic_of_rate(24.1, 1.0), trigger="queue", provisioned=False)
    answer = compare_platforms(
        made_function(1769), work, terms, price_book=replace(book, fargate_entries=small)
    )
    [fargate] = [each for each in answer.platforms if each.name == "Fargate x86_64"]
    assert fargate.units == "5 × 1 vCPU + 2 GB"
    assert fargate.cost_usd_per_month is not None
    assert fargate.cost_usd_per_month.estimate == pytest.approx(198.45, abs=0.01)
    assert fargate.break_even is not None
    assert fargate.break_even.estimate_per_s == pytest.approx(24.52, abs=0.005)
