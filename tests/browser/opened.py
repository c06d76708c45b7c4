"""A page in a browser, with what it asked for and complained of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page


class Opened:
    """One page in a context of its own; `context` is Playwright's (color_scheme, viewport, …)."""

    def __init__(self, browser: Browser, path: Path, *, ready: bool, **context: Any) -> None:
        self._context = browser.new_context(**context)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda said: self.complaints.append(f"{said.type}: {said.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda asked: self.requests.append(asked.url))
        self.page.goto(path.as_uri())
        if ready:
            self.page.wait_for_selector("html[data-ready]", timeout=20_000)
        self.requests = [url for url in self.requests if url not in (path.as_uri(), "data:,")]

    def close(self) -> None:
        """Close the page; what it did stays known."""
        self._context.close()

    def text(self, selector: str) -> str:
        """The words of an element, single-spaced."""
        return " ".join((self.page.text_content(selector) or "").split())

    def point_at(self, chart: str, memory_mb: int, sizes_mb: tuple[int, int]) -> None:
        """Move the pointer over a chart to where a size lies on its log scale."""
        low, high = sizes_mb[0] / 1.06, sizes_mb[1] * 1.06
        share = math.log(memory_mb / low) / math.log(high / low)
        over = self.page.locator(f'[data-chart="{chart}"] .u-over').first
        over.scroll_into_view_if_needed()
        box = over.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
