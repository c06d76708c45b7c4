"""Where a function is cheaper: terminal table, Markdown and the promised JSON object."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from tuner.report import numbers
from tuner.report.breakeven_chart import draw_costs
from tuner.report.foreign import code_span, markdown, plain
from tuner.report.glyphs import fit_to, glyphs_for
from tuner.report.json import findings_json, interval_json
from tuner.report.prose import SIGNS, wrapped

if TYPE_CHECKING:
    from tuner.breakeven.answer import BillItem, BreakEven, PlatformCost, RateInterval
    from tuner.model.interval import Interval

TITLES: Final = ("platform", "fleet", "$/month", "(90 %)", "cheaper above", "(90 %)")


def to_json(answer: BreakEven) -> dict[str, Any]:
    """Return the contract's object. `verdict` is None where no rate was given.

    A break-even's `high` is None where over 5 % of the draws never become cheaper; the whole
    break-even is None where the central values never do.
    """
    work = answer.work
    return {
        "schema_version": 1,
        "kind": "break-even",
        "function": {
            "name": answer.function_name,
            "region": answer.region,
            "architecture": answer.architecture,
        },
        "verdict": answer.verdict,
        "reason": answer.reason,
        "rate_per_s": answer.rate_per_s,
        "break_even_rate_per_s": answer.break_even_rate_per_s,
        "saving_usd_per_month": interval_json(answer.saving_usd_per_month),
        "payback_months": answer.payback_months,
        "work": {
            "wait_ms": interval_json(work.wait_ms),
            "cpu_ms": interval_json(work.cpu_ms),
            "core_count": interval_json(work.core_count),
            "memory_used_mb": work.memory_used_mb,
        },
        "platforms": [
            {
                "name": platform.name,
                "kind": platform.kind,
                "units": platform.units,
                "cost_usd_per_month": interval_json(platform.cost_usd_per_month),
                "break_even_rate_per_s": _rate(platform.break_even),
                "bill": [_item(item) for item in platform.bill],
            }
            for platform in answer.platforms
        ],
        "findings": findings_json(answer.findings),
        "assumptions": list(answer.assumptions),
        "prices_as_of": answer.prices_as_of,
    }


def render(
    answer: BreakEven, *, width: int, encoding: str = "utf-8", with_bill: bool = False
) -> str:
    """Return the table, the chart, the verdict and what it rests on, as plain text.

    `with_bill` adds what each cost of the function's own architecture adds up from.
    """
    glyphs = glyphs_for(encoding)
    rows = [TITLES, *(platform_cells(platform) for platform in answer.platforms)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    lines = [_heading(answer), f"  {describe_work(answer)}", ""]
    for row in rows:
        cells = [
            cell.ljust(wide) if column < 2 else cell.rjust(wide)
            for column, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    if with_bill:
        lines += ["", *_bill_lines(answer)]
    lines += ["", *draw_costs(answer, width=min(width, 100), glyphs=glyphs), "", headline(answer)]
    if answer.payback_months is not None:
        lines.append(f"  {_payback(answer)}")
    said = [f"{SIGNS[each.severity]} {plain(each.message)}" for each in answer.findings]
    said.append(f"Assumes {'; '.join(answer.assumptions)}; prices of {answer.prices_as_of}.")
    for text in said:
        lines += wrapped(text, width)
    return fit_to("\n".join(lines) + "\n", glyphs)


def render_markdown(answer: BreakEven, *, with_bill: bool = False) -> str:
    """Return GitHub- and GitLab-flavoured Markdown; everything foreign in it is inert."""
    rows = "\n".join(
        f"| {' | '.join(markdown(cell) for cell in platform_cells(platform))} |"
        for platform in answer.platforms
    )
    said = "\n".join(
        f"- **{each.severity}** ({code_span(each.code)}): {markdown(each.message)}"
        for each in answer.findings
    )
    assumed = "; ".join(markdown(text) for text in answer.assumptions)
    bill = "\n".join(_bill_lines(answer)) if with_bill else ""
    bill = (
        f"<details><summary>Bill</summary>\n\n```text\n{bill}\n```\n\n</details>\n\n"
        if bill
        else ""
    )
    payback = f"{_payback(answer)}\n\n" if answer.payback_months is not None else ""
    return (
        f"**{markdown(headline(answer))}**\n\n{payback}"
        f"{code_span(answer.function_name)} · {code_span(answer.region)} · "
        f"{markdown(describe_work(answer))}\n\n"
        f"| {' | '.join(TITLES)} |\n|---|---|--:|--:|--:|--:|\n{rows}\n\n"
        f"{bill}{said}\n\n<sub>Assumes {assumed}; prices of {answer.prices_as_of}.</sub>\n"
    )


def _payback(answer: BreakEven) -> str:
    return f"the move pays back in {answer.payback_months:.1f} months"


def _bill_lines(answer: BreakEven) -> list[str]:
    """Each platform of the function's own architecture with its items and their sum."""
    if answer.rate_per_s is None:
        return ["  a bill needs a rate: --rate, --per-month or --traffic"]
    lines = []
    for platform in answer.platforms:
        if not platform.same_architecture:
            continue
        lines.append(f"  {platform.name}: {platform.units}")
        for item in platform.bill:
            quantity = f"{item.quantity:,.2f}".removesuffix(".00")
            price = f"{Decimal(repr(item.price_usd)):f}"
            lines.append(
                f"    {item.what:<34} {quantity:>18} {item.unit:<13} x {price:<16} = "
                f"{item.cost_usd:>14,.2f}"
            )
        total = sum(item.cost_usd for item in platform.bill)
        lines.append(f"    {'a month':<34} {'':>18} {'':<13}   {'':<16}   {total:>14,.2f}")
    return lines


def _item(item: BillItem) -> dict[str, Any]:
    return {
        "what": item.what,
        "quantity": item.quantity,
        "unit": item.unit,
        "price_usd": item.price_usd,
        "cost_usd": item.cost_usd,
    }


def headline(answer: BreakEven) -> str:
    """The verdict in a line."""
    names = {
        None: "BREAK-EVEN",
        "stay": "STAY ON LAMBDA",
        "containers": "CANDIDATE FOR CONTAINERS",
        "ec2": "CANDIDATE FOR EC2",
        "managed-instances": "CANDIDATE FOR MANAGED INSTANCES",
        "too-close": "TOO CLOSE TO CALL",
    }
    return f"{names[answer.verdict]}: {answer.reason}."


def _heading(answer: BreakEven) -> str:
    rate = "no rate given" if answer.rate_per_s is None else f"{answer.rate_per_s:,.4g} requests/s"
    name = plain(answer.function_name)
    return f"{name} · {answer.region} · {answer.architecture} · {rate}"


def describe_work(answer: BreakEven) -> str:
    """What an invocation needs, in words."""
    work = answer.work
    return (
        f"an invocation waits {_span(work.wait_ms, ' ms')}, computes {_span(work.cpu_ms, ' ms')} "
        f"of one core, uses {work.core_count.estimate:.1f} cores at most, {work.memory_used_mb} MB"
    )


def platform_cells(platform: PlatformCost) -> tuple[str, ...]:
    """One row of the table whose head is `TITLES`."""
    cost, rate = platform.cost_usd_per_month, platform.break_even
    return (
        platform.name,
        platform.units,
        "–" if cost is None else f"{cost.estimate:,.2f}",
        "" if cost is None else f"{cost.low:,.0f}–{cost.high:,.0f}",
        "" if platform.kind == "lambda" else "never" if rate is None else _per_s(rate),
        "" if rate is None else _rate_span(rate),
    )


def _per_s(rate: RateInterval) -> str:
    return f"{_number(rate.estimate_per_s)}/s"


def _number(rate_per_s: float) -> str:
    """Three digits, and no power of ten."""
    return f"{rate_per_s:,.0f}" if rate_per_s >= 1000 else f"{rate_per_s:.3g}"


def _rate_span(rate: RateInterval) -> str:
    high = "never" if rate.high_per_s is None else _number(rate.high_per_s)
    return f"{_number(rate.low_per_s)}–{high}"


def _span(interval: Interval, unit: str) -> str:
    low, high = (
        numbers.duration(each).removesuffix(" ms") for each in (interval.low, interval.high)
    )
    middle = numbers.duration(interval.estimate).removesuffix(" ms")
    return f"{middle} ({low}–{high}){unit}"


def _rate(rate: RateInterval | None) -> dict[str, float | None] | None:
    if rate is None:
        return None
    return {"estimate": rate.estimate_per_s, "low": rate.low_per_s, "high": rate.high_per_s}
