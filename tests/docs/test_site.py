"""The documentation as a site."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

import tuner
from tests.end_to_end.running import ROOT
from tuner.cli.app import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path


class Ids(HTMLParser):
    """The ids of a page's elements."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an id."""
        del tag
        self.found |= {value for name, value in attrs if name == "id" and value}


pytestmark = [pytest.mark.xdist_group("site"), pytest.mark.slow]  # it is built once


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built strictly: a link that leads nowhere, or a page that no menu has, fails."""
    folder = tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ran = subprocess.run(
        argv, check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not ran.stderr
    return folder


def test_every_command_and_public_name_has_its_reference(site: Path) -> None:
    """What can be run or imported is on the reference pages, made from the code."""
    commands = Ids(site / "commands.html").found
    groups = {"prices", "payload", "local", "fleet"}
    assert {f"tuner-{name}" for name in COMMANDS if name not in groups} < {*commands}
    text = (site / "python.html").read_text(encoding="utf-8")
    for name in set(tuner.__all__) - {"__version__"}:
        assert re.search(rf'id="tuner\.[\w.]+\.{name}"', text), name


def test_nothing_is_loaded_from_elsewhere_but_mermaid(site: Path) -> None:
    """The site can be read without a network, but for diagrams."""
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|img)[^>]+src="https?:', text), page.name
        assert not re.search(r'<link[^>]+rel="stylesheet"[^>]+href="https?:', text), page.name
