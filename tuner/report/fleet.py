"""A fleet's plan and progress: lines of a terminal, the promised JSON object, and CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted, listed
from tuner.report import numbers
from tuner.report.console import as_text, table_lines, wrapped
from tuner.report.json import csv_table, fields_json, headed
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tuner.fleet.planning import FleetEstimate
    from tuner.model.fleet import (
        FleetExclusion,
        FleetPlace,
        FleetPlan,
        FleetProgress,
        FleetStatus,
        ItemState,
    )
    from tuner.model.interval import Interval

MOST_LINES: Final = 20
_PLAN_TITLES: Final = (
    "function", "region", "MB", "could save $/month", "sweep", "at most", "events",
)  # fmt: skip
_TITLES: Final = (
    "function", "region", "state", "verdict", "saves", "saves $/month", "realized", "invocations",
    "cost", "",
)  # fmt: skip
_COLUMNS: Final = (
    "account", "region", "name", "state", "reason", "sweep", "verdict", "was_mb", "memory_mb",
    "saving_ratio=saving_ratio.estimate", "saving_ratio_low=saving_ratio.low",
    "saving_ratio_high=saving_ratio.high", "saving_usd_per_month",
    "verification", "realized_saving_ratio=realized_saving_ratio.estimate",
    "realized_saving_ratio_low=realized_saving_ratio.low",
    "realized_saving_ratio_high=realized_saving_ratio.high",
    "realized_usd_per_month=realized_usd_per_month.estimate",
    "invocation_count", "cost_usd",
)  # fmt: skip

_COUNTED: Final[tuple[ItemState, ...]] = ("done", "failed", "pending", "running", "excluded")
_UNDONE: Final[tuple[ItemState, ...]] = ("running", "failed")
_SAVED: Final = (
    "saving_ratio", "saving_usd_per_month", "verification", "realized_saving_ratio",
    "realized_usd_per_month",
)  # fmt: skip
_PLANNED: Final = (
    "sends_default_event", "isolation", "allows_side_effects", "max_cost_usd",
    "estimated_cost_usd", "value_per_dollar",
)  # fmt: skip


def render_plan(plan: FleetPlan, estimate: FleetEstimate, *, width: int, encoding: str) -> str:
    """What the fleet will do, what it leaves out and why, and what it takes."""
    places = {(each.place.account, each.place.region) for each in plan.items}
    several = len({account for account, _ in places}) > 1
    lines = [
        (
            f"{counted(f'{len(plan.items):,}', 'function')} to sweep in "
            f"{counted(len(places), 'region')}, {len(plan.excluded):,} left out"
        ),
        "",
    ]
    rows = [
        (
            plain(each.name),
            place_of(each.place) if several else each.place.region,
            "" if each.memory_mb is None else str(each.memory_mb),
            dollars(each.saving_usd_per_month),
            "" if each.estimated_cost_usd is None else numbers.usd(each.estimated_cost_usd),
            numbers.usd(each.max_cost_usd),
            plain(", ".join(map(_event_name, each.payloads)))
            + (" (default event)" if each.sends_default_event else ""),
        )
        for each in plan.items[:MOST_LINES]
    ]
    if rows:
        lines += table_lines([_PLAN_TITLES, *rows], "<<>>>><", indent=0)
    if len(plan.items) > MOST_LINES:
        lines.append(f"and {len(plan.items) - MOST_LINES:,} more: see plan.json")
    lines += ["", *_left_out(plan.excluded, width)]
    for each in plan.unreached:
        lines += wrapped(f"! can't be reached, {plain(each)}", width, indent="  ")
    known = f"about {numbers.usd(estimate.cost_usd)}, " if estimate.cost_usd else ""
    lines += wrapped(
        f"Takes {known}at most {numbers.usd(estimate.max_cost_usd)} of the budget of "
        f"{numbers.usd(plan.budget_usd)}; about {estimate.invocation_count:,} invocations, "
        f"{estimate.control_call_count:,} control calls at most and "
        f"{numbers.wall_time(estimate.hours * 3600)}. Nothing was changed.",
        width,
    )
    return as_text(lines, encoding)


def _event_name(spec: str) -> str:
    """A payload without what is in it: the last part of a path, or that it's inline."""
    return "inline JSON" if spec.lstrip()[:1] in {"{", "[", '"'} else spec.rpartition("/")[2]


def _left_out(excluded: Iterable[FleetExclusion], width: int) -> Iterator[str]:
    """The reasons, each with the functions that it holds for."""
    reasons: dict[str, list[str]] = {}
    for each in excluded:
        reasons.setdefault(each.reason, []).append(plain(each.name))
    for reason, names in sorted(reasons.items(), key=lambda each: -len(each[1])):
        yield from wrapped(f"· {listed(names)}: {reason}", width, indent="  ")
    if reasons:
        yield ""


def render_status(status: FleetStatus, *, width: int, encoding: str, top: int | None = None) -> str:
    """How far it has come; first what runs and what needs somebody, then what saves the most."""
    lines = [headline(status), ""]
    shown = ranked(status)[: MOST_LINES if top is None else top]
    several = len({each.item.place.account for each in status.items}) > 1
    rows = [_cells(each, several=several) for each in shown]
    if rows:
        lines += _table([_TITLES, *rows], is_verified=bool(verified(status)))
    if len(shown) < len(status.items):
        lines.append(f"and {len(status.items) - len(shown):,} more")
    lines.append("")
    states: tuple[tuple[ItemState, str], ...] = (("failed", "!"), ("done", "·"))
    for state, mark in states:
        for reason, alike in _by_reason(status, state).items():
            names = listed([plain(each.item.name) for each in alike])
            lines += wrapped(f"{mark} {names}: {reason}", width, indent="  ")
    for reason, waiting in _by_reason(status, "pending").items():
        lines += wrapped(
            f"! {place_of(waiting[0].item.place)}: {counted(len(waiting), 'function')} "
            f"{'waits' if len(waiting) == 1 else 'wait'}: {reason}",
            width,
            indent="  ",
        )
    if status.lease_count and status.state != "running":
        lines += wrapped(
            f"!! {counted(status.lease_count, 'function')} may be left changed: run the fleet "
            "again, or tuner recover",
            width,
        )
    while not lines[-1]:
        lines.pop()
    return as_text(lines, encoding)


def place_of(place: FleetPlace) -> str:
    """`eu-west-1`, or `111122223333 eu-west-1`."""
    return " ".join(filter(None, (place.account, place.region)))


def _by_reason(status: FleetStatus, state: ItemState) -> dict[str, list[FleetProgress]]:
    """Functions of a state, by why: pending ones have a reason if their account fails, and those
    that are done if their answer is inconclusive.
    """
    found: dict[str, list[FleetProgress]] = {}
    for each in status.items:
        if each.state == state and each.reason:
            found.setdefault(each.reason, []).append(each)
    return found


def _table(rows: list[tuple[str, ...]], *, is_verified: bool) -> list[str]:
    """The rows; without the column of what was realized where nobody has verified any."""
    if is_verified:
        return table_lines(rows, "<<<<>>>>><", indent=0)
    at = _TITLES.index("realized")
    return table_lines([(*row[:at], *row[at + 1 :]) for row in rows], "<<<<>>>><", indent=0)


def verified(status: FleetStatus) -> list[FleetProgress]:
    """Functions whose resize `tuner verify` has looked at."""
    return [each for each in status.items if each.verification is not None]


def realized_usd(status: FleetStatus) -> float:
    """What was saved a month by all that was verified."""
    realized = [each.realized_usd_per_month for each in status.items]
    return sum(each.estimate for each in realized if each is not None)


def headline(status: FleetStatus) -> str:
    """State, counts, money and what is expected to be saved."""
    done, total = status.count("done"), len(status.items)
    parts = [f"{status.state}: {done:,} of {counted(f'{total:,}', 'function')} done"]
    parts += [f"{count:,} {state}" for state in _UNDONE if (count := status.count(state))]
    parts.append(
        f"{numbers.usd(status.cost_usd)} of {numbers.usd(status.plan.budget_usd)} spent in "
        f"{status.invocation_count:,} invocations"
    )
    saving = sum(each.saving_usd_per_month or 0.0 for each in status.items)
    if saving:
        parts.append(f"saves about {numbers.rough_usd(saving)} a month")
    if count := len(verified(status)):
        parts.append(f"{count:,} verified: {numbers.rough_usd(realized_usd(status))} a month")
    if status.seconds_left is not None:
        parts.append(f"about {numbers.wall_time(status.seconds_left)} left")
    return " · ".join(parts)


def ranked(status: FleetStatus) -> list[FleetProgress]:
    """What runs, then failures, then what saves the most; pending ones last, in their order."""
    order = {"running": 0, "failed": 1, "done": 2, "excluded": 3, "pending": 4}

    def key(each: FleetProgress) -> tuple[float, ...]:
        saving = each.saving_ratio.estimate if each.saving_ratio else 0.0
        return (order[each.state], -(each.saving_usd_per_month or 0.0), -saving)

    return sorted(status.items, key=key)


def _cells(each: FleetProgress, *, several: bool) -> tuple[str, ...]:
    return (
        plain(each.item.name),
        place_of(each.item.place) if several else each.item.place.region,
        each.state,
        verdict_of(each),
        "" if each.saving_ratio is None else saving_cell(each.saving_ratio),
        dollars(each.saving_usd_per_month),
        "" if each.realized_saving_ratio is None else saving_cell(each.realized_saving_ratio),
        f"{each.invocation_count:,}" if each.invocation_count else "",
        numbers.usd(each.cost_usd) if each.cost_usd else "",
        plain(each.reason or "") if each.state == "excluded" else "",
    )


def dollars(amount_usd: float | None) -> str:
    """Without the sign, `0.0041`; empty if it isn't known."""
    return "" if amount_usd is None else numbers.usd(amount_usd).replace("$", "")


def saving_cell(ratio: Interval) -> str:
    """`40% (37–42%)`, or `−2% (−5 to 1%)`."""
    low, high = numbers.percent(ratio.low), numbers.percent(ratio.high)
    apart = " to " if ratio.low < 0 else "–"
    return f"{numbers.percent(ratio.estimate)} ({low.rstrip('%')}{apart}{high})"


def verdict_of(each: FleetProgress) -> str:
    """`3008 → 1792`, or the verdict's word."""
    if each.verdict == "resize" and each.from_mb is not None:
        return f"{each.from_mb} → {each.memory_mb}"
    return each.verdict or ""


def status_json(status: FleetStatus) -> dict[str, Any]:
    """The promised object; `functions` has those that were left out too."""
    return {
        **headed("fleet"),
        "state": status.state,
        "function_count": len(status.items) + len(status.plan.excluded),
        **{f"{state}_count": status.count(state) for state in _COUNTED},
        **fields_json(status, "lease_count", "invocation_count", "cost_usd"),
        "budget_usd": status.plan.budget_usd,
        "eta": status.eta,
        "estimate": None,
        **fields_json(status.plan, "unreached"),
        "functions": [
            *(_function_json(each) for each in status.items),
            *(_excluded_json(each) for each in status.plan.excluded),
        ],
    }


def plan_json(status: FleetStatus, estimate: FleetEstimate) -> dict[str, Any]:
    """The same of a plan, with what all its sweeps take."""
    return status_json(status) | {
        "estimate": fields_json(
            estimate, "invocation_count", "cost_usd", "max_cost_usd", "control_call_count", "hours"
        )
    }


def _function_json(each: FleetProgress) -> dict[str, Any]:
    return {
        "account": each.item.place.account or None,
        "region": each.item.place.region,
        "name": each.item.name,
        **fields_json(each, "state", "reason"),
        "sweep": each.sweep_file if each.invocation_count else None,
        **fields_json(each, "verdict", "memory_mb"),
        "was_mb": each.from_mb,
        **fields_json(each, *_SAVED, "invocation_count", "cost_usd"),
        "events": [_event_name(spec) for spec in each.item.payloads],
        **fields_json(each.item, *_PLANNED),
    }


def _excluded_json(each: FleetExclusion) -> dict[str, Any]:
    return {
        "account": each.account or None,
        **fields_json(each, "region", "name"),
        "state": "excluded",
        "reason": each.reason,
        **dict.fromkeys(("sweep", "verdict", "memory_mb", "was_mb", *_SAVED)),
        "invocation_count": 0,
        "cost_usd": 0.0,
        "events": [],
        **dict.fromkeys(_PLANNED),
    }


def to_csv(status: FleetStatus) -> str:
    """A line for each function, those first that save the most."""
    excluded = (_excluded_json(each) for each in status.plan.excluded)
    return csv_table(_COLUMNS, (*(_function_json(each) for each in ranked(status)), *excluded))
