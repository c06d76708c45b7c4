"""A load's plan and results, for the terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.load.findings import SERVICES
from tuner.model.interval import counted, figure
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_below, table_lines, wrapped
from tuner.report.json import fields_json, findings_json, function_json, headed
from tuner.report.plan import cost_line, subject
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tuner.load.limits import Saturation
    from tuner.load.plan import LoadPlan
    from tuner.load.result import LoadResult, Window
    from tuner.load.watch import Seen, State
    from tuner.model.finding import Finding

_ENDS: Final = {
    "complete": "",
    "interrupted": ", interrupted",
    "budget": ", ended by the budget",
    "failed": ", stopped",
}
OVER_TIME_HEAD: Final = (
    "due", "requests/s", "sent", "p50", "p95", "p99", "in flight", "throttled", "failed",
)  # fmt: skip
_FEW: Final = 100
LIMITS_HEAD: Final = ("behind it", "a second", "limit", "asked", "an invocation", "gives way at")
SEEN_HEAD: Final = ("during the load", "seen", "began", "most", "at its end")
_STATES: Final[dict[State, tuple[str, str]]] = {
    "throttled": ("requests refused", ""),
    "waiting": ("messages waiting", ""),
    "oldest_s": ("oldest message", " s"),
    "iterator_age_s": ("iterator age", " s"),
}
_UNKNOWN: Final = "?"


def to_json(result: LoadResult) -> dict[str, Any]:
    """Return the contract's object. What is not known is None, never left out."""
    return {
        **headed("load"),
        "function": function_json(result.function),
        "planned_count": result.planned_count,
        "invocation_count": len(result.invocations),
        "error_count": result.errors.total(),
        "throttle_count": result.throttle_reasons.total(),
        **fields_json(
            result, "late_count", "cold_start_share", "max_concurrency", "throughput_per_s",
            "latency_ms", "cost_usd",
        ),
        "phases": [
            fields_json(
                each, "from_s", "to_s", "rate_from_per_s", "rate_to_per_s", "invocation_count",
                "latency_ms",
            )
            for each in result.by_phase()
        ],
        "downstream": _downstream(result.downstream),
        **fields_json(result, "findings"),
    }  # fmt: skip


def plan_json(
    plan: LoadPlan,
    side_effects: Sequence[str],
    downstream: Sequence[Saturation],
    findings: Sequence[Finding],
) -> dict[str, Any]:
    """What would be sent, as an object; None is not known."""
    return {
        **headed("load_plan"),
        "function": function_json(plan.pricing.function),
        "sizes_mb": list(plan.sizes_mb),
        **fields_json(
            plan, "planned_count", "duration_s", "peak_per_s", "needed_concurrency",
            "available_concurrency", "expected_cost_usd", "max_cost_usd",
        ),
        "side_effects": list(side_effects),
        "downstream": _downstream(downstream),
        "findings": findings_json(findings),
    }  # fmt: skip


def describe_plan(
    plan: LoadPlan, downstream: Sequence[Saturation] = (), *, costs_nothing: bool
) -> Iterator[str]:
    """What will be sent, what that needs of the account and of what is behind the function, and
    what it costs, a line each.
    """
    function = plan.pricing.function
    sizes = ", ".join(map(numbers.memory, plan.sizes_mb))
    yield subject(function, f"now {numbers.memory(function.memory_mb)}")
    at_each = f" to each of {sizes}, one after the other" if len(plan.sizes_mb) > 1 else ""
    yield (
        f"Load: {counted(f'{len(plan.arrivals):,}', 'request')}{at_each} in "
        f"{numbers.wall_time(plan.duration_s)}, up to {numbers.rate(plan.peak_per_s)}, "
        f"{'evenly spaced' if plan.spacing == 'even' else f'Poisson (seed {plan.seed})'}. "
        "A request is sent when it's due, whatever is still in flight; none is sent twice."
    )
    yield _concurrency(plan)
    yield from _around(downstream)
    if not costs_nothing:
        yield cost_line(plan)


def _concurrency(plan: LoadPlan) -> str:
    needed, there_is = plan.needed_concurrency, plan.available_concurrency
    whose = "reserved for the function" if plan.is_reserved else "unreserved in the account"
    limit = f"{there_is:,} {whose}" if there_is is not None else "the limit isn't known"
    if needed is None:
        return (
            f"Concurrency: not known, since the function has no recent duration "
            f"({numbers.per_s(plan.peak_per_s)} for each second that it takes); {limit}."
        )
    duration = numbers.duration(plan.pricing.recent_duration_ms or 0.0)
    return (
        f"Concurrency: about {max(1, round(needed)):,} needed ({numbers.per_s(plan.peak_per_s)}/s "
        f"× {duration}, its recent mean); {limit}."
    )


def render(result: LoadResult, *, width: int, encoding: str = "utf-8") -> str:
    """Return what the load came to, its latency over time, and what to know."""
    function = result.function
    lines = [
        " · ".join((plain(function.name), function.region, numbers.memory(function.memory_mb))),
        *wrapped(f"LOAD: {headline(result)}", width),
    ]
    latency = result.latency_ms
    if latency is not None:
        summary = ("mean", "p50", "p95", "p99", "max")
        lines += ["", *table_lines([summary, numbers.durations(latency, *summary)], ">>>>>")]
        rows = map(over_time_row, result.over_time())
        lines += [*table_below(OVER_TIME_HEAD, rows, "<>>>>>>>>"), ""]
    lines += wrapped(rest(result), width)
    lines += _around(result.downstream, seen_rows(result.seen))
    lines += paragraphs((f"{remark(each).rstrip('.')}." for each in result.findings), width)
    if 0 < len(result.invocations) < _FEW:
        lines += wrapped(f"· Of fewer than {_FEW} invocations, p99 is just the slowest.", width)
    return as_text(lines, encoding)


def _around(downstream: Sequence[Saturation], seen: Iterable[tuple[str, ...]] = ()) -> list[str]:
    """Tables of what is behind the function, and of what was seen of it, if there is anything."""
    lines = table_below(LIMITS_HEAD, limit_rows(downstream), "<<>>>>")
    lines += table_below(SEEN_HEAD, seen, "<<>>>")
    return [*lines, ""] if lines else []


def headline(result: LoadResult) -> str:
    """What was sent, and how much of it succeeded, in a sentence."""
    return (
        f"{len(result.answers):,} of {result.planned_count:,} requests sent{_ENDS[result.end]}; "
        f"{numbers.rate(result.throughput_per_s)} succeeded, "
        f"{result.max_concurrency:,} at most in flight."
    )


def over_time_row(window: Window) -> tuple[str, ...]:
    """A window's cells, under `OVER_TIME_HEAD`."""
    rates = dict.fromkeys(map(numbers.per_s, (window.rate_from_per_s, window.rate_to_per_s)))
    if window.rate_to_per_s == window.rate_from_per_s == 0:
        rates = {"pause": None}
    return (
        f"{figure(window.from_s, 4, '')}–{figure(window.to_s, 4, '')} s",
        "–".join(rates),
        f"{window.invocation_count + window.throttle_count:,}",
        *numbers.durations(window.latency_ms, "p50", "p95", "p99"),
        f"{window.max_concurrency:,}",
        f"{window.throttle_count:,}" if window.throttle_count else "",
        f"{window.error_count:,}" if window.error_count else "",
    )


def rest(result: LoadResult) -> str:
    """Cold starts, cost, and what latency is."""
    share = result.cold_start_share
    cold = "Cold starts: not known" if share is None else f"Cold starts: {numbers.percent(share)}"
    if share == 0:
        cold = "No cold starts"
    return (
        f"{cold}; {numbers.usd(result.cost_usd)} at list prices. Latency is from when a request "
        "was due to its whole answer, at this machine."
    )


def _downstream(found: Sequence[Saturation]) -> list[dict[str, Any]]:
    """The contract's rows; `unit` says what is counted."""
    return [
        {
            **fields_json(each.limit, "service", "resource", "unit"),
            "limit_per_s": each.limit.per_s,
            **fields_json(each, "demand_per_s", "limited_at_rate_per_s"),
        }
        for each in found
    ]


def limit_rows(found: Sequence[Saturation]) -> Iterator[tuple[str, ...]]:
    """A limit's cells, under `LIMITS_HEAD`."""
    for each in found:
        at = each.limited_at_rate_per_s
        yield (
            f"{plain(each.limit.resource)} ({SERVICES[each.limit.service]})",
            each.limit.unit,
            _amount(each.limit.per_s),
            _amount(each.demand_per_s),
            _amount(None if each.demand is None else each.demand.per_invocation),
            _UNKNOWN if at is None else numbers.rate(at),
        )


def seen_rows(seen: Sequence[Seen]) -> Iterator[tuple[str, ...]]:
    """A state's cells, under `SEEN_HEAD`; what was never above 0 is left out."""
    every = dict.fromkeys(key for each in seen for key in each.look.states)
    for key in every:
        values = [each.look.states[key] for each in seen if key in each.look.states]
        service, name, state = key
        words, unit = _STATES[state]
        if max(values) > 0:
            cells = (values[0], max(values), values[-1])
            yield (
                f"{plain(name)} ({SERVICES[service]})",
                words,
                *(f"{value:,.0f}{unit}" for value in cells),
            )


def _amount(value: float | None) -> str:
    return _UNKNOWN if value is None else figure(value)
