"""The posterior of the mean duration by brute force, from the model's definition.

Nothing is condensed: single samples have one dense covariance, every shape of the prior meets every
point of both grids, and slow calls are a sum over quantiles. Only the shapes themselves are the
package's, which are draws, and the prior's figures, which stand here once more.

    log sample = scale + shape(size) + discrepancy(size) + environment + invocation

The scale is flat, but for shapes that follow the quota's windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp, ndtr
from scipy.stats import invgamma

from tuner.inference.prior import prior_shapes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.inference.sample import Sample

    Floats = NDArray[np.float64]

ENVIRONMENTS: Final = ((0.01, 0.2), (0.03, 0.4), (0.06, 0.25), (0.12, 0.15))
"""Deviation between environments, and its probability."""
DISCREPANCIES: Final = (
    ((0.001, 0.003), 0.34),
    ((0.02, 0.007), 0.26),
    ((0.03, 0.018), 0.17),
    ((0.06, 0.025), 0.12),
    ((0.1, 0.07), 0.07),
    ((0.25, 0.05), 0.02),
    ((0.1, 0.3), 0.02),
)
"""Deviations of the slow and the rough discrepancy, and their probability."""
SLOW_OCTAVES, ROUGH_OCTAVES = 1.5, 0.4
INVOCATION_SCALES: Final = (0.6, 1.0, 1.7, 3.0, 5.5)
"""Deviation of single invocations, over its estimate."""
INVOCATION_COUNT, INVOCATION_RATIO = 2.5, 0.05
"""Its prior is worth so many samples of that deviation (inverse gamma)."""
WINDOWED_ODDS, WINDOWED_RATIO, WINDOWED_RANGE_MS = 0.3, 0.15, (1.0, 120.0)
SLOW_PROBABILITY: Final = 0.3
SLOW_RATES: Final = np.geomspace(0.005, 0.3, 9)
SLOW_EXTRA, SLOW_EXTRA_SHAPE = 2.0, 3.0
_NODES: Final = 20
_NEGLIGIBLE: Final = 3e-4
_FLAT: Final = 1e4
"""Variance of a scale of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Normals of a log mean duration, and what slow calls add to each: a weighted sum of both."""

    weight: Floats
    mean: Floats
    deviation: Floats
    added_weight: Floats
    added: Floats

    def mean_ms(self) -> float:
        """The posterior's mean."""
        calm = self.weight @ np.exp(self.mean + self.deviation**2 / 2)
        return float(calm * (self.added_weight @ np.exp(self.added)))

    def share_below(self, duration_ms: float) -> float:
        """Posterior probability that the mean duration is below."""
        below = [
            ndtr((np.log(duration_ms) - added - self.mean) / self.deviation) @ self.weight
            for added in self.added
        ]
        return float(self.added_weight @ below)


def posterior(samples: Sequence[Sample], size_mb: int) -> Mixture:
    """Of the mean warm duration at one size, from warm samples none of which was slow."""
    logs = np.log([sample.duration_ms for sample in samples])
    sizes = np.array([sample.memory_mb for sample in samples])
    environment = np.array([f"{sample.memory_mb} {sample.environment}" for sample in samples])
    together = environment[:, None] == environment[None, :]
    invocation = _invocation_deviation(logs, together)
    shapes = prior_shapes()
    at_samples, at_size = shapes.log_duration(sizes), shapes.log_duration([size_mb])[:, 0]
    windowed = shapes.windowed_ms > 0
    windows_scale = np.log(shapes.windowed_ms[windowed] / shapes.serial[windowed])
    # Flat shapes have the same density at every scale that windowed ones can have.
    flat_density = 1 / np.log(WINDOWED_RANGE_MS[1] / WINDOWED_RANGE_MS[0])
    prior = np.where(
        windowed,
        np.log(WINDOWED_ODDS / windowed.sum()),
        np.log(flat_density * np.sqrt(2 * np.pi * _FLAT) / np.sum(~windowed)),
    )
    parts: list[tuple[Floats, Floats, float]] = []
    for between, between_weight in ENVIRONMENTS:
        for factor in INVOCATION_SCALES:
            within = factor * invocation
            noise = between**2 * together + within**2 * np.eye(len(logs))
            grid_weight = np.log(between_weight) - INVOCATION_COUNT * (
                np.log(within) + (INVOCATION_RATIO / within) ** 2 / 2
            )
            for ratios, weight in DISCREPANCIES:
                own = discrepancy_covariance(sizes, sizes, ratios)
                across = discrepancy_covariance(sizes, np.array([size_mb]), ratios)[:, 0]
                at = discrepancy_covariance(np.array([size_mb]), np.array([size_mb]), ratios)[0, 0]
                for chosen, scale, variance in (
                    (~windowed, np.full(np.sum(~windowed), logs.mean()), _FLAT),
                    (windowed, windows_scale, WINDOWED_RATIO**2),
                ):
                    residual = logs - at_samples[chosen] - scale[:, None]
                    factorized = cho_factor(noise + own + variance, lower=True)
                    pulled = cho_solve(factorized, residual.T).T
                    volume = 2 * np.log(np.diag(factorized[0])).sum()
                    log_weight = -0.5 * (np.sum(residual * pulled, axis=1) + volume)
                    gain = across + variance
                    mean = scale + at_size[chosen] + pulled @ gain
                    spread = at + variance - gain @ cho_solve(factorized, gain)
                    total = prior[chosen] + grid_weight + np.log(weight) + log_weight
                    parts.append((total, mean, float(np.sqrt(spread))))
    log_weight = np.concatenate([each[0] for each in parts])
    mixed = np.exp(log_weight - logsumexp(log_weight))
    order = np.argsort(-mixed)
    kept = order[: np.searchsorted(np.cumsum(mixed[order]), 1 - _NEGLIGIBLE) + 1]
    deviation = np.concatenate([np.full(len(each[0]), each[2]) for each in parts])
    added_weight, added = _slow_calls(len(samples), invocation)
    return Mixture(
        weight=mixed[kept] / mixed[kept].sum(),
        mean=np.concatenate([each[1] for each in parts])[kept],
        deviation=deviation[kept],
        added_weight=added_weight,
        added=added,
    )


def _invocation_deviation(logs: Floats, together: NDArray[np.bool_]) -> float:
    """Root of the mean square within environments, the prior's samples among them."""
    own = together / together.sum(axis=1)[:, None]
    squares = float(np.sum((logs - own @ logs) ** 2))
    freedom = len(logs) - float(np.trace(own))
    prior = INVOCATION_COUNT * INVOCATION_RATIO**2
    return float(np.sqrt((prior + squares) / (INVOCATION_COUNT + freedom)))


def discrepancy_covariance(
    rows_mb: NDArray[np.int_], columns_mb: NDArray[np.int_], ratios: tuple[float, float]
) -> Floats:
    """Matern 3/2 and Ornstein-Uhlenbeck over log2 of memory (Rasmussen and Williams, 4.2.1)."""
    apart = np.abs(np.log2(rows_mb)[:, None] - np.log2(columns_mb)[None, :])
    scaled = np.sqrt(3) * apart / SLOW_OCTAVES
    slow = (1 + scaled) * np.exp(-scaled)
    return np.asarray(ratios[0] ** 2 * slow + ratios[1] ** 2 * np.exp(-apart / ROUGH_OCTAVES))


def _slow_calls(count: int, invocation: float) -> tuple[Floats, Floats]:
    """Weights and log ratios of mean to calm duration, after so many samples without a slow one."""
    likelihood = SLOW_PROBABILITY / len(SLOW_RATES) * (1 - SLOW_RATES) ** count
    weight = np.array([1 - SLOW_PROBABILITY, *likelihood])
    quantiles = (np.arange(_NODES) + 0.5) / _NODES
    extra = invgamma.ppf(quantiles, SLOW_EXTRA_SHAPE, scale=SLOW_EXTRA * (SLOW_EXTRA_SHAPE - 1))
    rates = np.array([0.0, *SLOW_RATES])
    added = np.log1p(rates[:, None] * extra) + invocation**2 / 2
    return np.repeat(weight / weight.sum() / _NODES, _NODES), added.ravel()
