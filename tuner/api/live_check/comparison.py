"""Two live checks side by side: an account's and the local Lambda's, most of all."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.model.live_check import CheckComparison, Difference, rule_of
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.live_check import Assumption, LiveCheck

_NEAR_RATIO: Final = 0.1
_ABSENT: Final = "—"
_MEASURED: Final = re.compile(r"[0-9]+(?:\.[0-9]+)? (ms|MB)\b")
_MEASURED_FIELDS: Final = ("DurationMs", "durationMs", "maxMemoryUsedMB")
"""Fields of JSON logs with what was measured."""
_OWN: Final = ("CodeSize",)
"""Fields of a reply that are the package's."""
_MOST_SHOWN: Final = 60


def compare(first: LiveCheck, second: LiveCheck) -> CheckComparison:
    """What both saw of each assumption, every figure, and every field of the replies."""
    rows = [*_assumptions(first, second), *_figures(first, second), *_replies(first, second)]
    return CheckComparison(first, second, tuple(rows))


def _assumptions(first: LiveCheck, second: LiveCheck) -> Iterator[Difference]:
    one = {each.topic: each for each in first.assumptions}
    other = {each.topic: each for each in second.assumptions}
    for topic in dict.fromkeys((*one, *other)):
        a, b = one.get(topic), other.get(topic)
        state: Literal["same", "differs", "only in one"] = "only in one"
        if a and b and "not seen" not in (a.state, b.state):
            state = "same" if a.state == b.state else "differs"
        elif a and b and a.state == b.state:
            state = "same"
        yield Difference(topic, _told(a), _told(b), state)


def _told(assumption: Assumption | None) -> str:
    if assumption is None:
        return _ABSENT
    return assumption.seen if assumption.state != "not seen" else "not seen"


def _figures(first: LiveCheck, second: LiveCheck) -> Iterator[Difference]:
    one = {each.name: each.value for each in first.figures}
    other = {each.name: each.value for each in second.figures}
    for name in dict.fromkeys((*one, *other)):
        a, b = one.get(name), other.get(name)
        yield Difference(name, _shown(a), _shown(b), _state(name, a, b))


def _state(name: str, a: Any, b: Any) -> Literal["same", "differs", "shown", "only in one"]:
    if a is None or b is None:
        return "only in one"
    rule = rule_of(name)
    if rule == "shown":
        return "shown"
    if rule == "near" and isinstance(a, float) and isinstance(b, float):
        return "same" if abs(a - b) <= _NEAR_RATIO * max(abs(a), abs(b)) else "differs"
    return "same" if a == b else "differs"


def _replies(first: LiveCheck, second: LiveCheck) -> Iterator[Difference]:
    one, other = _fields(first), _fields(second)
    for path in dict.fromkeys((*one, *other)):
        a, b = one.get(path), other.get(path)
        state: Literal["same", "differs", "shown", "only in one"] = "only in one"
        if path in one and path in other:
            state = "same" if a == b else "differs"
            if path.endswith(_OWN) and a != b:
                state = "shown"
        yield Difference(path, _shown(a), _shown(b), state)


def _fields(check: LiveCheck) -> dict[str, Any]:
    """Every field of every reply; what was measured, and the place's own names, are left out."""
    found: dict[str, Any] = {}
    for reply in check.replies:
        body = reply.body.replace(check.region, "REGION").replace(check.runtime, "RUNTIME")
        found |= dict(_walk(reply.name, json.loads(_MEASURED.sub(r"N \1", body))))
    return found


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, each in value.items():
            below = f"{path}.{name}" if ": " in path else f"{path}: {name}"
            yield from _walk(below, "N" if name.endswith(_MEASURED_FIELDS) else each)
    elif isinstance(value, str) and "\n" in value:
        for number, line in enumerate(map(_line, value.splitlines()), start=1):
            # A record has a name of its own, and may be one line further on elsewhere.
            kind = line.get("type") if isinstance(line, dict) else None
            yield from _walk(f"{path}, {kind or f'line {number}'}", line)
    else:
        yield path, value


def _line(line: str) -> Any:
    """A line of a log: an object, if it's JSON."""
    found = read_object(line)
    return line.rstrip() if found is None else found


def _shown(value: object) -> str:
    if value is None:
        return _ABSENT
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
