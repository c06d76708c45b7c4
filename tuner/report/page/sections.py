"""The words of the page: values written out for the template, which only places them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.report import comparison, numbers
from tuner.report.page.data import curve_data
from tuner.report.page.platforms import platform_section
from tuner.report.page.tables import (
    cold_table,
    dollars,
    front_table,
    option_table,
    pair_table,
    payload_table,
    plain_table,
    sent_table,
    size_table,
    table_of,
    tile,
)
from tuner.report.rows import by_weight, pair_rows, percentile_note, size_rows
from tuner.report.wording import (
    apply_command,
    certainty,
    describe_sweep,
    goal_line,
    headline,
    money,
)

if TYPE_CHECKING:
    from tuner.model.comparison import Comparison
    from tuner.model.finding import Finding
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation
    from tuner.report.page.data import SweepView


def section(view: SweepView, number: int) -> dict[str, Any]:
    """What the template `sweep.html.j2` places for one sweep; `number` makes its ids its own."""
    answer = view.recommendation
    function = answer.function
    return {
        "id": f"sweep-{number}",
        "name": function.name,
        "place": "measured locally" if answer.environment == "local" else function.region,
        "runtime": f"{function.runtime or 'container image'} {function.architecture}",
        "code": function.code_sha256[:7],
        "spent": describe_sweep(answer),
        "verdict": answer.choice.verdict,
        "headline": headline(answer).partition(": ")[2] or headline(answer),
        "verdict_word": headline(answer).partition(":")[0],
        "money": money(answer),
        "certainty": f"{_sentence(certainty(answer))} {goal_line(answer)}".strip(),
        "options": option_table(answer),
        "contents": _contents(view),
        "tiles": tiles(answer),
        "apply": apply_command(answer),
        "has_curve": bool(answer.curve),
        "captions": captions(view),
        "cold_table": cold_table(view),
        "payload_table": payload_table(view),
        "pair_table": pair_table(answer),
        "pairs_note": percentile_note(row.percentile for row in pair_rows(answer)),
        "curve_of": curve_of(answer),
        "architectures": tuple(each.architecture for each in answer.by_architecture),
        "varied": "" if answer.variation is None else answer.variation.parameter.name,
        "front_table": front_table(answer),
        "targets": _targets(answer),
        "break_even": None if view.break_even is None else platform_section(view.break_even),
        "no_break_even": view.no_break_even,
        "findings": by_weight(_only_here(view)),
        "sizes": size_table(answer),
        "sizes_note": percentile_note(row.percentile for row in size_rows(answer)),
        "assumptions": answer.assumptions,
        "prices": f"List prices of {answer.prices.as_of}, region {answer.prices.region}.",
        "reproduce": reproduce(view),
    }


def _contents(view: SweepView) -> list[tuple[str, str]]:
    """The sections that one sweep has: the ends of their ids, and what they are called."""
    answer = view.recommendation
    has_curve = bool(answer.curve)
    wanted = (
        ("curve", "Duration and cost", has_curve),
        ("front", "Cost against speed", has_curve),
        ("cold", "Cold starts", has_curve),
        ("architectures", "Architectures", bool(answer.by_architecture)),
        ("pairs", "Values", has_curve and answer.variation is not None),
        ("payloads", "Payloads", has_curve and len(view.breakdown.payloads) > 1),
        ("elsewhere", "On Lambda, or elsewhere?", has_curve),
        ("findings", "Findings", bool(_only_here(view))),
        ("sizes", "Sizes", True),
        ("assumes", "Assumptions", True),
        ("reproduce", "Reproduce it", True),
    )
    return [(anchor, title) for anchor, title, there in wanted if there]


def curve_of(answer: Recommendation) -> str:
    """What the curve is of, where there are several: `, with batch_size 5`; `, on arm64`."""
    if answer.by_architecture:
        return f", on {answer.choice.architecture}"
    return "".join(f", with {name} {value}" for name, value in answer.choice.parameters)


def tiles(answer: Recommendation) -> list[dict[str, str]]:
    """The change in a few figures: from, to, and how sure."""
    choice, current = answer.choice, answer.current
    new_mb = choice.memory_mb if choice.memory_mb is not None else choice.best_so_far_mb
    after = next((each for each in answer.curve if each.memory_mb == new_mb), None)
    resized = new_mb is not None and new_mb != current.memory_mb
    moved = resized or (choice.parameters != current.parameters and bool(choice.parameters))
    moved = moved or answer.now_mb is None
    shown = [
        tile("Memory", f"{current.memory_mb} MB", f"{new_mb} MB" if resized else None, ""),
        *_value_tiles(answer),
        tile(
            "Mean duration, warm",
            numbers.known(current.duration_ms, numbers.duration),
            numbers.known(after.duration_ms, numbers.duration) if after and moved else None,
            _spread(after.duration_ms if after else current.duration_ms),
        ),
    ]
    # Events with different numbers of records aren't compared per event.
    if not choice.parameters:
        after_cost = after.cost_usd_per_million if after else current.cost_usd_per_million
        then_text = dollars(after_cost) if after and moved else None
        cost_text = dollars(current.cost_usd_per_million)
        shown.append(tile("Cost per million", cost_text, then_text, _spread(after_cost)))
    if choice.cost_usd_per_million_records is not None:
        now, then = current.cost_usd_per_million_records, choice.cost_usd_per_million_records
        then_text = dollars(then) if moved else None
        shown.append(tile("Cost per million records", dollars(now), then_text, _spread(then)))
    if choice.saving_ratio is not None and moved and choice.verdict != "inconclusive":
        figure, _, interval = numbers.saving(choice.saving_ratio).partition(" (")
        note = f"90%: {interval.rstrip(')')}" if interval else ""
        shown.append(tile("Saving", figure, note=note))
    if choice.verdict == "inconclusive" and moved:
        shown[0]["note"] = "best so far, not a recommendation"
    return shown


def _value_tiles(answer: Recommendation) -> list[dict[str, str]]:
    """The value of a varied parameter, now and then, where it is chosen with the size."""
    now = dict(answer.current.parameters)
    if answer.choice.architecture is not None:
        own, other = answer.function.architecture, answer.choice.architecture
        return [tile("Architecture", own, other if other != own else None, "")]
    return [
        tile(name, now.get(name, value), value if now.get(name, value) != value else None, "")
        for name, value in answer.choice.parameters
    ]


def captions(view: SweepView) -> dict[str, str]:
    """One sentence for each chart: what a reader who can't see it should know."""
    answer = view.recommendation
    if not answer.curve:
        return {}
    first, last = answer.curve[0], answer.curve[-1]
    cheapest = min(answer.curve, key=lambda each: each.cost_usd_per_million.estimate)
    fastest = min(answer.curve, key=lambda each: each.duration_ms.estimate)
    cold = view.breakdown.cold_starts
    return {
        "duration": f"Mean warm duration is {numbers.duration(first.duration_ms.estimate)} "
        f"at {first.memory_mb} MB and {numbers.duration(last.duration_ms.estimate)} "
        f"at {last.memory_mb} MB; the shortest, {numbers.duration(fastest.duration_ms.estimate)}, "
        f"is at {fastest.memory_mb} MB.",
        "cost": f"A million invocations cost least, {dollars(cheapest.cost_usd_per_million)}, "
        f"at {cheapest.memory_mb} MB, and {dollars(last.cost_usd_per_million)} "
        f"at {last.memory_mb} MB.",
        "front": _front_caption(answer),
        "cold": "No cold start was billed for INIT."
        if not cold
        else f"A cold start bills {numbers.duration(cold[0].billed_extra_ms.estimate)} beyond "
        f"a warm invocation at {cold[0].memory_mb} MB, "
        f"{numbers.duration(cold[-1].billed_extra_ms.estimate)} at {cold[-1].memory_mb} MB.",
    }


def _only_here(view: SweepView) -> list[Finding]:
    """The answer's findings without those that stand beside the platforms: word for word, or with
    the day of an older price.
    """
    said = () if view.break_even is None else view.break_even.findings
    shown = {(each.code, each.message) for each in said}
    hidden = {"old_prices"} & {each.code for each in said}
    return [
        each
        for each in view.recommendation.findings
        if each.code not in hidden and (each.code, each.message) not in shown
    ]


def reproduce(view: SweepView) -> dict[str, Any]:
    """How to make this page again, and how to measure again, if that's known."""
    sweep = view.sweep
    return {
        "again": view.page_command,
        "measure": view.measure_command,
        "facts": [
            ("sweep", sweep.plan.sweep_id),
            ("started", sweep.started_at),
            ("ended", sweep.end or "cut off"),
            ("measured with", f"lambda-tuner {sweep.tool_version}"),
            ("method", f"{sweep.plan.method}, seed {sweep.plan.seed}"),
            ("isolation", sweep.plan.isolation),
            ("code digest", sweep.function.code_sha256),
        ],
        "payloads": sent_table(view.sent),
    }


def _targets(answer: Recommendation) -> list[str]:
    if answer.tradeoff is None:
        return []
    return [
        f"{numbers.duration(each.max_duration_ms)}: {each.memory_mb} MB"
        for each in answer.tradeoff.latency_targets
    ]


def _front_caption(answer: Recommendation) -> str:
    if answer.tradeoff is None or not answer.tradeoff.front_mb:
        return "No size can be recommended, so there is nothing to weigh."
    front = answer.tradeoff.front_mb
    knee = answer.tradeoff.knee_mb
    sizes = f"{len(front)} sizes from {front[0]} to {front[-1]} MB"
    if len(front) == 1:
        sizes = numbers.memory(front[0])
    text = f"No other size beats {sizes} on both."
    return text if knee is None else f"{text} The knee is at {knee} MB."


def _sentence(text: str | None) -> str:
    """With a capital letter if it begins with a word."""
    return "" if not text else f"{text[0].upper()}{text[1:]}"


def _spread(interval: Interval | None) -> str:
    return "" if interval is None else f"{numbers.spread(interval)} (90%)"


def comparison_section(found: Comparison) -> dict[str, Any]:
    """What the template `comparison.html.j2` places."""
    line = comparison.headline(found)
    titles = ("what", "size of A", "size of B", "A", "B", "change (90%)", "real?")
    return {
        "title": comparison.KINDS[found.kind],
        "verdict_word": line.partition(":")[0],
        "headline": line.partition(": ")[2],
        "sides": [
            (label, comparison.describe_side(side), number)
            for number, (label, side) in enumerate(found.sides)
        ],
        "pairs": plain_table(titles, comparison.pair_rows(found)),
        "sizes": table_of(
            ("size", *titles[3:]),
            ((cells[0], *cells[3:]) for cells in comparison.size_rows(found)),
        ),
        "caption": _caption(found),
        "findings": found.findings,
        "assumptions": found.assumptions,
    }


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Both curves over the sizes that both sides estimate, and the change at each in words."""
    now = found.pair("now")
    return {
        "a": curve_data(found.a.curve),
        "b": curve_data(found.b.curve),
        "start": found.b.function.memory_mb if now is None else now.b_memory_mb,
        "readouts": [
            [
                f"A {numbers.duration(a.duration_ms.estimate)}",
                f"B {numbers.duration(b.duration_ms.estimate)}",
                f"time {' '.join(comparison.change_cells(duration))}",
                f"cost {' '.join(comparison.change_cells(cost))}",
            ]
            for a, b, (duration, cost) in zip(
                found.a.curve, found.b.curve, found.by_size, strict=True
            )
        ],
    }


def _caption(found: Comparison) -> str:
    first, last = found.by_size[0][0], found.by_size[-1][0]
    low, high = found.a.curve[0].memory_mb, found.a.curve[-1].memory_mb
    return (
        f"B against A: {comparison.change_cells(first)[0]} at {low} MB, "
        f"{comparison.change_cells(last)[0]} at {high} MB."
    )
