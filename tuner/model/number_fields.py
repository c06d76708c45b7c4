"""Checks the numbers that callers pass, so that a mistake is reported where it was made."""

from __future__ import annotations

import math
from dataclasses import fields
from numbers import Real
from typing import Any

from tuner.errors import UsageError


def check_number_fields(value: Any) -> None:
    """Raise UsageError if a dataclass's field annotated as a number has something else."""
    for each in fields(value):
        check_number(each.name, getattr(value, each.name), str(each.type))


def check_number(name: str, given: object, annotation: str) -> None:
    """Raise UsageError unless the value is a finite number, if the annotation asks for one."""
    kind, _, otherwise = annotation.partition(" | ")
    if kind not in {"int", "float"} or (given is None and otherwise == "None"):
        return
    wanted = "a whole number" if kind == "int" else "a number"
    if isinstance(given, bool) or not isinstance(given, Real) or not math.isfinite(given):
        raise UsageError(f"`{name}` is {given!r}: pass {wanted}")
    if kind == "int" and given != math.floor(given):
        raise UsageError(f"`{name}` is {given!r}: pass {wanted}")
