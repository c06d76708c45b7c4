"""An earlier sweep informs the curve as far as the samples agree with it, and no further."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.sweeps import cpu_bound_ms
from tuner.inference.curve import fit_curve
from tuner.inference.prior_sweep import OTHER_CODE, PRODUCTION, SAME_CODE, PriorSamples
from tuner.inference.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.inference.curve import Curve

EARLIER_MB = (128, 256, 512, 1024, 1769, 3008)
SEEN_MB = 1024


def samples(
    duration_ms: Callable[[int], float],
    sizes_mb: Sequence[int],
    *,
    environment_count: int = 1,
    seed: int = 0,
) -> tuple[Sample, ...]:
    """Three warm samples of every environment, scattered by 3% in both layers."""
    rng = random.Random(seed)
    found = []
    for size in sizes_mb:
        for number in range(environment_count):
            level_ms = duration_ms(size) * math.exp(rng.gauss(0, 0.03))
            found += [
                Sample(size, level_ms * math.exp(rng.gauss(0, 0.03)), f"{size}/{number}")
                for _ in range(3)
            ]
    return tuple(found)


def spread(curve: Curve, memory_mb: int, other_mb: int) -> float:
    """How unsure (log) the ratio of two sizes is."""
    draws = np.log(curve.draws_ms([memory_mb, other_mb]))
    return float((draws[:, 0] - draws[:, 1]).std())


def ratio(curve: Curve, memory_mb: int, other_mb: int) -> float:
    draws = curve.draws_ms([memory_mb, other_mb])
    return float((draws[:, 0] / draws[:, 1]).mean())


def test_the_same_code_tells_what_was_not_measured_again() -> None:
    """A ratio to a size without a sample of this sweep is known four times as well, and is right;
    other code tells it less surely.
    """
    now = samples(cpu_bound_ms, [SEEN_MB], seed=1)
    earlier = samples(cpu_bound_ms, EARLIER_MB)
    alone = spread(fit_curve(now), 256, SEEN_MB)
    same = fit_curve(now, prior=PriorSamples(earlier, same_code=True))
    other = fit_curve(now, prior=PriorSamples(earlier, same_code=False))
    assert spread(same, 256, SEEN_MB) < alone / 4
    assert spread(same, 256, SEEN_MB) < spread(other, 256, SEEN_MB) < alone
    assert ratio(same, 256, SEEN_MB) == pytest.approx(
        cpu_bound_ms(256) / cpu_bound_ms(SEEN_MB), rel=0.1
    )
    assert same.prior_weight is not None
    assert same.prior_weight > 0.9


def test_a_drifted_level_moves_the_curve_and_leaves_its_shape() -> None:
    """Where every size became a tenth slower, one size's samples tell it of all of them."""
    slower = samples(lambda m: 1.1 * cpu_bound_ms(m), [SEEN_MB], seed=1)
    prior = PriorSamples(samples(cpu_bound_ms, EARLIER_MB), same_code=True)
    found = fit_curve(slower, prior=prior)
    assert float(found.mean_ms([256])[0]) == pytest.approx(1.1 * cpu_bound_ms(256), rel=0.08)


def test_contradicted_samples_lose_their_weight() -> None:
    """What waits now is not taken for what computed then, under the same digest: two sizes tell."""
    now = samples(lambda _memory_mb: 600.0, [128, SEEN_MB], environment_count=2, seed=1)
    found = fit_curve(now, prior=PriorSamples(samples(cpu_bound_ms, EARLIER_MB), same_code=True))
    assert found.prior_weight is not None
    assert found.prior_weight < 0.5
    assert ratio(found, 128, SEEN_MB) == pytest.approx(1.0, rel=0.1)


def of_production(duration_ms: Callable[[int], float], sizes_mb: Sequence[int]) -> PriorSamples:
    means = tuple(Sample(size, duration_ms(size), f"{size}/1") for size in sizes_mb)
    return PriorSamples(means, same_code=False, production=True)


def test_production_s_means_tell_the_shape_of_longer_events_too() -> None:
    """Two sizes make a ratio twice as sure as none, whether or not the events are the sweep's;
    an outlying mean is none of typical calls, and moves no level.
    """
    now = samples(cpu_bound_ms, [SEEN_MB], seed=1)
    alone = spread(fit_curve(now), 256, SEEN_MB)
    for longer in (1.0, 5.0):
        seen = of_production(lambda m, by=longer: by * cpu_bound_ms(m), [256, SEEN_MB])
        found = fit_curve(now, prior=seen)
        assert spread(found, 256, SEEN_MB) < alone / 2
        assert float(found.mean_ms([SEEN_MB])[0]) == pytest.approx(cpu_bound_ms(SEEN_MB), rel=0.1)


def test_what_production_ran_before_is_not_believed_against_samples() -> None:
    """Other code then, by two sizes now: the ratio is the samples'."""
    now = samples(lambda _memory_mb: 600.0, [128, SEEN_MB], environment_count=2, seed=1)
    found = fit_curve(now, prior=of_production(cpu_bound_ms, [256, SEEN_MB]))
    assert ratio(found, 128, SEEN_MB) == pytest.approx(1.0, rel=0.1)


def test_many_samples_make_an_earlier_sweep_unimportant() -> None:
    """With many environments a size, its mean is its own, whatever an earlier sweep says."""
    bent = samples(
        lambda m: cpu_bound_ms(m) * (1.12 if m == 512 else 1), EARLIER_MB, environment_count=20
    )
    prior = PriorSamples(samples(cpu_bound_ms, EARLIER_MB, seed=1), same_code=True)
    found = fit_curve(bent, prior=prior)
    own = float(np.mean([s.duration_ms for s in bent if s.memory_mb == 512]))
    assert float(found.mean_ms([512])[0]) == pytest.approx(own, rel=0.02)


def test_the_weights_of_every_change_are_those_of_a_mixture() -> None:
    """Prior weights sum to 1, and one change in each set is as large as to tell nothing."""
    for changes in (SAME_CODE, OTHER_CODE, PRODUCTION):
        assert sum(change.weight for change in changes) == pytest.approx(1.0, rel=1e-9)
        assert changes[-1].slow >= 0.4
        assert [c.slow for c in changes] == sorted(c.slow for c in changes)
