"""The pages of a load, of cold starts and of a workflow: words and numbers for their templates."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tuner.report import cold, load, numbers, workflow
from tuner.report.figures.canvas import render_figure
from tuner.report.figures.timings import draw_load, draw_workflow
from tuner.report.page.shell import fill
from tuner.report.page.tables import Row, Table, table_of, tile
from tuner.report.rows import by_weight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

    from tuner.cold.result import ColdStarts
    from tuner.load.result import LoadResult
    from tuner.model.workflow import WorkflowAnswer


def render_load(results: Sequence[LoadResult]) -> str:
    """The page, UTF-8. Raises InputError without matplotlib."""
    return fill(
        "load.html.j2",
        title=f"{results[0].function.name}: latency under load",
        picture=_picture(draw_load(results)),
        sizes=[_load_section(each) for each in results],
        found=tuple(dict.fromkeys(f for each in results for f in each.findings)),
    )


def _picture(figure: Figure) -> str:
    """A figure as the template embeds it."""
    return base64.b64encode(render_figure(figure, "svg")).decode()


def _load_section(result: LoadResult) -> dict[str, object]:
    rows = tuple(Row(load.over_time_row(each)) for each in result.over_time())
    return {
        "name": numbers.memory(result.function.memory_mb),
        "verdict": load.headline(result),
        "tiles": [*_load_tiles(result)],
        "table": Table(load.OVER_TIME_HEAD, rows),
        "rest": load.rest(result),
        "limits": table_of(load.LIMITS_HEAD, load.limit_rows(result.downstream)),
        "seen": table_of(load.SEEN_HEAD, load.seen_rows(result.seen)),
    }


def _load_tiles(result: LoadResult) -> Iterator[dict[str, str]]:
    latency = result.latency_ms
    if latency is not None:
        for name in ("p50", "p95", "p99"):
            yield tile(name, numbers.duration(getattr(latency, name)))
        yield tile("slowest", numbers.duration(latency.max))
    throttled, failed = result.throttle_reasons.total(), result.errors.total()
    yield tile("throttled", f"{throttled:,}", note=f"{failed:,} failed")
    yield tile("at most in flight", f"{result.max_concurrency:,}")


def render_cold(answer: ColdStarts) -> str:
    """The page, UTF-8."""
    return fill(
        "cold.html.j2",
        title=f"{answer.function.name}: cold starts",
        subject=cold.subject_of(answer),
        verdict=cold.headline(answer),
        tiles=[*_cold_tiles(answer)],
        sizes=_filled_columns(cold.size_head(answer), cold.size_rows(answer)),
        options=_filled_columns(cold.OPTION_HEAD, [*map(cold.option_row, answer.options)]),
        imports=_filled_columns(cold.IMPORT_HEAD, [*map(cold.import_row, answer.slow_imports)]),
        rest=cold.rest(answer),
        found=answer.findings,
    )


def _cold_tiles(answer: ColdStarts) -> Iterator[dict[str, str]]:
    current = answer.current
    if current is not None:
        spread = numbers.spread(current.init_ms)
        what = "restore" if answer.is_restore else "INIT"
        yield tile(what, numbers.duration(current.init_ms.estimate), note=spread)
    if answer.share is not None:
        yield tile("requests that meet one", cold.share_words(answer.share))
    for option in answer.options[:1]:
        if option.latency_ms is not None:
            yield tile("p99 of all requests", numbers.duration(option.latency_ms.p99))
        if option.cold_latency_ms is not None:
            yield tile("p99 of the cold ones", numbers.duration(option.cold_latency_ms.p99))


def _filled_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table | None:
    """A table without its empty columns; None without a row."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    shown = ([row[column].strip() for column in kept] for row in rows)
    return table_of([head[column] for column in kept], shown)


def render_workflow(answer: WorkflowAnswer) -> str:
    """The page, UTF-8. Raises InputError without matplotlib."""
    rows = tuple(
        Row(
            workflow.function_row(answer, each),
            role="best" if each.memory_mb != each.was_mb else "",
        )
        for each in answer.functions
    )
    return fill(
        "workflow.html.j2",
        title=answer.name,
        target=workflow.target(answer),
        verdict=workflow.headline(answer),
        tiles=[*_workflow_tiles(answer)],
        picture=_picture(draw_workflow(answer)),
        table_of=Table(workflow.FUNCTION_HEAD, rows),
        cheapest=workflow.cheapest_time(answer) or "No function has a faster size.",
        found=by_weight(answer.findings),
        assumptions=answer.assumptions,
        summary=workflow.summary(answer),
        prices_as_of=answer.prices_as_of,
    )


def _workflow_tiles(answer: WorkflowAnswer) -> Iterator[dict[str, str]]:
    now, then = answer.now, answer.then
    yield tile(
        f"p{answer.percentile:g} of the whole",
        numbers.duration(now.duration_ms.estimate),
        numbers.duration(then.duration_ms.estimate),
        f"90%: {numbers.ends(then.duration_ms, numbers.duration)}",
    )
    yield tile("median", numbers.duration(now.p50_ms), numbers.duration(then.p50_ms))
    yield tile(
        "$ per million executions",
        numbers.usd_per_million(now.cost_usd_per_million.estimate),
        numbers.usd_per_million(then.cost_usd_per_million.estimate),
        "of the functions",
    )
    if answer.probability_met is not None:
        sure = numbers.probability(answer.probability_met)
        yield tile("in time", sure, note="sure, by what the sweeps leave open")
