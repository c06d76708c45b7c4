"""The words about platforms: beside a sweep's answer, and on a page of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.breakeven.answer import total_usd
from tuner.report import breakeven, numbers
from tuner.report.page.tables import Row, Table, platform_table, tile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.breakeven.answer import BreakEven, PlatformCost
    from tuner.model.interval import Interval

_ROLES: Final = {None: "", "stay": "keep", "too-close": "inconclusive"}
_BILL_HEAD: Final = ("what", "quantity", "unit", "$ each", "$ a month")


def platform_section(answer: BreakEven) -> dict[str, Any]:
    """The platforms as a table, with the verdict and what it rests on."""
    return {
        "headline": breakeven.headline(answer),
        "work": breakeven.describe_work(answer),
        "table": platform_table(answer),
        "alike": breakeven.equal_rows(answer),
        "findings": answer.findings,
        "assumptions": breakeven.assumed(answer),
    }


def platform_page(answer: BreakEven) -> dict[str, Any]:
    """What the template `break_even.html.j2` places."""
    word, _, reason = breakeven.headline(answer).partition(": ")
    rate = answer.rate_per_s
    return {
        **platform_section(answer),
        "name": answer.function_name,
        "region": answer.region,
        "architecture": answer.architecture,
        "rate": "no rate given" if rate is None else numbers.rate(rate),
        "role": _ROLES.get(answer.verdict, "resize"),
        "verdict_word": word,
        "reason": reason,
        "needs": f"At {answer.lambda_memory_mb} MB, {breakeven.describe_work(answer)}.",
        "payback": breakeven.payback(answer),
        "tiles": list(_tiles(answer)),
        "bills": [_bill(each) for each in answer.platforms if each.bill],
    }


def _tiles(answer: BreakEven) -> Iterator[dict[str, str]]:
    """What Lambda costs, what the cheapest platform of its architecture does, the saving, and from
    which rate on another is cheaper.
    """
    for each in (answer.platforms[0], _cheapest_elsewhere(answer)):
        if each is not None and each.cost_usd_per_month is not None:
            yield _monthly(each.name, each.cost_usd_per_month)
    if answer.saving_usd_per_month is not None:
        yield _monthly("Saving by leaving", answer.saving_usd_per_month)
    rate = answer.break_even_rate_per_s
    yield tile("Cheaper elsewhere above", "no rate" if rate is None else numbers.rate(rate))


def _cheapest_elsewhere(answer: BreakEven) -> PlatformCost | None:
    own = [
        (each.cost_usd_per_month.estimate, number)
        for number, each in enumerate(answer.platforms)
        if each.kind != "lambda" and each.same_architecture and each.cost_usd_per_month is not None
    ]
    return answer.platforms[min(own)[1]] if own else None


def _monthly(title: str, cost: Interval) -> dict[str, str]:
    note = f"{numbers.ends(cost, numbers.rough_usd)} (90%)"
    return tile(f"{title}, a month", numbers.rough_usd(cost.estimate), note=note)


def _bill(platform: PlatformCost) -> tuple[str, str, str, Table]:
    """Name, fleet, total and items of a platform's month."""
    total = total_usd(platform.bill)
    rows = [Row(breakeven.bill_cells(item)) for item in platform.bill]
    rows.append(Row(("a month", "", "", "", f"{total:,.2f}"), role="total"))
    return platform.name, platform.units, f"${total:,.2f}", Table(_BILL_HEAD, tuple(rows))
