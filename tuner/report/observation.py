"""What a function's logs say: terminal table and the promised JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.console import as_text, paragraphs, remark, table_lines
from tuner.report.json import advice_json, fields_json, headed, iso
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.model.advice import Advice
    from tuner.model.observation import Durations, MemoryObservation, Observation

_JUSTIFY: Final = "><<>>>>>>"
_TITLES: Final = (
    "memory", "version", "from (UTC)", "invocations", "mean", "p95", "p99", "cold", "$/million",
)  # fmt: skip
_MOST_SURE: Final = 0.99
"""No model is surer of a size that never ran."""


class Section(NamedTuple):
    """What else was asked for: its key in JSON, the object there, and its text."""

    name: str
    as_json: dict[str, Any]
    text: str


def to_json(found: Observation, sections: Sequence[Section] = ()) -> dict[str, Any]:
    """Return the contract's object. What is not known is None, never left out."""
    usage = found.usage
    place = fields_json(found, "region", "memory_mb", "architecture")
    return {
        **headed("observation"),
        "function": {"name": found.function, **place},
        "window": {"from": iso(found.window.start), "to": iso(found.window.end)},
        **fields_json(found, "sources"),
        "invocation_count": usage.invocation_count,
        "billed_gb_seconds": float(usage.billed_gb_seconds),
        **fields_json(
            found, "cost_usd", "cost_usd_per_million", "cost_usd_per_month",
            "ephemeral_storage_cost_usd", "log_ingestion_cost_usd", "rate_per_s",
        ),
        "duration_ms": _durations(usage.durations),
        **fields_json(usage, "cold_start_count", "cold_start_share"),
        "init_duration_ms": {"mean": usage.mean_init_ms, "p95": usage.p95_init_ms},
        "max_memory_used_mb": {
            "p50": usage.p50_memory_used_mb,
            "p99": usage.p99_memory_used_mb,
            "max": usage.max_memory_used_mb,
        },
        **fields_json(usage, "error_count", "timeout_count", "oom_count"),
        **fields_json(
            found, "throttle_count", "max_concurrency", "unreadable_line_count", "left_out_count"
        ),
        "by_memory": [
            {
                **fields_json(each, "memory_mb", "version"),
                "from": iso(each.usage.first),
                "to": iso(each.usage.last),
                "invocation_count": each.usage.invocation_count,
                "duration_ms": _durations(each.usage.durations),
                **fields_json(each, "cost_usd_per_million"),
                **fields_json(each.usage, "max_memory_used_mb", "oom_count"),
            }
            for each in found.by_memory
        ],
        "advice": advice_json(found.advice),
        "pathways": None,
        "overheads": None,
        **{each.name: each.as_json for each in sections},
        **fields_json(found, "findings", "assumptions"),
        "prices": {"as_of": found.prices_as_of, "region": found.region},
    }  # fmt: skip


_FIGURES: Final = ("mean", "p50", "p95", "p99")
"""Of durations, by their names in JSON and on the terminal."""


def _durations(found: Durations | None) -> dict[str, float | None]:
    return {name: getattr(found, f"{name}_ms", None) for name in _FIGURES}


def render(found: Observation, *, width: int, encoding: str = "utf-8") -> str:
    """Return what was used, the table by memory and version, and what it rests on."""
    lines = [
        f"{plain(found.function)} · {found.region} · {found.architecture} · {found.memory_mb} MB",
        f"  {_when(found)}",
        "",
        *table_lines(_facts(found), "<<"),
        "",
        *table_lines([_TITLES, *map(_row, found.by_memory)], _JUSTIFY),
        "",
    ]
    said = []
    if found.advice is not None:
        command = f"tuner tune {plain(found.function)}"
        said += [*_advice_lines(found.advice, found.memory_mb, command), ""]
    said += map(remark, found.findings)
    said.append(f"Assumes {'; '.join(found.assumptions)}; prices of {found.prices_as_of}.")
    return as_text([*lines, *paragraphs(said, width)], encoding)


def _when(found: Observation) -> str:
    start, end = found.window.start, found.window.end
    if start is None or end is None:
        return "no line has a time"
    seconds = (end - start).total_seconds()
    length = numbers.wall_time(seconds) if seconds < 172_800 else f"{seconds / 86_400:.1f} days"
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC ({length})"


def _facts(found: Observation) -> list[tuple[str, str]]:
    usage = found.usage
    rate = "" if found.rate_per_s is None else f" ({numbers.rate(found.rate_per_s)})"
    a_month = found.cost_usd_per_month
    monthly = "" if a_month is None else f", {numbers.rough_usd(float(a_month))} a month"
    cost = numbers.usd(float(found.cost_usd))
    a_million = numbers.usd_per_million(float(found.cost_usd_per_million))
    facts = [
        ("invocations", f"{usage.invocation_count:,}{rate}"),
        ("cost", f"{cost}{monthly}, ${a_million} a million"),
    ]
    if usage.durations is not None:
        times = numbers.durations(usage.durations, *(f"{name}_ms" for name in _FIGURES))
        facts.append(("duration", ", ".join(map(" ".join, zip(_FIGURES, times, strict=True)))))
    init = ""
    if usage.mean_init_ms is not None and usage.p95_init_ms is not None:
        init = (
            f", INIT mean {numbers.duration(usage.mean_init_ms)}, "
            f"p95 {numbers.duration(usage.p95_init_ms)}"
        )
    facts.append(("cold starts", f"{numbers.percent(usage.cold_start_share)}{init}"))
    if usage.max_memory_used_mb is not None:
        facts.append(("memory used", f"at most {usage.max_memory_used_mb} of {found.memory_mb} MB"))
    failures = {
        "error": usage.error_count,
        "timeout": usage.timeout_count,
        "out-of-memory kill": usage.oom_count,
    }
    failed = [counted(f"{count:,}", name) for name, count in failures.items() if count]
    facts.append(("failed", ", ".join(failed) or "none"))
    if found.max_concurrency is not None:
        facts.append(("at once", f"at most {found.max_concurrency:,}"))
    return facts


def _row(each: MemoryObservation) -> tuple[str, ...]:
    usage = each.usage
    return (
        numbers.memory(each.memory_mb),
        plain(each.version or ""),
        "" if usage.first is None else f"{usage.first:%Y-%m-%d %H:%M}",
        f"{usage.invocation_count:,}",
        *numbers.durations(usage.durations, "mean_ms", "p95_ms", "p99_ms"),
        numbers.percent(usage.cold_start_share),
        numbers.usd_per_million(float(each.cost_usd_per_million)),
    )


def _advice_lines(advice: Advice, now_mb: int, command: str) -> Iterator[str]:
    """The verdict with its reason; what it saves; how sure it is. `command` is how a sweep is
    started.
    """
    size = f"{now_mb} → {advice.memory_mb} MB" if advice.verdict == "resize" else ""
    head = " ".join(filter(None, (advice.verdict.upper(), size)))
    yield f"{head}: {advice.reason}."
    saving = advice.saving_usd_per_month
    if advice.verdict in ("resize", "sweep") and saving is not None:
        could = "Saves" if advice.verdict == "resize" else "Could save"
        low, high = numbers.rough_usd(saving.low), numbers.rough_usd(saving.high)
        yield f"{could} {low} to {high} a month (90%)."
    if advice.confidence is not None:
        sure = numbers.percent(min(advice.confidence, _MOST_SURE))
        yield f"{sure} sure that it's better than {now_mb} MB."
    if advice.mix_shift_ratio is not None and advice.verdict != "keep":
        yield (
            "Periods at two sizes are compared: the mix of events may shift a mean by "
            f"{numbers.percent(advice.mix_shift_ratio)} between them."
        )
    if advice.verdict == "sweep":
        yield f"Measure: {command}"
