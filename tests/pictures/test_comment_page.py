"""The picture of the comment: what a forge makes of the Markdown that the command prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.end_to_end.running import ROOT
from tests.pictures.comment_page import comment_page
from tests.pictures.renew import COMMENT, written_comment

if TYPE_CHECKING:
    from pathlib import Path


def test_a_forge_makes_tables_folds_and_a_diff_of_the_comment(tmp_path: Path) -> None:
    """Every part of the comment is what it was meant to be, and no Markdown is left as it was."""
    html = comment_page(written_comment(tmp_path))
    assert html.count("<table>") == 2
    assert html.count("<details>") == html.count("</details>") == 3
    assert re.findall(r'<span class="(\w+)">\W\s+MemorySize: \d+</span>', html) == [
        "removed",
        "added",
    ]
    assert not re.findall(r"^\||\*\*|```|:--", html, re.MULTILINE)


def test_the_documentation_shows_the_comment() -> None:
    """The picture is there, and the page on pull requests shows it."""
    assert (ROOT / COMMENT).stat().st_size > 10_000
    assert COMMENT.removeprefix("docs/") in (ROOT / "docs" / "pull-requests.md").read_text()
