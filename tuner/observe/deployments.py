"""Deployments and what they explain.

The logs themselves show another version or memory size: a REPORT line has its memory size, and its
log stream the version. While a deployment takes over (an alias that shifts gradually, environments
that live on), lines of both alternate: the time of a deployment is the first line of the new one,
and it's done when most lines are the new one's.

AWS CloudTrail, a table and a repository's tags have more. A change of cost is attributed to the
deployment within whose time it may have happened.
"""

from __future__ import annotations

import datetime
import gzip
import json
import shutil
import subprocess
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tuner.errors import InputError
from tuner.model.account import TrailEvent
from tuner.model.spend import Deployment
from tuner.observe.side_files import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tuner.model.spend import DeploymentSource

_EVENTS: Final = ("UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion",
                  "UpdateAlias")  # fmt: skip
"""CloudTrail's names begin like this; a date and a version of the API follow."""
_LAG: Final[dict[DeploymentSource, datetime.timedelta]] = {
    "memory": datetime.timedelta(0),
    "version": datetime.timedelta(0),
    "cloudtrail": datetime.timedelta(minutes=30),
    "csv": datetime.timedelta(hours=1),
    "git": datetime.timedelta(hours=6),
}
"""How long after its time a deployment may take effect: a pipeline deploys a tag later."""
_RANK: Final = {source: rank for rank, source in enumerate(_LAG)}
"""What is in the logs is most certain."""
_HOUR: Final = datetime.timedelta(hours=1)
_ENOUGH: Final = 20
"""This many lines show who leads; with fewer in an hour, the following hours are considered too."""
_LOOK_AHEAD_HOURS: Final = 24
_LEAD_RATIO: Final = 0.6
_LATEST: Final = {"", "$LATEST", None}


def cause_of(
    function: str,
    earliest: datetime.datetime,
    estimate: datetime.datetime,
    latest: datetime.datetime,
    deployments: Iterable[Deployment],
) -> Deployment | None:
    """The deployment that explains a change between two moments, or None.

    A deployment explains it if it could take effect in that time; among several the most certain
    source wins, then the one closest to the estimate.
    """
    possible = [
        each
        for each in deployments
        if each.function in {None, function}
        and each.at <= latest
        and (each.until or each.at) + _LAG[each.source] >= earliest
    ]
    return min(
        possible, key=lambda each: (_RANK[each.source], abs(each.at - estimate)), default=None
    )


def trail_deployments(events: Iterable[TrailEvent]) -> tuple[Deployment, ...]:
    """Deployments among CloudTrail's events."""
    found = []
    for event in events:
        kind = next((each for each in _EVENTS if event.name.startswith(each)), None)
        if kind is not None:
            said = f"{event.memory_mb} MB" if event.memory_mb else kind
            found.append(Deployment(event.at, event.function, event.version or said, "cloudtrail"))
    return tuple(found)


def read_trail(path: Path) -> tuple[Deployment, ...]:
    """Deployments in a CloudTrail file (JSON, plain or gzip), or in the output of `aws cloudtrail
    lookup-events`. What failed, or concerns no function, is left out.
    """
    try:
        data = path.read_bytes()
        document = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        if "Events" in document:
            records = [json.loads(each["CloudTrailEvent"]) for each in document["Events"]]
        else:
            records = document["Records"]
        events = [event for each in records if (event := _file_event(each)) is not None]
    except (gzip.BadGzipFile, zlib.error, EOFError,
            ValueError, KeyError, TypeError, AttributeError, RecursionError):  # fmt: skip
        raise InputError(
            f"{path} is neither a CloudTrail file (Records) nor the output of aws cloudtrail "
            "lookup-events (Events): check `deploys`"
        ) from None
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): check `deploys`") from None
    return trail_deployments(events)


def trail_event(record: dict[str, Any], name: str, at: datetime.datetime) -> TrailEvent | None:
    """A record of CloudTrail's; None where it failed, or concerns no function."""
    asked, answered = record.get("requestParameters") or {}, record.get("responseElements") or {}
    if record.get("errorCode") or not asked.get("functionName"):
        return None
    version = answered.get("version") or asked.get("functionVersion")
    version = version or answered.get("functionVersion")
    memory_mb = asked.get("memorySize")
    return TrailEvent(
        at=at,
        name=name,
        function=bare_name(str(asked["functionName"])),
        version=None if version in {None, "$LATEST"} else str(version),
        memory_mb=memory_mb if isinstance(memory_mb, int) else None,
    )


def _file_event(record: dict[str, Any]) -> TrailEvent | None:
    if record.get("eventSource") != "lambda.amazonaws.com":
        return None
    at = instant("a CloudTrail event", str(record["eventTime"]))
    return trail_event(record, str(record["eventName"]), at)


def git_tags(repository: Path) -> tuple[Deployment, ...]:
    """A repository's tags, at the time when they (or their commits) were made."""
    git = shutil.which("git")
    if git is None:
        raise InputError("git is not installed, which reads a repository's tags: give a CSV file")
    form = "--format=%(creatordate:iso-strict)%09%(refname:strip=2)"
    command = [git, "-C", str(repository), "for-each-ref", "refs/tags", form]
    done = subprocess.run(  # noqa: S603 - no shell, the path is an argument of its own
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode != 0:
        raise InputError(f"{repository} isn't a readable git repository: check `deploys=git:REPO`")
    found = []
    for line in done.stdout.splitlines():
        at, _, name = line.partition("\t")
        if at and name:
            found.append(Deployment(instant(f"tag {name}", at), None, name, "git"))
    return tuple(found)


def merged(deployments: Sequence[Deployment]) -> tuple[Deployment, ...]:
    """In order of time; what two sources agree on counts once, by the more certain one.

    CloudTrail and a version in the logs within ten minutes of each other are one deployment.
    """
    near = datetime.timedelta(minutes=10)
    kept: list[Deployment] = []
    for each in sorted(deployments, key=lambda each: (_RANK[each.source], each.at)):
        same = [
            other
            for other in kept
            if other.function == each.function
            and abs(other.at - each.at) <= near
            and (each.source == "cloudtrail" or other.version == each.version)
        ]
        if not same:
            kept.append(each)
    return tuple(sorted(kept, key=lambda each: (each.at, each.function or "", each.version)))


def known_by(deployment: Deployment, others: Iterable[Deployment]) -> Deployment:
    """The same, named by the nearest tag or line that describes it, if there is one."""
    near = [
        each
        for each in others
        if each.source in {"csv", "git"}
        and each is not deployment
        and each.function in {None, deployment.function}
        and each.at <= deployment.at <= each.at + _LAG[each.source]
    ]
    if deployment.source in {"csv", "git"} or not near:
        return deployment
    name = min(near, key=lambda each: deployment.at - each.at).version
    return replace(deployment, version=f"{deployment.version} ({name})")


def bare_name(function: str) -> str:
    """A function's name, from a name, a partial or a whole ARN."""
    parts = function.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]


class Setting(NamedTuple):
    """What a deployment may change, as far as lines show."""

    version: str | None
    memory_mb: int


@dataclass(frozen=True, slots=True)
class SettingHour:
    """The lines of one setting of a function in an hour."""

    hour: datetime.datetime
    setting: Setting
    count: int
    first_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class SettingRun:
    """A stretch in which most lines were of one setting."""

    setting: Setting
    at: datetime.datetime
    """Its first line."""
    done: datetime.datetime
    """When it had taken over."""


def setting_runs(rows: Iterable[SettingHour]) -> tuple[SettingRun, ...]:
    """Which setting led when, in order; the first run is the initial state."""
    by_hour: dict[datetime.datetime, dict[Setting, SettingHour]] = {}
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
    by_hour: Mapping[datetime.datetime, Mapping[Setting, SettingHour]],
    ahead: Sequence[datetime.datetime],
) -> Setting | None:
    """The setting of most lines in an hour, and in the following ones if there are few."""
    counts: Counter[Setting] = Counter()
    for hour in ahead:
        if hour - ahead[0] > _LOOK_AHEAD_HOURS * _HOUR:
            break
        for setting, row in by_hour[hour].items():
            counts[setting] += row.count
        if counts.total() >= _ENOUGH:
            break
    [(best, count)] = counts.most_common(1)
    return best if count >= _LEAD_RATIO * counts.total() else None


def _first_of(
    setting: Setting,
    by_hour: Mapping[datetime.datetime, Mapping[Setting, SettingHour]],
    hours: Sequence[datetime.datetime],
    index: int,
) -> datetime.datetime:
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
