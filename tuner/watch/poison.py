"""The same message or event failing again and again.

By the id of a message, where lines name it. Otherwise by its rhythm: a message that fails is seen
again after its queue's visibility timeout, always the same; a shard's batch is run again at once,
one run after the other. Independent failures of one signature keep no rhythm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tuner.model.finding import Finding
from tuner.model.watch import WatchFinding
from tuner.watch.watched import Watched, amount, lasting, moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.arrays import Floats
    from tuner.watch.watched import Minutes

_FEWEST: Final = 7
"""Queues mostly give up after three to five receives, and an event runs three times at most."""
_LEAST_S: Final = 200.0
"""What fails for a shorter time may be something else that is away for a moment."""
_MANY: Final = (100, 60.0)
"""So often in so many seconds no moment is waited for: failures of one message, and a minute."""
_MOST: Final = 200_000
"""More failures of a signature aren't one message's."""
_LONG_ROWS: Final = ((7, 1.2), (12, 1.4))
"""So many intervals in a row, whose longest is at most so many times the shortest: independent
failures do that less than once in 10 million."""
_SLOW_S: Final = 15.0
_AT_ONCE: Final = 30
_AT_ONCE_S: Final = 2.0
_MOST_MESSAGES: Final = 10
"""When more fail, it isn't a message that is to blame."""


@dataclass(frozen=True, slots=True)
class _Repeat:
    first_s: float
    last_s: float
    count: int
    cost_usd: float
    lately_usd: float
    """Of the last hour's."""
    message_count: int | None
    signature: str


def poison_messages(watched: Watched, _minutes: Minutes) -> Iterator[WatchFinding]:
    """Messages that keep failing, by their ids or by the rhythm of their failures."""
    named = _named(watched)
    for each in named:
        yield _finding(watched, each)
    for each in _rhythmic(watched):
        if not any(each.first_s <= it.last_s and it.first_s <= each.last_s for it in named):
            yield _finding(watched, each)


def _named(watched: Watched) -> list[_Repeat]:
    """Messages that failed again and again and never succeeded since, together if at one time."""
    rows = watched.rows(
        """WITH named AS (
            SELECT unnest(message_digests) AS message, epoch_us(logged_at) / 1e6 AS at_s, outcome,
                coalesce(error_signature, outcome) AS signature
            FROM reports WHERE {where} AND message_digests IS NOT NULL)
        SELECT min(at_s) FILTER (outcome <> 'success') AS first_s, max(at_s), message,
            max(signature) FILTER (outcome <> 'success')
        FROM named GROUP BY message
        HAVING count(*) FILTER (outcome <> 'success') >= ? AND
            max(at_s) FILTER (outcome <> 'success') - first_s >=
                CASE WHEN count(*) FILTER (outcome <> 'success') >= ? THEN ? ELSE ? END AND
            coalesce(max(at_s) FILTER (outcome = 'success') <= first_s, true)
        ORDER BY first_s""",
        _FEWEST,
        *_MANY,
        _LEAST_S,
    )
    groups: list[list[tuple[float, float, str, str]]] = []
    for row in rows:
        if groups and row[0] <= max(last_s for _, last_s, _, _ in groups[-1]):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_of_messages(watched, each) for each in groups if len(each) <= _MOST_MESSAGES]


def _of_messages(watched: Watched, rows: list[tuple[float, float, str, str]]) -> _Repeat:
    """The invocations that failed with any of these messages: a batch has several, and fails
    once.
    """
    [(count, usd, lately_usd)] = watched.rows(
        """SELECT count(*), sum({usd}), coalesce(sum({usd}) FILTER ({is_lately}), 0)
        FROM reports WHERE {where} AND outcome <> 'success' AND list_has_any(message_digests, ?)""",
        [message for _, _, message, _ in rows],
    )
    first_s, last_s = rows[0][0], max(last_s for _, last_s, _, _ in rows)
    return _Repeat(first_s, last_s, count, usd, lately_usd, len(rows), rows[0][3])


def _rhythmic(watched: Watched) -> Iterator[_Repeat]:
    names, at_s, duration_s, usd, is_lately = watched.columns(
        """SELECT concat_ws(' ', coalesce(error_signature, outcome), error_digest) AS signature,
            epoch_us(logged_at) / 1e6 AS at_s, duration_ms / 1000 AS duration_s, {usd} AS usd,
            {is_lately} AS is_lately
        FROM reports WHERE {where} AND outcome <> 'success'
        QUALIFY count(*) OVER (PARTITION BY signature) BETWEEN ? AND ? ORDER BY signature, at_s""",
        _FEWEST,
        _MOST,
    )
    for part in np.split(np.arange(len(names)), np.flatnonzero(names[1:] != names[:-1]) + 1):
        for begin, end in _rhythms(at_s[part], duration_s[part]):
            rows = part[begin : end + 1]
            if not _is_scheduled(watched, at_s[rows]):
                signature = str(names[rows[0]]).partition(" ")[0]
                cost = float(usd[rows].sum())
                lately = float(usd[rows][is_lately[rows]].sum())
                yield _Repeat(
                    at_s[rows[0]], at_s[rows[-1]], len(rows), cost, lately, None, signature
                )


def _is_scheduled(watched: Watched, at_s: Floats) -> bool:
    """Whether what succeeds keeps the same rhythm, so that it's a schedule's: three times as much
    around the failures as at any time, or around the moments that go on from them into the past.
    """
    return _keep_time(watched, at_s) or _keep_time(watched, 2 * at_s[0] - at_s[:0:-1])


def _keep_time(watched: Watched, at_s: Floats) -> bool:
    """Whether successes come at these moments."""
    span_s = float(at_s[-1] - at_s[0])
    near_s = max(0.05 * span_s / (len(at_s) - 1), 3.0)
    [good_s] = watched.columns(
        """SELECT epoch_us(logged_at) / 1e6 AS at_s FROM reports
        WHERE {where} AND outcome = 'success' AND logged_at BETWEEN make_timestamp(?)
            AND make_timestamp(?)""",
        int((at_s[0] - near_s) * 1e6),
        int((at_s[-1] + near_s) * 1e6),
    )
    if len(good_s) < len(at_s):
        return False
    after = np.minimum(np.searchsorted(at_s, good_s), len(at_s) - 1)
    distance = np.minimum(np.abs(at_s[after] - good_s), np.abs(at_s[after - 1] - good_s))
    by_chance = min(2 * near_s * len(at_s) / (span_s + 2 * near_s), 1.0)
    return bool((distance <= near_s).mean() >= 3 * by_chance)


def _rhythms(at_s: Floats, duration_s: Floats) -> list[tuple[int, int]]:
    """First and last failure of each stretch that keeps a rhythm."""
    gaps = np.diff(at_s)
    idle = gaps - duration_s[1:]
    steady = np.zeros(len(gaps), dtype=bool)
    for count, ratio in _LONG_ROWS:
        if len(gaps) >= count:
            rows = sliding_window_view(gaps, count)
            low, high = rows.min(axis=1), rows.max(axis=1)
            for begin in np.flatnonzero((low >= _SLOW_S) & (high <= ratio * low)):
                steady[begin : begin + count] = True
    if len(gaps) >= _AT_ONCE:
        follows = (idle >= -0.05) & (idle <= _AT_ONCE_S)
        rows = sliding_window_view(follows, _AT_ONCE)
        for begin in np.flatnonzero(rows.all(axis=1)):
            steady[begin : begin + _AT_ONCE] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], steady.astype(int), [0]])))
    found = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(begin, end) for begin, end in found if at_s[end] - at_s[begin] >= _LEAST_S]


def _finding(watched: Watched, repeat: _Repeat) -> WatchFinding:
    since, last = moment(repeat.first_s), moment(repeat.last_s)
    every_s = (repeat.last_s - repeat.first_s) / max(repeat.count - 1, 1)
    goes_on = watched.end - last <= timedelta(seconds=3 * every_s + 60)
    one = repeat.message_count == 1
    who = "a message" if one else "messages" if repeat.message_count else "the same event"
    message = (
        f"{who} failed {repeat.count:,} times ({repeat.signature}), every {lasting(every_s)}, "
        f"and cost {amount(repeat.cost_usd)}"
    )
    return WatchFinding(
        finding=Finding("poison_message", "warning", message),
        function=watched.function,
        since=since,
        until=None if goes_on else last,
        evidence=(
            ("failure_count", repeat.count),
            ("error", repeat.signature),
            ("message_count", repeat.message_count),
            ("interval_s", every_s),
            ("cost_usd", repeat.cost_usd),
        ),
        usd_per_hour=watched.per_hour(repeat.lately_usd, since) if goes_on else 0.0,
        action=(
            "Move the message aside: a dead-letter queue with a maxReceiveCount of 3 to 5 (a "
            "stream: MaximumRetryAttempts, BisectBatchOnFunctionError and an on-failure "
            "destination), and report failed items of a batch one by one "
            "(ReportBatchItemFailures). Then mend what can't read it"
        ),
    )
