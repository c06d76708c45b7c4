"""A workflow's answer, for the terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import figure, percent
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_lines, wrapped
from tuner.report.json import fields_json, headed
from tuner.report.rows import by_weight
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from tuner.model.workflow import Outcome, Sensitivity, SizedFunction, WorkflowAnswer

FUNCTION_HEAD: Final = (
    "function", "now", "then", "calls", "mean", "was", "$/million", "was", "faster costs",
)  # fmt: skip
_SAME_RATIO: Final = 0.005


def to_json(answer: WorkflowAnswer) -> dict[str, Any]:
    """Return the contract's object; what is not known is None."""
    goal = answer.goal
    whole = ("p95_ms", "p50_ms", "duration_ms", "cost_usd_per_million")
    return {
        **headed("workflow"),
        "workflow": answer.name,
        "target": {
            "goal": goal.name,
            "max_duration_ms": goal.max_duration_ms,
            "percentile": answer.percentile,
            "max_cost_usd_per_million": goal.max_cost_usd_per_million,
            **fields_json(answer, "is_met", "probability_met"),
        },
        "functions": [
            {
                **fields_json(
                    each, "name", "memory_mb", "was_mb", "call_count", "duration_ms",
                    "cost_usd_per_million",
                ),
                "basis": "measured" if each.is_measured else "modelled",
            }
            for each in answer.functions
        ],
        **fields_json(answer.then, *whole),
        "current": fields_json(answer.now, *whole),
        "sensitivity": [
            fields_json(
                each, "name", "faster_mb", "gained_ms", "added_usd_per_million",
                "usd_per_million_per_ms",
            )
            for each in answer.sensitivity
        ],
        **fields_json(answer, "transition_count", "failed_share"),
        **fields_json(answer, "findings", "assumptions"),
        "prices": {"as_of": answer.prices_as_of},
    }  # fmt: skip


def render(answer: WorkflowAnswer, *, width: int, encoding: str = "utf-8") -> str:
    """Return what to change, what that brings, and where time is cheapest to buy."""
    lines = [plain(f"{answer.name} · {target(answer)}"), "", *wrapped(headline(answer), width), ""]
    rows = [FUNCTION_HEAD, *(function_row(answer, each) for each in answer.functions)]
    lines += [*table_lines([tuple(map(plain, row)) for row in rows], "<>>>>>>>>"), ""]
    rows = [("the whole", "p50", f"p{answer.percentile:g} (90%)", "$/million")]
    rows += [outcome_row("now", answer.now), outcome_row("then", answer.then)]
    lines += [*table_lines(rows, "<>>>"), ""]
    if (cheapest := cheapest_time(answer)) is not None:
        lines += wrapped(cheapest, width)
    if answer.failed_share:
        share = percent(answer.failed_share)
        lines += wrapped(f"{share} of executions fail, and aren't in the percentiles.", width)
    said = (f"{remark(each)}." for each in by_weight(answer.findings))
    lines += paragraphs(said, width, indent="  ")
    lines += wrapped(f"Assumes that {'; '.join(answer.assumptions)}.", width)
    return as_text(lines, encoding)


def target(answer: WorkflowAnswer) -> str:
    """What was asked for."""
    goal, name = answer.goal, f"p{answer.percentile:g}"
    said = []
    if goal.max_duration_ms is not None:
        said.append(f"{name} of the whole within {numbers.duration(goal.max_duration_ms)}")
    if goal.max_cost_usd_per_million is not None:
        amount = numbers.usd_per_million(goal.max_cost_usd_per_million)
        said.append(f"at most ${amount} per million executions")
    if said:
        return " and ".join(said)
    weight = f", time weight {goal.weight:g}" if goal.time_weight is not None else ""
    return f"goal {goal.name}{weight}, by the {name} of the whole"


def headline(answer: WorkflowAnswer) -> str:
    """The answer in a sentence or two."""
    changed = sum(each.memory_mb != each.was_mb for each in answer.functions)
    count = len(answer.functions)
    what = f"RESIZE {changed} of {count} functions" if changed else f"KEEP all {count} sizes"
    if answer.is_met is False:
        what = "OUT OF REACH: the nearest sizes"
    before, after = answer.now, answer.then
    ratio = after.cost_usd_per_million.estimate / before.cost_usd_per_million.estimate - 1
    cost = "same cost" if abs(ratio) < _SAME_RATIO else f"cost {numbers.change(ratio)}"
    name = f"p{answer.percentile:g}"
    text = (
        f"{what}: {name} {numbers.duration(before.duration_ms.estimate)} → "
        f"{numbers.duration(after.duration_ms.estimate)}, {cost} "
        f"(${numbers.usd_per_million(before.cost_usd_per_million.estimate)} → "
        f"${numbers.usd_per_million(after.cost_usd_per_million.estimate)} per million executions)."
    )
    if answer.probability_met is not None and answer.is_met:
        text += f" {numbers.probability(answer.probability_met).capitalize()} sure to be in time."
    return text


def function_row(answer: WorkflowAnswer, each: SizedFunction) -> tuple[str, ...]:
    """A function's cells, under `FUNCTION_HEAD`."""
    changed = each.memory_mb != each.was_mb
    found = next(one for one in answer.sensitivity if one.name == each.name)
    return (
        each.name,
        numbers.memory(each.was_mb),
        f"→ {numbers.memory(each.memory_mb)}" if changed else "",
        figure(each.call_count),
        numbers.duration(each.duration_ms),
        numbers.duration(each.was_ms) if changed else "",
        numbers.usd_per_million(each.cost_usd_per_million),
        numbers.usd_per_million(each.was_usd_per_million) if changed else "",
        time_price(found),
    )


def time_price(found: Sensitivity) -> str:
    """What a second of the whole costs there, for a million executions."""
    price = found.usd_per_million_per_ms
    return "–" if price is None else f"{numbers.usd(100 * price)}/100 ms"


def outcome_row(name: str, outcome: Outcome) -> tuple[str, ...]:
    """The whole's cells."""
    return (
        name,
        numbers.duration(outcome.p50_ms),
        numbers.with_ends(outcome.duration_ms, numbers.duration),
        numbers.usd_per_million(outcome.cost_usd_per_million.estimate),
    )


def cheapest_time(answer: WorkflowAnswer) -> str | None:
    """Which function buys time cheapest; None if none does."""
    best = answer.sensitivity[0] if answer.sensitivity else None
    if best is None or best.gained_ms is None or best.added_usd_per_million is None:
        return None
    return (
        f"Cheapest to speed up: {plain(best.name)} at {best.faster_mb} MB takes "
        f"{numbers.duration(best.gained_ms)} off the p{answer.percentile:g} of the whole for "
        f"{numbers.usd(best.added_usd_per_million)} per million executions."
    )


def summary(answer: WorkflowAnswer) -> str:
    """Transitions and failures, in a sentence."""
    text = f"An execution has {figure(answer.transition_count)} state transitions on average"
    if answer.failed_share:
        text += f", and {percent(answer.failed_share)} of them fail"
    return f"{text}."
