"""A comparison in words: the line says what changed, and whether that is real."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import cpu_bound_ms, made_function, made_sweep
from tuner.api.comparing import compare
from tuner.report import comparison
from tuner.report.figures.canvas import render_figure
from tuner.report.figures.curves import draw_comparison
from tuner.report.json import comparison_json

if TYPE_CHECKING:
    from tuner.model.comparison import Comparison


def of_code(ratio: float = 1.1, name: str = "made") -> Comparison:
    other = made_sweep(lambda mb: ratio * cpu_bound_ms(mb), seed=5)
    return compare(
        made_sweep(),
        replace(other, function=made_function(code_sha256="zz99yy", name=name)),
        different_functions=True,
    )


def rollout(ratio: float = 1.0) -> Comparison:
    after = made_sweep(lambda mb: ratio * cpu_bound_ms(mb), current_mb=1769, seed=7)
    return compare(made_sweep(), after)


@pytest.mark.parametrize(
    ("found", "begins"),
    [
        (of_code(), "SLOWER: B takes 10% more time (+"),
        (of_code(0.8), "FASTER: B takes 20% less time (−"),
        (of_code(1.0), "NOT SETTLED: B shows no clear difference in time (−"),
        (rollout(1.5), "SLOWER THAN FORECAST: "),
        (rollout(0.5), "FASTER THAN FORECAST: "),
    ],
)
def test_the_line_says_what_changed(found: Comparison, begins: str) -> None:
    """Direction, size and interval; a difference that is not shown is not claimed."""
    assert comparison.headline(found).startswith(begins)


def test_a_line_that_settles_nothing_says_so_once() -> None:
    """Time and cost that both stay open are one clause, each with its interval."""
    line = comparison.headline(of_code(1.0))
    assert line.count("no clear difference") == 1
    assert ") and none in cost (" in line


def test_a_rollout_as_forecast_says_so_and_what_it_did() -> None:
    """Forecast and measurement stand side by side, then the cost of the change."""
    line = comparison.headline(rollout())
    assert line.startswith("AS FORECAST")
    assert "measured at 1769 MB" in line
    assert "1024 → 1769 MB" in line


def test_text_and_markdown_have_every_pair_and_common_size() -> None:
    """Each size that both measured is a row in either, with the change."""
    found = of_code()
    text, written = comparison.render(found, width=100), comparison.render_markdown(found)
    assert found.pooled is not None
    for size in found.pooled.sizes_mb:
        assert f"{size} MB, mean" in text
        assert f"| {size} MB, mean |" in written
    assert max(map(len, text.splitlines())) < 140
    assert comparison.render(found, width=100, encoding="ascii").isascii()


def test_sentences_fit_the_terminal() -> None:
    """Beside the tables no line is wider than the terminal, and no word is lost."""
    found = of_code()
    narrow, wide = (comparison.render(found, width=width) for width in (60, 1000))
    tables = {line for line in wide.splitlines() if "  " in line.strip()}
    assert all(len(line) <= 60 for line in narrow.splitlines() if line not in tables)
    assert narrow.split() == wide.split()


def test_foreign_names_are_inert_in_markdown() -> None:
    """A name that is markup does not become any."""
    written = comparison.render_markdown(of_code(name="<b>|`@all"))
    assert "<b>|" not in written.replace("`` ", "").split("- **B**")[0]
    assert "``" in written


def test_the_json_is_strict_and_names_its_kind() -> None:
    """No NaN, intervals of three, and the same verdict as the line."""
    found = json.loads(json.dumps(comparison_json(of_code()), allow_nan=False))
    assert (found["schema_version"], found["kind"], found["what"]) == (1, "comparison", "code")
    assert found["pairs"][0]["duration_ms"]["change"]["verdict"] == "higher"
    assert set(found["same_sizes"]["duration"]["ratio"]) == {"estimate", "low", "high"}


def test_the_figure_is_the_same_again() -> None:
    """The same comparison gives the same SVG, byte for byte."""
    first, again = (render_figure(draw_comparison(of_code()), "svg") for _ in range(2))
    assert first == again
