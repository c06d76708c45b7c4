"""The commands that are shown beside an answer: pasted, they give it again."""

from __future__ import annotations

import html
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run_here
from tests.report import answers
from tuner.cli.commands import apply_line, goal_flags
from tuner.cli.groups import GoalOptions
from tuner.model.goal import Goal

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


@pytest.mark.parametrize(
    ("asked", "kept", "flags"),
    [
        (GoalOptions(goal="speed"), Goal(time_weight=0.5), ["--goal speed"]),
        (GoalOptions(goal="cost"), Goal(time_weight=0.5), ["--goal cost"]),
        (
            GoalOptions(goal="speed", time_weight=0.5),
            Goal(time_weight=0.5),
            ["--goal speed", "--time-weight 0.5"],
        ),
        (GoalOptions(time_weight=2.0), Goal("speed"), ["--time-weight 2.0"]),
        (GoalOptions(allow_different_replies=True), Goal(), ["--allow-different-replies"]),
        (GoalOptions(), Goal(time_weight=0.5, allow_different_replies=True), []),
    ],
)
def test_the_flags_of_a_goal_make_it_of_the_one_that_is_kept(
    asked: GoalOptions, kept: Goal, flags: list[str]
) -> None:
    """A goal that is named brings its own weight, also in the place of a weight that is kept."""
    assert goal_flags(asked.wanted(kept), kept) == flags


TEMPLATE = """\
Resources:
  Resize:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: resize-images
      Handler: app.handler
      MemorySize: 3008
"""


def test_an_answer_is_applied_where_the_setting_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of the folder's template, as seen from there; without one AWS's own command; and
    nothing where nothing changes.
    """
    monkeypatch.chdir(tmp_path)
    assert (apply_line(answers.resize()) or "").startswith("aws lambda update-function-")
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    line = "tuner apply resize-images   (template.yaml:7  MemorySize: 3008 → 1792)"
    assert apply_line(answers.resize()) == line
    named = line.replace("resize-images", "resize-images --template template.yaml")
    assert apply_line(answers.resize(environment="local"), tmp_path / "template.yaml") == named
    assert apply_line(answers.keep()) is None
    assert apply_line(answers.inconclusive()) is None
    changed = TEMPLATE.replace("3008", "1792")
    (tmp_path / "template.yaml").write_text(changed)
    assert apply_line(answers.resize()) == "template.yaml:7 sets 1792 MB already: deploy it"
