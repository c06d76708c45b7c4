"""The page of where the money goes in a real browser: right figures, for everybody, no request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.report.spends import made_spend
from tuner.report.page.spend import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.opened import Opened

    Show = Callable[..., Opened]

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def html() -> str:
    return render(made_spend())


def test_the_answer_is_in_words_without_scripts(show: Show, html: str) -> None:
    """Changes, keys, revenue, bill and deployments are tables."""
    opened = show(html, ready=False, java_script_enabled=False)
    text = opened.text("main")
    for figure in ("+20% (+18% to +22%)", "+$60.80 (+$55.00 to +$67.00)", "deploy 42", "none known",
                   "$4,400.00", "the bill has $200.00", "v1"):  # fmt: skip
        assert figure in text, figure
    assert "The charts need JavaScript" in opened.text("footer")


def test_the_day_under_the_pointer_is_read_out(show: Show, html: str) -> None:
    """Over either chart, and by the slider's keys: the day, its sum and each key."""
    opened = show(html)
    for chart in ("costs", "prices"):
        over = opened.page.locator(f'[data-chart="{chart}"] .u-over')
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        assert box is not None
        opened.page.mouse.move(box["x"] + box["width"] * 0.5 / 20, box["y"] + 20)
        assert "1 March $10.50 search $10.00 ($1,000/million)" in opened.text("#spend-readout")
        opened.page.mouse.move(box["x"] + box["width"] * 19.5 / 20, box["y"] + 20)
        assert "20 March $12.50" in opened.text("#spend-readout")
    slider = opened.page.locator("#spend-day")
    slider.focus()
    opened.page.keyboard.press("Home")
    opened.page.keyboard.press("ArrowRight")
    assert "2 March" in (slider.get_attribute("aria-valuetext") or "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_is_accessible_and_fits(show: Show, html: str, scheme: str, width: int) -> None:
    """No violation that axe knows, and nothing wider than the window."""
    opened = show(html, color_scheme=scheme, viewport={"width": width, "height": 844})
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_foreign_names_run_nothing(show: Show) -> None:
    """What others named is text, in the words and in the data."""
    hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'"
    opened = show(render(made_spend(hostile=hostile)))
    assert "<img src=x" in opened.text("main")


def test_one_day_and_nothing_at_all_are_pages_too(show: Show) -> None:
    """Without days there's no chart, and it's said."""
    from dataclasses import replace

    answer = made_spend()
    single = tuple(each for each in answer.days if each.day == answer.days[0].day)
    show(render(replace(answer, days=single)))
    empty = replace(answer, days=(), keys=(), changes=(), movements=(), revenue=(), deploys=(),
                    bill=None, findings=())  # fmt: skip
    opened = show(render(empty))
    assert "No invocation is in the window." in opened.text("main")
