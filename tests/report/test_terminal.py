"""The answer in a terminal: complete, in its width, in its encoding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.report import answers
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.interval import Interval
from tuner.report import terminal
from tuner.report.rows import by_weight, option_rows
from tuner.report.wording import apply_command, certainty, goal_line, money

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation


def explained(made: Recommendation, width: int = 100) -> str:
    """The answer with its sizes, curves and assumptions."""
    return terminal.render(made, width=width, color=False, explain=True)


def test_one_screen_has_the_answer_in_the_order_of_its_weight() -> None:
    """Function, verdict, what it means in money, certainty and goal, the options, findings, what
    is assumed, how to apply it, what was spent and how to see it again.
    """
    command = apply_command(answers.resize())
    shown = terminal.render(
        answers.resize(),
        width=100,
        color=False,
        apply=command,
        again="tuner report resize-images",
        more="More: --explain.",
    )
    assert shown.startswith(
        "resize-images · eu-west-1 · python3.13 x86_64 · now 3008 MB · code q1w2e3\n\nRESIZE"
    )
    parts = (
        "RESIZE 3008 → 1792 MB: 40% cheaper (37–42%), same speed.",
        "Saves about $",
        "94% sure it beats 3008 MB; at most 2% from the best size.",
        "Goal: cost (a size twice as fast may cost 7% more).",
        "mean duration",
        "▶ balanced",
        "One core only",
        "Assumes 1 payload, 1% cold starts, list prices of 2026-11-20. More: --explain.",
        "Apply: aws lambda update-function-configuration",
        "--function-name resize-images --memory-size 1792",
        "36 invocations, 6 sizes, 31 s, $0.0004 · saved: tuner report resize-images",
    )
    one_line = " ".join(shown.split())
    places = [one_line.index(part) for part in parts]
    assert places == sorted(places)
    assert len(shown.splitlines()) <= 24


def test_money_is_by_the_month_where_a_rate_is_known() -> None:
    """Else by the million invocations; a keep saves nothing, and says nothing of it."""
    made = answers.resize()
    choice = replace(made.choice, saving_usd_per_month=Interval(114.2, 100, 120))
    rated = replace(made, choice=choice, rate_per_s=4.2)
    assert money(rated) == "Saves about $114 a month at 4.2 requests/s."
    dearer = replace(choice, saving_usd_per_month=Interval(-12.3, -14, -10))
    told = money(replace(rated, choice=dearer))
    assert told == "Costs about $12.30 more a month at 4.2 requests/s."
    assert (money(made) or "").endswith(" per million invocations.")
    assert money(answers.keep()) is None
    assert money(answers.inconclusive()) is None


def test_findings_come_by_weight() -> None:
    """Errors, warnings, where else it could run, old prices, and the rest, each in its order."""
    found = [
        Finding(code, severity, code)
        for code, severity in (
            ("small_saving", "info"),
            ("old_prices", "warning"),
            ("platform", "info"),
            ("noisy", "warning"),
            ("function_fails", "error"),
            ("modelled", "warning"),
        )
    ]
    told = [each.code for each in by_weight(found)]
    *first, last, least = told
    assert first == ["function_fails", "noisy", "modelled", "platform"]
    assert (last, least) == ("old_prices", "small_saving")


def test_an_explanation_says_why_each_size_is_there() -> None:
    """Now, cheapest, the goal's rule, modelled and excluded are noted beside their sizes."""
    sizes = explained(answers.resize()).partition("vs now")[2].partition("vs now")[2]
    rows = {line.split(" MB")[0].strip(" ▶"): line for line in sizes.splitlines() if " MB " in line}
    assert rows["3008"].endswith("–  now")
    assert rows["192"].endswith("cheapest, modelled")
    assert rows["1792"].endswith("−40%  worth it for speed")
    assert rows["1792"].startswith("▶")
    assert rows["128"].endswith("excluded: 2× out of memory")


def test_assumptions_are_one_line_until_they_are_asked_for() -> None:
    """The three that matter most, without what qualifies them; then all, each on its line."""
    many = ("2 payloads", "1% cold starts", "list prices of 2026-11-20, first tier", "a fourth")
    made = answers.resize(assumptions=many)
    short = terminal.render(made, width=100, color=False, more="More: --explain.")
    assert "Assumes 2 payloads, 1% cold starts, list prices of 2026-11-20. More" in short
    assert "a fourth" not in short
    general = "intervals describe the sweep's payloads and conditions, not future traffic"
    few = answers.resize(assumptions=("2 payloads", "1% cold starts", general))
    short = terminal.render(few, width=100, color=False, more="More: --explain.")
    assert "Assumes 2 payloads, 1% cold starts. More: --explain." in short
    assert all(f"\n  {each}\n" in explained(made) for each in many)


def goals_shown(made: Recommendation) -> list[list[str]]:
    """Sign, goal and size of the table's rows."""
    lines = terminal.render(made, width=100, color=False).splitlines()
    [head] = [number for number, line in enumerate(lines) if line.split()[:1] == ["memory"]]
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


def test_what_is_best_so_far_has_a_row_without_the_sign() -> None:
    """An inconclusive answer shows what it leans to beside the options, and recommends nothing."""
    made = answers.inconclusive()
    choice = replace(made.choice, best_so_far_mb=1024)
    options, curve = answers.resize().options, answers.resize().curve
    rows = goals_shown(replace(made, choice=choice, options=options, curve=curve))
    assert rows[1] == ["best", "so", "far", "1024"]
    assert not any("▶" in row for row in rows)


def test_a_current_size_that_only_fails_is_marked_as_modelled() -> None:
    """Its figures are the curve's, like those of any size without a sample."""
    made = answers.resize()
    now = made.current.memory_mb
    curve = [replace(each, measured=each.memory_mb != now) for each in made.curve]
    rows = option_rows(replace(made, curve=tuple(curve)))
    assert (rows[0].name, rows[0].notes) == ("now", ("modelled",))
    assert option_rows(made)[0].notes == ()
    killed = answers.summary(now, oom_count=2, duration_ms=None, cost_usd_per_million=None)
    sizes = (*(each for each in made.sizes if each.memory_mb != now), killed)
    rows = option_rows(replace(made, curve=tuple(curve), sizes=sizes))
    assert rows[0].notes == ("modelled", "2× out of memory")


def test_a_move_away_from_a_size_that_fails_says_so() -> None:
    """The headline says that it fails, not how much faster than the curve there another one is."""
    made = answers.resize()
    reason = "invocations fail at the current 3008 MB and succeed at 1792 MB"
    choice = replace(made.choice, saving_ratio=None, reason=reason)
    text = " ".join(terminal.render(replace(made, choice=choice), width=100, color=False).split())
    assert f"RESIZE 3008 → 1792 MB: {reason}." in text


def test_an_answer_without_a_curve_has_no_other_goals() -> None:
    """Where nothing is known, what was counted at each size is shown in its place."""
    shown = terminal.render(answers.inconclusive(), width=100, color=False)
    assert "cheapest" not in shown
    assert "512 MB" in shown


@pytest.mark.parametrize(
    ("goal", "line"),
    [
        (Goal(), "cost (a size twice as fast may cost 7% more)"),
        (Goal(name="balanced"), "balanced (a size twice as fast may cost twice as much)"),
        (Goal(name="speed"), "speed (a size 7% faster may cost twice as much)"),
        (Goal(time_weight=0.0), "cost alone (speed doesn't count)"),
        (
            Goal(time_weight=0.3),
            "cost, time weight 0.3 (a size twice as fast may cost 23% more)",
        ),
        (
            Goal(time_weight=2.0),
            "speed, time weight 2 (a size 41% faster may cost twice as much)",
        ),
    ],
)
def test_the_goal_is_one_sentence_by_its_weight(goal: Goal, line: str) -> None:
    """What twice the speed may cost, or from which speed on twice the cost is worth it."""
    assert goal_line(answers.resize(goal=goal)) == f"Goal: {line}."


def test_a_bound_is_rounded_up() -> None:
    """A bound of 0.04% is not said to be nothing, nor 1.2% to be 1%."""
    made = answers.keep()
    for bound, said in ((0.0, "0.1%"), (0.0004, "0.1%"), (0.0121, "2%"), (0.02, "2%")):
        choice = replace(made.choice, regret_bound_ratio=bound)
        told = certainty(replace(made, choice=choice)) or ""
        assert told.endswith(f"; at most {said} from it.")


def test_a_busy_machine_is_named_beside_the_confidence() -> None:
    """What it is sure of holds even if the machine slowed the current size down."""
    busy = (Finding("host_busy", "warning", "this machine is busy"),)
    told = certainty(replace(answers.resize(), findings=busy)) or ""
    assert "beats 3008 MB, even if this busy machine made 3008 MB look twice as slow" in told


def test_a_percentile_that_is_asked_for_has_a_column() -> None:
    """`~` marks what is modelled, a line says what it means; a size that fails has none."""
    made = answers.resize(
        goal=Goal(percentile=95),
        curve=tuple(map(answers.with_percentiles, answers.resize().curve)),
    )
    shown = explained(made)
    options, _, sizes = shown.partition("Assumes")[0].partition("36 invocations")
    assert shown.count(" p95 ") >= 2
    assert "231 ms" in options
    rows = {line.split(" MB")[0].strip(" ▶"): line for line in sizes.splitlines() if " MB " in line}
    assert "    231 ms" in rows["1792"]
    assert "~231 ms" in rows["3008"]
    assert rows["128"].count("–") == 4
    assert "~ modelled from the scatter at all sizes; measuring p95 takes 45 samples" in shown
    assert "p95" not in explained(answers.resize())


def test_a_kept_size_says_why() -> None:
    """KEEP names the size and the reason, and offers no command that changes it."""
    shown = terminal.render(answers.keep(), width=100, color=False)
    assert "KEEP 1024 MB: it is within 2% of the cheapest size." in shown
    assert "aws lambda" not in shown


def test_an_inconclusive_answer_names_no_size_and_no_certainty() -> None:
    """Without enough samples the reason stands where the size would."""
    shown = terminal.render(answers.inconclusive(), width=100, color=False)
    assert "INCONCLUSIVE: the sweep was interrupted" in shown
    assert "sure" not in shown
    assert "▶" not in shown
    assert "measured   " not in shown


def test_a_choice_that_costs_more_says_so() -> None:
    """Under the goal speed a negative saving is told as more expensive, with the time it buys."""
    made = answers.resize()
    choice = replace(
        made.choice, saving_ratio=Interval(-0.1, -0.12, -0.08), duration_ms=answers.about(105)
    )
    shown = terminal.render(replace(made, choice=choice), width=100, color=False)
    assert "10% more expensive (8–12%), 2.0× faster (210 → 105 ms). Costs about $" in shown


def test_a_local_answer_offers_no_aws_command() -> None:
    """What was measured here is said to be local, and costs nothing."""
    shown = terminal.render(answers.resize(environment="local"), width=100, color=False)
    assert "resize-images · local ·" in shown
    assert "free here" in shown
    assert "aws lambda" not in shown


@pytest.mark.parametrize("width", [20, 44, 60, 80, 120, 200])
@pytest.mark.parametrize("made", [answers.resize(), answers.keep(), answers.inconclusive()])
def test_no_line_is_wider_than_asked(width: int, made: Recommendation) -> None:
    """Only commands, which must stay in one piece to be pasted, run over."""
    shown = terminal.render(made, width=width, color=False, explain=True, apply="a" * 300)
    lines = [line for line in shown.splitlines() if "Apply: " not in line and " MB, " not in line]
    lines = [line for line in lines if not line.startswith("36 invocations")]
    assert max(map(len, lines)) <= max(width, terminal.MIN_WIDTH)


def test_a_narrow_terminal_still_gets_every_note() -> None:
    """Where the table has no room, notes stand below it."""
    shown = explained(answers.resize(), width=44)
    assert "  128 MB: excluded: 2× out of memory" in shown
    assert "  3008 MB: now" in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "no-such-encoding"])
def test_an_encoding_without_the_signs_gets_plain_ascii(encoding: str) -> None:
    """The chart and the text fall back together."""
    made = answers.resize()
    shown = terminal.render(made, width=80, color=False, encoding=encoding, explain=True)
    assert shown.isascii()
    assert "R recommended" in shown
    assert "RESIZE 3008 -> 1792 MB: 40% cheaper (37-42%)" in shown
    assert "?" not in shown


def test_colour_is_there_only_when_asked_for() -> None:
    """Escape sequences come with `color`, and the words stay the same without."""
    assert "\x1b[" in terminal.render(answers.resize(), width=80, color=True)
    assert "\x1b" not in terminal.render(answers.resize(), width=80, color=False)
