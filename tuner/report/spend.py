"""Where the money goes, as text, Markdown and JSON; rows and sentences that the page shows too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, figure
from tuner.model.lambda_limits import HOURS_PER_MONTH
from tuner.report import numbers
from tuner.report.console import (
    as_text,
    glyphs_for,
    paragraphs,
    remark,
    table_below,
    table_lines,
    wrapped,
)
from tuner.report.json import fields_json, findings_json, headed
from tuner.report.sanitize import markdown, markdown_finding, markdown_table, plain

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from tuner.model.spend import CostChange, Deployment, Movement, Spend

MOST_KEYS: Final = 20
"""So many rows are shown as text; JSON and the page have all."""
MOST_CHANGES: Final = 12
KEY_JUSTIFY: Final = "<>>>>>>><"
EARNING_HEAD: Final = ("", "cost", "revenue", "cost per $1", "grows a month (90%)")
EARNING_JUSTIFY: Final = "<>>>>"
_BARS: Final = "▁▂▃▄▅▆▇█"
_REASONS: Final[Mapping[str, str]] = {
    "other_functions": "other functions",
    "requests": "requests",
    "gb_seconds": "GB-seconds",
    "price": "price",
    "other_items": "other items",
    "unexplained": "not explained",
}
_SOURCES: Final[Mapping[str, str]] = {
    "memory": "memory",
    "version": "deploy",
    "cloudtrail": "CloudTrail:",
    "csv": "deploy",
    "git": "tag",
}


def render(answer: Spend, *, width: int, encoding: str = "utf-8") -> str:
    """The tables of keys, changes, revenue and bill, and what else to know, as plain text."""
    lines = [plain(title(answer)), f"  {summary(answer)}", ""]
    keys = key_rows(answer, bars=glyphs_for(encoding).braille)[:MOST_KEYS]
    lines += table_lines([key_head(answer), *keys], KEY_JUSTIFY)
    if len(answer.keys) > MOST_KEYS:
        lines.append(f"  … and {len(answer.keys) - MOST_KEYS} more")
    lines += ["", *paragraphs(change_sentences(answer), width)]
    lines += table_below(EARNING_HEAD, earning_rows(answer), EARNING_JUSTIFY)
    if answer.bill is not None:
        lines += ["", *wrapped(bill_sentence(answer), width)]
        lines += table_lines(bill_rows(answer), "<><")
    said = [*map(remark, answer.findings), f"Assumes {'; '.join(assumed(answer))}."]
    return as_text([*lines, "", *paragraphs(said, width)], encoding)


def render_markdown(answer: Spend) -> str:
    """GitHub- and GitLab-flavored Markdown; everything foreign in it is inert."""
    parts = [
        f"**{markdown(title(answer))}**",
        markdown(summary(answer)),
        markdown_table(key_head(answer), KEY_JUSTIFY, key_rows(answer, bars=False)[:MOST_KEYS]),
        "\n".join(f"- {markdown(plain(text))}" for text in change_sentences(answer)),
    ]
    if answer.revenue:
        parts.append(markdown_table(EARNING_HEAD, EARNING_JUSTIFY, earning_rows(answer)))
    if answer.bill is not None:
        head = ("the bill has", "more", "")
        parts.append(markdown(bill_sentence(answer)))
        parts.append(markdown_table(head, "<><", bill_rows(answer)))
    parts.append("\n".join(map(markdown_finding, answer.findings)))
    parts.append(f"<sub>Assumes {'; '.join(map(markdown, assumed(answer)))}.</sub>")
    return "\n\n".join(part for part in parts if part) + "\n"


def to_json(answer: Spend) -> dict[str, Any]:
    """Return the contract's object: times are UTC, ratios are after over before, less 1."""
    bill = answer.bill
    return {
        **headed("spend"),
        **fields_json(answer, "by", "region"),
        "window": {"from": _time(answer.first_at), "to": _time(answer.last_at)},
        **fields_json(answer, "cost_usd", "invocation_count"),
        "days": [
            {
                "day": each.day.isoformat(),
                **fields_json(
                    each, "key", "invocation_count", "cost_usd", "cost_usd_per_million"
                ),
            }
            for each in answer.days
        ],
        **fields_json(answer, "movements"),
        "deploys": [_deployment_json(each) for each in answer.deploys],
        "changes": [_change_json(each) for each in answer.changes],
        "revenue": [
            fields_json(
                each, "key", "cost_usd", "revenue_usd", "cost_usd_per_revenue_usd",
                "cost_growth_ratio",
            )
            for each in answer.revenue
        ],
        "bill": bill
        and {
            "from": bill.first_day.isoformat(),
            "to": bill.last_day.isoformat(),
            **fields_json(
                bill, "billed_usd", "observed_usd", "differences", "effective_price_ratio"
            ),
        },
        "findings": findings_json(answer.findings),
        "assumptions": list(assumed(answer)),
        "prices": {"as_of": answer.prices_as_of, "region": answer.region},
    }  # fmt: skip


def _deployment_json(deployment: Deployment) -> dict[str, Any]:
    named = fields_json(deployment, "function", "version", "source")
    return {"at": _time(deployment.at), **named}


def _change_json(change: CostChange) -> dict[str, Any]:
    return {
        "at": _time(change.at),
        "earliest": _time(change.earliest),
        "latest": _time(change.latest),
        "found_at": _time(change.found_at),
        **fields_json(change, "function", "key"),
        "cause": change.cause and _deployment_json(change.cause),
        **fields_json(
            change, "cost_usd_per_invocation_ratio", "usd_per_month",
            "invocations_per_day_before", "invocations_per_day_after",
        ),
    }  # fmt: skip


def _time(at: datetime.datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"


def title(answer: Spend) -> str:
    """`Where the money goes by function · 1 March to 30 March 2026 · us-east-1`."""
    by = answer.by if answer.by == "function" else f"the tag {answer.by.removeprefix('tag:')}"
    first, last = day(answer.first_at), day(answer.last_at)
    return (
        f"Where the money goes by {by} · {first} to {last} {answer.last_at.year} · {answer.region}"
    )


def summary(answer: Spend) -> str:
    """What it all cost."""
    days = max((answer.last_at - answer.first_at).total_seconds() / 86_400, 1 / 24)
    text = (
        f"{numbers.usd(answer.cost_usd)} for "
        f"{counted(f'{answer.invocation_count:,}', 'invocation')} in {figure(days)} days"
    )
    if days < 1:
        return text
    month = answer.cost_usd / days * HOURS_PER_MONTH / 24
    return f"{text}: about {numbers.rough_usd(month)} a month"


def key_head(answer: Spend) -> tuple[str, ...]:
    """The titles; the first is what keys are."""
    what = "function" if answer.by == "function" else answer.by.removeprefix("tag:")
    days = len({each.day for each in answer.days})
    half = "last week vs first" if days >= 14 else "second half vs first"
    costs = ("cost", "share", "invocations", "$/million")
    return (what, *costs, half, "by traffic", "per invocation", "cost by day")


def key_rows(answer: Spend, *, bars: bool) -> list[tuple[str, ...]]:
    """A row a key, the most expensive first; `bars`: with its days as a row of bars."""
    moved = {each.key: each for each in answer.movements}
    all_days = sorted({each.day for each in answer.days})
    whole = answer.cost_usd or 1.0
    rows: list[tuple[str, ...]] = []
    for key in answer.keys:
        mine = [each for each in answer.days if each.key == key]
        cost, count = sum(d.cost_usd for d in mine), sum(d.invocation_count for d in mine)
        by_day = {each.day: each.cost_usd for each in mine}
        rows.append(
            (
                plain(key),
                numbers.usd(cost),
                numbers.percent(cost / whole),
                f"{count:,}",
                numbers.usd_per_million(cost / count * 1e6) if count else "–",
                *_moved(moved.get(key)),
                _bars([by_day.get(each, 0.0) for each in all_days]) if bars else "",
            )
        )
    return rows


def change_sentences(answer: Spend) -> list[str]:
    """What moved the cost of an invocation, the largest amount first; or that nothing did."""
    if not answer.changes:
        return ["No change of what an invocation costs was found."]
    changes = answer.largest_changes
    sentences = [change_sentence(each) for each in changes[:MOST_CHANGES]]
    if len(changes) > MOST_CHANGES:
        sentences.append(f"… and {len(changes) - MOST_CHANGES} smaller changes")
    return sentences


def change_sentence(change: CostChange) -> str:
    """`resize-images, deploy 42 on 3 March 14:05: +18% an invocation, +$210 a month (…)`."""
    ratio, money = change.cost_usd_per_invocation_ratio, change.usd_per_month
    return (
        f"{plain(change.function)}, {cause(change)}: {numbers.change(ratio.estimate)} an "
        f"invocation ({numbers.ends(ratio, numbers.change)}), {signed_usd(money.estimate)} a month "
        f"(90%: {numbers.ends(money, signed_usd)}){_traffic(change)}"
    )


def cause(change: CostChange) -> str:
    """The deployment that explains it, or when it was."""
    if change.cause is not None:
        return plain(f"{deployment_name(change.cause)} on {moment(change.cause.at)}")
    return f"no deployment known, about {moment(change.at)}"


def deployment_name(deployment: Deployment) -> str:
    """`deploy 42`, `memory 1024 → 2048 MB`, `tag v1.7`."""
    return f"{_SOURCES[deployment.source]} {deployment.version}"


def change_label(change: CostChange) -> str:
    """A change on a picture: `+18% deploy 42`, as short as can be."""
    ratio = numbers.change(change.cost_usd_per_invocation_ratio.estimate)
    return f"{ratio} {'no deployment' if change.cause is None else deployment_name(change.cause)}"


def earning_rows(answer: Spend) -> list[tuple[str, ...]]:
    """Cost and revenue by key."""
    return [
        (
            plain(each.key),
            numbers.usd(each.cost_usd),
            _known(each.revenue_usd),
            _known(each.cost_usd_per_revenue_usd),
            numbers.with_ends(each.cost_growth_ratio, numbers.change),
        )
        for each in answer.revenue
    ]


def _known(amount_usd: float | None) -> str:
    return "–" if amount_usd is None else numbers.usd(amount_usd)


def bill_sentence(answer: Spend) -> str:
    """How far the bill is from the logs."""
    bill = answer.bill
    assert bill is not None
    gap = bill.billed_usd - bill.observed_usd
    more = "more" if gap > 0 else "less"
    over = (
        f"On {day(bill.first_day)}"
        if bill.first_day == bill.last_day
        else f"{day(bill.first_day)} to {day(bill.last_day)}"
    )
    text = (
        f"{over} the bill has {numbers.usd(bill.billed_usd)}, the logs add up to "
        f"{numbers.usd(bill.observed_usd)} at list price: {numbers.usd(abs(gap))} {more}."
    )
    if bill.effective_price_ratio is not None and abs(bill.effective_price_ratio - 1) > 0.001:
        text += f" A GB-second is billed at {numbers.percent(bill.effective_price_ratio)} of that."
    return text


def bill_rows(answer: Spend) -> list[tuple[str, ...]]:
    """Where the difference comes from."""
    assert answer.bill is not None
    return [
        (_REASONS[each.reason], signed_usd(each.usd), plain(each.detail))
        for each in answer.bill.differences
    ]


def assumed(answer: Spend) -> tuple[str, ...]:
    """The assumptions with the day of the prices."""
    return (*answer.assumptions, f"prices of {answer.prices_as_of}")


def signed_usd(amount_usd: float) -> str:
    """`+$210`, `−$0.41`."""
    if abs(amount_usd) < 1e-6:
        return "$0"
    return f"{'−' if amount_usd < 0 else '+'}{numbers.rough_usd(abs(amount_usd))}"


def day(at: datetime.date) -> str:
    """`3 March`."""
    return f"{at.day} {at:%B}"


def moment(at: datetime.datetime) -> str:
    """`3 March 14:05`, UTC."""
    return f"{day(at)} {at:%H:%M}"


def _moved(movement: Movement | None) -> tuple[str, str, str]:
    if movement is None:
        return ("–", "–", "–")
    return (
        f"{_a_day(movement.after_usd_per_day - movement.before_usd_per_day)}",
        _a_day(movement.traffic_usd_per_day),
        _a_day(movement.price_usd_per_day),
    )


def _a_day(amount_usd: float) -> str:
    return f"{signed_usd(amount_usd)}/day" if abs(amount_usd) >= 1e-6 else "$0"


def _traffic(change: CostChange) -> str:
    before, after = change.invocations_per_day_before, change.invocations_per_day_after
    if not before or abs(after / before - 1) < 0.1:
        return ""
    return f"; traffic {numbers.change(after / before - 1)}, which isn't in it"


def _bars(values: Sequence[float]) -> str:
    """At most 30 bars from zero to the highest; several days to a bar where there are more."""
    width = -(-len(values) // 30)
    groups = [values[at : at + width] for at in range(0, len(values), width)]
    means = [sum(each) / len(each) for each in groups]
    top = max(means, default=0.0)
    if not top:
        return ""
    return "".join(_BARS[min(int(each / top * 8), 7)] if each else " " for each in means)
