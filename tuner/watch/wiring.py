"""What an account says of a function's surroundings: circles, dropped recursion, queues' ages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.watch import WatchFinding
from tuner.watch.tail import FEWEST_DAYS, return_level
from tuner.watch.watched import lasting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.watch.watched import Minutes, Watched

Points = tuple[tuple[datetime, float], ...]
"""A metric's values by the beginning of their minutes, UTC, ascending."""

_GROWING: Final = timedelta(minutes=15)
_LATE: Final = timedelta(minutes=10)
"""Metrics come some minutes after what they count."""
_SECONDS_PER_S: Final = 0.5
"""An age that grows by a second each second is of a queue whose oldest message nobody takes."""
_LEAST_AGE_S: Final = 600.0
_MOST_STEP: Final = float(np.log(3.0))


@dataclass(frozen=True, slots=True)
class Wiring:
    """A function's surroundings. What couldn't be read is in `unread`, with why."""

    function: str
    function_arn: str
    sources: tuple[str, ...] = ()
    """ARNs of the queues, streams and tables that are polled for it."""
    targets: tuple[tuple[str, str], ...] = ()
    """(ARN, what goes there): destinations and dead-letter targets."""
    recursive_loop: str | None = None
    """Allow or Terminate; None where it isn't known."""
    dropped: Points = ()
    """Invocations that Lambda dropped as recursive, by the minute."""
    queue_ages_s: tuple[tuple[str, Points], ...] = ()
    """(queue's name, age of its oldest message in seconds)."""
    unread: tuple[str, ...] = ()


def wiring_findings(
    watched: Watched, minutes: Minutes, wiring: Wiring, every: Sequence[Wiring]
) -> Iterator[WatchFinding]:
    """Findings that no log tells. `every` has the wirings of all functions that are watched."""
    yield from _dropped(watched, wiring)
    yield from _circles(watched, wiring, every)
    for queue, ages in wiring.queue_ages_s:
        yield from _aging(watched, minutes, queue, ages)


def _dropped(watched: Watched, wiring: Wiring) -> Iterator[WatchFinding]:
    points = [(at, count) for at, count in wiring.dropped if count > 0]
    if not points:
        return
    total = round(sum(count for _, count in points))
    last = points[-1][0]
    goes_on = watched.end - last <= timedelta(hours=1)
    message = (
        f"Lambda dropped {counted(f'{total:,}', 'invocation')} as recursive "
        "(RecursiveInvocationsDropped): it had run about 16 times in one chain of requests"
    )
    yield WatchFinding(
        finding=Finding("recursion", "error" if goes_on else "warning", message),
        function=watched.function,
        since=points[0][0],
        until=None if goes_on else last,
        evidence=(("dropped_count", total), ("recursive_loop", wiring.recursive_loop)),
        usd_per_hour=0.0,
        action=(
            "Mend the condition that should end the chain. If it is meant and ends by itself, "
            "allow it (RecursiveLoop: Allow): until then its events go to the dead-letter queue or "
            "on-failure destination, and without one they are lost"
        ),
    )


def _circles(watched: Watched, wiring: Wiring, every: Sequence[Wiring]) -> Iterator[WatchFinding]:
    path = circle_of(wiring, every)
    if path is None:
        return
    stops = wiring.recursive_loop == "Terminate"
    message = f"its events can come back to it: {' → '.join(map(_short, path))}" + (
        ", and Lambda stops such a chain after about 16 runs" if stops else ""
    )
    yield WatchFinding(
        finding=Finding("recursion", "info", message),
        function=watched.function,
        since=watched.start,
        until=None,
        evidence=(("circle_length", len(path) - 1), ("recursive_loop", wiring.recursive_loop)),
        usd_per_hour=0.0,
        action=(
            "Nothing, where it's by design and ends. Otherwise send results to another queue or "
            "topic than the one that calls it"
        ),
    )


def circle_of(wiring: Wiring, every: Sequence[Wiring]) -> tuple[str, ...] | None:
    """The shortest way from a function back to it, as ARNs; None without one."""
    following: dict[str, list[str]] = {}
    for each in (wiring, *every):
        following.setdefault(each.function_arn, []).extend(arn for arn, _ in each.targets)
        for source in each.sources:
            following.setdefault(source, []).append(each.function_arn)
    ways: list[tuple[str, ...]] = [(wiring.function_arn,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for target in following.get(way[-1], ()):
            if target == wiring.function_arn:
                return (*way, target)
            if target not in seen:
                seen.add(target)
                ways.append((*way, target))
    return None


def _aging(watched: Watched, minutes: Minutes, queue: str, ages: Points) -> Iterator[WatchFinding]:
    """A queue whose oldest message gets older and older, beyond its own days, while it's polled."""
    recent = [(at, age_s) for at, age_s in ages if at > watched.end - _GROWING - _LATE]
    if len(recent) < 5 or recent[-1][1] < _LEAST_AGE_S:
        return
    span_s = (recent[-1][0] - recent[0][0]).total_seconds()
    slope = (recent[-1][1] - recent[0][1]) / max(span_s, 1.0)
    days: dict[int, float] = {}
    for at, age_s in ages:
        if at <= watched.end - timedelta(days=1):
            days[at.toordinal()] = max(days.get(at.toordinal(), 0.0), age_s)
    if len(days) < FEWEST_DAYS or slope < _SECONDS_PER_S:
        return
    level = return_level(np.log(np.array([*days.values()]) + 60.0), most_step=_MOST_STEP)
    limit_s = float(np.exp(level))
    rows = slice(max(minutes.last - 14, 0), minutes.last + 1)
    if recent[-1][1] <= limit_s or not minutes.count[rows].any():
        return
    since = max(at for at, age_s in ((ages[0][0], 0.0), *ages) if age_s < _LEAST_AGE_S / 2)
    cost = watched.per_hour(minutes.lately_usd(minutes.row(since)), since)
    message = (
        f"the oldest message of {queue} is {lasting(recent[-1][1])} old and gets older by "
        f"{slope:.1f} s a second while its consumer runs; before it was never over "
        f"{lasting(max(days.values()))}"
    )
    yield WatchFinding(
        finding=Finding("queue_not_draining", "warning", message),
        function=watched.function,
        since=since,
        until=None,
        evidence=(
            ("queue", queue),
            ("age_s", recent[-1][1]),
            ("age_growth_s_per_s", slope),
            ("limit_s", limit_s),
            ("most_before_s", max(days.values())),
        ),
        usd_per_hour=cost,
        action=(
            "See whether its messages fail or come back (visibility timeout below the function's "
            "timeout, no dead-letter queue, a group of a FIFO queue that a message blocks), or "
            "whether more arrive than its concurrency can take"
        ),
    )


def _short(arn: str) -> str:
    parts = arn.split(":")
    return f"{parts[2]} {parts[-1]}" if len(parts) > 5 else arn
