"""Lambda's month in a comparison: the amounts that the published rules give."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from tests.breakeven.test_fleet import work_of
from tuner.breakeven.answer import total_usd
from tuner.breakeven.lambda_bill import LambdaBill
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import Traffic
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from tuner.breakeven.work import Work

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")


def work_at(memory_mb: int, billed_ms: int, storage_mb: int = 512) -> Work:
    cost = PRICES.invocation_cost_usd(memory_mb, billed_ms, storage_mb)
    work = work_of(wait_ms=0, cpu_ms=billed_ms, lambda_ms=billed_ms)
    return replace(work, lambda_cost_usd=np.array([cost]), cold_start_share=0.01)


def month(bill: LambdaBill, work: Work, rate: float) -> float:
    return float(bill.month_usd(work, np.array([rate]))[0, 0])


def published_month_usd(
    *,
    memory_mb: int,
    billed_ms: int,
    storage_mb: int,
    requests: int,
    before: float | None,
    plan: float,
) -> float:
    """A month on demand in exact decimals, as AWS Lambda's pricing page tells it.

    `before` is what the account uses already: it shifts the tiers and leaves less of the free tier.
    """
    with localcontext(prec=60):
        seconds = requests * Decimal(billed_ms) / 1000
        gb_s, start, free_requests = seconds * memory_mb / 1024, Decimal(0), 0
        tiers = [(Decimal("Infinity"), Decimal("0.0000166667"))]
        if before is not None:
            start = Decimal(before)
            gb_s = max(gb_s - max(400_000 - start, Decimal(0)), Decimal(0))
            free_requests = 0 if before else 1_000_000
            ends = (Decimal("6e9"), Decimal("15e9"), Decimal("Infinity"))
            prices = (Decimal("0.0000166667"), Decimal("0.000015"), Decimal("0.0000133334"))
            tiers = list(zip(ends, prices, strict=True))
        duration, lower = Decimal(0), Decimal(0)
        for end, price in tiers:
            duration += max(min(start + gb_s, end) - max(start, lower), Decimal(0)) * price
            lower = end
        storage = seconds * (storage_mb - 512) / 1024 * Decimal("0.0000000309")
        paid = max(requests - free_requests, 0) * Decimal("0.0000002")
        return float(duration * Decimal(str(plan)) + storage + paid)


@settings(max_examples=80)
@given(
    memory_mb=st.sampled_from([128, 512, 1769, 10240]),
    billed_ms=st.integers(1, 900_000),
    storage_mb=st.sampled_from([512, 2048, 10240]),
    rate=st.floats(1e-4, 1e5),
    before=st.sampled_from([None, 0.0, 3e5, 5.9e9, 2e10]),
    plan=st.booleans(),
)
def test_on_demand_is_what_the_invoice_says(
    *,
    memory_mb: int,
    billed_ms: int,
    storage_mb: int,
    rate: float,
    before: float | None,
    plan: bool,
) -> None:
    """Requests, tiers, free tier, ephemeral storage and plan, within a millionth of the invoice."""
    terms = Terms(account_gb_seconds=before, savings_plan=plan)
    bill = LambdaBill(PRICES, memory_mb, terms, ephemeral_storage_mb=storage_mb)
    work = work_at(memory_mb, billed_ms, storage_mb)
    requests = round(rate * SECONDS_PER_MONTH)
    invoice = published_month_usd(
        memory_mb=memory_mb,
        billed_ms=billed_ms,
        storage_mb=storage_mb,
        requests=requests,
        before=before,
        plan=0.88 if plan else 1.0,
    )
    rate = requests / SECONDS_PER_MONTH
    assert month(bill, work, rate) == pytest.approx(invoice, rel=1e-6, abs=1e-9)
    assert total_usd(bill.items(work, rate)) == pytest.approx(invoice, rel=1e-6, abs=1e-9)


def test_provisioned_is_taken_where_it_is_cheaper() -> None:
    """Of ten that are busy on average nine stand ready, and what runs beyond them is on demand."""
    work, steady = work_at(1024, 500), Traffic(20.0, 1.0)
    bill = LambdaBill(PRICES, 1024, Terms(traffic=steady))
    requests = 20 * SECONDS_PER_MONTH
    # 10 - 0.2533 x sqrt(10) = 9.2 stand ready; of the Poisson distribution 17.6 % run beyond.
    chances = poisson.pmf(np.arange(200), 10)
    beyond = 1 - float(np.minimum(np.arange(200), 9) @ chances) / 10
    idle = 9 * SECONDS_PER_MONTH * 0.0000041667
    busy = requests * 0.5 * (1 - beyond) * 0.0000097222
    ready = idle + busy + requests * 0.0000002
    rest = requests * 0.5 * beyond * 0.0000166667
    assert bill.provisioned_count(work, 20.0) == 9
    assert month(bill, work, 20.0) == pytest.approx(ready + rest, rel=1e-9)
    assert total_usd(bill.items(work, 20.0)) == pytest.approx(ready + rest, rel=1e-9)


def test_what_stands_ready_is_the_best_number() -> None:
    """For requests that come at random no other number of environments is cheaper by 0.5 %."""
    idle, busy, first = 0.0000041667, 0.0000097222, 0.0000166667
    for mean in (3, 20, 200):
        numbers = np.arange(0, 3 * mean)
        chances = poisson.pmf(np.arange(10 * mean), mean)
        served = [float(np.minimum(np.arange(10 * mean), n) @ chances) for n in numbers]
        costs = [
            n * idle + s * busy + (mean - s) * first for n, s in zip(numbers, served, strict=True)
        ]
        work = work_at(1024, 1000)
        bill = LambdaBill(PRICES, 1024, Terms(traffic=Traffic(mean, 1.0)))
        requests = mean * SECONDS_PER_MONTH * 0.0000002
        found = (month(bill, work, mean) - requests) / SECONDS_PER_MONTH
        assert found == pytest.approx(min(costs), rel=0.005)


@pytest.mark.parametrize(
    ("traffic", "provisioned"),
    [
        (Traffic(20.0), True),
        (Traffic(20.0, 1.0), False),
        (Traffic(0.01, 1.0, (0.9, 1.1) * 6), True),
    ],
)
def test_provisioned_is_left_where_it_is_not(traffic: Traffic, provisioned: bool) -> None:
    """At three times the mean it stands idle too long, and it may be ruled out."""
    work = work_at(1024, 500)
    bill = LambdaBill(PRICES, 1024, Terms(traffic=traffic, provisioned=provisioned))
    on_demand = LambdaBill(PRICES, 1024, Terms(traffic=Traffic(20.0), provisioned=False))
    rate = 0.01 if traffic.is_by_hour else 20.0
    assert bill.provisioned_count(work, rate) == 0
    assert month(bill, work, rate) == pytest.approx(month(on_demand, work, rate))


def test_snap_start_is_billed_beside() -> None:
    """The cache all month, and a restore for each cold start."""
    work = work_at(512, 100)
    bill = LambdaBill(PRICES, 512, Terms(), snap_start=True)
    without = LambdaBill(PRICES, 512, Terms())
    more = 0.5 * (SECONDS_PER_MONTH * 0.0000015046 + SECONDS_PER_MONTH / 100 * 0.0001397998)
    assert month(bill, work, 1.0) - month(without, work, 1.0) == pytest.approx(more)
    assert not bill.is_linear


def test_logs_and_a_gateway_are_counted() -> None:
    """2 kB a request at $0.50/GB is a dollar a million; the gateway has its own price."""
    work = work_at(512, 100)
    terms = Terms(log_kb_per_request=2.0)
    bill = LambdaBill(PRICES, 512, terms, log_gb_usd=0.5, gateway_usd=1e-6)
    more = month(bill, work, 1.0) - month(LambdaBill(PRICES, 512, Terms()), work, 1.0)
    assert more == pytest.approx(2.0 * SECONDS_PER_MONTH / 1e6)
