"""A bill beside the logs: lines of a FOCUS 1.0 or Cost and Usage export, and why the two differ.

A line's cost is what was billed for it; if a commitment (a Savings Plan) covers it, its effective
cost, which includes the plan's share.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tuner.errors import InputError
from tuner.model.optional_import import optional_import
from tuner.model.spend import BillCheck, BillDifference
from tuner.observe.side_files import amount, instant, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tuner.model.spend import BillReason

ItemKind = Literal["requests", "gb_seconds", "other"]
_HOUR: Final = datetime.timedelta(hours=1)
_DAY: Final = datetime.timedelta(days=1)


class _Columns(NamedTuple):
    """A format's column names for what is needed; alternatives may be missing."""

    service: str
    start: str
    end: str
    resource: str
    kind: str
    quantity: str
    cost: str
    currency: str
    covered: str
    covered_cost: str
    line: str
    """Whether a line is usage, or a credit, a tax and the like."""
    services: tuple[str, ...]


# Names in lower case, as `rows_of` gives them. FOCUS 1.0, section 2; AWS Data Exports, CUR 2.0 and
# the legacy Cost and Usage Report.
_FORMS: Final = (
    _Columns(
        "servicename", "chargeperiodstart", "chargeperiodend", "resourceid", "chargedescription",
        "consumedquantity", "billedcost", "billingcurrency", "commitmentdiscountid",
        "effectivecost", "chargecategory", ("aws lambda",),
    ),
    _Columns(
        "line_item_product_code", "line_item_usage_start_date", "line_item_usage_end_date",
        "line_item_resource_id", "line_item_usage_type", "line_item_usage_amount",
        "line_item_unblended_cost", "line_item_currency_code",
        "savings_plan_savings_plan_a_r_n", "savings_plan_savings_plan_effective_cost",
        "line_item_line_item_type", ("awslambda",),
    ),
    _Columns(
        "lineitem/productcode", "lineitem/usagestartdate", "lineitem/usageenddate",
        "lineitem/resourceid", "lineitem/usagetype", "lineitem/usageamount",
        "lineitem/unblendedcost", "lineitem/currencycode",
        "savingsplan/savingsplanarn", "savingsplan/savingsplaneffectivecost",
        "lineitem/lineitemtype", ("awslambda",),
    ),
)  # fmt: skip


_USAGE: Final = frozenset(("", "null", "usage", "discountedusage", "savingsplancoveredusage"))
"""Types of lines whose quantity was used. Others give it again, or have none."""
_NEGATION: Final = "savingsplannegation"
"""The type of lines that take the list price of covered usage back."""
_LESS: Final = re.compile(rf"{_NEGATION}|\w*discount")
"""Types of lines that lower what usage costs: what they are off is the price."""


@dataclass(frozen=True, slots=True)
class BillItem:
    """Lambda's cost of one kind in an hour or day; `function` is None if the bill names none."""

    function: str | None
    start: datetime.datetime
    length: datetime.timedelta
    kind: ItemKind
    quantity: float
    cost_usd: float


@dataclass(slots=True)
class Used:
    """What the logs add up to, for one function: requests, GB-seconds and their list cost."""

    request_count: int = 0
    gb_seconds: float = 0.0
    cost_usd: float = 0.0


def read_bill(path: Path) -> tuple[BillItem, ...]:
    """Read Lambda's items by hour or day, from CSV (plain or gzip) or Parquet.

    Raises InputError if it's in neither format, in another currency, or has no line for Lambda by
    the day.
    """
    rows = _parquet_rows(path) if path.suffix == ".parquet" else rows_of(path, (), "bill")
    form: _Columns | None = None
    sums: dict[tuple[str | None, datetime.datetime, datetime.timedelta, ItemKind], list[float]] = {}
    by_month = 0
    for where, row in rows:
        form = form or _form_of(path, row)
        if row.get(form.service, "").strip().lower() not in form.services:
            continue
        item = _item(where, row, form)
        if item.length > _DAY:
            by_month += 1
            continue
        of_item = sums.setdefault((item.function, item.start, item.length, item.kind), [0.0, 0.0])
        of_item[0] += item.quantity
        of_item[1] += item.cost_usd
    if not sums:
        raise InputError(
            f"{path} has Lambda's cost by the month only: export it by the day or the hour"
            if by_month
            else f"{path} has no line of AWS Lambda"
        )
    return tuple(BillItem(*key, *values) for key, values in sums.items())


def check_bill(
    items: Iterable[BillItem],
    used: Callable[[datetime.datetime, datetime.datetime], Mapping[str, Used]],
    window: tuple[datetime.datetime, datetime.datetime],
    *,
    request_price_usd: float,
    gb_second_price_usd: float,
) -> BillCheck | None:
    """Compare a bill with the logs over the hours (or days) that both cover; None if there are
    none.

    `used(start, end)` is what the logs add up to. Prices are list prices of the logs' region.
    """
    items = [each for each in items if _covers(window, each)]
    if not items:
        return None
    start = min(each.start for each in items)
    end = max(each.start + each.length for each in items)
    logs = used(start, end)
    is_named = any(each.function is not None for each in items)
    ours = [each for each in items if not is_named or each.function in logs]
    billed = sum(each.cost_usd for each in items)
    observed = sum(each.cost_usd for each in logs.values())
    differences = [
        BillDifference(
            "other_functions",
            billed - sum(each.cost_usd for each in ours),
            "functions and charges that the logs don't have",
        ),
        *_differences(ours, [*logs.values()], request_price_usd, gb_second_price_usd),
    ]
    rest = billed - observed - sum(each.usd for each in differences)
    differences.append(
        BillDifference("unexplained", rest, "rounding, or functions of another architecture")
    )
    gb_seconds, cost = _sums(ours, "gb_seconds")
    return BillCheck(
        first_day=start.date(),
        last_day=(end - datetime.timedelta(microseconds=1)).date(),
        billed_usd=billed,
        observed_usd=observed,
        differences=tuple(each for each in differences if abs(each.usd) > 1e-9),
        effective_price_ratio=cost / (gb_seconds * gb_second_price_usd) if gb_seconds else None,
    )


def _differences(
    ours: Sequence[BillItem],
    logs: Sequence[Used],
    request_price_usd: float,
    gb_second_price_usd: float,
) -> Iterator[BillDifference]:
    """Why the bill of the logs' own functions isn't what the logs add up to at list price."""
    billed_requests, requests_cost = _sums(ours, "requests")
    billed_gb_seconds, gb_seconds_cost = _sums(ours, "gb_seconds")
    requests = billed_requests - sum(each.request_count for each in logs)
    gb_seconds = billed_gb_seconds - sum(each.gb_seconds for each in logs)
    counted: tuple[tuple[BillReason, str, float, float], ...] = (
        ("requests", "requests", requests, request_price_usd),
        ("gb_seconds", "GB-seconds", gb_seconds, gb_second_price_usd),
    )
    for reason, name, more, price in counted:
        count = f"{abs(more):,.0f} {'more' if more > 0 else 'fewer'}"
        why = (
            "the logs don't have them (lost lines, log level, retention)"
            if more > 0
            else "billed elsewhere (another account, or resource names are left out)"
        )
        yield BillDifference(reason, more * price, f"the bill has {count} {name}: {why}")
    at_list = billed_requests * request_price_usd + billed_gb_seconds * gb_second_price_usd
    yield BillDifference(
        "price",
        requests_cost + gb_seconds_cost - at_list,
        "billed off list price: discounts, free tier, volume tiers, or a region",
    )
    yield BillDifference(
        "other_items",
        _sums(ours, "other")[1],
        "provisioned concurrency, ephemeral storage, streaming, data transfer, credits and taxes",
    )


def _sums(items: Iterable[BillItem], kind: ItemKind) -> tuple[float, float]:
    """Quantity and cost of the items of a kind."""
    mine = [each for each in items if each.kind == kind]
    return sum(each.quantity for each in mine), sum(each.cost_usd for each in mine)


def _form_of(path: Path, row: Mapping[str, str]) -> _Columns:
    for form in _FORMS:
        if all(name in row for name in (form.service, form.start, form.kind, form.cost)):
            return form
    raise InputError(
        f"{path} is neither a FOCUS 1.0 export (ServiceName, ChargePeriodStart, BilledCost) nor a "
        "Cost and Usage Report (line_item_product_code): check `bill`"
    )


def _item(where: str, row: Mapping[str, str], form: _Columns) -> BillItem:
    currency = row.get(form.currency, "USD").strip() or "USD"
    if currency not in {"USD", "NULL"}:
        raise InputError(f"{where}: the bill is in {currency}, and costs are in US dollars")
    line = row.get(form.line, "").strip().lower()
    covered = row.get(form.covered, "").strip() not in {"", "NULL"} or line == _NEGATION
    start = instant(where, row[form.start])
    end = row.get(form.end, "").strip()
    cost = form.covered_cost if covered and form.covered_cost in row else form.cost
    is_usage = line in _USAGE
    return BillItem(
        function=_function_of(row.get(form.resource, "")),
        start=start,
        length=instant(where, end) - start if end not in {"", "NULL"} else _HOUR,
        kind=_kind_of(row[form.kind]) if is_usage or _LESS.fullmatch(line) else "other",
        quantity=amount(where, row.get(form.quantity, "")) if is_usage else 0.0,
        cost_usd=amount(where, row[cost]),
    )


def _kind_of(text: str) -> ItemKind:
    """By the usage type (`USW2-Lambda-GB-Second-ARM`) or FOCUS's description of the charge."""
    said = text.lower()
    if "provisioned" in said or "storage" in said or "edge" in said:
        return "other"
    if "total requests" in said or said.endswith(("request", "request-arm")):
        return "requests"
    if "total compute" in said or "lambda-gb-second" in said:
        return "gb_seconds"
    return "other"


def _function_of(resource: str) -> str | None:
    """The function's name from its ARN."""
    parts = resource.strip().split(":")
    return parts[6] if len(parts) > 6 and parts[6] else None


def _covers(window: tuple[datetime.datetime, datetime.datetime], item: BillItem) -> bool:
    """Whether the logs cover an item's time, except for the hours at the window's ends."""
    return window[0] - _HOUR < item.start and item.start + item.length < window[1] + _HOUR


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Rows of Parquet as text, with lower-case names."""
    with optional_import("a bill in Parquet needs duckdb", "duckdb", extra="observe"):
        import duckdb  # noqa: PLC0415 - heavy, and an extra
    try:
        found = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [each[0].lower() for each in found.description or ()]
        number = 0
        while rows := found.fetchmany(10_000):
            for row in rows:
                number += 1
                texts = ("" if each is None else str(each) for each in row)
                yield f"{path}, row {number}", dict(zip(names, texts, strict=True))
    except duckdb.Error:
        raise InputError(f"{path} can't be read as Parquet: check `bill`") from None
