"""The bill beside the logs: read in its forms, and the difference adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tuner.errors import InputError
from tuner.observe.bill import BillItem, Used, check_bill, read_bill

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.observe.bill import ItemKind

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = (START, START + 3 * DAY)
ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
FOCUS = (
    "BilledCost,BillingCurrency,ChargeDescription,ChargePeriodEnd,ChargePeriodStart,"
    "CommitmentDiscountId,ConsumedQuantity,EffectiveCost,ResourceId,ServiceName\n"
)
CUR = (
    "line_item_product_code,line_item_usage_start_date,line_item_usage_end_date,"
    "line_item_resource_id,line_item_usage_type,line_item_usage_amount,line_item_unblended_cost,"
    "line_item_currency_code\n"
)


def focus_line(cost: str = "0.5", what: str = "AWS Lambda - Total Compute - Ohio-Tier-1", *,
               currency: str = "USD", plan: str = "NULL", effective: str = "0",
               hours: int = 1) -> str:  # fmt: skip
    end = START + timedelta(hours=hours)
    return (
        f"{cost},{currency},{what},{end:%Y-%m-%d %H:%M:%S},2026-03-01 00:00:00,{plan},30000,"
        f"{effective},{ARN},AWS Lambda\n"
    )


def item(kind: ItemKind, quantity: float, cost: float, function: str | None = "f") -> BillItem:
    return BillItem(function, START, DAY, kind, quantity, cost)


def test_focus_is_read(tmp_path: Path) -> None:
    """Requests, GB-seconds and the rest by their description; other services are left out."""
    path = tmp_path / "focus.csv"
    path.write_text(
        FOCUS
        + focus_line()
        + focus_line("0.1", "AWS Lambda - Total Requests - Ohio")
        + focus_line("0.2", "AWS Lambda - Total Compute (Provisioned) - Ohio")
        + focus_line("0.4", plan="arn:aws:savingsplans::1:savingsplan/x", effective="0.3")
        + focus_line("9").replace("AWS Lambda\n", "Amazon S3\n")
    )
    found = {each.kind: each for each in read_bill(path)}
    assert found["gb_seconds"].cost_usd == pytest.approx(0.5 + 0.3)
    assert found["requests"].cost_usd == pytest.approx(0.1)
    assert found["other"].cost_usd == pytest.approx(0.2)
    assert (found["requests"].function, found["requests"].length) == ("f", timedelta(hours=1))


def test_cost_and_usage_reports_are_read_old_and_new(tmp_path: Path) -> None:
    """CUR 2.0's names and the legacy report's, with the usage types of any region."""
    path = tmp_path / "cur.csv"
    rows = "".join(
        f"AWSLambda,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,{ARN},{kind},10,0.25,USD\n"
        for kind in ("USW2-Lambda-GB-Second-ARM", "Request", "USE2-Lambda-Provisioned-Concurrency")
    )
    path.write_text(CUR + rows)
    kinds = [each.kind for each in read_bill(path)]
    assert kinds == ["gb_seconds", "requests", "other"]
    legacy = (
        "lineItem/ProductCode,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ResourceId,"
        "lineItem/UsageType,lineItem/UsageAmount,lineItem/UnblendedCost,lineItem/CurrencyCode\n"
    )
    path.write_text(legacy + rows)
    assert [each.kind for each in read_bill(path)] == kinds


@pytest.mark.parametrize("plan", ["arn:aws:savingsplans::1:savingsplan/x", ""])
def test_only_lines_of_usage_have_a_quantity(tmp_path: Path, plan: str) -> None:
    """What a plan covers counts with its effective cost, and what takes its list price back isn't
    used again; discounts lower the price, and credits and taxes are no price of a GB-second.
    """
    path = tmp_path / "cur.csv"
    head = CUR.rstrip("\n") + (
        ",line_item_line_item_type,savings_plan_savings_plan_a_r_n,"
        "savings_plan_savings_plan_effective_cost\n"
    )
    gb, arn = "USE1-Lambda-GB-Second", "arn:aws:savingsplans::1:savingsplan/x"
    rows = "".join(
        f"AWSLambda,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,{ARN},{kind},{amount},{cost},USD,"
        f"{line},{own},{effective}\n"
        for kind, amount, cost, line, own, effective in (
            (gb, 10, 0.25, "Usage", "", ""),
            (gb, 100, 2.5, "SavingsPlanCoveredUsage", arn, 2.0),
            (gb, 100, -2.5, "SavingsPlanNegation", plan, ""),
            (gb, 10, -0.05, "EdpDiscount", "", ""),
            (gb, 10, -0.5, "Credit", "", ""),
            ("", 0, 0.4, "Tax", "", ""),
        )
    )
    path.write_text(head + rows)
    found = {each.kind: each for each in read_bill(path)}
    assert found["gb_seconds"].quantity == 110
    assert found["gb_seconds"].cost_usd == pytest.approx(0.25 + 2.0 - 0.05)
    assert (found["other"].quantity, found["other"].cost_usd) == (0, pytest.approx(-0.1))
    assert "requests" not in found


def test_a_bill_in_parquet_reads_the_same(tmp_path: Path) -> None:
    """DuckDB's rows are those of the table."""
    duckdb = pytest.importorskip("duckdb")
    text, packed = tmp_path / "focus.csv", tmp_path / "focus.parquet"
    text.write_text(FOCUS + focus_line())
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{text}')) TO '{packed}' (FORMAT parquet)")
    assert read_bill(packed) == read_bill(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (FOCUS + focus_line(currency="EUR"), "line 2: the bill is in EUR"),
        (FOCUS + focus_line(hours=24 * 31), "by the month only"),
        (FOCUS + focus_line("x"), "line 2: 'x' isn't a number"),
        (FOCUS, "no line of AWS Lambda"),
        ("a,b\n1,2\n", "neither a FOCUS 1.0 export"),
    ],
)
def test_another_bill_is_refused_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    """What is wrong, and what is needed."""
    path = tmp_path / "bill.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_bill(path)


def test_the_difference_is_explained_to_the_cent() -> None:
    """By hand: 1,000 of 1,100 requests seen, 10% off, an item and a function beside them.

    At list price the logs are 1,000 × $0.001 + 500 × $0.01 = $6. The bill has 1,100 requests and
    600 GB-seconds at 90% of $1.10 + $6, $2 of other items and $3 of another function.
    """
    items = [
        item("requests", 1100, 0.99),
        item("gb_seconds", 600, 5.4),
        item("other", 1, 2.0),
        item("gb_seconds", 100, 3.0, "g"),
    ]
    check = check_bill(
        items, lambda start, end: {"f": Used(1000, 500.0, 6.0)}, WINDOW,
        request_price_usd=0.001, gb_second_price_usd=0.01,
    )  # fmt: skip
    assert check is not None
    found = {each.reason: each.usd for each in check.differences}
    assert found == pytest.approx(
        {"other_functions": 3.0, "requests": 0.1, "gb_seconds": 1.0, "price": -0.71,
         "other_items": 2.0}
    )  # fmt: skip
    assert check.billed_usd - check.observed_usd == pytest.approx(sum(found.values()))
    assert check.effective_price_ratio == pytest.approx(0.9)
    assert (check.first_day, check.last_day) == (START.date(), START.date())


def test_only_days_that_both_cover_are_compared() -> None:
    """A day that the logs have half of is left out; nothing in common is no comparison."""
    half = (START + timedelta(hours=12), START + 3 * DAY)
    whole = BillItem("f", START + DAY, DAY, "requests", 5, 1.0)
    seen: list[tuple[datetime, datetime]] = []

    def used(start: datetime, end: datetime) -> dict[str, Used]:
        seen.append((start, end))
        return {"f": Used(5, 0.0, 1.0)}

    check = check_bill(
        [item("requests", 5, 1.0), whole], used, half, request_price_usd=0.2, gb_second_price_usd=1
    )
    assert check is not None
    assert (check.billed_usd, seen) == (1.0, [(START + DAY, START + 2 * DAY)])
    assert (
        check_bill([item("requests", 5, 1.0)], used, half, request_price_usd=1,
                   gb_second_price_usd=1)
        is None
    )  # fmt: skip


def test_a_bill_without_resources_is_compared_as_a_whole() -> None:
    """Where no line names a function, all of it is set against all of the logs."""
    check = check_bill(
        [item("requests", 10, 2.0, None)], lambda start, end: {"f": Used(10, 0.0, 2.0)}, WINDOW,
        request_price_usd=0.2, gb_second_price_usd=1.0,
    )  # fmt: skip
    assert check is not None
    assert check.differences == ()
