"""A queue and the batches that work it off, simulated message by message and event by event.

Written from AWS's description alone, without the arithmetic that it judges: pollers begin as five
and become 300 more a minute while messages wait; each takes up to a batch of what waits, runs it
for a time drawn around the mean, and comes back. Messages arrive as a Poisson process.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from random import Random

ARRIVAL, POLLER, DONE = range(3)


@dataclass(frozen=True, slots=True)
class QueueWorld:
    """A queue, its function and its chance."""

    backlog: int
    batch: int
    duration_s: float
    concurrency: int
    arrival_per_s: float = 0.0
    cv: float = 0.0
    """Spread of a batch's duration (lognormal)."""
    first: int = 5
    more_each_s: float | None = 0.2
    """Seconds between further pollers; None: all are there."""


def simulate(world: QueueWorld, seed: int, give_up_s: float = 1e6) -> float:
    """When the messages that had come until none waited were all worked off."""
    rng, events = Random(seed), _first_events(world)
    if world.arrival_per_s:
        heapq.heappush(events, (rng.expovariate(world.arrival_per_s), ARRIVAL))
    waiting, busy = world.backlog, 0
    pollers = world.concurrency if world.more_each_s is None else world.first
    now_s, last_done_s = 0.0, 0.0
    while now_s < give_up_s:
        while busy < min(pollers, world.concurrency) and waiting:
            waiting -= min(world.batch, waiting)
            ends_s = now_s + _takes_s(world, rng)
            last_done_s = max(last_done_s, ends_s)
            heapq.heappush(events, (ends_s, DONE))
            busy += 1
        if not waiting:
            return last_done_s
        now_s, kind = heapq.heappop(events)
        if kind == ARRIVAL:
            waiting += 1
            heapq.heappush(events, (now_s + rng.expovariate(world.arrival_per_s), ARRIVAL))
        busy -= kind == DONE
        pollers += kind == POLLER
    return math.inf


def _first_events(world: QueueWorld) -> list[tuple[float, int]]:
    """When each further poller comes."""
    if world.more_each_s is None:
        return []
    count = max(0, world.concurrency - world.first)
    return [(world.more_each_s * number, POLLER) for number in range(1, count + 1)]


def _takes_s(world: QueueWorld, rng: Random) -> float:
    if not world.cv:
        return world.duration_s
    sigma = math.sqrt(math.log1p(world.cv**2))
    return world.duration_s * rng.lognormvariate(-sigma * sigma / 2, sigma)
