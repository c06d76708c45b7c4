"""A break-even answer as a terminal table, Markdown and the promised JSON object."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tuner.breakeven.answer import VERDICT_WORDS, total_usd
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.report import numbers
from tuner.report.chart import LABEL_WIDTH, Axis, labelled
from tuner.report.console import as_text, glyphs_for, paragraphs, remark, table_lines, wrapped
from tuner.report.json import fields_json, headed
from tuner.report.sanitize import code_span, markdown, markdown_finding, markdown_table, plain

if TYPE_CHECKING:
    from tuner.breakeven.answer import BillItem, BreakEven, PlatformCost, RateInterval
    from tuner.model.interval import Interval
    from tuner.report.console import Glyphs


_GAP: Final = "\n\n"
JUSTIFY: Final = "<<>>>>>"
TITLES: Final = ("platform", "fleet", "$/month", "(90%)", "if fixed", "cheaper above", "(90%)")


def to_json(answer: BreakEven) -> dict[str, Any]:
    """Return the contract's object. `verdict` is None if no rate was given.

    A break-even's `high` is None if over 5% of the draws never become cheaper; the whole break-even
    is None if the central values never do.
    """
    return {
        **headed("break-even"),
        "function": {
            "name": answer.function_name, **fields_json(answer, "region", "architecture")
        },
        **fields_json(
            answer, "verdict", "reason", "rate_per_s", "break_even_rate_per_s",
            "saving_usd_per_month", "payback_months", "decided_by", "work",
        ),
        "platforms": [
            {
                **fields_json(platform, "name", "kind", "units", "cost_usd_per_month"),
                "fixed_at_peak_cost_usd_per_month": platform.fixed_cost_usd_per_month
                and asdict(platform.fixed_cost_usd_per_month),
                "break_even_rate_per_s": _rate(platform.break_even),
                "bill": [{**asdict(item), "cost_usd": item.cost_usd} for item in platform.bill],
            }
            for platform in answer.platforms
        ],
        **fields_json(answer, "findings", "assumptions", "prices_as_of"),
    }  # fmt: skip


def render(
    answer: BreakEven, *, width: int, encoding: str = "utf-8", with_bill: bool = False
) -> str:
    """Return the table, the chart, the verdict and what it rests on, as plain text.

    `with_bill` adds the items of each bill for the function's own architecture.
    """
    glyphs = glyphs_for(encoding)
    rows = [TITLES, *(platform_cells(platform) for platform in answer.platforms)]
    rate = "no rate given" if answer.rate_per_s is None else numbers.rate(answer.rate_per_s)
    name = plain(answer.function_name)
    lines = [
        f"{name} · {answer.region} · {answer.architecture} · {rate}",
        f"  {describe_work(answer)}",
        "",
        *table_lines(rows, JUSTIFY),
    ]
    if same := equal_rows(answer):
        lines += wrapped(f"  {same}", width, indent="  ")
    if with_bill:
        lines += ["", *_bill_lines(answer)]
    lines += ["", *draw_costs(answer, width=min(width, 100), glyphs=glyphs), ""]
    lines += wrapped(headline(answer), width)
    if pays_back := payback(answer):
        lines.append(f"  {pays_back}")
    said = [*map(remark, answer.findings), f"Assumes {'; '.join(assumed(answer))}."]
    return as_text([*lines, *paragraphs(said, width)], encoding)


def render_markdown(answer: BreakEven, *, with_bill: bool = False) -> str:
    """Return GitHub- and GitLab-flavored Markdown; everything foreign in it is inert."""
    table = markdown_table(TITLES, JUSTIFY, map(platform_cells, answer.platforms))
    if same := equal_rows(answer):
        table += f"\n\n<sub>{markdown(same)}</sub>"
    said = "\n".join(map(markdown_finding, answer.findings))
    taken = "; ".join(map(markdown, assumed(answer)))
    bill = "\n".join(_bill_lines(answer)) if with_bill else ""
    if bill:
        bill = f"<details><summary>Bill</summary>\n\n```text\n{bill}\n```\n\n</details>\n\n"
    pays_back = payback(answer)
    return (
        f"**{markdown(headline(answer))}**\n\n{pays_back + _GAP if pays_back else ''}"
        f"{code_span(answer.function_name)} · {code_span(answer.region)} · "
        f"{markdown(describe_work(answer))}\n\n"
        f"{table}\n\n{bill}{said}\n\n"
        f"<sub>Assumes {taken}.</sub>\n"
    )


def assumed(answer: BreakEven) -> tuple[str, ...]:
    """The assumptions, with the date of the prices unless a warning gives it."""
    if any(each.code == "old_prices" for each in answer.findings):
        return answer.assumptions
    return (*answer.assumptions, f"prices of {answer.prices_as_of}")


def equal_rows(answer: BreakEven) -> str | None:
    """Why ECS on EC2 costs the same as EC2, if it does."""
    rows = {each.name: platform_cells(each)[1:] for each in answer.platforms}
    if all(rows.get(f"ECS on {name}") != cells for name, cells in rows.items()):
        return None
    return (
        "ECS adds no fee to its instances: it costs what EC2 alone does unless memory runs short."
    )


def payback(answer: BreakEven) -> str | None:
    """When the move has paid for itself, if its cost is known."""
    if answer.payback_months is None:
        return None
    return f"the move pays for itself in {answer.payback_months:.1f} months"


def bill_cells(item: BillItem) -> tuple[str, str, str, str, str]:
    """Item, quantity, unit, price and total."""
    quantity = f"{item.quantity:,.2f}".removesuffix(".00")
    price = f"{Decimal(repr(item.price_usd)):f}"
    return item.what, quantity, item.unit, price, f"{item.cost_usd:,.2f}"


def _bill_lines(answer: BreakEven) -> list[str]:
    """Each platform of the function's own architecture with its items and their sum."""
    if answer.rate_per_s is None:
        return ["  a bill needs a rate: pass requests per second or per month, or your traffic"]
    lines = []
    for platform in answer.platforms:
        if not platform.same_architecture:
            continue
        lines.append(f"  {platform.name}: {platform.units}")
        for item in platform.bill:
            what, quantity, unit, price, cost = bill_cells(item)
            lines.append(f"    {what:<34} {quantity:>18} {unit:<13} × {price:<16} = {cost:>14}")
        total = total_usd(platform.bill)
        lines.append(f"    {'a month':<34} {'':>18} {'':<13}   {'':<16}   {total:>14,.2f}")
    return lines


def headline(answer: BreakEven) -> str:
    """The verdict in one line."""
    words = "break-even" if answer.verdict is None else VERDICT_WORDS[answer.verdict]
    return f"{words.removeprefix('a ').upper()}: {answer.reason}."


def describe_work(answer: BreakEven) -> str:
    """What an invocation needs, in words."""
    work = answer.work
    return (
        f"an invocation waits {_span_ms(work.wait_ms)}, computes {_span_ms(work.cpu_ms)} "
        f"of one core, uses {work.core_count.estimate:.1f} cores and "
        f"{work.memory_used_mb} MB at most"
    )


def platform_cells(platform: PlatformCost) -> tuple[str, ...]:
    """One row of the table with the head `TITLES`."""
    cost, rate = platform.cost_usd_per_month, platform.break_even
    fixed, costs = platform.fixed_cost_usd_per_month, ("–", "", "")
    if cost is not None:
        always = "" if fixed is None else f"{fixed.estimate:,.0f}"
        cents = 2 if cost.high < 100 else 0
        costs = (f"{cost.estimate:,.2f}", f"{cost.low:,.{cents}f}–{cost.high:,.{cents}f}", always)
    rates = ("" if platform.kind == "lambda" else "never", "")
    if rate is not None:
        high = "never" if rate.high_per_s is None else numbers.per_s(rate.high_per_s)
        estimate, low = numbers.per_s(rate.estimate_per_s), numbers.per_s(rate.low_per_s)
        rates = (f"{estimate}/s", f"{low}–{high}")
    return (platform.name, platform.units, *costs, *rates)


def _span_ms(interval: Interval) -> str:
    ends = (interval.estimate, interval.low, interval.high)
    middle, low, high = (numbers.duration(each).removesuffix(" ms") for each in ends)
    return f"{middle} ({low}–{high}) ms"


def _rate(rate: RateInterval | None) -> dict[str, float | None] | None:
    if rate is None:
        return None
    return {"estimate": rate.estimate_per_s, "low": rate.low_per_s, "high": rate.high_per_s}


HEIGHT: Final = 14
_LETTERS: Final = {"Lambda": "L", "Fargate": "F", "ECS": "C", "EC2": "E", "Managed": "M"}


def shown_platforms(answer: BreakEven) -> tuple[PlatformCost, ...]:
    """Platforms with a line: Lambda, those of the function's architecture, then the others."""
    shown = (platform for platform in answer.platforms if platform.curve)
    return tuple(sorted(shown, key=lambda platform: not platform.same_architecture))


def draw_costs(answer: BreakEven, *, width: int, glyphs: Glyphs) -> list[str]:
    """Lines of the chart, with the crossings below the axis.

    A platform's letter is lowercase for the other architecture. Where lines meet, those of the own
    architecture are on top, with Lambda's above all, so that it's never hidden. A crossing is `X`
    with its interval as `=`.
    """
    shown = {
        letter if each.same_architecture else letter.lower(): each
        for each in shown_platforms(answer)
        for letter in [_LETTERS[each.name.split()[0]]]
    }
    across = max(width - LABEL_WIDTH - 3, 30)
    rates = [point.rate_per_s for point in shown["L"].curve]
    costs = [point.cost_usd_per_month for each in shown.values() for point in each.curve]
    up = Axis(max(min(costs), 0.01), max(costs), logarithmic=True)
    cells = [[" "] * across for _ in range(HEIGHT)]
    for letter, platform in reversed(shown.items()):
        for column in range(across):
            cost = platform.curve[round(column / (across - 1) * (len(rates) - 1))]
            place = up.position(max(cost.cost_usd_per_month, 0.01))
            cells[round((1 - place) * (HEIGHT - 1))][column] = letter
    lines = ["  $ a month over requests a month (both log scale)"]
    drawn = labelled(cells, up, lambda usd: f"{usd:,.0f}" if usd >= 10 else f"{usd:.2f}", glyphs)
    lines += [line.rstrip() for line in drawn]
    lines.append(f"{'':{LABEL_WIDTH}} {glyphs.corner}{glyphs.axis_x * across}")
    lines.append(_ticks(rates, across))
    lines += [
        _crossing(letter, each.break_even, rates, across)
        for letter, each in shown.items()
        if each.break_even is not None
    ]
    for elsewhere in (False, True):
        names = [f"{x} {each.name}" for x, each in shown.items() if x.islower() is elsewhere]
        lines += ["  " + "   ".join(names)] if names else []
    return lines


def _crossing(letter: str, rate: RateInterval, rates: list[float], across: int) -> str:
    """`=` from the low to the high end of the break-even, `X` at the estimate."""
    line = [" "] * across
    start = _column(rate.low_per_s, rates, across)
    end = across - 1 if rate.high_per_s is None else _column(rate.high_per_s, rates, across)
    line[start : end + 1] = "=" * (end + 1 - start)
    line[_column(rate.estimate_per_s, rates, across)] = "X"
    return f"{letter + ' cheaper':>{LABEL_WIDTH}}  {''.join(line)}".rstrip()


def _ticks(rates: list[float], across: int) -> str:
    """`1M` and the like, at powers of ten of requests per month."""
    line = [" "] * (across + 4)
    for power in range(3, 13):
        rate = 10**power / SECONDS_PER_MONTH
        if rates[0] <= rate <= rates[-1]:
            text = numbers.short_count(10**power)
            start = _column(rate, rates, across)
            line[start : start + len(text)] = text
    return f"{'':{LABEL_WIDTH}}  {''.join(line)}".rstrip()


def _column(rate: float, rates: list[float], across: int) -> int:
    axis = Axis(rates[0], rates[-1], logarithmic=True)
    return round(axis.position(max(rate, 1e-12)) * (across - 1))
