"""What notebooks call: the frame, the curve and the figures, from the public names alone."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

import tuner
from tests.report.views import large_sweep
from tests.sweeps import cpu_bound_ms, made_sweep


def test_a_frame_has_every_invocation() -> None:
    """One row each, with what the platform reported; a warm call has no INIT."""
    sweep = made_sweep()
    frame = sweep.to_frame()
    assert len(frame) == len(sweep.invocations)
    assert frame.duration_ms.tolist() == [
        i.report.duration_ms for i in sweep.invocations if i.report
    ]
    assert frame[frame.warm_sample].init_duration_ms.isna().all()
    assert frame.outcome.unique().tolist() == ["success"]


def test_a_frame_of_nothing_has_its_columns() -> None:
    """An empty sweep and one whose replies were lost have the same columns as any other."""
    sweep = made_sweep()
    empty = replace(sweep, invocations=())
    lost = replace(sweep, invocations=(replace(sweep.invocations[0], report=None),))
    columns = sweep.to_frame().columns.tolist()
    assert empty.to_frame().columns.tolist() == columns == lost.to_frame().columns.tolist()
    assert lost.to_frame().duration_ms.isna().all()


def test_a_frame_without_pandas_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the extra."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(tuner.TunerError, match=r"pip install 'lambda-tuner\[notebook\]'"):
        made_sweep().to_frame()


def test_a_curve_of_a_sweep_is_the_answer_s() -> None:
    """Its mean at a size is the estimate that the recommendation gives for it."""
    sweep = made_sweep()
    curve, answer = tuner.fit_curve(sweep), tuner.recommend(sweep)
    sizes = [each.memory_mb for each in answer.curve]
    estimates = [each.duration_ms.estimate for each in answer.curve]
    assert np.allclose(curve.mean_ms(sizes), estimates)


def test_one_of_several_payloads_must_be_named() -> None:
    """Each has its own curve; without a name, or with a wrong one, the line lists them."""
    sweep = large_sweep()
    with pytest.raises(tuner.TunerError, match="empty, large"):
        tuner.fit_curve(sweep)
    with pytest.raises(tuner.TunerError, match="empty, large"):
        tuner.fit_curve(sweep, "small")
    ratio = tuner.fit_curve(sweep, "large").mean_ms([512]) / tuner.fit_curve(
        sweep, "empty"
    ).mean_ms([512])
    assert ratio[0] == pytest.approx(2, rel=0.1)


def test_what_the_calls_return_can_be_drawn() -> None:
    """A sweep, a comparison and a break-even each become a figure that shows itself as a PNG."""
    sweep = made_sweep()
    slower = made_sweep(lambda mb: 1.2 * cpu_bound_ms(mb), seed=2)
    for each in (sweep, tuner.compare(sweep, slower), tuner.break_even(sweep)):
        assert tuner.plot(each)._repr_png_().startswith(b"\x89PNG")
