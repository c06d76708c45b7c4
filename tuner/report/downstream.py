"""What is behind a function under load: limits and demand, and what was seen, as rows and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.load.resource_findings import SERVICES
from tuner.load.saturation import figure
from tuner.report import numbers
from tuner.report.json import fields_json
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.load.saturation import Saturation
    from tuner.load.watch import Seen, State

LIMITS_HEAD: Final = ("behind it", "a second", "limit", "asked", "an invocation", "gives way at")
SEEN_HEAD: Final = ("during the load", "seen", "began", "most", "at its end")
_STATES: Final[dict[State, tuple[str, str]]] = {
    "throttled": ("requests refused", ""),
    "waiting": ("messages waiting", ""),
    "oldest_s": ("oldest message", " s"),
    "iterator_age_s": ("iterator age", " s"),
}
_UNKNOWN: Final = "?"


def downstream_json(found: Sequence[Saturation]) -> list[dict[str, Any]]:
    """The contract's rows; `unit` says what is counted."""
    return [
        {
            **fields_json(each.limit, "service", "resource", "unit"),
            "limit_per_s": each.limit.per_s,
            **fields_json(each, "demand_per_s", "limited_at_rate_per_s"),
        }
        for each in found
    ]


def limit_rows(found: Sequence[Saturation]) -> Iterator[tuple[str, ...]]:
    """A limit's cells, under `LIMITS_HEAD`."""
    for each in found:
        at = each.limited_at_rate_per_s
        yield (
            f"{plain(each.limit.resource)} ({SERVICES[each.limit.service]})",
            each.limit.unit,
            _amount(each.limit.per_s),
            _amount(each.demand_per_s),
            _amount(None if each.demand is None else each.demand.per_invocation),
            _UNKNOWN if at is None else numbers.rate(at),
        )


def seen_rows(seen: Sequence[Seen]) -> Iterator[tuple[str, ...]]:
    """A state's cells, under `SEEN_HEAD`; what was never above 0 is left out."""
    every = dict.fromkeys(key for each in seen for key in each.look.states)
    for key in every:
        values = [each.look.states[key] for each in seen if key in each.look.states]
        service, name, state = key
        words, unit = _STATES[state]
        if max(values) > 0:
            cells = (values[0], max(values), values[-1])
            yield (
                f"{plain(name)} ({SERVICES[service]})",
                words,
                *(f"{value:,.0f}{unit}" for value in cells),
            )


def _amount(value: float | None) -> str:
    return _UNKNOWN if value is None else figure(value)
