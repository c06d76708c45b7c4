"""A function's cold starts, for the terminal and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, figure
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_below, table_lines, wrapped
from tuner.report.json import fields_json, findings_json, function_json, headed
from tuner.report.plan import cost_line, subject
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.cold.plan import ColdPlan
    from tuner.cold.result import ColdOption, ColdStarts, SlowImport
    from tuner.model.finding import Finding
    from tuner.model.interval import Interval

OPTION_HEAD: Final = (
    "", "cold starts", "p50", "p95", "p99", "cold p95", "cold p99", "a month", "remarks",
)  # fmt: skip
IMPORT_HEAD: Final = ("module", "with its imports", "by itself")
PART_NAMES: Final = {
    "runtime_ms": "runtime",
    "imports_ms": "imports",
    "user_init_ms": "own code",
    "runtime_and_code_ms": "runtime and code",
    "extensions_ms": "extensions",
}
OPTION_NAMES: Final = {
    "none": "as it is",
    "snapstart": "SnapStart",
    "provisioned": "provisioned concurrency",
}
_ENDS: Final = {
    "complete": "",
    "interrupted": " (interrupted)",
    "budget": " (ended by the budget)",
    "failed": " (stopped)",
}
KEEP_ALIVE: Final = (
    "Shares are for idle environments that live for 5 to 15 minutes (AWS doesn't say). A version "
    "that has just been published may start slower than one in use. Intervals are 90%."
)


def to_json(answer: ColdStarts) -> dict[str, Any]:
    """Return the contract's object. What is not known is None, never left out."""
    return {
        **headed("cold_starts"),
        "function": function_json(answer.function),
        "sizes": [
            {
                **fields_json(each, "memory_mb", "sample_count"),
                "init_duration_ms": asdict(each.init_ms),
                **fields_json(each, "parts"),
            }
            for each in answer.sizes
        ],
        **fields_json(
            answer, "share", "options", "slow_imports", "is_restore", "rate_per_s",
            "peak_concurrency",
        ),
        "warm_duration_ms": answer.warm_ms,
        "package_bytes": answer.package_bytes and answer.package_bytes[0],
        "unpacked_bytes": answer.package_bytes and answer.package_bytes[1],
        **fields_json(answer, "invocation_count", "cost_usd"),
        "prices": {"as_of": answer.prices_as_of, "region": answer.function.region},
        **fields_json(answer, "findings"),
    }  # fmt: skip


def plan_json(
    plan: ColdPlan, isolation: str, side_effects: Sequence[str], findings: Sequence[Finding]
) -> dict[str, Any]:
    """What would be measured, as an object; None is not known."""
    return {
        **headed("cold_plan"),
        "function": function_json(plan.pricing.function),
        "isolation": isolation,
        "sizes_mb": list(plan.sizes_mb),
        "sample_count": plan.samples,
        **fields_json(
            plan, "warm_count", "timed_count", "invocation_count", "window_count",
            "expected_cost_usd", "max_cost_usd",
        ),
        "side_effects": list(side_effects),
        "findings": findings_json(findings),
    }  # fmt: skip


def describe_plan(plan: ColdPlan, *, costs_nothing: bool) -> Iterator[str]:
    """What will be measured and what it costs, a line each."""
    function = plan.pricing.function
    yield subject(function, f"now {numbers.memory(function.memory_mb)}")
    sizes = ", ".join(map(numbers.memory, plan.sizes_mb))
    timed = ", and one a size that times its imports" if plan.timed_count else ""
    more = f", {plan.most_invocations:,} at most where some meet a warm environment"
    yield (
        f"Plan: {counted(plan.samples, 'cold start')} at each of {sizes}, {plan.warm_count} warm "
        f"invocations at {numbers.memory(function.memory_mb)}{timed}: "
        f"{counted(plan.invocation_count, 'invocation')}"
        f"{more if plan.most_invocations > plan.invocation_count else ''}. Each size is published "
        f"{counted(plan.window_count, 'time')} and invoked {min(plan.at_once, plan.samples)} at a "
        "time, so that every "
        "environment is new."
    )
    if not costs_nothing:
        yield cost_line(plan, " and INIT")


def render(answer: ColdStarts, *, width: int, encoding: str = "utf-8") -> str:
    """Return the answer as text."""
    lines = [subject_of(answer), *wrapped(f"COLD STARTS: {headline(answer)}", width), ""]
    lines += table_lines([size_head(answer), *size_rows(answer)], "<" + ">" * 7)
    lines += table_below(OPTION_HEAD, map(option_row, answer.options), "<>>>>>>><")
    lines += table_below(IMPORT_HEAD, map(import_row, answer.slow_imports), "<>>")
    said = [*(f"{remark(each).rstrip('.')}." for each in answer.findings), rest(answer)]
    return as_text([*lines, "", *paragraphs(said, width)], encoding)


def subject_of(answer: ColdStarts) -> str:
    """Which function this is about."""
    return subject(answer.function, numbers.memory(answer.function.memory_mb))


def headline(answer: ColdStarts) -> str:
    """INIT at the function's own size, and who meets one, in two sentences."""
    current, what = answer.current, "a restore" if answer.is_restore else "INIT"
    first = f"no {what} is known at the function's own size"
    if current is not None:
        took = numbers.with_ends(current.init_ms, numbers.duration)
        first = f"{what} takes {took} at {numbers.memory(current.memory_mb)}"
    if answer.share is None or answer.rate_per_s is None:
        return f"{first}. Which share of requests meets one isn't known without their rate."
    return (
        f"{first}. {share_words(answer.share)} of requests meet one, at "
        f"{_rate(answer.rate_per_s)} ({plain(answer.source or '')})."
    )


def _rate(rate_per_s: float) -> str:
    """A rate in the unit that gives it a whole number: functions with cold starts are slow ones."""
    units = (("s", 1), ("min", 60), ("h", 3600))
    unit, seconds = next((each for each in units if rate_per_s * each[1] >= 1), units[-1])
    return f"{counted(numbers.per_s(rate_per_s * seconds), 'request')}/{unit}"


def share_words(share: Interval) -> str:
    """A share with its interval: `12% (8% to 20%)`."""
    if numbers.percent(share.low) == numbers.percent(share.high):
        return numbers.percent(share.estimate)
    return numbers.with_ends(share, numbers.percent)


def size_head(answer: ColdStarts) -> tuple[str, ...]:
    """Titles of the sizes' table."""
    what = "restore" if answer.is_restore else "INIT"
    return ("memory", "cold starts", f"{what}, mean", *PART_NAMES.values())


def size_rows(answer: ColdStarts) -> list[tuple[str, ...]]:
    """A size's samples, INIT and its parts; the function's own is marked."""
    rows = []
    for each in answer.sizes:
        parts = {} if each.parts is None else asdict(each.parts)
        shown = (parts.get(name) for name in PART_NAMES)
        mark = "▶" if each.memory_mb == answer.function.memory_mb else " "
        rows.append(
            (
                f"{mark} {numbers.memory(each.memory_mb)}",
                f"{each.sample_count}" if each.sample_count else "estimated",
                numbers.with_spread(each.init_ms, numbers.duration),
                *("" if ms is None else numbers.duration(ms) for ms in shown),
            )
        )
    return rows


def option_row(option: ColdOption) -> tuple[str, ...]:
    """An option's cells, under `OPTION_HEAD`."""
    share = "" if option.share is None else numbers.percent(option.share)
    of_all = numbers.durations(option.latency_ms, "p50", "p95", "p99", unknown="")
    of_cold = numbers.durations(option.cold_latency_ms, "p95", "p99", unknown="")
    cost_usd = option.cost_usd_per_month
    if cost_usd is not None:
        cost = numbers.rough_usd(cost_usd)
    else:
        standing_usd = option.standing_usd_per_month
        cost = f"from {numbers.rough_usd(standing_usd)}" if standing_usd else ""
    return (OPTION_NAMES[option.name], share, *of_all, *of_cold, cost, _remarks(option))


def _remarks(option: ColdOption) -> str:
    if option.environment_count is not None and option.hours_per_month is not None:
        count = counted(option.environment_count, "environment")
        return f"{count}, {option.hours_per_month:,.0f} h a month"
    if option.standing_usd_per_month and option.cost_usd_per_month is not None:
        return f"{numbers.rough_usd(option.standing_usd_per_month)} of it for the cache"
    return ""


def import_row(slow: SlowImport) -> tuple[str, ...]:
    """A module's cells, under `IMPORT_HEAD`."""
    return plain(slow.module), numbers.duration(slow.ms), numbers.duration(slow.self_ms)


def rest(answer: ColdStarts) -> str:
    """What it took, and what the figures rest on."""
    package = ""
    if answer.package_bytes is not None:
        zipped, unpacked = map(_size_of, answer.package_bytes)
        package = f"Package {zipped}, unpacked {unpacked}. "
    return (
        f"{package}{counted(f'{answer.invocation_count:,}', 'invocation')}{_ENDS[answer.end]}, "
        f"{numbers.usd(answer.cost_usd)} at list prices of {answer.prices_as_of}. {KEEP_ALIVE}"
    )


def _size_of(count: int) -> str:
    """Bytes as kB or MB, as Lambda's limits count them."""
    return f"{figure(count / 1024)} kB" if count < 2**20 else f"{figure(count / 2**20)} MB"
