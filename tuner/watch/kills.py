"""Out-of-memory kills: what they cost, and what more memory or less use of it would."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.lambda_limits import HOURS_PER_MONTH, MAX_MEMORY_MB
from tuner.model.watch import WatchFinding
from tuner.watch.watched import HOUR, Watched, amount, utc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.watch.minutes import Minutes

_LATELY: Final = timedelta(days=1)
_FEWEST: Final = 3
_RARE: Final = 0.001
"""Fewer kills a day, and a smaller share of a day's invocations, are told of without a warning."""
_QUIET: Final = timedelta(hours=6)
"""Kills are over if none came for so long, and as many invocations as would bring one did."""


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
    is_rare = kills < _FEWEST or kills < _RARE * count
    yield WatchFinding(
        finding=Finding("out_of_memory_kills", "info", message)
        if is_over or is_rare
        else Finding("out_of_memory_kills", "error", message)
        if kills * 2 > count
        else Finding("out_of_memory_kills", "warning", message),
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
