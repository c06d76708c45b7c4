"""What a watch found, as text and as the promised JSON object."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.console import SIGNS, as_text, paragraphs, remark
from tuner.report.json import fields_json, headed, iso
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from datetime import datetime

    from tuner.model.watch import Watch, WatchedFunction, WatchFinding

_INDENT: Final = "   "


def to_json(found: Watch) -> dict[str, Any]:
    """Return the contract's object: times are UTC, `until` is null while it goes on."""
    return {
        **headed("watch"),
        "window": {"from": iso(found.window.start), "to": iso(found.window.end)},
        "functions": [_function_json(each) for each in found.functions],
        "findings": [_finding_json(each) for each in found.findings],
    }


def _function_json(function: WatchedFunction) -> dict[str, Any]:
    names = (
        "name", "region", "architecture", "memory_mb", "history_days", "invocation_count",
        "cost_usd", "usd_per_hour", "prices_as_of", "not_judged", "notes",
    )  # fmt: skip
    return fields_json(function, *names)


def _finding_json(found: WatchFinding) -> dict[str, Any]:
    return {
        **fields_json(found.finding, "code", "severity"),
        "function": found.function,
        "since": iso(found.since),
        "until": iso(found.until),
        "message": found.finding.message,
        "evidence": dict(found.evidence),
        **fields_json(found, "usd_per_hour", "action"),
    }


def render(found: Watch, *, width: int, encoding: str = "utf-8") -> str:
    """Each finding with its evidence, price and remedy, and what couldn't be judged."""
    lines = [line for each in found.functions for line in _function_lines(each, width)]
    for each in found.findings:
        lines += ["", *_finding_lines(each, width)]
    if not found.findings:
        lines += ["", "Nothing unusual."]
    return as_text(lines, encoding)


def _function_lines(function: WatchedFunction, width: int) -> list[str]:
    head = (
        f"{plain(function.name)} · {function.region} · {function.memory_mb} MB · "
        f"{counted(f'{function.invocation_count:,}', 'invocation')} in "
        f"{_told(function)}{_until(function.end)} · "
        f"{numbers.usd(function.usd_per_hour)} an hour now"
    )
    said = [head, *(f"· Not judged: {plain(each)}" for each in function.not_judged)]
    return paragraphs([*said, *map(remark, function.notes)], width, indent="  ")


def _until(end: datetime | None) -> str:
    """When now is: logs may be of last week."""
    return "" if end is None else f" to {end:%Y-%m-%d %H:%M} UTC"


def _told(function: WatchedFunction) -> str:
    """How long the time is that is told of, and of how much history if that's longer."""
    if function.start is None or function.end is None:
        return _lasting(function.history_days)
    days = (function.end - function.start) / timedelta(days=1)
    whole = f" of {_lasting(function.history_days)}" if days < function.history_days else ""
    return f"{_lasting(days)}{whole}"


def _lasting(days: float) -> str:
    return f"{days:.1f} days" if days >= 2 else f"{days * 24:.1f} hours"


def _finding_lines(found: WatchFinding, width: int) -> list[str]:
    sign = SIGNS[found.finding.severity]
    price = f"{numbers.usd(found.usd_per_hour)} an hour now"
    until = "and goes on" if found.until is None else f"until {_moment(found.until)}"
    head = (
        f"{sign} {found.finding.code} · {plain(found.function)} · since {_moment(found.since)} "
        f"{until} · {price}"
    )
    texts = (
        head,
        f"{_INDENT}{plain(found.finding.message)}.",
        f"{_INDENT}To do: {plain(found.action)}.",
    )
    return paragraphs(texts, width, indent=_INDENT)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
