"""Time to drain a backlog: the arithmetic against a simulation of every message, written apart.

Random settings of SQS and of Kinesis; a simulation's own chance is averaged over up to forty runs.
Small backlogs, of fewer than ten batches for each that runs at once, are counted apart: there the
chance of a few batches is most of the time.
"""

from __future__ import annotations

from random import Random
from statistics import fmean, median, quantiles
from typing import TYPE_CHECKING, Final

from tests.load.queue_simulation import QueueWorld, simulate
from tuner.load.event_source import Batch, Drain, kinesis_drain, sqs_drain
from tuner.load.resources import EventSource, Function

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED: Final = 20261201
COUNT: Final = 400
MOST_EVENTS: Final = 150_000
CLOSE: Final = 0.10
WAVES: Final = 10


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """(what, target, measured, held)."""
    rng = Random(SEED)
    for kind in ("SQS", "Kinesis"):
        large, small = [], []
        while len(large) + len(small) < COUNT:
            drawn = _drawn(kind, rng)
            if drawn is None:
                continue
            error, is_large = drawn
            (large if is_large else small).append(abs(error))
        yield _row(f"{kind}: time to drain, {len(large)} random settings", large, 0.99)
        if small:
            yield _row(f"{kind}: the same, {len(small)} of a few batches", small, 0.90)


def _row(what: str, errors: list[float], share: float) -> tuple[str, str, str, bool]:
    close = sum(each <= CLOSE for each in errors) / len(errors)
    measured = (
        f"{close:.1%}; median {median(errors):.1%}, p95 {quantiles(errors, n=20)[-1]:.1%}, "
        f"most {max(errors):.1%}"
    )
    return what, f"within 10% in {share:.0%}", measured, close >= share


def _drawn(kind: str, rng: Random) -> tuple[float, bool] | None:
    """A setting's error, and whether its backlog is of several waves; None if it takes too long."""
    batch = rng.choice((1, 2, 5, 10, 10, 50, 100))
    duration_s = 10 ** rng.uniform(-1.7, 1.2)
    cv = rng.choice((0.0, 0.0, 0.2, 0.5))
    backlog = int(10 ** rng.uniform(1, 4.7))
    drain, at_once = _sqs(rng, batch, duration_s, cv)
    if kind == "Kinesis":
        drain, at_once = _kinesis(rng, batch, duration_s)
        cv = 0.0
    arrival = rng.choice((0.0, 0.0, 0.3, 0.6, 0.85)) * at_once * batch / duration_s
    foreseen_s = drain.drain_s(backlog, arrival)
    if foreseen_s is None or backlog / batch + arrival * foreseen_s > MOST_EVENTS:
        return None
    world = QueueWorld(
        backlog, batch, duration_s, at_once, arrival, cv,
        more_each_s=None if kind == "Kinesis" else 0.2,
    )  # fmt: skip
    events = backlog / batch + arrival * foreseen_s + 50
    count = max(1, min(40, int(4e4 / events)))
    truth_s = fmean(simulate(world, rng.randrange(1 << 30)) for _ in range(count))
    return foreseen_s / truth_s - 1, backlog / batch >= WAVES * at_once


def _sqs(rng: Random, batch: int, duration_s: float, cv: float) -> tuple[Drain, int]:
    """Bounded by the mapping's MaximumConcurrency or by what the function has reserved."""
    at_once = rng.choice((2, 3, 5, 10, 20, 50, 100, 250, 1000))
    by_mapping = rng.random() < 0.5
    source = EventSource("sqs", "q", "f", batch, max_concurrency=at_once if by_mapping else None)
    function = Function("f", 3000 if by_mapping else at_once)
    return sqs_drain(source, function, Batch(batch, duration_s * 1000, "drawn", cv)), at_once


def _kinesis(rng: Random, batch: int, duration_s: float) -> tuple[Drain, int]:
    """A few shards, with several batches of each at once."""
    shards, factor = rng.randint(1, 20), rng.choice((1, 1, 2, 5, 10))
    source = EventSource("kinesis", "s", "f", batch, parallelization_factor=factor)
    work = Batch(batch, duration_s * 1000, "drawn")
    return kinesis_drain(source, Function("f", 3000), work, shards), shards * factor
