"""From a function's days, as sums, to what production says of each of its sizes."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from tuner.model.advice import DayMean, ObservedSize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.model.advice import CodeRelation
    from tuner.model.scan import DaySums

_LATEST = "$LATEST"


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
