"""The commands that are shown beside an answer: pasted, they give it again."""

from __future__ import annotations

import html
import re
import shlex
from typing import TYPE_CHECKING

from tests.cli.running import run_here

if TYPE_CHECKING:
    from pathlib import Path

SWEEP = "examples/sweeps/mixed.jsonl"
ASKED = (
    *("--percentile", "95", "--rate", "20/s", "--min-saving-usd-per-month", "9"),
    *("--min-saving-ratio", "0.3", "--min-memory", "256"),
)


def test_a_page_names_the_command_that_gives_it_again(tmp_path: Path) -> None:
    """The command on the page holds all that shaped it: run again it gives the same page."""
    first, again = tmp_path / "first.html", tmp_path / "again.html"
    ran = run_here("report", SWEEP, "--format", "html", *ASKED, "--out", str(first))
    assert ran.returncode == 0, ran.stderr
    page = first.read_text(encoding="utf-8")
    [command] = re.findall(r"<code>(tuner report [^<]*)</code>", page)
    words = shlex.split(html.unescape(command))
    assert {*ASKED} <= {*words}
    words[words.index("report.html")] = str(again)
    assert run_here(*words[1:]).returncode == 0
    assert again.read_text(encoding="utf-8") == page


def test_a_page_names_the_sweep_that_would_measure_again(tmp_path: Path) -> None:
    """Function, seed and goal are those of the sweep; template and payloads are the reader's."""
    out = tmp_path / "page.html"
    assert run_here("report", SWEEP, "--format", "html", *ASKED, "--out", str(out)).returncode == 0
    [command] = re.findall(r"<code>(tuner tune [^<]*)</code>", out.read_text(encoding="utf-8"))
    assert command.startswith("tuner tune mixed --local TEMPLATE --payload PAYLOADS --seed ")
    assert "--percentile 95" in command
