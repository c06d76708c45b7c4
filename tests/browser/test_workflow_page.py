"""The page of a workflow in a real browser: everybody can read it, and it asks for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.workflow.functions import definition, exact, task
from tuner.decision.workflow.answer import answer_workflow
from tuner.iac.asl import read_machine
from tuner.model.goal import Goal
from tuner.model.workflow import Workflow
from tuner.report.page.timings import render_workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.opened import Opened

    Show = Callable[..., Opened]

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.slow]


@pytest.fixture(scope="module")
def html() -> str:
    text = definition("A", A=task("a", Next="B"), B=task("b"))
    machine = read_machine(Path("m.asl.json"), text=text)
    functions = (exact("a", [100, 50], [3.0, 1.0]), exact("b", [30, 20], [2.0, 2.5]))
    workflow = Workflow("<img src=x onerror=alert(1)>", machine)
    answer = answer_workflow(workflow, functions, Goal(max_duration_ms=1000))
    return render_workflow(answer)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(show: Show, html: str, scheme: str) -> None:
    """No violation that axe knows of, in either scheme; foreign names are words."""
    opened = show(html, ready=False, color_scheme=scheme)
    found = Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
    assert "RESIZE 1 of 2 functions" in opened.text("main")


def test_a_phone_scrolls_the_table_and_not_the_page(show: Show, html: str) -> None:
    """The table has many columns: they scroll by themselves; the figure shrinks."""
    opened = show(html, ready=False, viewport={"width": 390, "height": 844})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390
