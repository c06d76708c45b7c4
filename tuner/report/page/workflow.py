"""The page of a workflow: its sizes, what they bring, and what time costs in each function."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.figures.canvas import render_figure
from tuner.report.figures.workflow import draw_workflow
from tuner.report.page.shell import fill
from tuner.report.page.tables import Row, Table, findings, tile
from tuner.report.rows import by_weight
from tuner.report.workflow import (
    FUNCTION_HEAD,
    cheapest_time,
    function_row,
    headline,
    summary,
    target,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.workflow import WorkflowAnswer


def render_workflow(answer: WorkflowAnswer, *, version: str) -> str:
    """The page, UTF-8. Raises InputError without matplotlib."""
    picture = render_figure(draw_workflow(answer), "svg")
    rows = tuple(
        Row(function_row(answer, each), role="best" if each.memory_mb != each.was_mb else "")
        for each in answer.functions
    )
    return fill(
        "workflow.html.j2",
        (),
        {},
        version=version,
        title=answer.name,
        target=target(answer),
        verdict=headline(answer),
        tiles=[*_tiles(answer)],
        picture=base64.b64encode(picture).decode(),
        table_of=Table(FUNCTION_HEAD, rows),
        cheapest=cheapest_time(answer) or "No function has a faster size.",
        found=findings(by_weight(answer.findings)),
        assumptions=answer.assumptions,
        summary=summary(answer),
        prices_as_of=answer.prices_as_of,
    )


def _tiles(answer: WorkflowAnswer) -> Iterator[dict[str, str]]:
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
