"""The answer in a terminal: complete, in its width, in its encoding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.report import answers
from tuner.cli.commands import next_commands
from tuner.model.goal import Goal
from tuner.model.interval import Interval
from tuner.report import terminal
from tuner.report.wording import certainty, goal_line

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation


def test_a_resize_is_told_with_its_gain_and_certainty() -> None:
    """Header, table, chart, verdict, certainty, findings, assumptions and next commands."""
    commands = next_commands(answers.resize())
    shown = terminal.render(answers.resize(), width=100, color=False, commands=commands)
    assert shown.startswith(
        "resize-images · eu-west-1 · python3.13 x86_64 · 3008 MB · code q1w2e3\n"
    )
    assert "36 invocations · 6 sizes · 6 environments · 31 s · $0.0004" in shown
    assert "RESIZE 3008 → 1792 MB: 40 % cheaper (37–42 %), same speed." in shown
    assert "94 % sure that it beats 3008 MB by more than 1 %, at most 2 % from the best" in shown
    assert "Goal: cost first (a size twice as fast may cost 7 % more)." in shown
    assert "One core only" in shown
    assert "Assumes 1 payload; 1 % cold starts; list prices of 2026-11-20." in shown
    assert "tuner report resize-images --format markdown" in shown
    assert "--function-name resize-images --memory-size 1792" in shown


def test_the_table_says_why_each_size_stands_there() -> None:
    """Now, cheapest, the goal's rule, modelled and excluded are noted beside their sizes."""
    sizes, _, _ = terminal.render(answers.resize(), width=100, color=False).partition("RESIZE")
    rows = {line.split(" MB")[0].strip(" ▶"): line for line in sizes.splitlines() if " MB " in line}
    assert rows["3008"].endswith("–  now")
    assert rows["192"].endswith("cheapest, modelled")
    assert rows["1792"].endswith("−40 %  worth its cost in speed")
    assert rows["1792"].startswith("▶")
    assert rows["128"].endswith("excluded: 2 × out of memory")


def goals_shown(made: Recommendation) -> list[list[str]]:
    """Sign, goal and size of the table's rows."""
    lines = terminal.render(made, width=100, color=False).splitlines()
    [head] = [number for number, line in enumerate(lines) if line.split()[:1] == ["goal"]]
    table = lines[head + 1 : lines.index("", head)]
    return [line.partition(" MB")[0].split() for line in table]


def test_what_other_goals_would_answer_stands_beside_it() -> None:
    """The first row of the recommended size has the sign; the goal's own where it is one of them,
    and the current size where it is kept.
    """
    now = ["now", "3008"]
    cheapest, balanced, fastest = ["cheapest", "192"], ["balanced", "1792"], ["fastest", "1792"]
    made = answers.resize()
    assert goals_shown(made) == [now, cheapest, ["▶", *balanced], fastest]
    speed = replace(made, goal=Goal(name="speed"))
    assert goals_shown(speed) == [now, cheapest, balanced, ["▶", *fastest]]
    assert goals_shown(answers.keep())[0] == ["▶", "now", "1024"]


def test_a_recommended_size_of_no_other_goal_has_a_row_of_its_own() -> None:
    """Below the current size, with its own figures."""
    made = answers.resize()
    choice = replace(made.choice, memory_mb=1024, duration_ms=answers.about(360.0))
    rows = goals_shown(replace(made, choice=choice))
    assert rows[:2] == [["now", "3008"], ["▶", "recommended", "1024"]]
    assert sum("▶" in row for row in rows) == 1


def test_an_answer_without_a_curve_has_no_other_goals() -> None:
    """Where nothing is known, no table stands."""
    assert "goal  " not in terminal.render(answers.inconclusive(), width=100, color=False)


@pytest.mark.parametrize(
    ("goal", "line"),
    [
        (Goal(), "cost first (a size twice as fast may cost 7 % more)"),
        (Goal(name="balanced"), "balanced (a size twice as fast may cost twice as much)"),
        (Goal(name="speed"), "speed first (a size 7 % faster may cost twice as much)"),
        (Goal(time_weight=0.0), "cost alone (a faster size may not cost more)"),
        (
            Goal(time_weight=0.3),
            "cost first, time weight 0.3 (a size twice as fast may cost 23 % more)",
        ),
        (
            Goal(time_weight=2.0),
            "speed first, time weight 2 (a size 41 % faster may cost twice as much)",
        ),
    ],
)
def test_the_goal_is_one_sentence_by_its_weight(goal: Goal, line: str) -> None:
    """What twice the speed may cost, or from which speed on twice the cost is worth it."""
    assert goal_line(answers.resize(goal=goal)) == f"Goal: {line}."


def test_a_bound_is_rounded_up() -> None:
    """A bound of 0.04 % is not said to be nothing, nor 1.2 % to be 1 %."""
    made = answers.keep()
    for bound, said in ((0.0004, "0.1 %"), (0.0121, "2 %"), (0.02, "2 %")):
        choice = replace(made.choice, regret_bound_ratio=bound)
        told = certainty(replace(made, choice=choice)) or ""
        assert told.endswith(f"at most {said} from the best size (95 %).")


def test_a_percentile_that_is_asked_for_has_a_column() -> None:
    """`~` marks what is modelled, a line says what it means; a size that fails has none."""
    made = answers.resize(
        goal=Goal(percentile=95),
        curve=tuple(map(answers.with_percentiles, answers.resize().curve)),
    )
    shown = terminal.render(made, width=100, color=False)
    sizes = shown.partition("RESIZE")[0].splitlines()
    rows = {line.split(" MB")[0].strip(" ▶"): line for line in sizes if " MB " in line}
    assert "p95" in shown.splitlines()[3]
    assert "    231 ms" in rows["1792"]
    assert "~231 ms" in rows["3008"]
    assert rows["128"].count("–") == 4
    assert "~ modelled from the scatter at all sizes: a measured p95 takes 45 samples" in shown
    assert "p95" not in terminal.render(answers.resize(), width=100, color=False).splitlines()[3]


def test_a_kept_size_says_why() -> None:
    """KEEP names the size and the reason, and offers no command that changes it."""
    shown = terminal.render(answers.keep(), width=100, color=False)
    assert "KEEP 1024 MB: it is within 2 % of the cheapest size." in shown
    assert "aws lambda" not in shown


def test_an_inconclusive_answer_names_no_size_and_no_certainty() -> None:
    """Without enough samples the reason stands where the size would."""
    shown = terminal.render(answers.inconclusive(), width=100, color=False)
    assert "INCONCLUSIVE: the sweep was interrupted" in shown
    assert "sure that" not in shown
    assert "▶" not in shown
    assert "measured   " not in shown


def test_a_dearer_choice_is_called_dearer() -> None:
    """Under the goal speed a negative saving is told as dearer, with the time it buys."""
    made = answers.resize()
    choice = replace(
        made.choice, saving_ratio=Interval(-0.1, -0.12, -0.08), duration_ms=answers.about(105)
    )
    shown = terminal.render(replace(made, choice=choice), width=100, color=False)
    assert "10 % dearer (8–12 %), 50 % less time" in shown


def test_a_local_answer_offers_no_aws_command() -> None:
    """What was measured here is said to be local, and costs nothing."""
    shown = terminal.render(answers.resize(environment="local"), width=100, color=False)
    assert "resize-images · local ·" in shown
    assert "free here" in shown
    assert "aws lambda" not in shown


@pytest.mark.parametrize("width", [20, 44, 60, 80, 120, 200])
@pytest.mark.parametrize("made", [answers.resize(), answers.keep(), answers.inconclusive()])
def test_no_line_is_wider_than_asked(width: int, made: object) -> None:
    """Only commands, which must stay in one piece to be pasted, run over."""
    shown = terminal.render(made, width=width, color=False)
    lines = [line for line in shown.splitlines() if "tuner report" not in line]
    lines = [line for line in lines if "aws lambda" not in line]
    assert max(map(len, lines)) <= max(width, terminal.MIN_WIDTH)


def test_a_narrow_terminal_still_gets_every_note() -> None:
    """Where the table has no room, notes stand below it."""
    shown = terminal.render(answers.resize(), width=44, color=False)
    assert "  128 MB: excluded: 2 × out of memory" in shown
    assert "  3008 MB: now" in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "no-such-encoding"])
def test_an_encoding_without_the_signs_gets_plain_ascii(encoding: str) -> None:
    """The chart and the text fall back together."""
    shown = terminal.render(answers.resize(), width=80, color=False, encoding=encoding)
    assert shown.isascii()
    assert "R recommended" in shown
    assert "RESIZE 3008 -> 1792 MB: 40 % cheaper (37-42 %)" in shown
    assert "?" not in shown


def test_colour_is_there_only_when_asked_for() -> None:
    """Escape sequences come with `color`, and the words stay the same without."""
    assert "\x1b[" in terminal.render(answers.resize(), width=80, color=True)
    assert "\x1b" not in terminal.render(answers.resize(), width=80, color=False)
