"""The curve itself, for those who want to look under an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.saved import analyse
from tuner.errors import InputError

if TYPE_CHECKING:
    from tuner.inference.curve import Curve
    from tuner.model.sweep import Sweep


def fit_curve(sweep: Sweep, payload: str | None = None, *, draw_count: int = 200) -> Curve:
    """Mean warm duration over memory of one payload: the curve that the sweep's answer rests on.

    `curve.mean_ms(sizes)` is the estimate, `curve.draws_ms(sizes)` what else it may be: one row a
    draw, one column a size, in ms. `payload` must be named where there are several. Raises
    InputError for an unknown payload and where there is no curve for want of samples.
    """
    analysis = analyse(sweep, draw_count=draw_count)
    names = list(analysis.evidence.samples)
    wanted = names[0] if payload is None and len(names) == 1 else payload
    if wanted is None or wanted not in analysis.evidence.samples:
        raise InputError(f"name one of the sweep's payloads: {', '.join(names)}")
    for problem in analysis.problems:
        if wanted in problem.fitted.curves:
            return problem.fitted.curves[wanted]
    raise InputError(f"there is no curve: {analysis.choice.reason}")
