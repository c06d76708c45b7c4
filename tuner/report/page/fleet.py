"""The page of a fleet: every function that was swept, those first that save the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.report import numbers
from tuner.report.fleet import headline, ranked, saving_cell, verdict_of
from tuner.report.page.shell import fill
from tuner.report.page.tables import tile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.fleet import FleetExclusion, FleetProgress, FleetStatus

_HEAD: Final = (
    "function", "account", "region", "state", "verdict", "saves (90%)", "saves $ a month",
    "invocations", "cost $", "remarks",
)  # fmt: skip
_ACCOUNT: Final = _HEAD.index("account") - 1
"""Among a row's cells, which come after its name."""
_UNKNOWN: Final = ("–", -1e18)
"""What isn't known sorts below everything."""


def render_fleet(status: FleetStatus, *, version: str) -> str:
    """The page, UTF-8. What an account named is inert in it."""
    rows = [
        *(_row(each) for each in ranked(status)),
        *(_left_out(each) for each in status.plan.excluded),
    ]
    head = list(_HEAD)
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
    yield tile("resizes", f"{resizes:,} of {status.count('done'):,}", note="of what was swept")
    yield tile("spent", numbers.usd(status.cost_usd), note=f"of {budget}")
    yield tile("failed, left out", f"{failed:,}, {left_out:,}", note="with their reasons below")


def _row(each: FleetProgress) -> dict[str, Any]:
    """Cells with what they sort by: a number where the cell is one, else None for its text."""
    saving = each.saving_ratio
    return _cells(
        each.item.name,
        each.item.place.account,
        each.item.place.region,
        each.state,
        (verdict_of(each) or "–", None),
        _UNKNOWN if saving is None else (saving_cell(saving), float(f"{saving.estimate:.6g}")),
        _number(each.saving_usd_per_month, "{:,.2f}"),
        _number(each.invocation_count or None, "{:,}"),
        _number(each.cost_usd or None, "{:.2g}"),
        (each.reason or "", None),
    )


def _number(value: float | None, form: str) -> tuple[str, float]:
    return (
        _UNKNOWN if value is None else (form.format(value).replace("-", "−"), float(f"{value:.6g}"))
    )


def _left_out(each: FleetExclusion) -> dict[str, Any]:
    known = (each.name, each.account, each.region, "excluded", ("–", None))
    return _cells(*known, *[_UNKNOWN] * 4, (each.reason, None))


def _cells(
    name: str, account: str, region: str, state: str, *cells: tuple[str, float | None]
) -> dict[str, Any]:
    return {
        "name": name,
        "verdict": state,
        "cells": [(account or "–", None), (region, None), (state, None), *cells],
    }
