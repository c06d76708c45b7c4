"""A real browser for the report page: Debian's chromium, driven by Playwright."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.chromium import MISSING, launch, use_own_downloads
from tests.browser.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    use_own_downloads()
    with sync_playwright() as playwright:
        started = launch(playwright)
        if started is None:
            pytest.skip(MISSING)
        yield started
        started.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Open HTML from a file; at the end nothing may have been asked for or complained of."""
    pages: list[Opened] = []

    def open_page(html: str, *, ready: bool = True, **context: object) -> Opened:
        path = tmp_path / f"page-{len(pages)}.html"
        path.write_text(html, encoding="utf-8")
        pages.append(Opened(browser, path, ready=ready, **context))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()
        assert page.complaints == []
        assert page.requests == []
