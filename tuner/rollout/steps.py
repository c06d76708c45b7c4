"""The steps of a rollout: `10%:10m,50%:10m`, and then everything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tuner.errors import InputError

DEFAULT: Final = "10%:10m,50%:10m"
MOST_STEPS: Final = 20
_STEP: Final = re.compile(r"([0-9]{1,2}(?:\.[0-9]{1,2})?)%:([0-9]{1,6}(?:\.[0-9]{1,3})?)(s|m|h)")
_DURATION: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(s|m|h)")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S: Final = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Step:
    """A share of the alias's invocations, and how long it has it at least."""

    weight: float
    """Above 0, below 1."""
    least_s: float

    def __str__(self) -> str:
        return f"{self.weight * 100:g}%:{duration_text(self.least_s)}"


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read steps of rising shares; the last one, 100%, goes without saying. Raises InputError."""
    steps: list[Step] = []
    for part in text.replace(" ", "").split(","):
        match = _STEP.fullmatch(part)
        if match is None:
            raise _wrong(text, f"{part!r} isn't SHARE%:TIME below 100%")
        step = Step(float(match[1]) / 100, float(match[2]) * _SECONDS[match[3]])
        if not 0 < step.weight < 1:
            raise _wrong(text, f"{part!r} has no share of more than 0%")
        if steps and step.weight <= steps[-1].weight:
            raise _wrong(text, f"{part!r} isn't more than the step before")
        if step.least_s > _LONGEST_S:
            raise _wrong(text, f"{part!r} is longer than seven days")
        steps.append(step)
    if len(steps) > MOST_STEPS:
        raise _wrong(text, f"{len(steps)} steps are more than {MOST_STEPS}")
    return tuple(steps)


def parse_duration_s(text: str, name: str) -> float:
    """Read a time such as 90s, 10m or 1h; `name` is the parameter's. Raises InputError."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise InputError(
            f"{text[:40]!r} isn't a time up to seven days: give `{name}` as 90s, 10m or 1h"
        )
    return seconds


def _wrong(text: str, why: str) -> InputError:
    return InputError(
        f"the steps {text[:80]!r} can't be read ({why}): give `steps` as {DEFAULT}; the last step, "
        "100%, goes without saying"
    )


def duration_text(seconds: float) -> str:
    """A time as it is given: 90s, 10m, 1h."""
    for unit, length in (("h", 3600.0), ("m", 60.0)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
