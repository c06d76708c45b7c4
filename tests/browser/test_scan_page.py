"""The page of a scan in a real browser: it sorts and searches, and asks for nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.observe.test_scanning import FUNCTION, OVER, advised, scanned
from tuner.model.observation import Window
from tuner.model.scan import OptimizerView, Scan
from tuner.report.page.functions import render_scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.opened import Opened
    from tuner.model.advice import Advice
    from tuner.model.scan import ScannedFunction

    Show = Callable[..., Opened]

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]


def made(name: str, cost: float, advice: Advice) -> ScannedFunction:
    return replace(
        scanned(),
        function=replace(FUNCTION, name=name),
        cost_usd_per_month=cost,
        advice=advice,
        optimizer=OptimizerView(OVER, "disagree", "it says 512 MB"),
    )


@pytest.fixture(scope="module")
def html() -> str:
    functions = (
        made("resize", 100.0, advised("resize", 512, 40.0)),
        made("send", 9.5, advised("sweep", None, 30.0)),
        made("<img src=x onerror=alert(1)>", 900.0, advised("keep")),
    )
    return render_scan(
        Scan(functions, Window(), ("Lambda in eu-west-1",), None, "2025-10-30", (), ("a",)),
    )


def names(opened: Opened) -> list[str]:
    """The functions that are shown, from above."""
    return opened.page.locator("tbody tr:visible th").all_text_contents()


def test_a_title_sorts_by_its_numbers_and_again_the_other_way(show: Show, html: str) -> None:
    """Not by how a number is written: 9.50 is less than 100.00."""
    opened = show(html, ready=False)
    assert names(opened)[0] == "resize"
    cost = opened.page.locator("thead button", has_text="$ a month").first
    cost.click()
    assert [name[:4] for name in names(opened)] == ["<img", "resi", "send"]
    assert opened.page.locator("th[aria-sort=descending]").count() == 1
    cost.click()
    assert [name[:4] for name in names(opened)] == ["send", "resi", "<img"]
    opened.page.locator("thead button", has_text="function").press("Enter")
    assert names(opened)[1:] == ["resize", "send"]


def test_search_and_advice_leave_the_rows_that_fit(show: Show, html: str) -> None:
    """All words count, whatever their case, and how many are left is said."""
    opened = show(html, ready=False)
    opened.page.fill("#search", "SEND eu-west")
    assert names(opened) == ["send"]
    assert opened.text("#shown") == "1 of 3"
    opened.page.fill("#search", "")
    opened.page.select_option("#verdict", "keep")
    assert opened.text("#shown") == "1 of 3"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(show: Show, html: str, scheme: str) -> None:
    """No violation that axe knows of, in either scheme."""
    opened = show(html, ready=False, color_scheme=scheme)
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()


def test_a_phone_scrolls_the_table_and_not_the_page(show: Show, html: str) -> None:
    """The table has many columns: they scroll by themselves."""
    opened = show(html, ready=False, viewport={"width": 390, "height": 844})
    width = opened.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_without_scripts_every_row_is_there(show: Show, html: str) -> None:
    """Sorted as the scan ranks them."""
    opened = show(html, ready=False, java_script_enabled=False)
    assert names(opened)[:2] == ["resize", "send"]
