"""The page of a function's cold starts: words and numbers for its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.cold import (
    IMPORT_HEAD,
    OPTION_HEAD,
    headline,
    import_row,
    option_row,
    rest,
    share_words,
    size_head,
    size_rows,
    subject,
)
from tuner.report.page.shell import fill
from tuner.report.page.tables import findings, table_of, tile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.cold.result import ColdStarts
    from tuner.report.page.tables import Table


def render(answer: ColdStarts, *, version: str) -> str:
    """The page, UTF-8."""
    return fill(
        "cold.html.j2",
        (),
        {},
        version=version,
        title=f"{answer.function.name}: cold starts",
        subject=subject(answer),
        verdict=headline(answer),
        tiles=[*_tiles(answer)],
        sizes=_table(size_head(answer), size_rows(answer)),
        options=_table(OPTION_HEAD, [option_row(each) for each in answer.options]),
        imports=_table(IMPORT_HEAD, [import_row(each) for each in answer.slow_imports]),
        rest=rest(answer),
        found=findings(answer.findings),
    )


def _tiles(answer: ColdStarts) -> Iterator[dict[str, str]]:
    current = answer.current
    if current is not None:
        spread = numbers.spread(current.init_ms)
        what = "restore" if answer.is_restore else "INIT"
        yield tile(what, numbers.duration(current.init_ms.estimate), note=spread)
    if answer.share is not None:
        yield tile("requests that meet one", share_words(answer.share))
    for option in answer.options[:1]:
        if option.latency_ms is not None:
            yield tile("p99 of all requests", numbers.duration(option.latency_ms.p99))
        if option.cold_latency_ms is not None:
            yield tile("p99 of the cold ones", numbers.duration(option.cold_latency_ms.p99))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table | None:
    """A table without its empty columns; None without a row."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    shown = ([row[column].strip() for column in kept] for row in rows)
    return table_of([head[column] for column in kept], shown)
