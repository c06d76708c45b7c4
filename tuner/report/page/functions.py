"""The pages of a scan and of a fleet: a table of functions that sorts and searches by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, listed
from tuner.report import fleet, numbers, scan
from tuner.report.page.shell import fill
from tuner.report.page.tables import tile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tuner.model.finding import Finding
    from tuner.model.fleet import FleetExclusion, FleetProgress, FleetStatus
    from tuner.model.interval import Interval
    from tuner.model.scan import Scan, ScannedFunction

    Cell = tuple[str, float | None]
    """A text with what it sorts by: a number where it is one, else None for the text."""

_SCAN_HEAD: Final = (
    "function", "region", "MB", "invocations", "$ a month", "advice", "saves $ a month (90%)",
    "saved per $ of a sweep", "Compute Optimizer", "remarks",
)  # fmt: skip
_FLEET_HEAD: Final = (
    "function", "account", "region", "state", "verdict", "saves (90%)", "saves $ a month",
    "realized", "invocations", "cost $", "remarks",
)  # fmt: skip
_UNKNOWN: Final = ("–", -1e18)
"""What isn't known sorts below everything."""
_LISTED: Final = 10


def render_scan(found: Scan, *, top: int | None = None) -> str:
    """The page, UTF-8, with the first rows or all. What an account named is inert in it."""
    place = scan.place_of(found)
    return _filled(
        _SCAN_HEAD,
        [_scanned(each, place(each)) for each in found.functions[:top]],
        without=() if any(each.optimizer for each in found.functions) else {"Compute Optimizer"},
        title="Scan of an account",
        headline=scan.headline(found),
        tiles=[*_scan_tiles(found)],
        verdicts=sorted({each.advice.verdict for each in found.functions if each.advice}),
        findings=[*found.findings, *_grouped(found)],
        filter_by="Advice",
        caption="Every function, those first that would save the most.",
        made_from=f" from {'; '.join(found.sources)}",
        footnote=f"{scan.cost_line(found)} Assumes {'; '.join(found.assumptions)}. Intervals are "
        "90%. A cost with ~ is of CloudWatch’s durations, which have neither INIT nor rounding in "
        "them.",
    )


def render_fleet(status: FleetStatus) -> str:
    """The page, UTF-8. What an account named is inert in it."""
    rows = [
        *(_swept(each) for each in fleet.ranked(status)),
        *(_left_out(each) for each in status.plan.excluded),
    ]
    without = set() if fleet.verified(status) else {"realized"}
    if len({row["cells"][0] for row in rows}) < 2:
        without.add("account")
    return _filled(
        _FLEET_HEAD,
        rows,
        without=without,
        title="Fleet",
        headline=fleet.headline(status),
        tiles=[*_fleet_tiles(status)],
        verdicts=sorted({row["verdict"] for row in rows}),
        findings=(),
        filter_by="State",
        caption="Every function of the fleet, those first that save the most.",
        made_from="",
        footnote=f"Planned {status.plan.created_at[:16].replace('T', ' ')} UTC, goal "
        f"{status.plan.goal}. Savings a month are at the rate that the scan saw.",
    )


def _filled(
    head: Sequence[str], rows: Sequence[dict[str, Any]], *, without: Collection[str], **words: Any
) -> str:
    """The page without the columns of these titles; the first is a row's name, not a cell."""
    kept = [title not in without for title in head]
    return fill(
        "functions.html.j2",
        ("functions.js",),
        head=list(compress(head, kept)),
        rows=[{**row, "cells": list(compress(row["cells"], kept[1:]))} for row in rows],
        **words,
    )


def _scan_tiles(found: Scan) -> Iterator[dict[str, str]]:
    """What the account costs, what may be saved, and what idles."""
    total = found.total_cost_usd_per_month
    cost = "–" if total is None else f"{numbers.usd(total)} a month"
    saving = f"{numbers.usd(found.saving_usd_per_month)} a month"
    idle = f"{numbers.usd(found.idle_provisioned_usd_per_month)} a month"
    unused = counted(f"{found.not_invoked_count:,}", "function")
    yield tile("cost", cost, note="at list price")
    yield tile("may be saved", saving, note="by resizes and sweeps, expected")
    yield tile("not invoked", unused, note="in the whole window")
    yield tile("idle provisioned", idle, note="environments kept ready")


def _scanned(each: ScannedFunction, place: str) -> dict[str, Any]:
    name, region, size, count, cost, verdict, saving, value, _ = scan.row_cells(each, place)
    advice = each.advice
    amount = None if advice is None else advice.saving_usd_per_month
    remarks = "; ".join(finding.message for finding in each.findings)
    if advice is not None and advice.verdict != "keep":
        remarks = "; ".join(filter(None, (advice.reason, remarks)))
    cells: list[Cell] = [
        (region, None),
        (size, each.function.memory_mb),
        (count, _known(each.invocation_count)),
        (cost, _known(each.cost_usd_per_month)),
        (verdict, None),
        (saving, _known(None if amount is None else amount.estimate)),
        (value, _known(each.value_per_dollar)),
        (scan.optimizer_cell(each.optimizer), None),
        (remarks, None),
    ]
    return {"name": name, "verdict": "" if advice is None else advice.verdict, "cells": cells}


def _known(value: float | None) -> float:
    return _UNKNOWN[1] if value is None else float(f"{value:.6g}")


def _grouped(found: Scan) -> Iterator[Finding]:
    """The functions' own findings, one of each kind."""
    seen = {(each.severity, each.code): each for some in found.functions for each in some.findings}
    for severity, code, some in scan.grouped_findings(found):
        names = [name for name, _ in some]
        message = f"{scan.heading(code)}, {len(some):,}: {listed(names, _LISTED)}"
        yield replace(seen[severity, code], message=message)


def _fleet_tiles(status: FleetStatus) -> Iterator[dict[str, str]]:
    saving = sum(each.saving_usd_per_month or 0.0 for each in status.items)
    resizes = sum(each.verdict == "resize" for each in status.items)
    failed, left_out = status.count("failed"), status.count("excluded")
    saved = f"{numbers.usd(saving)} a month" if saving else "–"
    budget = numbers.usd(status.plan.budget_usd)
    yield tile("saves", saved, note="expected, where known")
    if count := len(fleet.verified(status)):
        realized = numbers.usd(fleet.realized_usd(status))
        yield tile("realized", f"{realized} a month", note=f"of {count:,} that were verified")
    yield tile("resizes", f"{resizes:,} of {status.count('done'):,}", note="of what was swept")
    yield tile("spent", numbers.usd(status.cost_usd), note=f"of {budget}")
    yield tile("failed, left out", f"{failed:,}, {left_out:,}", note="with their reasons below")


def _swept(each: FleetProgress) -> dict[str, Any]:
    return _item(
        each.item.name,
        each.item.place.account,
        each.item.place.region,
        each.state,
        (fleet.verdict_of(each) or "–", None),
        _saving(each.saving_ratio),
        (fleet.dollars(each.saving_usd_per_month) or "–", _known(each.saving_usd_per_month)),
        _saving(each.realized_saving_ratio),
        _number(each.invocation_count or None, "{:,}"),
        (numbers.usd(each.cost_usd).replace("$", ""), each.cost_usd) if each.cost_usd else _UNKNOWN,
        (each.reason or "", None),
    )


def _left_out(each: FleetExclusion) -> dict[str, Any]:
    known = (each.name, each.account, each.region, "excluded", ("–", None))
    return _item(*known, *[_UNKNOWN] * 5, (each.reason, None))


def _item(name: str, account: str, region: str, state: str, *cells: Cell) -> dict[str, Any]:
    place: list[Cell] = [(account or "–", None), (region, None), (state, None)]
    return {"name": name, "verdict": state, "cells": [*place, *cells]}


def _saving(ratio: Interval | None) -> Cell:
    return _UNKNOWN if ratio is None else (fleet.saving_cell(ratio), _known(ratio.estimate))


def _number(value: float | None, form: str) -> Cell:
    return _UNKNOWN if value is None else (form.format(value).replace("-", "−"), _known(value))
