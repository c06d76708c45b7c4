"""What the page is made from: a `SweepView` a sweep, and the numbers its charts are drawn from."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from tuner.model.lambda_limits import CORE_THRESHOLDS_MB, MB_PER_VCPU
from tuner.report import numbers
from tuner.report.breakeven import shown_platforms
from tuner.report.figures.marks import size_marks, steps_of
from tuner.report.rows import failures, size_rows
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.breakeven.answer import BreakEven
    from tuner.model.breakdown import Breakdown
    from tuner.model.interval import Interval
    from tuner.model.plan import PayloadClass
    from tuner.model.recommendation import Recommendation, SizeEstimate
    from tuner.model.sweep import Sweep


THRESHOLDS: Final = [
    [MB_PER_VCPU, "1 core"],
    *([memory_mb, f"{cores} cores"] for memory_mb, cores in CORE_THRESHOLDS_MB),
]
_DIGITS: Final = 5
_KINDS: Final = ("warm", "cold", "failed", "set aside")
_MARK_ROLES: Final = {"D": "best", "s": "now", "^": "option"}


def chart_data(view: SweepView) -> dict[str, Any]:
    """Everything that the charts of one sweep show; sizes ascend."""
    answer = view.recommendation
    return {
        "curve": curve_data(answer.curve),
        "readouts": _readouts(answer),
        "samples": _samples(view.sweep),
        "marks": [
            {"mb": mark.memory_mb, "label": mark.label, "role": _MARK_ROLES[mark.marker]}
            for mark in size_marks(answer)
        ],
        "front": list(answer.tradeoff.front_mb) if answer.tradeoff else [],
        "cold": _cold_starts(view),
        "payloads": _payloads(view.breakdown),
        "architectures": [
            {"name": each.architecture, **curve_data(each.curve)} for each in answer.by_architecture
        ],
        "breakEven": None if view.break_even is None else break_even_data(view.break_even),
    }


def curve_data(curve: Sequence[SizeEstimate]) -> dict[str, Any]:
    """Sizes with duration and cost, each as estimate, low and high."""
    return {
        "sizes": [each.memory_mb for each in curve],
        "duration": band(each.duration_ms for each in curve),
        "cost": band(each.cost_usd_per_million for each in curve),
    }


def band(intervals: Iterable[Interval]) -> list[list[float]]:
    """Estimates, lows and highs as three lists."""
    rows = [(each.estimate, each.low, each.high) for each in intervals]
    return [[short(value) for value in column] for column in zip(*rows, strict=True)]


def _readouts(answer: Recommendation) -> list[list[str]]:
    """For every size of the curve: duration, cost, change and what else is to be said of it."""
    notes = {row.memory_mb: row.notes for row in size_rows(answer)}
    rows = []
    for each in answer.curve:
        at_size = tuple(size for size in answer.sizes_on_curve if size.memory_mb == each.memory_mb)
        failed = failures(at_size)
        said = list(notes.get(each.memory_mb, () if each.measured else ("modelled",)))
        if each.memory_mb == answer.choice.memory_mb:
            said.insert(0, "recommended")
        cost = each.cost_usd_per_million
        ratio = answer.change_from_now(cost)
        change = "" if ratio is None else numbers.change(ratio)
        rows.append(
            [
                numbers.with_spread(each.duration_ms, numbers.duration),
                f"${numbers.with_spread(cost, numbers.usd_per_million)}",
                change if each.memory_mb != answer.now_mb else "",
                f"excluded: {failed}" if failed else ", ".join(said),
            ]
        )
    return rows


def _samples(sweep: Sweep) -> list[list[float]]:
    """[memory, duration, cost per million, kind] of every invocation, in the order sent."""
    return [
        [
            step.memory_mb,
            short(step.duration_ms),
            short(step.cost_usd_per_million),
            _KINDS.index(step.kind),
        ]
        for step in steps_of(sweep)
    ]


def cold_starts_seen(sweep: Sweep) -> list[tuple[int, float]]:
    """(memory, INIT or restore in ms) of every cold start, in the file's order."""
    return [
        (each.memory_mb, each.report.init_duration_ms or each.report.restore_duration_ms or 0.0)
        for each in sweep.invocations
        if each.report is not None and each.cold_start
    ]


def _cold_starts(view: SweepView) -> dict[str, Any]:
    """INIT or restore times as seen, and what a cold start is billed beyond a warm call."""
    estimates = view.breakdown.cold_starts
    return {
        "seen": [[size, short(took_ms)] for size, took_ms in cold_starts_seen(view.sweep)],
        "sizes": [each.memory_mb for each in estimates],
        "extra": band(each.billed_extra_ms for each in estimates),
    }


def _payloads(breakdown: Breakdown) -> list[dict[str, Any]]:
    """A curve for each payload; one payload alone is the curve itself."""
    if len(breakdown.payloads) < 2:
        return []
    return [{"name": plain(each.payload), **curve_data(each.curve)} for each in breakdown.payloads]


def break_even_data(answer: BreakEven) -> dict[str, Any]:
    """Monthly cost over the rate of requests, a line a platform, with the rates where they meet."""
    shown = shown_platforms(answer)
    return {
        "rates": [short(point.rate_per_s) for point in shown[0].curve] if shown else [],
        "rate": answer.rate_per_s,
        "platforms": [
            {
                "name": each.name,
                "cost": [short(point.cost_usd_per_month) for point in each.curve],
                "crossing": each.break_even and list(astuple(each.break_even)),
            }
            for each in shown
        ],
    }


def short(value: float) -> float:
    """Five significant digits: more than a pixel shows, and half the bytes."""
    return float(f"{value:.{_DIGITS}g}")


@dataclass(frozen=True, slots=True)
class SweepView:
    """A sweep with its answers; `source` is what `tuner report` finds it by.

    `sweep` is what the curve is of: where a parameter was varied, the invocations of the value that
    was chosen. `sent` are the payloads of the whole sweep.

    Where nothing could be compared with other platforms, `break_even` is None and
    `no_break_even` says why.
    """

    source: str
    recommendation: Recommendation
    sweep: Sweep
    sent: tuple[PayloadClass, ...]
    breakdown: Breakdown
    break_even: BreakEven | None
    no_break_even: str = ""
    page_command: str | None = None
    """What gives this page again, where a command gave it."""
    measure_command: str | None = None
    """What would measure again, likewise."""
