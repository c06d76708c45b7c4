"""The page of a fleet: every function that was swept, those first that save the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.report import numbers
from tuner.report.fleet import headline, ranked, realized_usd, saving_cell, verdict_of, verified
from tuner.report.page.shell import fill
from tuner.report.page.tables import tile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.fleet import FleetExclusion, FleetProgress, FleetStatus
    from tuner.model.interval import Interval

_HEAD: Final = (
    "function", "account", "region", "state", "verdict", "saves (90%)", "saves $ a month",
    "realized", "invocations", "cost $", "remarks",
)  # fmt: skip
_ACCOUNT: Final = _HEAD.index("account") - 1
"""Among a row's cells, which come after its name."""
_REALIZED: Final = _HEAD.index("realized") - 1
_UNKNOWN: Final = ("–", -1e18)
"""What isn't known sorts below everything."""


def render_fleet(status: FleetStatus, *, version: str) -> str:
    """The page, UTF-8. What an account named is inert in it."""
    rows = [
        *(_row(each) for each in ranked(status)),
        *(_left_out(each) for each in status.plan.excluded),
    ]
    head = list(_HEAD)
    if not verified(status):
        for row in rows:
            del row["cells"][_REALIZED]
        del head[1 + _REALIZED]
    if len({row["cells"][_ACCOUNT] for row in rows}) < 2:
        for row in rows:
            del row["cells"][_ACCOUNT]
        del head[1 + _ACCOUNT]
    return fill(
        "functions.html.j2",
        ("functions.js",),
        {},
        version=version,
        title="Fleet",
        headline=headline(status),
        tiles=[*_tiles(status)],
        head=head,
        rows=rows,
        verdicts=sorted({row["verdict"] for row in rows}),
        findings=(),
        search_for="name, region, remark",
        filter_by="State",
        caption="Every function of the fleet, those first that save the most.",
        made_from="",
        footnote=f"Planned {status.plan.created_at[:16].replace('T', ' ')} UTC, goal "
        f"{status.plan.goal}. Savings a month are at the rate that the scan saw.",
    )


def _tiles(status: FleetStatus) -> Iterator[dict[str, str]]:
    saving = sum(each.saving_usd_per_month or 0.0 for each in status.items)
    resizes = sum(each.verdict == "resize" for each in status.items)
    failed, left_out = status.count("failed"), status.count("excluded")
    saved = f"{numbers.usd(saving)} a month" if saving else "–"
    budget = numbers.usd(status.plan.budget_usd)
    yield tile("saves", saved, note="expected, where known")
    if count := len(verified(status)):
        realized = numbers.usd(realized_usd(status))
        yield tile("realized", f"{realized} a month", note=f"of {count:,} that were verified")
    yield tile("resizes", f"{resizes:,} of {status.count('done'):,}", note="of what was swept")
    yield tile("spent", numbers.usd(status.cost_usd), note=f"of {budget}")
    yield tile("failed, left out", f"{failed:,}, {left_out:,}", note="with their reasons below")


def _row(each: FleetProgress) -> dict[str, Any]:
    """Cells with what they sort by: a number where the cell is one, else None for its text."""
    return _cells(
        each.item.name,
        each.item.place.account,
        each.item.place.region,
        each.state,
        (verdict_of(each) or "–", None),
        _saving(each.saving_ratio),
        _number(each.saving_usd_per_month, "{:,.2f}"),
        _saving(each.realized_saving_ratio),
        _number(each.invocation_count or None, "{:,}"),
        (numbers.usd(each.cost_usd).replace("$", ""), each.cost_usd) if each.cost_usd else _UNKNOWN,
        (each.reason or "", None),
    )


def _saving(ratio: Interval | None) -> tuple[str, float]:
    return _UNKNOWN if ratio is None else (saving_cell(ratio), float(f"{ratio.estimate:.6g}"))


def _number(value: float | None, form: str) -> tuple[str, float]:
    return (
        _UNKNOWN if value is None else (form.format(value).replace("-", "−"), float(f"{value:.6g}"))
    )


def _left_out(each: FleetExclusion) -> dict[str, Any]:
    known = (each.name, each.account, each.region, "excluded", ("–", None))
    return _cells(*known, *[_UNKNOWN] * 5, (each.reason, None))


def _cells(
    name: str, account: str, region: str, state: str, *cells: tuple[str, float | None]
) -> dict[str, Any]:
    return {
        "name": name,
        "verdict": state,
        "cells": [(account or "–", None), (region, None), (state, None), *cells],
    }
