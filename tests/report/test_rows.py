"""Reports of a sweep over memory and a batch size."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.report.views import shown
from tests.sweeps import recommended
from tests.varied_sweeps import CURRENT_MB, batch_sweep
from tuner.cli.commands import measure_command
from tuner.model.breakdown import Breakdown
from tuner.model.goal import Goal
from tuner.report import markdown, numbers, terminal
from tuner.report.json import to_json
from tuner.report.page.data import SweepView, chart_data
from tuner.report.page.sections import section

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation


@pytest.fixture(scope="module")
def answer() -> Recommendation:
    return recommended(batch_sweep())


def test_the_terminal_says_both(answer: Recommendation) -> None:
    """Every pair with its cost by the record, and size and batch size in the verdict."""
    text = terminal.render(answer, width=100, color=False, explain=True)
    head = next(line for line in text.splitlines() if "vs now" in line)
    assert head.endswith("event (90%)  $/million records  vs now")
    [verdict] = [line for line in text.splitlines() if line.startswith(("RESIZE", "KEEP"))]
    assert "batch_size 5 → 10: a record is" in verdict
    assert "A million records cost $0.4" in text
    assert "sure it beats 512 MB with batch_size 5;" in text
    assert "from the best size and batch_size." in " ".join(text.split())
    assert "mean duration, warm, with batch_size 10" in text
    rows = [line.split() for line in text.splitlines() if " MB " in line and "%" in line]
    assert {row[0] if row[0] != "▶" else row[1] for row in rows} >= {"1", "5", "10"}


@pytest.mark.parametrize("width", [44, 63, 64, 200])
def test_lines_keep_the_width(answer: Recommendation, width: int) -> None:
    """Also where there is little room: what is to be said of a pair stands below then."""
    lines = terminal.render(answer, width=width, color=False).splitlines()
    table = [line for line in lines if " MB " in line and not line.startswith("Next")]
    assert all(len(line) <= width for line in table)
    if width < 64:
        assert any(line.startswith("  5, 512 MB: now") for line in lines)


def test_markdown_has_the_pairs_and_both_values(answer: Recommendation) -> None:
    """Folded away; the comparison says which batch size each row has."""
    text = markdown.render(answer)
    assert "| now | 512 MB, `batch_size` 5 |" in text
    assert "| ▶ **recommended** | " in text
    assert ", `batch_size` 10 |" in text
    assert "| `batch_size` | memory | mean event (90%) | $ per million records | vs now | |" in text


def test_a_parameter_from_a_file_opens_no_column(answer: Recommendation) -> None:
    """A pipe in its name, as a sweep file from elsewhere may have, stays within its cell."""
    variation = answer.variation
    assert variation is not None
    named = replace(variation, parameter=replace(variation.parameter, name="a|b"))
    choice = replace(answer.choice, parameters=(("a|b", "10"),))
    text = markdown.render(replace(answer, variation=named, choice=choice))
    assert "| `a\\|b` | memory |" in text
    assert ", `a\\|b` 10 |" in text


@pytest.mark.parametrize("width", [44, 73, 74, 100])
def test_a_percentile_that_is_asked_for_has_its_column(width: int) -> None:
    """In every report; in a narrow terminal it stands below the table. A modelled one is marked."""
    sweep = batch_sweep()
    answer = recommended(sweep, Goal(percentile=95))
    text = terminal.render(answer, width=width, color=False)
    head = next(line for line in text.splitlines() if "vs n" in line or "vs…" in line)
    assert ("p95" in head.split()) == (width >= 74)
    below = [line for line in text.splitlines() if line.startswith("  5, 512 MB: p95 ~")]
    assert len(below) == (width < 74)
    assert "~ modelled from the scatter" in text
    assert "| mean event (90%) | p95 | $ per million records |" in markdown.render(answer)
    assert answer.variation is not None
    for value, made in zip(
        answer.variation.values, to_json(answer)["variation"]["values"], strict=True
    ):
        for pair, row in zip(value.pairs, made["pairs"], strict=True):
            assert row["percentiles_ms"]["p95"]["estimate"] == pair.percentile.duration_ms.estimate
    view = SweepView("made.jsonl", answer, sweep, sweep.plan.payloads, Breakdown((), ()), None)
    made = section(view, 1)
    assert made["pair_table"].head[3] == "p95"
    assert made["pairs_note"].startswith("~ modelled")
    assert all(row.cells[3].startswith("~") for row in made["pair_table"].rows)


def test_json_has_the_parameters_and_every_pair(answer: Recommendation) -> None:
    """Numbers as numbers; costs by the record."""
    made = to_json(answer)
    assert made["recommendation"]["parameters"] == {"batch_size": 10}
    assert made["current"]["parameters"] == {"batch_size": 5}
    assert {"estimate", "low", "high"} == set(
        made["recommendation"]["cost_usd_per_million_records"]
    )
    assert {(row["payload"], row["parameters"]["batch_size"]) for row in made["sizes"]} == {
        (name, value) for name in ("order", "import") for value in (1, 5, 10)
    }
    variation = made["variation"]
    assert (variation["parameter"], variation["best_value"]) == ("batch_size", 10)
    assert [each["record_count"] for each in variation["values"]] == [1, 5, 10]
    assert all(len(each["pairs"]) >= 2 for each in variation["values"])


def test_without_a_varied_parameter_nothing_of_it_is_said(answer: Recommendation) -> None:
    """Keys are there, empty."""
    choice = replace(answer.choice, parameters=(), cost_usd_per_million_records=None)
    plain = replace(answer, choice=choice, variation=None, findings=())
    assert "batch_size" not in terminal.render(plain, width=100, color=False).split("Assumes")[0]
    made = to_json(plain)
    assert made["variation"] is None
    assert made["recommendation"]["parameters"] == {}
    assert made["recommendation"]["cost_usd_per_million_records"] is None


def test_where_the_parameter_is_of_the_work_its_best_pair_is_told_apart(
    answer: Recommendation,
) -> None:
    """The verdict is for all values; who can choose one is told which."""
    plain = replace(answer, choice=replace(answer.choice, parameters=()))
    for text in (terminal.render(plain, width=100, color=False), markdown.render(plain)):
        told = text.replace("\\_", "_")
        assert "If you can choose batch_size, " in told
        assert "MB with batch_size 10 serves this goal best." in told
    assert "can be chosen" not in terminal.render(answer, width=100, color=False)


def test_the_page_has_the_pairs(answer: Recommendation) -> None:
    """As a table, with the value in its tiles and in the command that measures again."""
    sweep = batch_sweep()
    view = SweepView("made.jsonl", answer, sweep, sweep.plan.payloads, Breakdown((), ()), None)
    made = section(view, 1)
    assert made["pair_table"].head[0] == "batch_size"
    assert [row.role for row in made["pair_table"].rows].count("best") == 1
    tiles = {tile["title"]: (tile["now"], tile["then"]) for tile in made["tiles"]}
    assert tiles["batch_size"] == ("5", "10")
    assert "Cost per million records" in tiles
    assert "--vary=batch_size=1,5,10" in measure_command(view, ())


def test_the_page_s_readout_compares_with_the_same_value() -> None:
    """The curve is of one value: what was measured with it is measured, and sizes are set against
    the current one with that value. What an event of another size costs says nothing.
    """
    view = shown(batch_sweep())
    answer = view.recommendation
    [(name, value)] = answer.choice.parameters
    warm = {
        (each.memory_mb, each.payload) for each in view.sweep.invocations if each.is_warm_sample
    }
    of_value = {each.name for each in view.sweep.plan.payloads}
    for each in answer.curve:
        assert each.measured == all((each.memory_mb, payload) in warm for payload in of_value)
    [now] = [each for each in answer.curve if each.memory_mb == CURRENT_MB]
    for each, readout in zip(answer.curve, chart_data(view)["readouts"], strict=True):
        ratio = each.cost_usd_per_million.estimate / now.cost_usd_per_million.estimate - 1
        assert readout[2] == ("" if each is now else numbers.change(ratio))
    made = section(view, 1)
    sent = {row.cells[0] for row in made["reproduce"]["payloads"].rows}
    assert sent == {each.name for each in batch_sweep().plan.payloads} > of_value
    assert "Cost per million" not in {tile["title"] for tile in made["tiles"]}
    assert made["curve_of"] == f", with {name} {value}"
