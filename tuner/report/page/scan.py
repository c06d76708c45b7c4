"""The page of a scan: a table of every function that sorts and searches by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, listed
from tuner.report import numbers
from tuner.report.page.shell import fill
from tuner.report.page.tables import findings, tile
from tuner.report.scan import (
    KINDS,
    cost_line,
    grouped_findings,
    headline,
    optimizer_cell,
    place_of,
    row_cells,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.finding import Finding
    from tuner.model.scan import Scan, ScannedFunction

_HEAD: Final = (
    "function", "region", "MB", "invocations", "$ a month", "advice", "saves $ a month (90%)",
    "saved per $ of a sweep", "Compute Optimizer", "remarks",
)  # fmt: skip
_OPTIMIZER: Final = _HEAD.index("Compute Optimizer") - 1
"""Among a row's cells, which come after its name."""
_LISTED: Final = 10


def render_scan(scan: Scan, *, version: str, top: int | None = None) -> str:
    """The page, UTF-8, with the first rows or all. What an account named is inert in it."""
    place = place_of(scan)
    rows = [_row(each, place(each)) for each in scan.functions[:top]]
    head = list(_HEAD)
    if not any(each.optimizer for each in scan.functions):
        for row in rows:
            del row["cells"][_OPTIMIZER]
        del head[1 + _OPTIMIZER]
    return fill(
        "functions.html.j2",
        ("functions.js",),
        {},
        version=version,
        title="Scan of an account",
        headline=headline(scan),
        tiles=[*_tiles(scan)],
        head=head,
        rows=rows,
        verdicts=sorted({each.advice.verdict for each in scan.functions if each.advice}),
        findings=findings([*scan.findings, *_grouped(scan)]),
        search_for="name, region, remark",
        filter_by="Advice",
        caption="Every function, those first that would save the most.",
        made_from=f" from {'; '.join(scan.sources)}",
        footnote=f"{cost_line(scan)} Assumes {'; '.join(scan.assumptions)}. Intervals are 90%. "
        "A cost with ~ is of CloudWatch’s durations, which have neither INIT nor rounding in them.",
    )


def _tiles(scan: Scan) -> Iterator[dict[str, str]]:
    """What the account costs, what may be saved, and what idles."""
    total = scan.total_cost_usd_per_month
    cost = "–" if total is None else f"{numbers.usd(total)} a month"
    saving = f"{numbers.usd(scan.saving_usd_per_month)} a month"
    idle = f"{numbers.usd(scan.idle_provisioned_usd_per_month)} a month"
    unused = counted(f"{scan.not_invoked_count:,}", "function")
    yield tile("cost", cost, note="at list price")
    yield tile("may be saved", saving, note="by resizes and sweeps, expected")
    yield tile("not invoked", unused, note="in the whole window")
    yield tile("idle provisioned", idle, note="environments kept ready")


def _row(each: ScannedFunction, place: str) -> dict[str, Any]:
    """Cells with what they sort by: a number where the cell is one, else None for its text."""
    name, region, size, count, cost, verdict, saving, value, _ = row_cells(each, place)
    advice = each.advice
    amount = None if advice is None else advice.saving_usd_per_month
    remarks = "; ".join(finding.message for finding in each.findings)
    if advice is not None and advice.verdict != "keep":
        remarks = "; ".join(filter(None, (advice.reason, remarks)))
    return {
        "name": name,
        "verdict": "" if advice is None else advice.verdict,
        "cells": [
            (region, None),
            (size, each.function.memory_mb),
            (count, _known(each.invocation_count)),
            (cost, _known(each.cost_usd_per_month)),
            (verdict, None),
            (saving, _known(None if amount is None else amount.estimate)),
            (value, _known(each.value_per_dollar)),
            (optimizer_cell(each.optimizer), None),
            (remarks, None),
        ],
    }


def _known(value: float | None) -> float:
    """What isn't known sorts below everything."""
    return -1e18 if value is None else float(f"{value:.6g}")


def _grouped(scan: Scan) -> Iterator[Finding]:
    """The functions' own findings, one of each kind."""
    seen = {(each.severity, each.code): each for some in scan.functions for each in some.findings}
    for severity, code, some in grouped_findings(scan):
        names = [name for name, _ in some]
        message = f"{KINDS[code]}, {len(some):,}: {listed(names, _LISTED)}"
        yield replace(seen[severity, code], message=message)
