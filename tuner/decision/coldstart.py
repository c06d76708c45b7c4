"""What a cold start is billed beyond a warm invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.decision.evidence import ColdStart
    from tuner.inference.curve import Curve

    Floats = NDArray[np.float64]

# INIT runs at up to two full cores whatever the memory, so it falls little with memory: the prior
# of its exponent over memory is 0.1 ± 0.3. Single INITs scatter by some 15 %.
_EXPONENT, _EXPONENT_DEVIATION = 0.1, 0.3
_SCATTER_RATIO = 0.15


def billed_extra_ms(
    cold_starts: Sequence[ColdStart],
    sizes_mb: Sequence[int],
    draw_count: int,
    rng: np.random.Generator,
) -> Floats:
    """Draws of the billed INIT or restore over memory: (draws, sizes); zeros if none was billed.

    log extra = level - exponent * log2(memory): a flat prior on the level, a narrow one on the
    exponent, both updated by what was seen. Cold starts that billed nothing extra count as such.
    """
    billed = [cold for cold in cold_starts if cold.billed_extra_ms > 0]
    if not billed:
        return np.zeros((draw_count, len(sizes_mb)))
    octaves = np.log2([cold.memory_mb for cold in billed])
    logs = np.log([cold.billed_extra_ms for cold in billed])
    centre = octaves.mean()
    spread = octaves - centre
    prior = 1 / _EXPONENT_DEVIATION**2
    precision = prior + float(spread @ spread) / _SCATTER_RATIO**2
    slope = (-_EXPONENT * prior + float(spread @ logs) / _SCATTER_RATIO**2) / precision
    slopes = slope + rng.standard_normal((draw_count, 1)) / np.sqrt(precision)
    level_deviation = _SCATTER_RATIO / np.sqrt(len(billed))
    levels = logs.mean() + level_deviation * rng.standard_normal((draw_count, 1))
    extra = np.exp(levels + slopes * (np.log2(sizes_mb) - centre)[None, :])
    return np.asarray(extra * len(billed) / len(cold_starts))


def slowness(cold_starts: Sequence[ColdStart], curve: Curve, payload: str) -> float:
    """How much longer the handler takes when cold than warm, at least 1: a geometric mean."""
    seen = [cold for cold in cold_starts if cold.payload == payload]
    if not seen:
        return 1.0
    warm = curve.mean_ms([cold.memory_mb for cold in seen])
    ratios = np.log(np.maximum([cold.duration_ms for cold in seen], 0.01) / warm)
    # One more observation of "no difference" keeps a single cold start from saying much.
    return float(np.exp(max(float(ratios.sum()) / (len(ratios) + 1), 0.0)))
