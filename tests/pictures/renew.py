"""`make pictures`: makes the README's pictures again, all from one saved sweep."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.browser.chromium import MISSING, launch, use_own_downloads
from tests.end_to_end.running import ROOT, environment, tuner
from tests.pictures.comment_page import comment_page
from tests.pictures.in_terminal import run_in_terminal
from tests.pictures.terminal_svg import draw

SWEEP: Final = "examples/sweeps/mixed.jsonl"
COMMAND: Final = ("report", SWEEP)
PICTURE: Final = "docs/pictures/mixed-terminal.svg"
FIGURE: Final = "docs/pictures/mixed.svg"
PAGE: Final = "docs/pictures/mixed-page.png"
COMMENT: Final = "docs/pictures/mixed-comment.png"
TEMPLATE: Final = "examples/template.yaml"
WIDTH: Final = 1000
HEIGHT: Final = 860


def main() -> None:
    """The terminal, the figure, the page and the comment."""
    picture = draw(shown_today(), f"tuner {' '.join(COMMAND)}")
    (ROOT / PICTURE).write_text(picture, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        for format_name, file in (("svg", ROOT / FIGURE), ("html", page)):
            arguments = ("report", SWEEP, "--format", format_name, "--out", str(file))
            ran = tuner(*arguments, state_dir=Path(folder))
            if ran.returncode != 0:
                sys.exit(ran.stderr)
        (ROOT / PAGE).write_bytes(_shot(page, ready="html[data-ready]"))
        comment = Path(folder) / "comment.html"
        comment.write_text(comment_page(written_comment(Path(folder))), "utf-8")
        (ROOT / COMMENT).write_bytes(_shot(comment, ready="main", only="main"))


def shown_today() -> str:
    """What the command says on a terminal, on the day that the README's answers are of."""
    day = {"SOURCE_DATE_EPOCH": environment(Path())["SOURCE_DATE_EPOCH"]}
    return run_in_terminal([*COMMAND], columns=100, more=day)


def written_comment(state_dir: Path) -> str:
    """The Markdown that `tuner comment` would post on the sweep."""
    ran = tuner("comment", SWEEP, "--template", TEMPLATE, "--dry-run", state_dir=state_dir)
    if ran.returncode != 0:
        raise RuntimeError(ran.stderr)
    return ran.stdout


def _shot(page: Path, *, ready: str, only: str | None = None) -> bytes:
    """The top of a page in headless Chromium, or one part of it; PNG."""
    use_own_downloads()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            sys.exit(MISSING)
        opened = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        opened.goto(page.as_uri())
        opened.wait_for_selector(ready)
        shot = opened.locator(only).screenshot() if only else opened.screenshot()
        browser.close()
    return shot


if __name__ == "__main__":
    main()
