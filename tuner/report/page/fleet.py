"""The page of a fleet: every function that was swept, those first that save the most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.report import numbers
from tuner.report.fleet import headline, ranked
from tuner.report.page.shell import fill
from tuner.report.page.tables import tile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.fleet import FleetExclusion, FleetProgress, FleetStatus

_HEAD: Final = (
    "function", "account", "region", "state", "verdict", "MB now", "MB best", "saves (90%)",
    "saves $ a month", "invocations", "cost of the sweep, $", "remarks",
)  # fmt: skip


def render_fleet(status: FleetStatus, *, version: str) -> str:
    """The page, UTF-8. What an account named is inert in it."""
    rows = [
        *(_row(each) for each in ranked(status)),
        *(_left_out(each) for each in status.plan.excluded),
    ]
    return fill(
        "functions.html.j2",
        ("functions.js",),
        {},
        version=version,
        title="Fleet",
        headline=headline(status),
        tiles=[*_tiles(status)],
        head=_HEAD,
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
    saving, money = each.saving_ratio, each.saving_usd_per_month
    return _cells(
        each.item.name,
        each.item.place.account,
        each.item.place.region,
        each.state,
        (each.verdict or "–", None),
        _number(each.item.memory_mb, str),
        _number(each.memory_mb, str),
        ("–", _UNKNOWN)
        if saving is None
        else (f"{numbers.saving(saving)}", float(f"{saving.estimate:.6g}")),
        _number(money, lambda amount: f"{amount:,.2f}"),
        _number(each.invocation_count or None, lambda count: f"{count:,}"),
        _number(each.cost_usd or None, lambda amount: f"{amount:.2g}"),
        (each.reason or "", None),
    )


_UNKNOWN: Final = -1e18
"""What isn't known sorts below everything."""


def _number(value: float | None, write: Any) -> tuple[str, float]:
    return ("–", _UNKNOWN) if value is None else (write(value), float(f"{value:.6g}"))


def _left_out(each: FleetExclusion) -> dict[str, Any]:
    unknown = ("–", _UNKNOWN)
    return _cells(
        each.name, each.account, each.region, "excluded", ("–", None),
        *[unknown] * 6, (each.reason, None),
    )  # fmt: skip


def _cells(
    name: str, account: str, region: str, state: str, *cells: tuple[str, float | None]
) -> dict[str, Any]:
    return {
        "name": name,
        "verdict": state,
        "cells": [(account or "–", None), (region, None), (state, None), *cells],
    }
