"""Looks at the resources around a function while it's under load, aside, by the load's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import TunerError
from tuner.load.guard import in_thread
from tuner.load.limits import Demand
from tuner.model.interval import figure

if TYPE_CHECKING:
    from tuner.load.limits import Key
    from tuner.load.resources import Service

State = Literal["throttled", "waiting", "oldest_s", "iterator_age_s"]
"""Requests refused since the load began; messages in a queue; the age of what waits longest."""
_MACHINE_LOOK_S: Final = 0.5
_FULL_RATIO: Final = 0.95
_SURE_RATIO: Final = 1.2
"""Sent over answered: above it, what an invocation asks is told with its bounds."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen at once; by (service, resource)."""

    used: Mapping[Key, float] = field(default_factory=dict)
    """Of each unit, since the load began."""
    states: Mapping[tuple[Service, str, State], float] = field(default_factory=dict)

    @property
    def throttled_count(self) -> float:
        """Of all resources together."""
        return sum(value for (_, _, what), value in self.states.items() if what == "throttled")


@dataclass(frozen=True, slots=True)
class Seen:
    """A look, when it was, and how far the load had come."""

    at_s: float
    sent_count: int
    answered_count: int
    look: Look

    @property
    def run_count(self) -> float:
        """Invocations whose requests the look has: what was in flight counts by half."""
        return (self.sent_count + self.answered_count) / 2


class ResourceWatch:
    """Looks every `every_s`, not before the look before has ended.

    `look` may take seconds and raise; without an answer nothing is known of that time.
    """

    def __init__(
        self,
        look: Callable[[], Look | None],
        every_s: float,
        aside: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._look, self._every_s, self._aside = look, every_s, aside
        self._next_s = 0.0
        self._is_looking = False
        self.seen: list[Seen] = []

    def pass_time(self, at_s: float, sent_count: int, answered_count: int) -> None:
        """Look if it's time: `at_s` since the load began."""
        if at_s < self._next_s or self._is_looking:
            return
        self._next_s, self._is_looking = at_s + self._every_s, True
        self._aside(lambda: self.look_last(at_s, sent_count, answered_count))

    def look_last(self, at_s: float, sent_count: int, answered_count: int) -> None:
        """Look now; also after the last answer."""
        with suppress(TunerError):
            found = self._look()
            if found is not None:
                self.seen.append(Seen(at_s, sent_count, answered_count, found))
                self.seen.sort(key=lambda each: each.at_s)
        self._is_looking = False


class MachineWatch:
    """Sees when all cores of this machine are busy, where handlers run on it too.

    `read` gives the CPU seconds of all cores so far, busy and in all; None if nobody counts them.
    """

    def __init__(self, read: Callable[[], tuple[float, float] | None]) -> None:
        self._read = read
        self._next_s = 0.0
        self._last: tuple[float, float, float] | None = None
        self.full: list[tuple[float, float]] = []
        """From when to when, in seconds since the load began."""

    def pass_time(self, at_s: float, _sent_count: int, _answered_count: int) -> None:
        """Look if it's time: `at_s` since the load began."""
        if at_s < self._next_s or (now := self._read()) is None:
            return
        self._next_s, last, self._last = at_s + _MACHINE_LOOK_S, self._last, (at_s, *now)
        if last is None or now[1] <= last[2]:
            return
        if (now[0] - last[1]) / (now[1] - last[2]) >= _FULL_RATIO:
            self.full.append((last[0], at_s))

    @property
    def full_s(self) -> float:
        """How long, in all."""
        return sum(to_s - from_s for from_s, to_s in self.full)


def demands_seen(seen: list[Seen], source: str) -> dict[Key, Demand]:
    """What an invocation asks for, by the looks up to the first throttle: later a function gives up
    halfway, or asks twice. Empty without an invocation.

    If nothing was throttled, the last look has all that all of them asked for, and is exact.
    """
    ran = [each for each in seen if each.run_count]
    good = [each for each in ran if not each.look.throttled_count] or ran[:1]
    if good and good[-1] is seen[-1] and good[-1].sent_count == good[-1].answered_count:
        good = good[-1:]
    if not good:
        return {}
    keys = dict.fromkeys(key for each in good for key in each.look.used)
    known = f"{source}, {good[-1].run_count:,.0f} invocations"
    return {
        key: Demand(each, known + _in_doubt(good, key))
        for key in keys
        if (each := _an_invocation(good, key)) > 0
    }


def _in_doubt(seen: list[Seen], key: Key) -> str:
    """Between what an invocation asks, where most were in flight at every look: it's what was used
    over those that were answered at most, and over those that were sent at least.
    """
    best = min(seen, key=lambda each: each.sent_count / max(each.answered_count, 0.5))
    if best.sent_count <= _SURE_RATIO * best.answered_count:
        return ""
    used = best.look.used.get(key, 0.0)
    least = figure(used / max(best.sent_count, 1))
    if not best.answered_count:
        return f": {least} at least, none had been answered"
    return f": {least} to {figure(used / best.answered_count)}, many were in flight"


def _an_invocation(seen: list[Seen], key: Key) -> float:
    """Least squares of what was used over the invocations that had used it.

    If that happens at the share f of an invocation, these are (1 - f) × sent + f × answered: f is
    what fits best of 0, ½ and 1, which matters where many are in flight.
    """
    found = []
    for share in (0.0, 0.5, 1.0):
        pairs = [
            (
                (1 - share) * each.sent_count + share * each.answered_count,
                each.look.used.get(key, 0),
            )
            for each in seen
        ]
        square = sum(count * count for count, _ in pairs)
        if square:
            amount = sum(count * used for count, used in pairs) / square
            missed = sum((used - amount * count) ** 2 for count, used in pairs)
            found.append((missed, abs(share - 0.5), amount))
    return min(found)[2] if found else 0.0
