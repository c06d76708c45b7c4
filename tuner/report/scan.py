"""A scan as a table on the terminal, as JSON and as CSV."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, figure
from tuner.report import numbers
from tuner.report.console import SIGNS, as_text, paragraphs, table_lines, wrapped
from tuner.report.json import (
    advice_json,
    csv_table,
    fields_json,
    headed,
)
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tuner.model.advice import Advice
    from tuner.model.finding import Severity
    from tuner.model.interval import Interval
    from tuner.model.scan import OptimizerView, Scan, ScannedFunction

TITLES: Final = (
    "function", "region", "MB", "invocations", "$/month", "advice", "saves $/month",
    "per $ of sweep", "Compute Optimizer",
)  # fmt: skip
MOST_LINES: Final = 20
"""Rows that are shown on a terminal where nothing else was asked for."""
_HEADINGS: Final = {
    "function_idle": "Not invoked",
    "provisioned_idle": "Provisioned concurrency idles",
    "close_to_timeout": "Near the timeout",
    "timeout_near_maximum": "Timeout near the largest",
    "above_optimizer_limit": "Above what Compute Optimizer looks at",
}
"""What functions' own findings are headed with, by code; others with the words of their code."""
_NAMED: Final = 10
_NAMED_WITH_WORDS: Final = 3
_CSV: Final = (
    "account", "region", "name", "architecture", "runtime", "memory_mb", "timeout_s",
    "invocation_count", "cost_usd_per_month", "cost_basis", "mean_duration_ms", "cold_start_share",
    "max_memory_used_mb", "error_count", "timeout_count", "oom_count", "throttle_count",
    "verdict=advice.verdict", "advised_memory_mb=advice.memory_mb",
    "saving_usd_per_month=advice.saving_usd_per_month.estimate",
    "saving_usd_per_month_low=advice.saving_usd_per_month.low",
    "saving_usd_per_month_high=advice.saving_usd_per_month.high",
    "sweep_cost_usd=advice.sweep.cost_usd", "value_per_dollar", "reason=advice.reason",
    "optimizer_finding=compute_optimizer.finding",
    "optimizer_memory_mb=compute_optimizer.memory_mb",
    "optimizer_agreement=compute_optimizer.agreement", "findings",
)  # fmt: skip
"""The columns of CSV, and where `function_json` has them if elsewhere."""


def render(scan: Scan, *, width: int, encoding: str, top: int | None = None) -> str:
    """The first rows, what is to be said of the others, and what the scan cost."""
    shown = scan.functions[: MOST_LINES if top is None else top]
    lines = [headline(scan), ""]
    place = place_of(scan)
    rows = [TITLES, *(row_cells(each, place(each)) for each in shown)]
    if len({(each.function.account, each.function.region) for each in scan.functions}) < 2:
        rows = [(cells[0], "", *cells[2:]) for cells in rows]
    lines += table_lines(rows, "<<>>><>><", indent=0)
    if len(shown) < len(scan.functions):
        rest = len(scan.functions) - len(shown)
        lines.append(f"and {counted(f'{rest:,}', 'more function')}: `top`, or a page or CSV of all")
    lines += ["", *paragraphs(_notes(scan), width, indent="  "), ""]
    lines += [*wrapped(f"Assumes {'; '.join(scan.assumptions)}.", width), cost_line(scan)]
    return as_text(lines, encoding)


def headline(scan: Scan) -> str:
    """How many functions, when, what they cost, and what is expected to be saved."""
    parts = [counted(f"{len(scan.functions):,}", "function")]
    if scan.window.start is not None and scan.window.end is not None:
        parts.append(f"{scan.window.start:%Y-%m-%d} to {scan.window.end:%Y-%m-%d}")
    if scan.total_cost_usd_per_month is not None:
        parts.append(f"{numbers.usd(scan.total_cost_usd_per_month)} a month")
    if scan.saving_usd_per_month:
        parts.append(f"about {numbers.rough_usd(scan.saving_usd_per_month)} of it may be saved")
    return " · ".join(parts)


def cost_line(scan: Scan) -> str:
    """What the questions cost, as they were counted."""
    if scan.cost is None:
        return f"Prices as of {scan.prices_as_of}. AWS wasn't called."
    return (
        f"Prices as of {scan.prices_as_of}. The scan cost {numbers.usd(scan.cost.usd)}: log "
        f"queries of {numbers.gigabytes(scan.cost.log_bytes)} {numbers.usd(scan.cost.query_usd)}, "
        f"{counted(f'{scan.cost.metric_count:,}', 'metric')} {numbers.usd(scan.cost.metric_usd)}."
    )


def place_of(scan: Scan) -> Callable[[ScannedFunction], str]:
    """How a function's place is written: its region, with its account where there are several."""
    several = len({each.function.account for each in scan.functions}) > 1

    def written(each: ScannedFunction) -> str:
        account = each.function.account if several else ""
        return " ".join(filter(None, (account, each.function.region)))

    return written


def row_cells(each: ScannedFunction, place: str) -> tuple[str, ...]:
    """One function's row; a dash stands for what isn't known."""
    advice = each.advice
    value = each.value_per_dollar
    return (
        plain(each.function.name),
        place,
        str(each.function.memory_mb),
        "–" if each.invocation_count is None else f"{each.invocation_count:,}",
        cost_cell(each),
        verdict_cell(advice),
        saving_cell(None if advice is None else advice.saving_usd_per_month),
        "–" if value is None else figure(value, 2),
        optimizer_cell(each.optimizer),
    )


def cost_cell(each: ScannedFunction) -> str:
    """Dollars a month; `~` before what is of CloudWatch's durations."""
    if each.cost_usd_per_month is None:
        return "–"
    mark = "~" if each.cost_basis == "metrics" else ""
    return f"{mark}{_dollars(each.cost_usd_per_month)}"


def _dollars(amount_usd: float) -> str:
    """Without the sign: cents from a dollar on, else two significant digits."""
    text = numbers.usd(abs(amount_usd)).replace("$", "")
    return f"−{text}" if amount_usd < 0 else text


def verdict_cell(advice: Advice | None) -> str:
    """`resize → 512`, `sweep`, `keep`, or a dash."""
    if advice is None:
        return "–"
    return f"resize → {advice.memory_mb}" if advice.verdict == "resize" else advice.verdict


def saving_cell(saving: Interval | None) -> str:
    """`12.40 (8.10–16.00)`, `3.04 (−0.31 to 9.14)`, or a dash."""
    if saving is None:
        return "–"
    low, high = _dollars(saving.low), _dollars(saving.high)
    joined = f"{low} to {high}" if saving.low < 0 else f"{low}–{high}"
    return f"{_dollars(saving.estimate)} ({joined})"


def optimizer_cell(view: OptimizerView | None) -> str:
    """`agree`, `disagree: …`, or why it says nothing."""
    if view is None:
        return ""
    return view.agreement if view.agreement != "disagree" else f"disagree: {view.why}"


def heading(code: str) -> str:
    """What findings of a code are headed with."""
    return _HEADINGS.get(code, code.replace("_", " ").capitalize())


def grouped_findings(scan: Scan) -> list[tuple[Severity, str, list[tuple[str, str]]]]:
    """(severity, code, [(function, message)]) of the functions' own findings, warnings first."""
    found: defaultdict[tuple[Severity, str], list[tuple[str, str]]] = defaultdict(list)
    for each in scan.functions:
        for finding in each.findings:
            found[finding.severity, finding.code].append((each.function.name, finding.message))
    order = {"error": 0, "warning": 1, "info": 2}
    groups = [(severity, code, some) for (severity, code), some in found.items()]
    return sorted(groups, key=lambda each: (order[each[0]], each[1]))


def _notes(scan: Scan) -> Iterable[str]:
    """What is to be said of the scan, and of functions: the first few of each kind by name."""
    for finding in scan.findings:
        yield f"{SIGNS[finding.severity]} {finding.message}"
    for severity, code, some in grouped_findings(scan):
        most = _NAMED_WITH_WORDS if severity != "info" else _NAMED
        named = [
            plain(name) if severity == "info" else f"{plain(name)} ({message})"
            for name, message in some[:most]
        ]
        rest = [f"and {len(some) - most:,} more"] if len(some) > most else []
        yield f"{SIGNS[severity]} {heading(code)}, {len(some):,}: {', '.join((*named, *rest))}"


def to_json(scan: Scan, *, top: int | None = None) -> dict[str, Any]:
    """The promised object; what is unknown is None, never left out."""
    return {
        **headed("scan"),
        "window": {
            "from": scan.window.start and scan.window.start.isoformat(),
            "to": scan.window.end and scan.window.end.isoformat(),
        },
        "sources": list(scan.sources),
        "function_count": len(scan.functions),
        "functions": [function_json(each) for each in scan.functions[:top]],
        "total_cost_usd_per_month": scan.total_cost_usd_per_month,
        "scan_cost_usd": scan.cost and scan.cost.usd,
        "scanned_log_bytes": scan.cost and scan.cost.log_bytes,
        "prices": {"as_of": scan.prices_as_of},
        **fields_json(scan, "findings", "assumptions"),
    }


def function_json(each: ScannedFunction) -> dict[str, Any]:
    """One function of the list."""
    function = each.function
    return {
        "account": function.account or None,
        **fields_json(function, "region", "name", "architecture", "memory_mb", "timeout_s"),
        **fields_json(each, "invocation_count", "cost_usd_per_month", "cost_basis"),
        "mean_duration_ms": each.mean_ms,
        "longest_duration_ms": each.longest_ms,
        **fields_json(
            each, "cold_start_share", "max_memory_used_mb", "error_count", "timeout_count",
            "oom_count", "throttle_count",
        ),
        "advice": advice_json(each.advice),
        **fields_json(each, "value_per_dollar"),
        "compute_optimizer": _optimizer_json(each.optimizer),
        **fields_json(each, "provisioned", "findings"),
    }  # fmt: skip


def _optimizer_json(view: OptimizerView | None) -> dict[str, Any] | None:
    if view is None:
        return None
    finding = view.finding
    return {
        "finding": finding and finding.finding,
        "reason_codes": [] if finding is None else list(finding.reason_codes),
        "memory_mb": finding and finding.recommended_mb,
        "saving_usd_per_month": finding and finding.saving_usd_per_month,
        "agreement": view.agreement,
        "why": view.why,
    }


def to_csv(functions: Sequence[ScannedFunction]) -> str:
    """A line for each function, a column for each figure; an empty cell is not known."""
    return csv_table(
        _CSV,
        (
            {
                **function_json(each),
                "runtime": each.function.runtime,
                "findings": " ".join(finding.code for finding in each.findings),
            }
            for each in functions
        ),
    )
