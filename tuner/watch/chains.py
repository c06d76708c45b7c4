"""Chains of a function's runs in one trace: recursion that ends by design, and one that doesn't.

A trace is a chain where its lineage counts the function's passes, or where its runs came one after
the other. A function may call itself by design (pages of a list, a queue that it fills again): its
chains end, and their lengths tell how long the next may be. Without such a history a chain counts
as endless from a thousand runs on, or once it has cost a quarter of a dollar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.watch import WatchFinding
from tuner.watch.tail import FEWEST_DAYS, MOST_STEP, return_level
from tuner.watch.watched import Watched, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.arrays import Flags, Floats, Integers
    from tuner.watch.watched import Minutes

STOPPED_AFTER: Final = 16
"""Lambda stops a chain through SQS, SNS, S3 or Lambda after about so many runs of a function, if
recursion isn't allowed. https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html"""
_ENDLESS_RUNS: Final = 1000
_ENDLESS_USD: Final = 0.25
_OCCASIONS: Final = 2
"""On so many days a chain beyond the pattern counts as its pattern."""
_SHORT: Final = 50
"""A chain of fewer runs is told of only once it's dear."""
_APART_S: Final = 3600.0
_LOOK: Final = (
    "See in that trace what calls it: many messages of one request look the same, and end by "
    "themselves. If it calls itself: "
)
"""Without a lineage."""


@dataclass(frozen=True, slots=True, eq=False)
class _Traces:
    """Columns, a row a trace that is a chain, by when it began."""

    first_s: Floats
    last_s: Floats
    runs: Floats
    passes: Floats
    cost_usd: Floats
    lately_usd: Floats
    """Of the last hour's runs."""

    def where(self, chosen: Flags) -> _Traces:
        return _Traces(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def recursions(watched: Watched, _minutes: Minutes) -> Iterator[WatchFinding]:
    """Chains far longer than those that ended, and what Lambda stopped."""
    traces = _traces(watched)
    if not len(traces.runs):
        return
    limits = _limits(traces)
    is_endless = (traces.runs > limits) & (traces.runs >= _SHORT)
    for chosen in _groups(traces.where(is_endless)):
        yield _finding(watched, chosen, float(limits[is_endless].min()))
    stopped = traces.where(traces.passes == STOPPED_AFTER)
    if len(stopped.runs) >= 3 and not (traces.passes > STOPPED_AFTER).any():
        yield _stopped(watched, stopped)


def _traces(watched: Watched) -> _Traces:
    rows = watched.rows(
        """SELECT min(epoch_us(logged_at)) / 1e6 AS first_s, max(epoch_us(logged_at)) / 1e6,
            count(*), coalesce(max(passes), 0), sum({usd}),
            coalesce(sum({usd}) FILTER ({is_lately}), 0)
        FROM reports WHERE {where} AND trace_id IS NOT NULL GROUP BY trace_id
        HAVING max(passes) > 2 OR (max(passes) IS NULL AND count(*) > 2 AND
            sum(duration_ms) / 1000 < 1.25 * (max(epoch_us(logged_at)) - min(epoch_us(logged_at)))
            / 1e6 + max(duration_ms) / 1000)
        ORDER BY first_s"""
    )
    return _Traces(*np.array(rows, dtype=np.float64).reshape(-1, 6).T)


def _limits(traces: _Traces) -> Floats:
    """For each chain, how many runs are within the pattern of those that ended on days before.

    One that was beyond it is no example for later ones, until another day had such a chain.
    """
    began = (traces.first_s // 86_400).astype(np.int64)
    ended = (traces.last_s // 86_400).astype(np.int64)
    limits = np.full(len(began), float(_ENDLESS_RUNS))
    is_beyond = np.zeros(len(began), dtype=bool)
    for day in np.unique(began):
        known = (ended < day) & _examples(is_beyond, ended, day)
        before = np.unique(ended[known])[-90:]
        longest = [float(np.log(traces.runs[known & (ended == each)].max())) for each in before]
        limit = float(_ENDLESS_RUNS)
        if len(longest) >= FEWEST_DAYS:
            limit = float(np.exp(return_level(np.array(longest))))
        elif longest:
            limit = max(limit, float(np.exp(max(longest) + MOST_STEP)))
        limits[began == day] = limit
        is_beyond[(began == day) & (traces.runs > limit) & (traces.runs >= _SHORT)] = True
    is_dear = _dear(traces, ended)
    return np.where(is_dear, np.minimum(limits, STOPPED_AFTER), limits)


def _examples(is_beyond: Flags, ended: Integers, day: int) -> Flags:
    """Which chains are examples for a day: all, if those beyond the pattern ended on two days."""
    days = np.unique(ended[is_beyond & (ended < day)])
    return ~is_beyond if len(days) < _OCCASIONS else np.ones(len(is_beyond), dtype=bool)


def _dear(traces: _Traces, ended: Integers) -> Flags:
    """Which chains cost far more than any before that is an example."""
    cost = traces.cost_usd
    is_dear = np.zeros(len(cost), dtype=bool)
    cheap = np.maximum.accumulate(np.where(cost < _ENDLESS_USD, cost, 0.0))
    for at in np.flatnonzero((cost >= _ENDLESS_USD) & (traces.runs > STOPPED_AFTER)):
        day = int(traces.first_s[at] // 86_400)
        known = _examples(is_dear, ended, day)[:at]
        most = max(cheap[at], float(cost[:at][known].max(initial=0.0)))
        is_dear[at] = cost[at] > 10 * most
    return is_dear


def _groups(traces: _Traces) -> Iterator[_Traces]:
    """Chains that run at one time are one recursion."""
    if not len(traces.runs):
        return
    ends = np.maximum.accumulate(traces.last_s)
    breaks = np.flatnonzero(traces.first_s[1:] > ends[:-1] + _APART_S) + 1
    for part in np.split(np.arange(len(ends)), breaks):
        yield traces.where(np.isin(np.arange(len(ends)), part))


def _finding(watched: Watched, chains: _Traces, limit: float) -> WatchFinding:
    since, last = moment(chains.first_s.min()), moment(chains.last_s.max())
    runs = int(chains.runs.sum())
    gap_s = float(np.median((chains.last_s - chains.first_s) / chains.runs))
    goes_on = watched.end - last <= timedelta(seconds=max(20 * gap_s, 120))
    cost = float(chains.cost_usd.sum())
    deepest = int(chains.passes.max())
    chain = counted(f"{len(chains.runs):,}", "chain")
    what = (
        f"it calls itself: {chain} of {runs:,} runs, up to {deepest:,} passes deep"
        if deepest
        else "its runs follow one another in one trace, as when it calls itself or is called in a "
        f"loop: {chain} of {runs:,} runs"
    )
    message = (
        f"{what}, where chains that ended say at most {limit:,.0f}"
        if limit != _ENDLESS_RUNS
        else f"{what}, and none has ended before"
    )
    return WatchFinding(
        finding=Finding("recursion", "error" if goes_on and deepest else "warning", message),
        function=watched.function,
        since=since,
        until=None if goes_on else last,
        evidence=(
            ("chain_count", len(chains.runs)),
            ("invocation_count", runs),
            ("longest_chain", int(chains.runs.max())),
            ("max_passes", deepest or None),
            ("limit", limit),
            ("cost_usd", cost),
        ),
        usd_per_hour=watched.per_hour(float(chains.lately_usd.sum()), since) if goes_on else 0.0,
        action=("" if deepest else _LOOK)
        + (
            "Stop it with a reserved concurrency of 0, and mend the condition that should end it; "
            "then drain what waits. Let Lambda stop such chains itself (RecursiveLoop: Terminate), "
            "and write to another queue, topic or bucket than the one that calls it"
        ),
    )


def _stopped(watched: Watched, chains: _Traces) -> WatchFinding:
    last = moment(chains.last_s.max())
    message = (
        f"{counted(f'{len(chains.runs):,}', 'chain')} of its runs ended at exactly "
        f"{STOPPED_AFTER} passes, where Lambda stops recursion and drops the event"
    )
    return WatchFinding(
        finding=Finding("recursion", "info", message),
        function=watched.function,
        since=moment(chains.first_s.min()),
        until=last,
        evidence=(("chain_count", len(chains.runs)), ("max_passes", STOPPED_AFTER)),
        usd_per_hour=0.0,
        action=(
            "If it's by design and ends by itself, allow it (RecursiveLoop: Allow), since events "
            "are lost; otherwise mend the condition that should end it"
        ),
    )
