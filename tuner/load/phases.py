"""The phases of a load (`60s:5/s..50/s`, one after the other), and when requests are due: pure.

Evenly spaced arrivals come where the integral of the rate reaches 0.5, 1.5, 2.5, …: at a constant
rate that is every 1/rate seconds, on a ramp closer and closer. A Poisson process takes steps drawn
from an exponential distribution in place of the ones (the time change of a unit process). The
integral goes on across phases, so a phase's last fraction isn't lost.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Spacing = Literal["even", "poisson"]
LONGEST_S: Final = 24 * 3600.0
MOST_PER_S: Final = 10_000.0
MOST_ARRIVALS: Final = 2_000_000
"""All are kept, for exact percentiles: about 200 bytes each."""
_NUMBER: Final = r"[0-9]{1,6}(?:\.[0-9]{1,6})?"
_PHASE: Final = re.compile(
    rf"(?P<time>{_NUMBER})(?P<unit>s|min|m|h):"
    rf"(?:(?P<pause>pause)|(?P<from>{_NUMBER})/(?P<per>s|min|h)"
    rf"(?:\.\.(?P<to>{_NUMBER})/(?P<to_per>s|min|h))?)"
)
_SECONDS: Final = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Phase:
    """A time with a rate that is constant, or goes evenly from one to another."""

    duration_s: float
    rate_from_per_s: float
    rate_to_per_s: float
    most_in_flight: int | None = None
    """Requests that may be in flight at once; beyond it an arrival isn't sent. None: no limit."""

    @property
    def arrival_count(self) -> float:
        """How many arrivals the rate adds up to: its integral, not yet whole."""
        return self.duration_s * (self.rate_from_per_s + self.rate_to_per_s) / 2


def parse_phases(texts: Iterable[str]) -> tuple[Phase, ...]:
    """Read phases such as 60s:20/s, 60s:5/s..50/s and 30s:pause. Raises UsageError."""
    return checked(tuple(_phase(text) for text in texts))


def _phase(text: str) -> Phase:
    match = _PHASE.fullmatch(text.replace(" ", ""))
    if match is None:
        raise UsageError(
            f"{text[:60]!r} isn't a phase: give `phase` as 60s:20/s, 60s:5/s..50/s or 30s:pause"
        )
    seconds = float(match["time"]) * _SECONDS[match["unit"]]
    if match["pause"]:
        return Phase(seconds, 0.0, 0.0)
    first = float(match["from"]) / _SECONDS[match["per"]]
    last = first if match["to"] is None else float(match["to"]) / _SECONDS[match["to_per"]]
    return Phase(seconds, first, last)


def checked(phases: tuple[Phase, ...], name: str = "phase") -> tuple[Phase, ...]:
    """The same phases; `name` is the parameter that gave them. Raises UsageError."""
    if any(each.duration_s <= 0 for each in phases):
        raise UsageError(f"a phase of `{name}` lasts no time: give it more than 0s")
    if sum(each.duration_s for each in phases) > LONGEST_S:
        raise UsageError(f"the phases of `{name}` last over 24 hours: give shorter ones")
    highest = max((max(p.rate_from_per_s, p.rate_to_per_s) for p in phases), default=0.0)
    if highest > MOST_PER_S:
        raise UsageError(
            f"`{name}` asks for {highest:g} requests/s, over the limit of {MOST_PER_S:,.0f}: "
            "give a lower rate"
        )
    count = sum(each.arrival_count for each in phases)
    if count < 1:
        raise UsageError(
            f"the phases of `{name}` have no arrival: give a higher rate, or more time"
        )
    if count > MOST_ARRIVALS:
        raise UsageError(
            f"the phases of `{name}` have {count:,.0f} arrivals, over the limit of "
            f"{MOST_ARRIVALS:,}: give lower rates, or less time"
        )
    return phases


def rate_at(phases: Iterable[Phase], at_s: float) -> float:
    """The planned rate at a time since the beginning; the last one's end afterwards."""
    began_s, last = 0.0, 0.0
    for phase in phases:
        passed_s, last = at_s - began_s, phase.rate_to_per_s
        if passed_s <= phase.duration_s:
            gain = phase.rate_to_per_s - phase.rate_from_per_s
            return phase.rate_from_per_s + gain * max(0.0, passed_s) / phase.duration_s
        began_s += phase.duration_s
    return last


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that is due, in seconds from the beginning, and in which phase."""

    due_s: float
    phase: int


def arrivals(
    phases: Sequence[Phase], spacing: Spacing = "even", seed: int = 0
) -> tuple[Arrival, ...]:
    """Every arrival of the phases, in order; the same for the same seed."""
    steps = _drawn(seed) if spacing == "poisson" else itertools.chain([0.5], itertools.repeat(1.0))
    found: list[Arrival] = []
    began_s, passed, reached = 0.0, 0.0, next(steps)
    for index, phase in enumerate(phases):
        end = passed + phase.arrival_count
        while reached < end or math.isclose(reached, end, rel_tol=1e-12):
            found.append(Arrival(began_s + _time_of(phase, reached - passed), index))
            reached += next(steps)
        began_s, passed = began_s + phase.duration_s, end
    return tuple(found)


def _drawn(seed: int) -> Iterator[float]:
    rng = Random(seed)  # noqa: S311 - arrivals, no secret
    while True:
        yield rng.expovariate(1.0)


def _time_of(phase: Phase, count: float) -> float:
    """When a phase's integral reaches `count`: the root of slope/2 × t² + rate × t = count.

    In the form that stays exact where the slope, or the first rate, is 0.
    """
    slope = (phase.rate_to_per_s - phase.rate_from_per_s) / phase.duration_s
    inner = max(0.0, phase.rate_from_per_s**2 + 2 * slope * count)
    below = phase.rate_from_per_s + math.sqrt(inner)
    return min(2 * count / below, phase.duration_s) if below > 0 else 0.0
