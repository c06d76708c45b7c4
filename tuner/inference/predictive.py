"""How single warm invocations scatter around the mean, pooled over all sizes of one payload.

A single size rarely has the samples for a p95; all sizes together say more. The distribution of
duration over mean is drawn from a Dirichlet process posterior (Ferguson, 1973): what was seen in
each environment, and, worth as much as a few samples, what is possible: a lognormal with the
estimated deviation and slow calls that haven't shown yet. Every environment's luck is spread over
it, because traffic meets more environments than a sweep does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.inference.outliers import LARGEST_KINK_RATIO
from tuner.inference.posterior import BETWEEN_RATIOS
from tuner.inference.slow_calls import SLOW_CALL_EXTRA, draw_slow_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.inference.sample import Sample
    from tuner.inference.variance_components import Levels
    from tuner.model.arrays import Flags, Floats

_UNSEEN_COUNT: Final = 4.0
"""How many samples the assumed distribution is worth."""
_SLOW_DEVIATIONS: Final = 3.0
_GRID_COUNT: Final = 90
_STEPS_PER_DEVIATION: Final = 250
_LAST_DEVIATION: Final = 6
_LAST_STEP: Final = 2 * _LAST_DEVIATION * _STEPS_PER_DEVIATION
_NORMAL: Final = np.array(
    [
        NormalDist().cdf(step / _STEPS_PER_DEVIATION - _LAST_DEVIATION)
        for step in range(_LAST_STEP + 1)
    ]
)
_NORMAL_RISE: Final = np.append(np.diff(_NORMAL), 0.0)


@dataclass(frozen=True, slots=True)
class _Seen:
    """Log ratios of warm samples to the usual duration of their environment, or (if one is alone in
    it) to the curve, in which case its environment's luck is in the ratio.
    """

    log_ratio: Floats
    alone: Flags
    slow: bool
    """Whether one of them is far slower than usual."""


def draw_ratio_quantiles(
    samples: Sequence[Sample],
    levels: Levels,
    mean_ms: Sequence[float],
    *,
    percentiles: Sequence[float],
    draw_count: int,
    rng: np.random.Generator,
) -> Floats:
    """Draw percentiles (0 to 100) of duration over mean duration: (draws, percentiles).

    `levels` are the samples', `mean_ms` is the mean warm duration at each sample's size.
    """
    seen = _residuals(samples, mean_ms, levels)
    count = len(seen.log_ratio)
    between = _draw_between(levels, draw_count, rng)
    within = levels.within_ratio * np.sqrt(
        levels.within_count / rng.chisquare(levels.within_count, draw_count)
    )
    weight = rng.dirichlet([*np.ones(count), _UNSEEN_COUNT], draw_count).T
    slow = draw_slow_rates(0, count, draw_count, rng)
    # If slow calls were seen, they give the rate; longer ones are possible.
    slow *= weight[-1] if seen.slow else 1.0
    grid = _grid(seen.log_ratio, float(np.hypot(between, within).max()))
    usual = _share_below(grid, seen, weight, between=between, within=within)
    below = (1 - slow) * usual + slow * _slow_share_below(grid)[:, None]
    luck = np.exp(between[None, :] ** 2 / 2 * ~seen.alone[:, None])
    mean = np.sum(weight[:-1] * np.exp(seen.log_ratio)[:, None] * luck, axis=0)
    mean += weight[-1] * np.exp((between**2 + within**2) / 2)
    mean = (1 - slow) * mean + slow * (1 + SLOW_CALL_EXTRA)
    found = [_crossing(grid, below, percentile / 100) for percentile in percentiles]
    return np.asarray(np.exp(np.column_stack(found)) / mean[:, None])


def _draw_between(levels: Levels, draw_count: int, rng: np.random.Generator) -> Floats:
    """Draw the deviation between environments, as far as environments of one size show it."""
    ratios = np.array([ratio for ratio, _ in BETWEEN_RATIOS])
    weight = np.array(
        [np.log(w) + levels.scatter_log_likelihood(ratio) for ratio, w in BETWEEN_RATIOS]
    )
    odds = np.exp(weight - weight.max())
    return rng.choice(ratios, size=draw_count, p=odds / odds.sum())


def _residuals(samples: Sequence[Sample], mean_ms: Sequence[float], levels: Levels) -> _Seen:
    """What was seen in each environment.

    Its usual duration is the median of its samples and of the curve (so two that agree outvote the
    curve). Usual ratios are widened by the degrees of freedom that the environments' own levels
    used.
    """
    environments: dict[tuple[int, str | None], list[float]] = defaultdict(list)
    for sample, mean in zip(samples, mean_ms, strict=True):
        if not sample.cold:
            ratio = np.log(max(sample.duration_ms, 0.01) / mean) + levels.slow_calls.log_ratio
            environments[sample.memory_mb, sample.environment].append(float(ratio))
    centred = [
        (ratio - (median([*each, 0.0]) if len(each) > 1 else 0.0), len(each) == 1)
        for each in environments.values()
        for ratio in each
    ]
    ratios = np.array([ratio for ratio, _ in centred])
    alone = np.array([single for _, single in centred], dtype=bool)
    freedom = max(len(ratios) - len(environments), len(ratios) / 2)
    limit = _SLOW_DEVIATIONS * levels.within_ratio + LARGEST_KINK_RATIO * alone
    usual = np.abs(ratios) <= limit
    widened = ratios * np.sqrt(len(ratios) / max(freedom, 1.0))
    return _Seen(np.where(usual, widened, ratios), alone, slow=bool((ratios > limit).any()))


def _grid(log_ratio: Floats, width: float) -> Floats:
    """Log ratios, dense where most durations are."""
    slowest = max([*log_ratio, np.log1p(8 * SLOW_CALL_EXTRA)]) + 6 * width
    fastest = min([*log_ratio, 0.0]) - 6 * width
    return np.unique(
        [
            *np.linspace(-4 * width, 4 * width, _GRID_COUNT),
            *np.linspace(fastest, slowest, _GRID_COUNT),
        ]
    )


def _share_below(
    grid: Floats, seen: _Seen, weight: Floats, *, between: Floats, within: Floats
) -> Floats:
    """Share of durations below each log ratio, except for unseen slow calls: (grid, draws)."""
    below = weight[-1] * _normal_share_below(grid[:, None] / np.hypot(between, within))
    # A sample stands for its neighborhood, the smaller the more there are.
    near = float(np.median(within)) * max(len(seen.log_ratio), 1) ** -0.2 / 2
    for ratio in np.unique(between):
        columns = between == ratio
        width = np.where(seen.alone, near, np.hypot(ratio, near))
        below[:, columns] += (
            _normal_share_below((grid[:, None] - seen.log_ratio) / width) @ weight[:-1, columns]
        )
    return np.asarray(below)


def _crossing(grid: Floats, below: Floats, share: float) -> Floats:
    """Where each column (ascending) reaches a share, interpolated: (draws,)."""
    after = np.clip(np.count_nonzero(below < share, axis=0), 1, len(grid) - 1)
    column = np.arange(below.shape[1])
    left, right = below[after - 1, column], below[after, column]
    part = np.clip((share - left) / np.maximum(right - left, 1e-12), 0.0, 1.0)
    return np.asarray(grid[after - 1] + part * (grid[after] - grid[after - 1]))


def _slow_share_below(grid: Floats) -> Floats:
    """Share of slow calls below each log ratio: their extra time is exponential."""
    return np.asarray(-np.expm1(-np.maximum(np.expm1(grid), 0.0) / SLOW_CALL_EXTRA))


def _normal_share_below(deviations: Floats) -> Floats:
    """The standard normal's distribution, from a table to six digits: `scipy.special` has it to
    sixteen, and takes a quarter of a second to import, which every report would wait for.
    """
    place = deviations * _STEPS_PER_DEVIATION
    place += _LAST_DEVIATION * _STEPS_PER_DEVIATION
    np.clip(place, 0, _LAST_STEP, out=place)
    step = place.astype(np.intp)
    place -= step
    place *= _NORMAL_RISE[step]
    place += _NORMAL[step]
    return place
