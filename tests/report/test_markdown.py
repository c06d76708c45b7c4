"""The comment on a pull request: short above, whole below."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.report import answers
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.report import markdown


def test_a_resize_is_one_line_and_a_small_table() -> None:
    """The verdict leads, now and recommended follow, every size is folded away."""
    text = markdown.render(answers.resize())
    lines = text.splitlines()
    assert lines[0] == "**RESIZE 3008 → 1792 MB: 40 % cheaper (37–42 %), same speed.**"
    assert "| now | 3008 MB | 210 ms | 10.48 | |" in lines
    assert "| **recommended** | **1792 MB** | 210 ms | 6.33 | 40 % cheaper (37–42 %) |" in lines
    assert "Goal: cost first (a size twice as fast may cost 7 % more)." in text
    assert "| ▶ **balanced** | 1792\u00a0MB | 210\u00a0ms | 6.33 | −40\u00a0% | |" in lines
    assert "| cheapest | 192\u00a0MB |" in text
    assert "<details><summary>Sizes (36 invocations, $0.0004)</summary>" in lines
    assert text.count("<details>") == text.count("</details>") == 4
    assert "| 128\u00a0MB | – | – | – | excluded: 2 × out of memory |" in lines
    assert "- **info** (`one-core`): One core only: more than 1769 MB buys nothing." in lines
    assert "<details><summary>Assumptions</summary>\n\nAssumes 1 payload;" in text


def test_percentiles_are_shown_as_what_they_are() -> None:
    """p95 now and recommended, what is modelled marked and explained; of every size where asked."""
    made = answers.resize()
    made = replace(made, curve=tuple(map(answers.with_percentiles, made.curve)))
    text = markdown.render(made)
    assert "| | memory | mean duration | p95 | $ per million | saving (90 %) |" in text
    assert "| now | 3008 MB | 210 ms | \\~231\u00a0ms | 10.48 | |" in text
    assert "| **recommended** | **1792 MB** | 210 ms | 231\u00a0ms | 6.33 |" in text
    assert "<sub>\\~ modelled from the scatter at all sizes: a measured p95 takes 45" in text
    assert text.count("p95 |") == 1
    asked = markdown.render(replace(made, goal=Goal(max_duration_ms=900, percentile=95)))
    assert asked.count("p95 |") == 2
    for block in asked.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_tables_have_as_many_cells_in_every_row() -> None:
    """No row opens or loses a column."""
    blocks = markdown.render(answers.resize()).split("\n\n")
    for block in blocks:
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1


def test_a_kept_size_recommends_no_other() -> None:
    """KEEP shows the current size alone."""
    text = markdown.render(answers.keep())
    assert text.startswith("**KEEP 1024 MB: it is within 2 % of the cheapest size.**")
    assert "**recommended** | **" not in text


def test_an_inconclusive_answer_says_so_first() -> None:
    """The reason is the headline and unknown figures are dashes."""
    text = markdown.render(answers.inconclusive())
    assert text.startswith("**INCONCLUSIVE: the sweep was interrupted")
    assert "| now | 3008 MB | – | – | |" in text


def test_the_chart_holds_every_size_with_a_cost() -> None:
    """As many points as names on the axis, none for the size that failed."""
    text = markdown.render(answers.resize())
    [chart] = re.findall(r"```mermaid\n(.*?)\n```", text, re.DOTALL)
    [axis] = re.findall(r"x-axis .*\[(.*)\]", chart)
    [line] = re.findall(r"line \[(.*)\]", chart)
    assert chart.startswith("%%{init: ")
    assert "}%%\nxychart-beta\n" in chart
    sizes_mb = [int(name.strip('" ')) for name in axis.split(",")]
    assert sizes_mb == [192, 256, 512, 1024, 1792, 3008]  # 192 MB: the cheapest, modelled
    assert len(line.split(",")) == len(sizes_mb)
    assert "mermaid" not in markdown.render(answers.inconclusive())


def test_a_warning_stands_open() -> None:
    """What must be seen is not folded away, nor whether to leave Lambda."""
    findings = (
        Finding("i", "info", "Eh."),
        Finding("w", "warning", "Look."),
        Finding("platform", "info", "Leave."),
    )
    text = markdown.render(answers.resize(findings=findings))
    assert (
        text.index("Look.")
        < text.index("Leave.")
        < text.index("<summary>Findings")
        < text.index("Eh.")
    )
