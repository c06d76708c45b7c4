"""How fast a function works off what feeds it: SQS and Kinesis event sources, by arithmetic.

SQS: Lambda begins with five batches at once and adds 300 a minute, up to 1,000, to the mapping's
MaximumConcurrency and to the function's own concurrency ("Configuring scaling behavior for SQS
event source mappings", Lambda developer guide). In provisioned mode each poller has up to ten
batches at once, and 1,000 are added a minute (AWS News Blog, November 2025). Kinesis:
ParallelizationFactor batches at once a shard, which is read at 2 MB/s ("Using Lambda to process
records from Kinesis Data Streams").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuner.load.resources import EventSource, Function

FIRST_CONCURRENCY: Final = 5
CONCURRENCY_PER_S: Final = 300 / 60
MOST_CONCURRENCY: Final = 1_000
POLLER_CONCURRENCY: Final = 10
"""Of each poller in provisioned mode."""
PROVISIONED_PER_S: Final = 1_000 / 60
SHARD_READ_BYTES_PER_S: Final = 2_000_000.0
_LONGEST_S: Final = 30 * 86_400.0
"""Beyond a month a backlog isn't said to drain: messages live 14 days at most."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What an invocation works off: so many records in so long, and how that is known."""

    record_count: float
    duration_ms: float
    source: str
    duration_cv: float = 0.0
    """Their standard deviation over their mean; 0 if it isn't known."""


@dataclass(frozen=True, slots=True)
class Drain:
    """A queue and the function that works it off; `messages_an_invocation` in `duration_ms`."""

    messages_an_invocation: float
    duration_ms: float
    concurrency: int
    """The most batches at once."""
    first_concurrency: int = FIRST_CONCURRENCY
    concurrency_per_s: float = CONCURRENCY_PER_S
    """How many more are worked on at once each second; infinite: all from the beginning."""
    duration_cv: float = 0.0
    """How much durations vary: their standard deviation over their mean."""

    @property
    def rate_per_s(self) -> float:
        """Messages a second once it has scaled out."""
        return self.concurrency * self.messages_an_invocation / (self.duration_ms / 1000)

    def drain_s(self, backlog_count: float, arrival_per_s: float = 0.0) -> float | None:
        """Seconds until `backlog_count` messages, and those that come meanwhile, are worked off;
        None if they never are, or not within a month.

        Batches that are done by t: for each of the batches at once, begun when Lambda had scaled
        out to it, the whole durations since. The time is where these hold as many messages as had
        come before the last batch was taken. Where durations vary, the slowest of the batches that
        are worked on at the end comes later than the mean.
        """
        if backlog_count <= 0:
            return 0.0
        if arrival_per_s >= self.rate_per_s:
            return None
        low_s, high_s = 0.0, self.duration_ms / 1000
        while not self._is_done(high_s, backlog_count, arrival_per_s):
            low_s, high_s = high_s, 2 * high_s
            if high_s > _LONGEST_S:
                return None
        for _ in range(60):
            middle_s = (low_s + high_s) / 2
            if self._is_done(middle_s, backlog_count, arrival_per_s):
                high_s = middle_s
            else:
                low_s = middle_s
        return high_s + self._overhang_s(high_s, backlog_count / self.messages_an_invocation)

    def _overhang_s(self, at_s: float, batch_count: float) -> float:
        """How much later than the mean the last batch ends: the largest of as many lognormal
        durations as are worked on at once, by its median rank; of more waves than one, half of
        them began earlier.
        """
        duration_s = self.duration_ms / 1000
        scaled = self.first_concurrency + self.concurrency_per_s * max(0.0, at_s - duration_s)
        at_once = min(self.concurrency, scaled, math.ceil(batch_count))
        if at_s > 1.5 * duration_s:
            at_once = max(1.0, at_once / 2)
        sigma = math.sqrt(math.log1p(self.duration_cv**2))
        rank = 0.5 ** (1 / at_once)  # of the largest's median
        if not sigma:
            return 0.0
        longest = math.exp(sigma * NormalDist().inv_cdf(rank) - sigma * sigma / 2)
        return max(0.0, longest - 1) * duration_s

    def _is_done(self, at_s: float, backlog_count: float, arrival_per_s: float) -> bool:
        duration_s = self.duration_ms / 1000
        come = backlog_count + arrival_per_s * max(0.0, at_s - duration_s)
        needed = math.ceil(come / self.messages_an_invocation - 1e-9)
        done = 0
        for number in range(self.concurrency):
            begun_s = max(0, number + 1 - self.first_concurrency) / self.concurrency_per_s
            if begun_s + duration_s > at_s + 1e-9:
                break
            done += int((at_s - begun_s) / duration_s + 1e-9)
            if done >= needed:
                return True
        return done >= needed


def sqs_drain(source: EventSource, function: Function, batch: Batch) -> Drain:
    """How a function works off a queue in such batches."""
    first, by_source, per_s = FIRST_CONCURRENCY, MOST_CONCURRENCY, CONCURRENCY_PER_S
    if source.pollers is not None:
        first, by_source = (POLLER_CONCURRENCY * each for each in source.pollers)
        per_s = PROVISIONED_PER_S
    limits = (by_source, source.max_concurrency, function.concurrency)
    most = max(1, min(each for each in limits if each is not None))
    return Drain(
        batch.record_count, batch.duration_ms, most, min(first, most), per_s, batch.duration_cv
    )


def kinesis_drain(
    source: EventSource,
    function: Function,
    batch: Batch,
    shard_count: int,
    record_bytes: float | None = None,
) -> Drain:
    """The same for a stream: nothing to scale out, and a shard is read at 2 MB/s."""
    at_once = shard_count * source.parallelization_factor
    if function.concurrency is not None:
        at_once = max(1, min(at_once, function.concurrency))
    duration_ms = batch.duration_ms
    if record_bytes:
        shard_s = batch.record_count * record_bytes / SHARD_READ_BYTES_PER_S
        duration_ms = max(duration_ms, 1000 * source.parallelization_factor * shard_s)
    return Drain(batch.record_count, duration_ms, at_once, at_once, math.inf)


def drain_rate_per_s(source: EventSource, function: Function) -> float | None:
    """Messages a second that a consumer works off by its recent duration; None if not known.

    A batch takes its recent mean; a fuller one takes longer in proportion, at most.
    """
    if not function.duration_ms:
        return None
    count = function.records_an_invocation or float(source.batch_size)
    batch = Batch(count, function.duration_ms, "its recent means")
    return sqs_drain(source, function, batch).rate_per_s
