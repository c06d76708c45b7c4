"""The curve itself, for those who want to look under an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.decision.candidates import candidates_of
from tuner.decision.evidence import read_evidence
from tuner.errors import InputError
from tuner.inference.fit import fit_curve as fit_samples

if TYPE_CHECKING:
    from tuner.inference.curve import Curve
    from tuner.model.sweep import Sweep


def fit_curve(sweep: Sweep, payload: str | None = None, *, draw_count: int = 200) -> Curve:
    """Fit mean warm duration over memory to a sweep's samples of one payload.

    `curve.mean_ms(sizes)` is the estimate, `curve.draws_ms(sizes)` what else it may be: one row a
    draw, one column a size, in ms. `payload` must be named where there are several. Raises
    InputError for an unknown payload and where there is no sample.
    """
    evidence = read_evidence(sweep.invocations, {p.name: p.weight for p in sweep.plan.payloads})
    names = list(evidence.samples)
    wanted = names[0] if payload is None and len(names) == 1 else payload
    if wanted is None or wanted not in evidence.samples:
        raise InputError(f"name one of the sweep's payloads: {', '.join(names)}")
    seed = sweep.plan.seed + names.index(wanted)
    sizes = candidates_of(sweep) | {sweep.function.memory_mb, *evidence.measured_mb}
    return fit_samples(
        evidence.samples[wanted], sizes_mb=sorted(sizes), seed=seed, draw_count=draw_count
    )
