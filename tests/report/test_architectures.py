"""An answer over two architectures, as text, Markdown, page, figure and JSON: both are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bench.architectures import BOOK, swept
from tests.decision.test_architectures import GOAL, pair
from tuner.api.answers import view
from tuner.api.applying import told_of
from tuner.decision.analysis import analyse
from tuner.decision.recommendation import recommend
from tuner.report import markdown, terminal
from tuner.report.figures.curves import draw_recommendation
from tuner.report.json import to_json
from tuner.report.page.data import chart_data
from tuner.report.page.sections import section
from tuner.report.rows import option_rows

if TYPE_CHECKING:
    from tuner.decision.analysis import Analysis


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyse(swept(pair(0.8), GOAL), GOAL, price_book=BOOK)


def test_text_and_markdown_show_both_and_the_move(analysis: Analysis) -> None:
    """The headline names both, options and sizes say which they are of, and each has its curve."""
    answer = recommend(analysis)
    assert answer.moves_to == "arm64"
    text = terminal.render(answer, width=100, color=False, explain=True)
    for words in (
        "x86_64 → arm64:", "now x86_64", "cheapest arm64", "warm, on x86_64", "warm, on arm64",
        "best at x86_64", "Moving to arm64 takes a deployment",
    ):  # fmt: skip
        assert words in text
    comment = markdown.render(answer)
    assert "x86\\_64 → arm64" in comment
    assert "| now x86_64 |" in comment
    [told] = told_of([answer])
    assert "Architectures: [arm64]" in told


def test_percentiles_are_of_the_rows_own_architecture(analysis: Analysis) -> None:
    """The current size's p95 isn't below its mean, as the faster architecture's would be."""
    answer = recommend(analysis)
    now = option_rows(answer)[0]
    p95 = answer.percentile(now.memory_mb, 95.0, now.architecture)
    assert p95 is not None
    assert now.duration_ms is not None
    assert now.architecture == "x86_64"
    assert p95.duration_ms.estimate > now.duration_ms.estimate
    assert to_json(answer)["current"]["percentiles_ms"] is None


def test_page_and_figure_have_a_line_for_each(analysis: Analysis) -> None:
    """The page's charts have both curves; the figure's other one is in its key, and only the
    answer's own samples are drawn.
    """
    shown = view(analysis, source="made")
    data = chart_data(shown)
    assert [each["name"] for each in data["architectures"]] == ["x86_64", "arm64"]
    assert {len(each["sizes"]) for each in data["architectures"]} == {len(data["curve"]["sizes"])}
    assert section(shown, 1)["curve_of"] == ", on arm64"
    assert all(mark["label"] != "now" for mark in data["marks"])
    figure = draw_recommendation(shown.recommendation, analysis.answered)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "on x86_64" in labels
    own = [i for i in analysis.sweep.invocations if i.payload == "empty on arm64"]
    assert len(data["samples"]) == len(own)
