"""The figure of a break-even: a line a platform, crossings, and the rate that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run_here
from tests.cli.test_break_even import sweep_file
from tests.sweeps import made_sweep
from tuner.api.answers import break_even
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import traffic_of_rate
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.report.figures.breakeven import draw_break_even
from tuner.report.figures.canvas import render_figure

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sweep_file"]

SWEEP = made_sweep(lambda memory_mb: 250 + 5 * 1769 / min(memory_mb, 1769))
TERMS = Terms(traffic=traffic_of_rate(1000.0))
ANSWER = break_even(SWEEP, TERMS)


def test_every_platform_has_its_line_and_every_crossing_its_mark() -> None:
    """Lines are the answer's own costs, and a dot stands at each break-even rate."""
    panel = draw_break_even(ANSWER).axes[0]
    assert {each.name.split()[-1] for each in ANSWER.platforms[1:]} == {"x86_64", "arm64"}
    drawn = {line.get_label(): line for line in panel.lines}
    for platform in ANSWER.platforms:
        line = drawn[platform.name]
        assert list(line.get_ydata()) == [p.cost_usd_per_month for p in platform.curve]
    dots = sorted(line.get_xdata()[0] for line in panel.lines if line.get_marker() == "o")
    expected = sorted(
        each.break_even.estimate_per_s * SECONDS_PER_MONTH
        for each in ANSWER.platforms
        if each.break_even is not None
        and each.break_even.estimate_per_s <= each.curve[-1].rate_per_s
    )
    assert dots == pytest.approx(expected)
    assert any(text.get_text().strip() == "1,000/s" for text in panel.texts)


def test_rates_that_the_free_tier_pays_for_are_drawn_without_a_warning() -> None:
    """A cost of 0 has no place on a logarithmic axis; the crossings above it have theirs."""
    answer = break_even(SWEEP, replace(TERMS, account_gb_seconds=0))
    assert answer.platforms[0].curve[0].cost_usd_per_month == 0
    assert draw_break_even(answer).axes[0].lines


def test_the_same_answer_is_the_same_bytes() -> None:
    """No date and no random ids, so that a file changes only when the answer does."""
    one, other = (render_figure(draw_break_even(ANSWER), "svg") for _ in range(2))
    assert one == other


@pytest.mark.parametrize("name", ["png", "svg"])
def test_the_command_writes_the_file(sweep_file: str, tmp_path: Path, name: str) -> None:
    """The format must be the file's ending, and stdout stays empty."""
    out = tmp_path / f"costs.{name}"
    ran = run_here("break-even", sweep_file, "--format", name, "--out", str(out))
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert out.read_bytes()[:4] in {b"\x89PNG", b"<?xm"}
    refused = run_here("break-even", sweep_file, "--format", name, "--out", str(tmp_path / "x.txt"))
    assert refused.returncode == 2
    assert "does not end in" in refused.stderr
