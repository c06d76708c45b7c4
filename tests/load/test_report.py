"""A load in words, as a picture and as a page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.load.scripted import ScriptedFunction, reply, send
from tuner.errors import ThrottledError
from tuner.report.figures.canvas import render_figure
from tuner.report.figures.timings import draw_load
from tuner.report.load import render, to_json
from tuner.report.page.timings import render_load as render_page

if TYPE_CHECKING:
    from tuner.load.result import LoadResult


def some_load() -> LoadResult:
    """A ramp, a pause, and a rate at which everything is throttled; the function has a bad name."""
    throttle = ThrottledError("slow", reason="CallerRateLimitExceeded")
    function = ScriptedFunction(
        lambda now_s, _: (now_s + 0.05, throttle if now_s > 6 else reply(50))
    )
    result = send(function, "5s:2/s..20/s", "1s:pause", "2s:10/s")
    return replace(result, function=replace(result.function, name="<b>made</b>"))


def test_the_text_shows_each_part_of_the_load() -> None:
    """Rates, percentiles, what was in flight and throttled, over time; a pause is named."""
    text = render(some_load(), width=100)
    assert "LOAD: 75 of 75 requests sent; 6.88 requests/s succeeded" in text
    rows = [line.split() for line in text.splitlines() if " s  " in line]
    assert any("pause" in row for row in rows)
    assert any(row[-1] == "10" and "–" in row for row in rows)
    assert "CallerRateLimitExceeded 20" in text
    assert render(some_load(), width=100, encoding="ascii").isascii()


def test_a_pause_and_what_was_throttled_have_no_latency() -> None:
    """In JSON it's null there, and the phases are as they were given."""
    phases = to_json(some_load())["phases"]
    assert [each["invocation_count"] for each in phases] == [55, 0, 0]
    assert [each["latency_ms"] is None for each in phases] == [False, True, True]
    assert [(each["from_s"], each["to_s"]) for each in phases] == [(0, 5), (5, 6), (6, 8)]


@pytest.mark.slow
def test_a_load_is_drawn_and_a_page_holds_the_picture() -> None:
    """The same bytes each time; foreign names are inert, and nothing is fetched."""
    result = some_load()
    drawn = render_figure(draw_load([result, result]), "png")
    assert drawn.startswith(b"\x89PNG")
    page = render_page([result])
    assert page == render_page([result])
    assert "<b>made</b>" not in page
    assert "&lt;b&gt;made&lt;/b&gt;" in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert "http:" not in page.split("</style>")[1].split("<script")[0]
