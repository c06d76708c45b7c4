"""What Python callers may pass in place of a value: a path, a name, a number."""

from __future__ import annotations

import contextlib
import datetime
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.breakeven.request_rate import parse_rate
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import Traffic
from tuner.errors import UsageError
from tuner.model.goal import Goal
from tuner.model.sweep import Sweep
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from tuner.model.goal import GoalName

    SweepLike = Sweep | str | os.PathLike[str]
    GoalLike = Goal | GoalName
    TermsLike = Terms | Traffic | str | float


def sweep_of(given: SweepLike) -> Sweep:
    """A sweep, or the one at a path or of a function.

    Raises SweepFileError, UsageError for another type.
    """
    if isinstance(given, Sweep):
        return given
    if isinstance(given, str | os.PathLike):
        return load_sweep(given if isinstance(given, str) else Path(given))
    raise unusable(given, "a Sweep, a sweep file's path or a function's name")


def goal_of(given: GoalLike | None) -> Goal | None:
    """A goal, or the one with this name. Raises UsageError."""
    if isinstance(given, str):
        return Goal(given)
    if given is None or isinstance(given, Goal):
        return given
    raise unusable(given, 'a goal\'s name such as "speed", or a Goal')


def terms_of(given: TermsLike | None) -> Terms:
    """The terms of a comparison, from all or from the request rate alone. Raises UsageError."""
    match given:
        case None:
            return Terms()
        case Terms():
            return given
        case Traffic():
            return Terms(given)
        case str():
            return Terms(Traffic(parse_rate(given)))
        case int() | float() if not isinstance(given, bool):
            return Terms(Traffic(given))
    raise unusable(given, 'a rate such as "50/s" or 50, a Traffic, or Terms')


def day_of(given: datetime.date | str | None) -> datetime.date | None:
    """A day, or the one in ISO text. Raises UsageError."""
    if given is None or isinstance(given, datetime.date):
        return given
    with contextlib.suppress(TypeError, ValueError):
        return datetime.date.fromisoformat(given)
    raise unusable(given, 'a datetime.date, or text such as "2026-11-29"')


def unusable(given: Any, wanted: str) -> UsageError:
    """The error for a value of the wrong type."""
    kind = type(given).__name__
    article = "an" if kind[:1] in "AEIOUaeiou" else "a"
    what = "None" if given is None else f"{article} {kind}"
    return UsageError(f"{what} can't be used here: pass {wanted}")
