"""The cards that a notebook shows."""

from __future__ import annotations

import re
from dataclasses import replace

import tuner
from tests.report.answers import inconclusive, resize
from tests.sweeps import made_sweep
from tuner.model.finding import Finding
from tuner.report.card import break_even_card, comparison_card, recommendation_card

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m"


def test_nothing_foreign_is_markup_in_a_card() -> None:
    """A function's name and a finding's words stand there as text."""
    answer = resize()
    hostile = replace(
        answer,
        function=replace(answer.function, name=HOSTILE, runtime=HOSTILE),
        findings=(Finding("x", "warning", HOSTILE),),
    )
    sweep = made_sweep()
    named = replace(sweep, function=replace(sweep.function, name=HOSTILE))
    cards = [
        recommendation_card(hostile),
        comparison_card(tuner.compare(named, named)),
        break_even_card(tuner.break_even(named)),
    ]
    for card in cards:
        assert "<img" not in card
        assert "\x1b" not in card
        assert "&lt;img" in card


def test_a_card_takes_the_notebook_s_own_colors() -> None:
    """No text has a color and nothing but the edge an opaque one: light and dark both show it."""
    card = recommendation_card(resize())
    assert set(re.findall(r"(?<![-\w])color:([^;\"]+)", card)) <= {"inherit"}
    assert set(re.findall(r"background[^:]*:([^;\"]+)", card)) <= {"transparent"}
    assert "<style" not in card
    assert "<script" not in card


def test_grave_findings_stand_in_the_card() -> None:
    """Warnings are told, notes are counted."""
    findings = (Finding("a", "warning", "Look here."), Finding("b", "info", "By the way."))
    card = recommendation_card(replace(inconclusive(), findings=findings))
    assert "Look here." in card
    assert "By the way." not in card
    assert "1 more finding in" in card
