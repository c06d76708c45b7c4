"""Shapes of the prior that follow from the platform are what the platform does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.decide_windows import windowed_ms
from tuner.inference.prior import Shapes, prior_shapes
from tuner.model.lambda_limits import QUOTA_WINDOW_MS

MOMENTS = 100


def steps_of(work_ms: float, *, random_start: bool) -> Shapes:
    """One shape: work of one thread and nothing else, the same at every call."""
    shape = prior_shapes().select(np.array([0]))
    return Shapes(
        wait=np.zeros(1),
        serial=np.ones(1),
        serial_exponent=np.ones(1),
        knee_vcpu=np.ones(1),
        parallel=np.zeros(1),
        cores_vcpu=shape.cores_vcpu,
        pressure=np.zeros(1),
        pressure_exponent=shape.pressure_exponent,
        growth=np.zeros(1),
        growth_exponent=shape.growth_exponent,
        windowed_ms=np.array([work_ms]),
        step_share=np.ones(1),
        random_start=np.array([random_start]),
    )


@given(st.floats(1.0, 120.0), st.integers(128, 3008))
def test_work_that_begins_at_any_moment_of_a_window_takes_the_mean_over_all(
    work_ms: float, memory_mb: int
) -> None:
    """As carried out window by window, within what so many moments can show."""
    begins = (np.arange(MOMENTS) + 0.5) / MOMENTS * QUOTA_WINDOW_MS
    carried_out = np.mean([windowed_ms(work_ms, memory_mb, float(begin)) for begin in begins])
    shape = steps_of(work_ms, random_start=True)
    expected = work_ms * float(np.exp(shape.log_duration([memory_mb])[0, 0]))
    assert abs(expected - carried_out) < 2 * QUOTA_WINDOW_MS / MOMENTS


@given(st.floats(1.0, 120.0), st.integers(128, 3008))
def test_work_that_begins_with_a_window_takes_its_steps(work_ms: float, memory_mb: int) -> None:
    """To the last digit, but where a step is."""
    shape = steps_of(work_ms, random_start=False)
    expected = work_ms * float(np.exp(shape.log_duration([memory_mb])[0, 0]))
    off = [abs(expected - windowed_ms(work * work_ms, memory_mb, 0.0)) for work in (1, 1 - 1e-8)]
    assert min(off) < 1e-5
