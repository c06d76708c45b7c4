"""Every function of an archive with its days, as sums: the evidence of a scan of logs, and what
production says of each of a function's sizes by them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tuner.model.account import AccountFunction
from tuner.model.advice import DayMean, ObservedSize
from tuner.model.scan import DaySums, FunctionEvidence
from tuner.observe.report_sql import DAY_SUMS
from tuner.observe.store import where_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tuner.model.advice import CodeRelation
    from tuner.model.function import Architecture
    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore

SumsRow = tuple[Any, ...]
"""A row of `report_sql.DAY_SUMS`."""
_Home = tuple[str | None, ...]
"""An account and a region."""
_LATEST = "$LATEST"


def archive_evidence(
    store: ReportStore,
    window: Window,
    *,
    region: str,
    architecture: Architecture | None = None,
) -> tuple[tuple[FunctionEvidence, ...], int]:
    """The evidence of each function, and how many reports name none (those are left out).

    `region` and `architecture` are those of functions whose reports name none; x86_64 without.
    """
    where, values = where_of(None, window, None)
    rows = store.connection.execute(DAY_SUMS.format(where=where), values).fetchall()
    return evidence_of(rows, region=region, architecture=architecture)


def evidence_of(
    sums: Iterable[SumsRow], *, region: str, architecture: Architecture | None = None
) -> tuple[tuple[FunctionEvidence, ...], int]:
    """The same of rows that were asked elsewhere."""
    listed = [*sums]
    homes = _homes(listed)
    rows: defaultdict[tuple[Any, ...], list[SumsRow]] = defaultdict(list)
    unnamed = 0
    for row in listed:
        if row[2] is None:
            unnamed += row[6]
        else:
            rows[*_home(row[:2], homes[row[2]]), row[2]].append(row)
    made = tuple(
        _evidence(account or "", place or region, name, some, architecture)
        for (account, place, name), some in rows.items()
    )
    return made, unnamed


def _homes(sums: Iterable[SumsRow]) -> dict[str, set[_Home]]:
    """By function: every account and region that rows name."""
    found: defaultdict[str, set[_Home]] = defaultdict(set)
    for row in sums:
        found[row[2]].add(row[:2])
    return found


def _home(said: _Home, homes: set[_Home]) -> _Home:
    """The one account and region that a row may be of: an export doesn't say them, where a
    subscription of the same function does. As it is where it may be of several.
    """
    named = [{each for each in some if each} for some in zip(*homes, strict=True)]
    if all(len(some) <= 1 for some in named):
        return tuple(next(iter(some), None) for some in named)
    fitting = {each for each in homes if _fits(said, each)}
    whole = [each for each in fitting if not any(_fits(each, e) for e in fitting - {each})]
    return whole[0] if len(whole) == 1 else said


def _fits(said: _Home, home: _Home) -> bool:
    """Whether all that is said is so there."""
    return all(mine in (None, its) for mine, its in zip(said, home, strict=True))


def sums_of_text(rows: Iterable[Sequence[str | None]]) -> list[SumsRow]:
    """Rows of an engine that answers in text, as DuckDB gives them. Raises ValueError."""
    return [
        tuple(None if text is None else read(text) for read, text in zip(_READ, row, strict=True))
        for row in rows
    ]


_READ: Final[tuple[Callable[[str], Any], ...]] = (
    *[str] * 5, *[int] * 4, *[float] * 2, int, float, *[int] * 3, float, int, str,
    datetime.fromisoformat, float,
)  # fmt: skip
"""By column of `DAY_SUMS`."""


def function_days(
    store: ReportStore, function: str, window: Window, *, account: str | None = None
) -> tuple[tuple[DaySums, ...], dict[int, float]]:
    """One function's days (reports that name no function count as its own), and the mean CPU time
    of an invocation at each size where that's known.
    """
    where, values = where_of(function, window, account)
    rows = store.connection.execute(DAY_SUMS.format(where=where), values).fetchall()
    # Sources that name the function differently (with an account or without) share a day.
    days = tuple(DaySums(function, row[3] or "", *row[4:18]) for row in rows)
    return days, {row[5]: row[20] for row in rows if row[20] is not None}


def _evidence(
    account: str,
    region: str,
    name: str,
    rows: list[SumsRow],
    architecture: Architecture | None,
) -> FunctionEvidence:
    latest = max(rows, key=lambda row: (row[19] is not None, row[19], row[5]))
    told = next((row[18] for row in rows if row[18]), None)
    kind = architecture or told or "x86_64"
    return FunctionEvidence(
        AccountFunction(account, region, name, kind, latest[5]),
        metrics=None,
        days=tuple(DaySums(name, row[3] or "", *row[4:18]) for row in rows),
        processor_ms=tuple({row[5]: row[20] for row in rows if row[20] is not None}.items()),
    )


def observed_sizes(
    days: Sequence[DaySums],
    *,
    memory_mb: int,
    digests: Mapping[str, str] | None = None,
    processor_ms: Mapping[int, float] | None = None,
) -> tuple[ObservedSize, ...]:
    """Each size and version of a function, in order of size.

    `memory_mb` is today's size. `digests` has versions' code where they were compared, and
    `processor_ms` the mean CPU time at a size.
    """
    periods: defaultdict[tuple[int, str | None], list[DaySums]] = defaultdict(list)
    for each in days:
        periods[each.memory_mb, each.version].append(each)
    latest = max(days, key=lambda each: (each.day, each.invocation_count), default=None)
    now = None if latest is None else latest.version
    return tuple(
        _size(
            size,
            periods[size, version],
            code=_relation(size, version, memory_mb, now, digests or {}),
            processor_ms=(processor_ms or {}).get(size),
        )
        for size, version in sorted(periods, key=lambda each: (each[0], each[1] or ""))
    )


def _relation(
    size: int, version: str | None, memory_mb: int, now: str | None, digests: Mapping[str, str]
) -> CodeRelation:
    """Whether a period ran today's code: a version never changes, $LATEST may at any time."""
    if version in digests and now in digests and _LATEST not in (version, now):
        return "same" if digests[str(version)] == digests[str(now)] else "other"
    return "same" if version == now and size == memory_mb else "unknown"


def _size(
    memory_mb: int, days: Sequence[DaySums], *, code: CodeRelation, processor_ms: float | None
) -> ObservedSize:
    warm = sum(each.warm_count for each in days)
    total_ms = sum(each.warm_ms_sum for each in days)
    cold = sum(each.cold_count for each in days)
    used = [each.max_memory_used_mb for each in days if each.max_memory_used_mb is not None]
    mean_ms = total_ms / warm if warm else None
    return ObservedSize(
        memory_mb=memory_mb,
        invocation_count=sum(each.invocation_count for each in days),
        warm_count=warm,
        mean_ms=mean_ms,
        cv=_cv(warm, mean_ms, sum(each.warm_ms2_sum for each in days)),
        code=code,
        days=tuple(
            DayMean(each.warm_count, each.warm_ms_sum / each.warm_count)
            for each in days
            if each.warm_count and each.day
        ),
        cold_count=cold,
        mean_billed_init_ms=sum(each.init_ms_sum for each in days) / cold if cold else 0.0,
        error_count=sum(each.error_count for each in days),
        timeout_count=sum(each.timeout_count for each in days),
        oom_count=sum(each.oom_count for each in days),
        max_memory_used_mb=max(used, default=None),
        processor_ms=processor_ms,
    )


def _cv(count: int, mean_ms: float | None, squares_ms2: float) -> float:
    """Standard deviation over mean, of the sample; 0 where nothing tells it."""
    if count < 2 or not mean_ms:
        return 0.0
    variance = (squares_ms2 - count * mean_ms**2) / (count - 1)
    return math.sqrt(max(variance, 0.0)) / mean_ms
