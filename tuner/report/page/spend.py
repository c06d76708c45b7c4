"""The page of where the money goes: words and numbers for its template."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Any

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.page.data import short
from tuner.report.page.shell import fill
from tuner.report.page.tables import Row, Table, plain_table, table_of, tile
from tuner.report.spend import (
    EARNING_HEAD,
    assumed,
    bill_rows,
    bill_sentence,
    change_label,
    day,
    deployment_name,
    earning_rows,
    key_head,
    key_rows,
    moment,
    signed_usd,
    summary,
    title,
)
from tuner.report.spend_days import (
    OTHERS,
    by_day,
    labeled_changes,
    lines,
    relative_prices,
    shown_keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.model.arrays import Floats
    from tuner.model.spend import Spend


def render(answer: Spend) -> str:
    """The page, UTF-8. What others named is inert in it."""
    days = sorted({each.day for each in answer.days})
    return fill(
        "spend.html.j2",
        ("spend.js",),
        _data(answer, days),
        title=title(answer),
        summary=summary(answer),
        what=key_head(answer)[0],
        tiles=[*_tiles(answer)],
        has_days=bool(days),
        changes=_change_table(answer),
        keys=_key_table(answer),
        revenue=table_of((key_head(answer)[0], *EARNING_HEAD[1:]), earning_rows(answer)),
        bill=answer.bill
        and plain_table(("reason", "more on the bill", "remarks"), bill_rows(answer)),
        bill_sentence="" if answer.bill is None else bill_sentence(answer),
        deploys=_deploy_table(answer),
        found=answer.findings,
        assumptions=assumed(answer),
    )


def _data(answer: Spend, days: Sequence[datetime.date]) -> dict[str, Any]:
    """Seconds since 1970, and for each line its costs and what an invocation costs by day."""
    columns = [by_day(answer, days, key) for key in lines(answer)]
    shown = shown_keys(answer)
    return {
        "days": [_seconds(each) for each in days],
        "lines": [
            {"costs": [short(each) for each in costs], "prices": _known(costs, counts)}
            for costs, counts in columns
        ],
        "deploys": [round(each.at.timestamp()) for each in answer.deploys],
        "changes": [
            [round(each.at.timestamp()), shown.index(each.key), change_label(each)]
            for each in sorted(labeled_changes(answer), key=lambda each: each.at)
        ],
        "readouts": _readouts(lines(answer), days, columns),
    }


def _readouts(
    names: Sequence[str | None],
    days: Sequence[datetime.date],
    columns: Sequence[tuple[Floats, Floats]],
) -> list[list[str]]:
    rows = []
    for number, each in enumerate(days):
        whole = sum(float(costs[number]) for costs, _ in columns)
        row = [f"{day(each)}", numbers.usd(whole)]
        for key, (costs, counts) in zip(names, columns, strict=True):
            cost, count = float(costs[number]), float(counts[number])
            said = f"{OTHERS if key is None else key} {numbers.usd(cost)}"
            if count:
                said += f" (${numbers.usd_per_million(cost / count * 1e6)}/million)"
            row.append(said)
        rows.append(row)
    return rows


def _tiles(answer: Spend) -> Iterator[dict[str, str]]:
    changes = answer.changes
    net = sum(each.usd_per_month.estimate for each in changes)
    explained = sum(each.cause is not None for each in changes)
    yield tile(
        "changes of an invocation's cost",
        signed_usd(net) + " a month" if changes else "none",
        note=f"{counted(len(changes), 'change')}, {explained} put to a deployment",
    )
    if answer.keys:
        cost = sum(each.cost_usd for each in answer.days if each.key == answer.keys[0])
        share = numbers.percent(cost / (answer.cost_usd or 1))
        yield tile("most expensive", answer.keys[0], note=f"{numbers.usd(cost)}, {share} of all")
    traffic = sum(each.traffic_usd_per_day for each in answer.movements)
    price = sum(each.price_usd_per_day for each in answer.movements)
    if answer.movements:
        note = f"{signed_usd(traffic)} by traffic, {signed_usd(price)} per invocation"
        yield tile(key_head(answer)[5], f"{signed_usd(traffic + price)} a day", note=note)


def _change_table(answer: Spend) -> Table:
    rows = []
    names = lines(answer)
    for each in answer.largest_changes:
        ratio, money = each.cost_usd_per_invocation_ratio, each.usd_per_month
        line = names.index(each.key) if each.key in names else len(names) - 1
        before, after = each.invocations_per_day_before, each.invocations_per_day_after
        cells = (
            each.function,
            moment(each.at),
            "none known" if each.cause is None else deployment_name(each.cause),
            numbers.with_ends(ratio, numbers.change),
            numbers.with_ends(money, signed_usd),
            numbers.change(after / before - 1) if before else "–",
        )
        rows.append(Row(cells, swatch=line))
    head = ("function", "when", "deployment", "an invocation (90%)", "a month (90%)", "traffic")
    return Table(head, tuple(rows))


def _key_table(answer: Spend) -> Table:
    last = len(lines(answer)) - 1
    numbered = enumerate(key_rows(answer, bars=False))
    rows = tuple(Row(cells[:-1], swatch=min(number, last)) for number, cells in numbered)
    return Table(key_head(answer)[:-1], rows)


def _deploy_table(answer: Spend) -> Table:
    moved = {id(each.cause): each for each in answer.changes if each.cause is not None}
    rows = []
    for each in answer.deploys:
        change = moved.get(id(each))
        said = "" if change is None else signed_usd(change.usd_per_month.estimate) + " a month"
        rows.append((moment(each.at), each.function or "all", deployment_name(each), said))
    return plain_table(("when", "function", "deployment", "changed"), rows)


def _known(costs: Floats, counts: Floats) -> list[float | None]:
    ratios = relative_prices(costs, counts)
    return [short(float(each)) if math.isfinite(each) else None for each in ratios]


def _seconds(date: datetime.date) -> int:
    """The middle of a day."""
    noon = datetime.datetime.combine(date, datetime.time(12), tzinfo=datetime.UTC)
    return round(noon.timestamp())
