"""Every function of an archive with its days, as sums: the evidence of a scan of logs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from tuner.model.account import AccountFunction
from tuner.model.scan import DaySums, FunctionEvidence
from tuner.observe.store import where_of

if TYPE_CHECKING:
    from tuner.model.function import Architecture
    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore

_WARM: Final = "outcome = 'success' AND init_duration_ms IS NULL AND restore_duration_ms IS NULL"
_SUMS: Final = f"""
    SELECT account, region, function, strftime(logged_at, '%Y-%m-%d'), version, memory_mb,
        count(*), sum(billed_duration_ms)::BIGINT,
        count(*) FILTER ({_WARM}),
        coalesce(sum(duration_ms) FILTER ({_WARM}), 0),
        coalesce(sum(duration_ms * duration_ms) FILTER ({_WARM}), 0),
        count(*) FILTER (init_duration_ms IS NOT NULL OR restore_duration_ms IS NOT NULL),
        coalesce(sum(init_duration_ms), 0),
        count(*) FILTER (outcome = 'error'), count(*) FILTER (outcome = 'timeout'),
        count(*) FILTER (outcome = 'oom'), max(duration_ms), max(max_memory_used_mb),
        max(architecture), max(logged_at), avg(cpu_ms)
    FROM reports WHERE {{where}} GROUP BY ALL ORDER BY ALL"""  # noqa: S608 - of constants


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
    where, values = "true", []
    if window.start is not None and window.end is not None:
        where = "logged_at >= ? AND logged_at <= ?"
        values = [each.replace(tzinfo=None) for each in (window.start, window.end)]
    rows: defaultdict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    unnamed = 0
    for row in store.connection.execute(_SUMS.format(where=where), values).fetchall():
        if row[2] is None:
            unnamed += row[6]
        else:
            rows[row[:3]].append(row)
    made = tuple(
        _evidence(account or "", place or region, name, some, architecture)
        for (account, place, name), some in rows.items()
    )
    return made, unnamed


def function_days(
    store: ReportStore, function: str, window: Window, *, account: str | None = None
) -> tuple[tuple[DaySums, ...], dict[int, float]]:
    """One function's days (reports that name no function count as its own), and the mean CPU time
    of an invocation at each size where that's known.
    """
    where, values = where_of(function, window, account)
    rows = store.connection.execute(_SUMS.format(where=where), values).fetchall()
    # Sources that name the function differently (with an account or without) share a day.
    days = tuple(DaySums(function, row[3] or "", *row[4:18]) for row in rows)
    return days, {row[5]: row[20] for row in rows if row[20] is not None}


def _evidence(
    account: str,
    region: str,
    name: str,
    rows: list[tuple[Any, ...]],
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
