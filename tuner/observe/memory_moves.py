"""When a function's memory changed, by the sizes that its own reports have."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.observe.deployments import setting_runs
from tuner.observe.use_hours import hour_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tuner.observe.deployments import SettingRun
    from tuner.observe.use_hours import UseRows

_WITH_IT_HOURS: Final = 3
"""A deployment so close to the change can't be told from it."""
_PURE: Final = 0.98
"""Share of one size in an hour that counts as its hour."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change from one memory size to another, and what was deployed around it."""

    from_mb: int
    to_mb: int
    at: datetime
    """The first line at the new size."""
    until: datetime | None
    """When it was changed again; None while it lasts."""
    then_mb: int | None
    others: tuple[datetime, ...]
    """Deployments that left the memory as it was."""


def find_move(rows: UseRows, to_mb: int | None, since: datetime) -> Move | str:
    """The last change to `to_mb` after `since`, or else the last one to any size; or why there is
    none.
    """
    runs = setting_runs(rows.setting_hours(by_version=False))
    moves = [(before, after) for before, after in pairwise(runs)]
    later = [each for each in moves if each[1].done >= since]
    wanted = [each for each in later if each[1].setting.memory_mb == to_mb] or later
    if not wanted:
        return _not_moved(runs, moves, to_mb, since)
    before, after = wanted[-1]
    following = runs[runs.index(after) + 1 :]
    return Move(
        before.setting.memory_mb,
        after.setting.memory_mb,
        after.at,
        following[0].at if following else None,
        following[0].setting.memory_mb if following else None,
        _others(rows, after.at),
    )


def _not_moved(
    runs: Sequence[SettingRun],
    moves: Sequence[tuple[SettingRun, SettingRun]],
    to_mb: int | None,
    since: datetime,
) -> str:
    if not runs:
        return "no line has a time, or no size most of them: when it changed isn't known"
    now_mb = runs[-1].setting.memory_mb
    if moves:
        return (
            f"the memory last changed on {moves[-1][1].at:%Y-%m-%d}, before the sweep of "
            f"{since:%Y-%m-%d}: its recommendation isn't applied"
        )
    if now_mb == to_mb:
        return (
            f"all lines are at {now_mb} MB, none is from before the change: look back further "
            "(`days`), or add older logs (`logs`)"
        )
    wanted = "" if to_mb is None else f", and {to_mb} MB is recommended"
    return f"the memory never changed: all lines are at {now_mb} MB{wanted}"


def _others(rows: UseRows, at: datetime) -> tuple[datetime, ...]:
    runs = setting_runs(rows.setting_hours(by_version=True))
    return tuple(
        after.at
        for before, after in pairwise(runs)
        if before.setting.memory_mb == after.setting.memory_mb
        and abs(hour_of(after.at) - hour_of(at)) > _WITH_IT_HOURS
    )


def pure_hours(rows: UseRows, move: Move, *, most_days: int) -> UseRows:
    """The rows of hours at one of the two sizes, within so many days of the change."""
    hours, at = np.unique(rows.slot, return_inverse=True)
    total = np.bincount(at, rows.count, minlength=len(hours))
    chosen = np.zeros(len(at), dtype=bool)
    near = np.abs(rows.slot - hour_of(move.at)) <= most_days * 24
    for size in (move.from_mb, move.to_mb):
        of_size = rows.memory_mb == size
        share = np.bincount(at, rows.count * of_size, minlength=len(hours)) / total
        chosen |= of_size & (share >= _PURE)[at]
    return rows.where(chosen & near)
