"""Detailed exit codes tell a script what the answer is."""

from __future__ import annotations

from tests.report import answers
from tuner.cli import exit_status


def test_each_verdict_has_its_code() -> None:
    """0 for keep, 10 for resize, 12 for inconclusive."""
    assert exit_status.of(answers.keep()) == 0
    assert exit_status.of(answers.resize()) == 10
    assert exit_status.of(answers.inconclusive()) == 12


def test_of_several_answers_the_one_to_act_on_decides() -> None:
    """A resize among them wins over an inconclusive one, that over keep."""
    assert exit_status.of_all([answers.keep(), answers.inconclusive(), answers.resize()]) == 10
    assert exit_status.of_all([answers.keep(), answers.inconclusive()]) == 12
    assert exit_status.of_all([answers.keep()]) == 0
