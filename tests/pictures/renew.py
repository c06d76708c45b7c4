"""`make pictures`: makes the README's pictures again, all from one saved sweep."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, NAMES
from tests.end_to_end.running import ROOT, tuner
from tests.pictures.in_terminal import run_in_terminal
from tests.pictures.terminal_svg import draw

SWEEP: Final = "examples/sweeps/mixed.jsonl"
COMMAND: Final = ("report", SWEEP)
PICTURE: Final = "examples/sweeps/mixed-terminal.svg"
FIGURE: Final = "examples/sweeps/mixed.svg"
PAGE: Final = "examples/sweeps/mixed-page.png"
WIDTH: Final = 1000
HEIGHT: Final = 860


def main() -> None:
    """The terminal, the figure and the page."""
    shown = run_in_terminal([*COMMAND], columns=100)
    (ROOT / PICTURE).write_text(draw(shown, f"tuner {' '.join(COMMAND)}"), encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        for format_name, file in (("svg", ROOT / FIGURE), ("html", page)):
            arguments = ("report", SWEEP, "--format", format_name, "--out", str(file))
            ran = tuner(*arguments, state_dir=Path(folder))
            if ran.returncode != 0:
                sys.exit(ran.stderr)
        (ROOT / PAGE).write_bytes(_small(_shot(page)))


def _shot(page: Path) -> bytes:
    """The top of a page in headless Chromium, PNG."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        sys.exit(f"no browser is installed (looked for {', '.join(NAMES)})")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        opened = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        opened.goto(page.as_uri())
        opened.wait_for_selector("html[data-ready]")
        shot = opened.screenshot()
        browser.close()
    return shot


def _small(png: bytes) -> bytes:
    """The same picture in 64 colours: a third of the bytes, and nothing to be seen of it."""
    small = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main()
