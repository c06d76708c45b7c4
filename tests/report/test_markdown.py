"""The comment on a pull request: short above, whole below."""

from __future__ import annotations

from dataclasses import replace

from tests.report import answers
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.report import markdown


def test_a_resize_is_one_line_and_one_small_table() -> None:
    """The verdict leads, the options follow with the answer's marked, every size is folded away."""
    text = markdown.render(answers.resize())
    lines = text.splitlines()
    verdict, _, gained = lines[0].partition("** ")
    assert verdict == "**RESIZE 3008 → 1792 MB: 40% cheaper (37–42%), same speed."
    assert gained.startswith("Saves about ")
    assert "Goal: cost (a size twice as fast may cost 7% more)." in text
    assert "| now | 3008\u00a0MB | 210\u00a0ms | 10.48 | – | |" in lines
    assert "| ▶ **balanced** | 1792\u00a0MB | 210\u00a0ms | 6.33 | −40% | |" in lines
    assert "| cheapest | 192\u00a0MB |" in text
    assert text.partition("<details>")[0].count("\n|---|") == 1
    assert "<details><summary>Sizes (36 invocations, $0.0004)</summary>" in lines
    assert text.count("<details>") == text.count("</details>") == 3
    assert "| 128\u00a0MB | – | – | – | excluded: 2× out of memory |" in lines
    assert "- **info** (`one-core`): One core only: more than 1769 MB buys nothing." in lines
    assert "<details><summary>Assumptions</summary>\n\nAssumes 1 payload;" in text


def test_no_chart_puts_sizes_at_even_steps() -> None:
    """A forge's charts have no memory axis that is true, so there is none."""
    assert "mermaid" not in markdown.render(answers.resize())


def test_percentiles_are_shown_as_what_they_are() -> None:
    """p95 of each option, what is modelled marked and explained; of every size where asked."""
    made = answers.resize()
    made = replace(made, curve=tuple(map(answers.with_percentiles, made.curve)))
    text = markdown.render(made)
    assert "| | memory | mean duration | p95 | $ per million | vs now | |" in text
    assert "| now | 3008\u00a0MB | 210\u00a0ms | \\~231\u00a0ms | 10.48 |" in text
    assert "| ▶ **balanced** | 1792\u00a0MB | 210\u00a0ms | 231\u00a0ms | 6.33 |" in text
    assert "<sub>\\~ modelled from the scatter at all sizes; measuring p95 takes 45" in text
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


def test_a_kept_size_is_the_one_that_is_marked() -> None:
    """KEEP marks the row of the current size, and no other."""
    text = markdown.render(answers.keep())
    assert text.startswith("**KEEP 1024 MB: it is within 2% of the cheapest size.**")
    assert "| ▶ **now** | 1024" in text
    assert text.partition("<details>")[0].count("▶") == 1


def test_an_inconclusive_answer_says_so_first() -> None:
    """The reason is the headline and unknown figures are dashes."""
    text = markdown.render(answers.inconclusive())
    assert text.startswith("**INCONCLUSIVE: the sweep was interrupted")
    assert "| now | 3008 MB | – | – |" in text


def test_a_warning_is_open() -> None:
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
