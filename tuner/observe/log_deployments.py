"""Deployments that the logs themselves show: another version, or another memory size.

A REPORT line has its memory size and its log stream the version. While a deployment takes over (an
alias that shifts gradually, environments that live on), lines of both alternate: the time of a
deployment is the first line of the new one, and it's done when most lines are the new one's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.model.spend import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_HOUR: Final = timedelta(hours=1)
_ENOUGH: Final = 20
"""This many lines show who leads; with fewer in an hour, the following hours are considered too."""
_LOOK_AHEAD_HOURS: Final = 24
_LEAD_RATIO: Final = 0.6
_LATEST: Final = {"", "$LATEST", None}


class Setting(NamedTuple):
    """What a deployment may change, as far as lines show."""

    version: str | None
    memory_mb: int


@dataclass(frozen=True, slots=True)
class SettingHour:
    """The lines of one setting of a function in an hour."""

    hour: datetime
    setting: Setting
    count: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class SettingRun:
    """A stretch in which most lines were of one setting."""

    setting: Setting
    at: datetime
    """Its first line."""
    done: datetime
    """When it had taken over."""


def setting_runs(rows: Iterable[SettingHour]) -> tuple[SettingRun, ...]:
    """Which setting led when, in order; the first run is the initial state."""
    by_hour: dict[datetime, dict[Setting, SettingHour]] = {}
    for row in rows:
        by_hour.setdefault(row.hour, {})[row.setting] = row
    hours = sorted(by_hour)
    found: list[SettingRun] = []
    for index, hour in enumerate(hours):
        leads = _leader(by_hour, hours[index:])
        if leads is None or (found and leads == found[-1].setting):
            continue
        at = _first_of(leads, by_hour, hours, index)
        found.append(SettingRun(leads, at, max(hour, at) + _HOUR))
    return tuple(found)


def deployments_in_logs(function: str, rows: Iterable[SettingHour]) -> tuple[Deployment, ...]:
    """The deployments of one function, not counting its initial state."""
    return tuple(
        Deployment(
            at=after.at,
            function=function,
            version=_described(before.setting, after.setting),
            source="memory" if after.setting.version == before.setting.version else "version",
            until=after.done,
        )
        for before, after in pairwise(setting_runs(rows))
    )


def _leader(
    by_hour: Mapping[datetime, Mapping[Setting, SettingHour]], ahead: Sequence[datetime]
) -> Setting | None:
    """The setting of most lines in an hour, and in the following ones if there are few."""
    counts: dict[Setting, int] = {}
    for hour in ahead:
        if hour - ahead[0] > _LOOK_AHEAD_HOURS * _HOUR:
            break
        for setting, row in by_hour[hour].items():
            counts[setting] = counts.get(setting, 0) + row.count
        if sum(counts.values()) >= _ENOUGH:
            break
    best = max(counts, key=lambda each: counts[each])
    return best if counts[best] >= _LEAD_RATIO * sum(counts.values()) else None


def _first_of(
    setting: Setting,
    by_hour: Mapping[datetime, Mapping[Setting, SettingHour]],
    hours: Sequence[datetime],
    index: int,
) -> datetime:
    """The first line in a setting's hours without a break around one of them.

    If few lines showed who leads, its first line may only come in the hours after.
    """
    while setting not in by_hour[hours[index]]:
        index += 1
    while index and setting in by_hour[hours[index - 1]]:
        index -= 1
    return by_hour[hours[index]][setting].first_at


def _described(before: Setting, after: Setting) -> str:
    memory = f"{before.memory_mb} → {after.memory_mb} MB"
    if after.version == before.version:
        return memory
    version = "$LATEST" if after.version in _LATEST else str(after.version)
    return version if after.memory_mb == before.memory_mb else f"{version}, {memory}"
