"""A comparison as text and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_below, table_lines, wrapped
from tuner.report.sanitize import code_span, markdown, markdown_finding, markdown_table, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tuner.model.comparison import (
        Change,
        ChangeVerdict,
        Comparison,
        Pair,
        Pooled,
        Quantity,
        Side,
    )

KINDS: Final = {
    "architectures": "two architectures",
    "code": "two versions of the code",
    "rollout": "before and after a memory change",
    "repeat": "two sweeps of the same function",
    "same": "a sweep and itself",
}
PAIRS: Final = {
    "now": "as configured",
    "forecast": "forecast, and measured",
    "recommended": "each as recommended",
}
HEAD: Final = ("", "A", "B", "A", "B", "change (90%)", "real?")
JUSTIFY: Final = "<>>>>><"
SIZES_HEAD: Final = ("measured in both", "", "", *HEAD[3:])
_TIME: Final[Mapping[ChangeVerdict, str]] = {
    "higher": "takes {} more time",
    "lower": "takes {} less time",
    "same": "takes the same time",
    "unclear": "shows no clear difference in time",
}
_COST: Final[Mapping[ChangeVerdict, str]] = {
    "higher": "costs {} more",
    "lower": "costs {} less",
    "same": "costs the same",
    "unclear": "shows no clear difference in cost",
}
_REAL: Final = {
    "higher": "real",
    "lower": "real",
    "same": "no difference",
    "unclear": "can't tell",
}


def headline(found: Comparison) -> str:
    """The answer in one line: what changed, by how much, and whether that's real."""
    if found.kind == "same":
        return "THE SAME SWEEP: A and B are one measurement, so there's nothing to compare."
    forecast = found.pair("forecast")
    at = "".join(f", with {plain(name)} {plain(value)}" for name, value in found.parameters)
    if found.kind == "rollout" and forecast is not None:
        return f"{_rollout_line(found, forecast)}{at}."
    pair = found.pair("recommended") if found.kind == "architectures" else None
    if pair is None and found.pooled is not None:
        where = f"over {counted(len(found.pooled.sizes_mb), 'size')} measured in both"
        return f"{_sentence(found.pooled.duration, found.pooled.cost)}, {where}{at}."
    pair = pair or found.pairs[0]
    where = _sizes(pair)
    return f"{_sentence(pair.duration_ms.change, pair.cost.change)}, {where}{at}."


def render(found: Comparison, *, width: int, encoding: str = "utf-8") -> str:
    """Return the whole comparison as plain text, with a table of pairs and one of the sizes.

    Sentences are wrapped to `width` columns; a table is as wide as its cells. For a sweep and
    itself that's all there is to say.
    """
    if found.kind == "same":
        lines = wrapped(f"{headline(found)} It is:", width)
        lines += wrapped(f"  {describe_side(found.a)}", width, indent="    ")
        return as_text(lines, encoding)
    lines = [KINDS[found.kind]]
    for label, side in found.sides:
        lines += wrapped(f"  {label} {describe_side(side)}", width, indent="    ")
    lines.append("")
    lines += table_lines([HEAD, *pair_rows(found)], JUSTIFY)
    lines += table_below(SIZES_HEAD, size_rows(found), JUSTIFY)
    lines += ["", *wrapped(headline(found), width)]
    lines += paragraphs(map(remark, found.findings), width, indent="  ")
    lines += wrapped(f"Assumes {'; '.join(found.assumptions)}.", width)
    return as_text(lines, encoding)


def render_markdown(found: Comparison) -> str:
    """Return GitHub- and GitLab-flavored Markdown; everything foreign in it is inert."""
    sides = (f"- **{label}** {code_span(describe_side(side))}" for label, side in found.sides)
    assumed = "; ".join(markdown(text) for text in found.assumptions)
    if found.kind == "same":
        return f"**{markdown(headline(found))}**\n\n{code_span(describe_side(found.a))}\n"
    blocks = [
        f"**{markdown(headline(found))}**",
        "\n".join(sides),
        markdown_table(HEAD, JUSTIFY, [*pair_rows(found), *size_rows(found)]),
        "\n".join(map(markdown_finding, found.findings)),
        f"<sub>Assumes {assumed}.</sub>",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def pair_rows(found: Comparison) -> list[tuple[str, ...]]:
    """Duration and cost of every pair, as cells under `HEAD`."""
    rows = []
    for pair in found.pairs:
        a_name = f"{pair.a_memory_mb} MB{' forecast' if pair.what == 'forecast' else ''}"
        b_name = f"{pair.b_memory_mb} MB"
        by_record = pair.cost_usd_per_million_records is not None
        cost_title = "$/million records" if by_record else "$/million"
        for what, quantity, write in (
            ("mean", pair.duration_ms, numbers.duration),
            (cost_title, pair.cost, numbers.usd_per_million),
        ):
            first = f"{PAIRS[pair.what]}, {what}"
            rows.append((first, a_name, b_name, *_quantity_cells(quantity, write)))
    return rows


def size_rows(found: Comparison) -> list[tuple[str, ...]]:
    """Duration at the sizes that both measured, over all of them, and with each varied value."""
    rows: list[tuple[str, ...]] = [] if found.pooled is None else _pooled_rows(found, found.pooled)
    for name, _value in found.parameters:
        for each in found.by_value:
            for what, change in (("mean", each.duration), ("cost", each.cost)):
                first = f"{plain(name)} {plain(each.value)}, {what}"
                rows.append((first, "", "", "", "", *change_cells(change)))
    return rows


def _pooled_rows(found: Comparison, pooled: Pooled) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for number, (a, b) in enumerate(zip(found.a.curve, found.b.curve, strict=True)):
        if a.memory_mb in pooled.sizes_mb:
            took = (numbers.duration(each.duration_ms.estimate) for each in (a, b))
            changed = change_cells(found.by_size[number][0])
            rows.append((f"{a.memory_mb} MB, mean", "", "", *took, *changed))
    for what, change in (("mean", pooled.duration), ("cost", pooled.cost)):
        rows.append((f"all of them, {what}", "", "", "", "", *change_cells(change)))
    return rows


def change_cells(change: Change) -> tuple[str, str]:
    """`+12% (9 to 15)` and whether it is real."""
    return numbers.with_ends(change.ratio, numbers.change), real(change)


def real(change: Change) -> str:
    """Whether a change is real, with the probability: `real, over 99%`."""
    word = _REAL[change.verdict]
    if change.verdict in {"same", "unclear"}:
        return word
    up = change.probability_higher
    return f"{word}, {numbers.probability(up if change.verdict == 'higher' else 1 - up)}"


def describe_side(side: Side) -> str:
    """Name, place, kind and size of one side, with its sweep's time."""
    function = side.function
    place = "local" if side.environment == "local" else function.region
    recommended = "" if side.recommended_mb is None else f", {side.recommended_mb} recommended"
    return plain(
        f"{function.name} · {place} · {function.runtime or 'container image'} "
        f"{function.architecture} · {function.memory_mb} MB{recommended} · "
        f"code {function.code_sha256[:7]} · {side.started_at}"
    )


def _rollout_line(found: Comparison, forecast: Pair) -> str:
    """Whether the forecast came true, and what the memory change did."""
    duration = forecast.duration_ms
    meant = numbers.duration(duration.a.estimate)
    measured = numbers.duration(duration.b.estimate)
    word = {
        "higher": "SLOWER THAN FORECAST",
        "lower": "FASTER THAN FORECAST",
        "same": "AS FORECAST",
        "unclear": "AS FORECAST, AS FAR AS MEASURED",
    }[duration.change.verdict]
    change = numbers.change(duration.change.ratio.estimate)
    text = f"{word}: {measured} measured at {forecast.b_memory_mb} MB, {meant} forecast "
    text += f"({change}; {numbers.ends(duration.change.ratio, numbers.change)})"
    now = found.pair("now")
    if now is None:
        return text
    sizes = f"{now.a_memory_mb} → {now.b_memory_mb} MB"
    return f"{text}; {sizes} {_in_words(now.cost.change, _COST)}"


def _sentence(duration: Change, cost: Change) -> str:
    """Whatever is real comes first: time before cost."""
    word = {"higher": "SLOWER", "lower": "FASTER"}.get(duration.verdict)
    word = word or {"higher": "MORE EXPENSIVE", "lower": "CHEAPER"}.get(cost.verdict)
    word = word or ("THE SAME" if duration.verdict == "same" else "NOT SETTLED")
    costs = _in_words(cost, _COST)
    if duration.verdict == cost.verdict == "unclear":
        costs = f"none in cost ({numbers.ends(cost.ratio, numbers.change)})"
    return f"{word}: B {_in_words(duration, _TIME)} and {costs}"


def _in_words(change: Change, words: Mapping[ChangeVerdict, str]) -> str:
    """`takes 12% more time (+9% to +15%)`."""
    size = numbers.percent(abs(change.ratio.estimate))
    return f"{words[change.verdict].format(size)} ({numbers.ends(change.ratio, numbers.change)})"


def _sizes(pair: Pair) -> str:
    if pair.a_memory_mb == pair.b_memory_mb:
        return f"both at {pair.a_memory_mb} MB"
    return f"A at {pair.a_memory_mb} MB, B at {pair.b_memory_mb} MB"


def _quantity_cells(quantity: Quantity, write: Callable[[float], str]) -> tuple[str, ...]:
    sides = (numbers.with_spread(each, write) for each in (quantity.a, quantity.b))
    return (*sides, *change_cells(quantity.change))
