"""What a new size is held against: the sweep's forecast, or the worst that can be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.sweeps import made_sweep, mixed_ms
from tuner import session
from tuner.api.rollout import request_of
from tuner.errors import InputError
from tuner.model.goal import Goal
from tuner.rollout.forecast import MARGIN, worst_case


def test_a_sweeps_answer_is_what_is_rolled_out() -> None:
    """Its size, what it was measured at, and the ratios that it forecasts."""
    sweep = made_sweep(mixed_ms, current_mb=3008)
    answer = session.recommend(session.analyse(sweep, Goal()), today=date(2026, 11, 30))
    request = request_of(answer)
    assert request.memory_mb == answer.memory_mb
    assert (request.function, request.was_mb) == (answer.function.name, 3008)
    assert request.sweep_id == answer.sweep.sweep_id
    forecast = request.forecast
    assert forecast is not None
    saving = answer.saving
    assert saving is not None
    assert forecast.cost_ratio.estimate == pytest.approx(1 - saving.estimate, abs=0.03)
    assert forecast.cost_limit == 1 + MARGIN
    truth = mixed_ms(request.memory_mb) / mixed_ms(3008)
    assert forecast.duration_ratio.low < truth < forecast.duration_ratio.high
    assert forecast.duration_limit == pytest.approx(truth * (1 + MARGIN), rel=0.1)


def test_an_inconclusive_answer_is_not_rolled_out() -> None:
    """There is nothing to roll out; the line says what to do."""
    sweep = made_sweep(mixed_ms, current_mb=3008)
    answer = session.recommend(session.analyse(sweep, Goal()), today=date(2026, 11, 30))
    undecided = replace(answer, choice=replace(answer.choice, memory_mb=None))
    with pytest.raises(InputError, match="inconclusive, so there is nothing to roll out: tune"):
        request_of(undecided)


def test_without_a_sweep_the_worst_case_limits() -> None:
    """Less memory: slower by as much and no dearer; more: no slower, and dearer by as much."""
    down, up = worst_case(2048, 512), worst_case(512, 2048)
    assert (down.duration_limit, down.cost_limit) == pytest.approx((4.4, 1.1))
    assert (up.duration_limit, up.cost_limit) == pytest.approx((1.1, 4.4))
