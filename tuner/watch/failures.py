"""What failures cost: retries that feed on them, timeouts, and out-of-memory kills."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.lambda_limits import HOURS_PER_MONTH, MAX_MEMORY_MB
from tuner.model.watch import WatchFinding
from tuner.watch.tail import WINDOWS, find_outliers
from tuner.watch.watched import HOUR, amount, stretches, utc, window_sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.arrays import Floats
    from tuner.watch.watched import Minutes, Watched

_FEW_FAILURES: Final = 5.0
_FAILING: Final = 0.6
"""A storm is where most of what runs fails; a dependency that is away for a moment fails less."""
_RETRIED: Final = 0.25
_MORE: Final = 1.5
_LASTING: Final = 3
"""Minutes in a row."""
_APART: Final = 60
_LATELY: Final = timedelta(days=1)
_QUIET: Final = timedelta(hours=6)
"""Kills and timeouts are over if none came for so long."""
_FEWEST_TIMEOUTS: Final = 10
_LEAST_USD_PER_HOUR: Final = 0.001
"""About 70 cents a month."""
_FEWEST_KILLS: Final = 3
_RARE: Final = 0.001
"""Fewer kills a day, and a smaller share of a day's invocations, are told of without a warning."""


def retry_storms(watched: Watched, minutes: Minutes) -> Iterator[WatchFinding]:
    """Stretches in which most invocations fail, far more than ever, and are tried again."""
    if not minutes.failures.any():
        return
    failing = find_outliers(minutes.failures, minutes.first, minutes.seen, few=_FEW_FAILURES)
    calls = find_outliers(minutes.count, minutes.first, minutes.seen, few=10.0)
    storms = np.zeros(len(minutes.count), dtype=bool)
    for width in WINDOWS:
        at = failing.width == width
        count = window_sums(minutes.count, width)
        is_failing = window_sums(minutes.failures, width) >= _FAILING * np.maximum(count, 1)
        retried = window_sums(minutes.retries, width) >= _RETRIED * np.maximum(count, 1)
        more = count >= _MORE * window_sums(calls.expected, width)
        storms |= at & is_failing & (retried | more)
    lasting = window_sums(storms.astype(np.float64), _LASTING) >= _LASTING
    for begin, end in stretches(lasting, _APART):
        first = max(begin - _LASTING + 1 - int(failing.width[begin]), 0)
        first += int(np.argmax(minutes.failures[first : begin + 1] > 0))
        yield _storm(watched, minutes, (first, end), calls.expected)


def _storm(
    watched: Watched,
    minutes: Minutes,
    stretch: tuple[int, int],
    expected: Floats,
) -> WatchFinding:
    first, end = stretch
    rows = slice(first, end + 1)
    count, failures = float(minutes.count[rows].sum()), float(minutes.failures[rows].sum())
    retries, usual = float(minutes.retries[rows].sum()), float(expected[rows].sum())
    goes_on = minutes.last - end <= 15
    hourly = watched.per_hour(minutes.lately_usd(first), minutes.moment(first)) * failures / count
    message = (
        f"{failures:,.0f} of {count:,.0f} invocations failed, {retries:,.0f} are repeats by their "
        f"request ids, and {usual:,.0f} are usual at that time"
    )
    return WatchFinding(
        finding=Finding("retry_storm", "error" if goes_on else "warning", message),
        function=watched.function,
        since=minutes.moment(first),
        until=None if goes_on else minutes.moment(end + 1),
        evidence=(
            ("invocation_count", int(count)),
            ("failure_count", int(failures)),
            ("repeat_count", int(retries)),
            ("expected_count", usual),
            ("cost_usd", float(minutes.cost_usd[rows].sum())),
        ),
        usd_per_hour=hourly if goes_on else 0.0,
        action=(
            "Find what it waits for or can't reach, and let callers back off (exponential waits "
            "with jitter, a circuit breaker); for events set MaximumRetryAttempts and "
            "MaximumEventAgeInSeconds, and a reserved concurrency while it lasts"
        ),
    )


def timeout_costs(watched: Watched, _minutes: Minutes) -> Iterator[WatchFinding]:
    """What timeouts of the last day cost, with their retries, beside what was of use."""
    [row] = watched.rows(
        """SELECT count(*) FILTER (outcome = 'timeout'), count(*),
            count(*) FILTER (outcome = 'timeout' AND attempt > 1),
            sum({usd}) FILTER (outcome = 'timeout'), sum({usd}),
            coalesce(sum({usd}) FILTER (outcome = 'timeout' AND {is_lately}), 0),
            min(logged_at) FILTER (outcome = 'timeout'),
            max(logged_at) FILTER (outcome = 'timeout'),
            median(duration_ms) FILTER (outcome = 'timeout'),
            quantile_cont(duration_ms, 0.99) FILTER (outcome = 'success')
        FROM reports WHERE {where} AND logged_at > ?""",
        (watched.end - _LATELY).replace(tzinfo=None),
    )
    timeouts, count, repeats, wasted, cost, lately, first, last, timeout_ms, p99_ms = row
    if timeouts < _FEWEST_TIMEOUTS or wasted < 0.05 * cost:
        return
    since, latest = utc(first), utc(last)
    mean_per_hour = wasted / max((watched.end - since) / HOUR, 1 / 60)
    is_over = watched.end - latest > _QUIET
    is_much = wasted >= 0.5 * cost and mean_per_hour >= _LEAST_USD_PER_HOUR
    factor = cost / max(cost - wasted, 1e-12)
    message = (
        f"{counted(f'{timeouts:,}', 'timeout')} among {count:,} invocations of the last day "
        f"({repeats:,} of them retries) cost {amount(wasted)}, {wasted / cost:.0%} of all"
    )
    yield WatchFinding(
        finding=Finding("timeout_cost", "warning" if is_much and not is_over else "info", message),
        function=watched.function,
        since=since,
        until=latest if is_over else None,
        evidence=(
            ("timeout_count", timeouts),
            ("repeat_count", repeats),
            ("invocation_count", count),
            ("timeout_ms", timeout_ms),
            ("p99_duration_ms", p99_ms),
            ("cost_factor", factor),
            ("wasted_usd", wasted),
        ),
        usd_per_hour=0.0 if is_over else watched.per_hour(lately, since),
        action=_shorter(timeout_ms, p99_ms)
        + "give calls within it shorter timeouts of their own, and retry no event that timed out "
        "for a reason that stays (MaximumRetryAttempts)",
    )


def _shorter(timeout_ms: float, p99_ms: float | None) -> str:
    """What a shorter timeout would be, if it would be one."""
    if p99_ms is None or 2 * p99_ms >= timeout_ms:
        return ""
    return (
        f"A timeout near {2 * p99_ms / 1000:,.1f} s (twice what 99% of successes take) costs less "
        f"than one of {timeout_ms / 1000:,.0f} s; "
    )


def memory_kills(watched: Watched, _minutes: Minutes) -> Iterator[WatchFinding]:
    """Kills of the last day, with the next size's price against what they waste."""
    [row] = watched.rows(
        """SELECT count(*) FILTER (outcome = 'oom'), count(*),
            sum({usd}) FILTER (outcome = 'oom'), sum({usd}),
            coalesce(sum({usd}) FILTER (outcome = 'oom' AND {is_lately}), 0),
            min(logged_at) FILTER (outcome = 'oom'), max(logged_at) FILTER (outcome = 'oom'),
            arg_max(memory_mb, logged_at) FILTER (outcome = 'oom'),
            arg_max(memory_mb, logged_at),
            quantile_cont(max_memory_used_mb, 0.99) FILTER (outcome = 'success')
        FROM reports WHERE {where} AND logged_at > ?""",
        (watched.end - _LATELY).replace(tzinfo=None),
    )
    kills, count, wasted, cost, lately, first, last, killed_mb, memory_mb, used_mb = row
    if not kills:
        return
    since, latest = utc(first), utc(last)
    is_over = memory_mb > killed_mb or watched.end - latest > _QUIET
    hours = max((watched.end - since) / HOUR, 1 / 60)
    wasted_per_hour = wasted / hours
    more_mb = min(killed_mb * 2, MAX_MEMORY_MB)
    requests = count * float(watched.prices.request_price_usd) * (1 - watched.discount_ratio)
    more_per_hour = (cost - requests) / hours * (more_mb / killed_mb - 1)
    message = (
        f"{counted(f'{kills:,}', 'invocation')} of {count:,} ran out of memory at {killed_mb} MB "
        f"within a day, which wasted {amount(wasted)}"
    )
    is_rare = kills < _FEWEST_KILLS or kills < _RARE * count
    yield WatchFinding(
        finding=Finding(
            "out_of_memory_kills",
            "info" if is_over or is_rare else "error" if kills * 2 > count else "warning",
            message,
        ),
        function=watched.function,
        since=since,
        until=latest if is_over else None,
        evidence=(
            ("kill_count", kills),
            ("invocation_count", count),
            ("memory_mb", killed_mb),
            ("p99_memory_used_mb", used_mb),
            ("wasted_usd", wasted),
            ("more_memory_mb", more_mb),
            ("more_memory_usd_per_hour", more_per_hour),
            ("refactoring_saves_usd_per_hour", wasted_per_hour),
        ),
        usd_per_hour=0.0 if is_over else watched.per_hour(lately, since),
        action=_action(more_mb, more_per_hour, wasted_per_hour),
    )


def _action(more_mb: int, more_usd_per_hour: float, wasted_usd_per_hour: float) -> str:
    """More memory, or less use of it, each with its price of a month."""
    dearer = amount(more_usd_per_hour * HOURS_PER_MONTH)
    saved = amount(wasted_usd_per_hour * HOURS_PER_MONTH)
    return (
        f"Give it {more_mb:,} MB: at most {dearer} a month more, less what it gains in speed and "
        f"the {saved} that kills waste. Or make it use less memory (smaller batches, streams "
        f"instead of whole objects), which costs nothing a month and saves {saved}"
    )
