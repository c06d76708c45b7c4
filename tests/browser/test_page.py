"""The report page in a real browser: it says the right figures, to everybody, and asks for nothing.

Every test that opens a page also holds that nothing was requested and no console line was written.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from tests.report.answers import resize, summary
from tests.report.views import large_sweep, mixed, shown
from tests.sweeps import cpu_bound_ms, made_function, made_sweep
from tuner.api.comparing import compare
from tuner.report import numbers
from tuner.report.page.html import render, render_break_even

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.opened import Opened
    from tuner.report.page.data import SweepView

    Show = Callable[..., Opened]

pytestmark = pytest.mark.xdist_group("browser")
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def example() -> SweepView:
    return mixed()


@pytest.fixture(scope="module")
def html(example: SweepView) -> str:
    return render([example])


def ends(view: SweepView) -> tuple[int, int]:
    curve = view.recommendation.curve
    return curve[0].memory_mb, curve[-1].memory_mb


def figures_at(view: SweepView, memory_mb: int) -> tuple[str, str, str]:
    [at] = [each for each in view.recommendation.curve if each.memory_mb == memory_mb]
    return (
        f"{memory_mb} MB",
        f"{numbers.duration(at.duration_ms.estimate)} {numbers.spread(at.duration_ms)}",
        f"${numbers.usd_per_million(at.cost_usd_per_million.estimate)}",
    )


@pytest.mark.parametrize(
    "chart",
    ["both", *(pytest.param(each, marks=pytest.mark.slow) for each in ("duration", "cost"))],
)
def test_the_pointer_reads_out_the_size_beneath_it(
    show: Show, html: str, example: SweepView, chart: str
) -> None:
    """Over either curve the read-out has that size's figures, as the tables would write them."""
    opened = show(html)
    opened.page.click("text=Every invocation")
    for memory_mb in (192, 512, 1769, 3008):
        opened.point_at(chart, memory_mb, ends(example))
        said = opened.text("#sweep-1-readout")
        assert all(figure in said for figure in figures_at(example, memory_mb)), said


@pytest.mark.slow
def test_the_keyboard_reaches_every_size(show: Show, html: str, example: SweepView) -> None:
    """Tab reaches the slider; arrows move by one size, Home and End to the ends, in words."""
    opened = show(html)
    slider = opened.page.locator("#sweep-1-size")
    for _ in range(20):
        opened.page.keyboard.press("Tab")
        if slider.evaluate("each => each === document.activeElement"):
            break
    sizes = [each.memory_mb for each in example.recommendation.curve]
    best = sizes.index(example.recommendation.choice.memory_mb or 0)
    assert f"{sizes[best]} MB" in (slider.get_attribute("aria-valuetext") or "")
    for key, expected in (
        ("ArrowRight", sizes[best + 1]),
        ("End", sizes[-1]),
        ("Home", sizes[0]),
    ):
        opened.page.keyboard.press(key)
        assert figures_at(example, expected)[1] in opened.text("#sweep-1-readout")
        assert f"{expected} MB" in (slider.get_attribute("aria-valuetext") or "")


@pytest.mark.slow
def test_the_rate_slider_tells_the_cheapest_platforms(show: Show, html: str) -> None:
    """At a tiny rate nothing is cheaper than Lambda, and the read-out begins with it."""
    opened = show(html)
    opened.page.locator("#sweep-1-rate").press("Home")
    assert opened.text("#sweep-1-rate-readout").startswith("0.01/s Lambda $")


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_everybody_can_read_it(show: Show, html: str, scheme: str) -> None:
    """Axe finds nothing in either scheme: names, roles, order of headings, contrast of WCAG AA."""
    opened = show(html, color_scheme=scheme, bypass_csp=True)
    found = Axe().run(opened.page)
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations(found)] == []
    background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]


@pytest.mark.slow
def test_a_break_even_has_a_page_of_its_own(show: Show, example: SweepView) -> None:
    """The verdict, every platform and its bill, readable by all and on a phone."""
    assert example.break_even is not None
    html = render_break_even(example.break_even, source="mixed")
    opened = show(html, viewport=PHONE, bypass_csp=True)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert [each["id"] for each in violations(Axe().run(opened.page))] == []
    assert "STAY ON LAMBDA" in opened.text(".verdict")
    assert opened.page.locator('[data-chart="rates"] canvas').count() == 1
    opened.page.locator("#break-even-rate").press("Home")
    assert opened.text("#break-even-rate-readout").startswith("0.01/s Lambda $")
    bills = opened.page.locator("#break-even details")
    assert bills.count() == len(example.break_even.platforms)


def violations(found: Any) -> list[dict[str, Any]]:
    return list(found.response["violations"])


def colours(picture: bytes) -> Counter[Any]:
    """How many pixels have each color."""
    found = Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 24) or []
    return Counter({colour: count for count, colour in found})


@pytest.mark.slow
def test_charts_follow_the_scheme(show: Show, html: str) -> None:
    """A switch to dark, and to print, repaints the curves that are drawn on canvas."""
    light, dark = (61, 68, 77), (207, 213, 219)  # --curve in page.css
    opened = show(html, color_scheme="light")
    for media, ink, other in (
        ({}, light, dark),
        ({"color_scheme": "dark"}, dark, light),
        ({"color_scheme": "dark", "media": "print"}, light, dark),
    ):
        opened.page.emulate_media(**media)
        for _ in range(40):  # it repaints when the browser comes to it
            opened.page.wait_for_timeout(50)
            counts = colours(opened.page.locator('[data-chart="front"]').screenshot())
            if counts[ink] > 100 > counts[other]:
                break
        assert counts[ink] > 100 > counts[other]
    assert not opened.page.locator(".explorer").first.is_visible()


@pytest.mark.slow
def test_every_option_is_marked_on_both_axes(show: Show, html: str, example: SweepView) -> None:
    """The chart has both curves and each option's mark in their colors, and a table beside it."""
    opened = show(html)
    drawn = colours(opened.page.locator('[data-chart="both"]').screenshot())
    for ink in ((61, 68, 77), (140, 79, 159), (0, 113, 79), (0, 99, 166), (179, 71, 0)):
        assert drawn[ink] > 20, ink  # --curve, --cost, --option, --now and --best in page.css
    names = {each.name for each in example.recommendation.options}
    assert names == {"cheapest", "balanced", "fastest"}
    table = opened.text("header table")
    assert all(name in table for name in (*names, "now", "▶"))


@pytest.mark.slow
def test_a_duration_that_rises_is_drawn_as_it_rises(show: Show) -> None:
    """Cost over duration follows memory, and no caption says that durations fall."""
    risen = made_sweep(
        lambda size: 100.0 + abs(size - 512) / 4, sizes_mb=(128, 256, 512, 1024, 2048)
    )
    opened = show(render([shown(risen)]))
    label = opened.page.get_attribute('[data-chart="both"]', "aria-label") or ""
    assert "falls" not in label
    assert "the shortest" in label
    assert opened.page.locator('[data-chart="front"] canvas').count() == 1


def test_a_phone_shows_it_without_scrolling_sideways(show: Show, html: str) -> None:
    """Nothing is wider than 390 pixels, the verdict is on the first screen, charts fit."""
    opened = show(html, viewport=PHONE, has_touch=True)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    verdict = opened.page.locator(".verdict").bounding_box()
    assert verdict is not None
    assert verdict["y"] + verdict["height"] < PHONE["height"]
    widths = opened.page.evaluate(
        "[...document.querySelectorAll('.uplot')].map(each => each.getBoundingClientRect().width)"
    )
    assert len(widths) == 6
    assert max(widths) <= PHONE["width"]


def test_without_scripts_every_figure_is_there(show: Show, html: str, example: SweepView) -> None:
    """Verdict, sizes and platforms are words in the page, and it says what the charts need."""
    opened = show(html, ready=False, java_script_enabled=False)
    assert "RESIZE 3008 → 256 MB" in opened.text(".verdict")
    assert figures_at(example, 512)[1] in opened.text("#sweep-1")
    assert "need JavaScript" in opened.text("footer")


@pytest.mark.slow
def test_what_others_named_is_inert(show: Show) -> None:
    """A name that is markup is shown as it is written, in words, labels and data alike."""
    name = "</script><img src=x onerror=alert(1)>{{7*7}}\u202e"
    sweep = made_sweep()
    hostile = shown(replace(sweep, function=made_function(1024, name=name)))
    opened = show(render([hostile]))
    assert opened.text("h1") == "</script><img src=x onerror=alert(1)>{{7*7}}"
    assert opened.page.locator("img").count() == 0


@pytest.mark.slow
def test_a_size_where_it_fails_is_said_to_fail(show: Show) -> None:
    """The read-out of a size that killed the function says so beside the curve's figure."""
    sized = resize(
        sizes=(summary(512, oom_count=2), *(summary(size) for size in (1024, 1792, 3008)))
    )
    opened = show(render([replace(mixed(), recommendation=sized)]))
    opened.point_at("both", 512, (192, 3008))
    assert "excluded: 2× out of memory" in opened.text("#sweep-1-readout")


@pytest.mark.slow
def test_several_sweeps_share_a_page(show: Show, example: SweepView) -> None:
    """An overview leads to each, every id is there once, and two payloads have a line each."""
    opened = show(render([example, shown(large_sweep())]))
    opened.page.click('a[href="#sweep-2"]')
    ids = opened.page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    assert opened.page.locator('[data-chart="overlay-duration"] canvas').count() == 1
    assert opened.page.locator('[data-chart="payloads"] canvas').count() == 1
    opened.point_at("payloads", 512, (128, 3008))
    assert "512 MB" in opened.text("#sweep-2-readout")


@pytest.mark.slow
def test_an_answer_without_a_curve_is_still_a_page(show: Show) -> None:
    """All invocations cold: the verdict says why nothing is known, and no chart is broken."""
    sweep = made_sweep(warm_count=0, sizes_mb=(512,))
    opened = show(render([shown(sweep)]))
    assert "INCONCLUSIVE" in opened.text(".verdict")
    assert opened.page.locator("canvas").count() == 0


@pytest.mark.slow
def test_a_comparison_reads_out_both_sides(show: Show) -> None:
    """A and B at the size beneath the pointer, and whether they really differ there."""
    first = made_sweep()
    second = made_sweep(lambda size: 1.2 * cpu_bound_ms(size), seed=2)
    second = replace(second, function=made_function(code_sha256="new"))
    found = compare(first, second)
    html = render([shown(first), shown(second)], comparison=found)
    opened = show(html, viewport=PHONE)
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    opened.point_at("compare-duration", 512, (128, 3008))
    said = opened.text("#compare-readout")
    at = [each.memory_mb for each in found.a.curve].index(512)
    for side in (found.a, found.b):
        assert numbers.duration(side.curve[at].duration_ms.estimate) in said
    assert "512 MB" in said
    assert "real, over 99%" in said
