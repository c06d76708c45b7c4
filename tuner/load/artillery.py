"""Phases of an Artillery script: `config.phases`; what else it holds is named, not taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import InputError
from tuner.load.phases import Phase, checked

if TYPE_CHECKING:
    from pathlib import Path

_TAKEN: Final = frozenset(
    ("duration", "pause", "arrivalRate", "arrivalCount", "rampTo", "maxVusers", "name")
)
_DURATION: Final = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)\s*(?:(ms|msecs?|milliseconds?)|(s|secs?|seconds?)|(m|mins?|minutes?)"
    r"|(h|hrs?|hours?)|(d|days?))?",
    re.IGNORECASE,
)
_SECONDS: Final = (0.001, 1.0, 60.0, 3600.0, 86_400.0)
"""Of each unit; a number alone is seconds."""
_MOST_BYTES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Script:
    """The phases of a script, and the names of what else it has."""

    phases: tuple[Phase, ...]
    not_taken: tuple[str, ...]


def read_script(path: Path) -> Script:
    """Read a script (YAML or JSON). Raises InputError, naming the phase and what it lacks."""
    import yaml  # noqa: PLC0415 - only for a script

    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:  # cut off, it may be another script
            raise InputError(f"`artillery` {str(path)!r} has over 1 MB: give one of phases alone")
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except OSError as error:
        raise InputError(f"`artillery` {str(path)!r} can't be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"`artillery` {str(path)!r} isn't YAML: check its syntax") from error
    config = document.get("config") if isinstance(document, dict) else None
    given = config.get("phases") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(given, list) or not given:
        raise InputError(f"`artillery` {str(path)!r} has no phases: give them under config.phases")
    others = [name for name in document if name != "config"]
    others += [f"config.{name}" for name in config if name != "phases"]
    phases = []
    for number, each in enumerate(given, 1):
        where = f"`artillery` {str(path)!r}, phase {number}"
        if not isinstance(each, dict):
            raise InputError(f"{where}: isn't a mapping with a duration and an arrivalRate")
        others += [f"config.phases[{number}].{name}" for name in each if name not in _TAKEN]
        phases.append(_phase(each, where))
    return Script(checked(tuple(phases), "artillery"), tuple(map(str, others)))


def _phase(given: dict[str, Any], where: str) -> Phase:
    if "pause" in given:
        return Phase(_seconds(given["pause"], where, "pause"), 0.0, 0.0)
    seconds = _seconds(given.get("duration"), where, "duration")
    vusers = _number(given, "maxVusers", where)
    most = None if vusers is None else int(vusers)
    if most is not None and most < 1:
        raise InputError(f"{where}: maxVusers must be 1 or more")
    count = _number(given, "arrivalCount", where)
    if count is not None:
        if "arrivalRate" in given or "rampTo" in given:
            raise InputError(f"{where}: has both arrivalCount and a rate: give one of them")
        return Phase(seconds, count / seconds, count / seconds, most)
    rate, last = _number(given, "arrivalRate", where), _number(given, "rampTo", where)
    if rate is None and last is None:
        raise InputError(f"{where}: has neither arrivalRate, arrivalCount nor pause")
    first = rate or 0.0
    return Phase(seconds, first, first if last is None else last, most)


def _seconds(value: Any, where: str, name: str) -> float:
    match = _DURATION.fullmatch(str(value).strip())
    seconds = 0.0
    if match is not None:
        units = (
            unit_s for unit_s, named in zip(_SECONDS, match.groups()[1:], strict=True) if named
        )
        seconds = float(match[1]) * next(units, 1.0)
    if isinstance(value, bool) or seconds <= 0:
        raise InputError(
            f"{where}: its {name} isn't a time above 0, such as 60 or 5m (variables aren't "
            "filled in)"
        )
    return seconds


def _number(given: dict[str, Any], name: str, where: str) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < float("inf"):
        raise InputError(f"{where}: its {name} isn't a number from 0 (variables aren't filled in)")
    return number
