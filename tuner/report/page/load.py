"""The page of a load: its figure, and its numbers in tables."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.figures.canvas import render_figure
from tuner.report.figures.load import draw_load
from tuner.report.load import (
    LIMITS_HEAD,
    OVER_TIME_HEAD,
    SEEN_HEAD,
    headline,
    limit_rows,
    over_time_row,
    rest,
    seen_rows,
)
from tuner.report.page.shell import fill
from tuner.report.page.tables import Row, Table, findings, table_of, tile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.load.result import LoadResult


def render(results: Sequence[LoadResult], *, version: str) -> str:
    """The page, UTF-8. Raises InputError without matplotlib."""
    picture = render_figure(draw_load(results), "svg")
    function = results[0].function
    return fill(
        "load.html.j2",
        (),
        {},
        version=version,
        title=f"{function.name}: latency under load",
        picture=base64.b64encode(picture).decode(),
        sizes=[_section(each) for each in results],
        found=findings(tuple(dict.fromkeys(f for each in results for f in each.findings))),
    )


def _section(result: LoadResult) -> dict[str, object]:
    return {
        "name": numbers.memory(result.function.memory_mb),
        "verdict": headline(result),
        "tiles": [*_tiles(result)],
        "table": Table(OVER_TIME_HEAD, tuple(Row(over_time_row(w)) for w in result.over_time())),
        "rest": rest(result),
        "limits": table_of(LIMITS_HEAD, limit_rows(result.downstream)),
        "seen": table_of(SEEN_HEAD, seen_rows(result.seen)),
    }


def _tiles(result: LoadResult) -> Iterator[dict[str, str]]:
    latency = result.latency_ms
    if latency is not None:
        for name in ("p50", "p95", "p99"):
            yield tile(name, numbers.duration(getattr(latency, name)))
        yield tile("slowest", numbers.duration(latency.max))
    throttled, failed = result.throttle_reasons.total(), result.errors.total()
    yield tile("throttled", f"{throttled:,}", note=f"{failed:,} failed")
    yield tile("at most in flight", f"{result.max_concurrency:,}")
