"""What nobody knows of a platform before moving there: drawn, so that intervals hold it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DEFAULT_UTILIZATION: Final = 0.6
DEFAULT_CONCURRENCY: Final = 10
UTILIZATION_RANGE: Final = (0.4 / 0.6, 0.7 / 0.6)
"""Over the target: 0.4 to 0.7 about 0.6."""
SPEED_RANGE: Final = (0.8, 1.25)
"""A platform's vCPU over Lambda's."""
CONCURRENCY_RANGE: Final = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Arrays of one element for each draw.

    `utilization` is the share of a unit that the peak may fill, `vcpu_speed` a vCPU's speed over
    Lambda's, `concurrency` the requests that a process may hold while they wait.
    """

    utilization: Floats
    vcpu_speed: Floats
    concurrency: Floats

    def with_(self, **changes: Any) -> Scenario:
        """The same with other arrays."""
        return replace(self, **changes)


def central_scenario(utilization: float, concurrency: float) -> Scenario:
    """One draw: the stated target, equal speed, the stated concurrency."""
    return Scenario(np.array([utilization]), np.array([1.0]), np.array([concurrency]))


def draw_scenarios(utilization: float, concurrency: float, count: int, seed: int) -> Scenario:
    """Utilization uniform over its range; speed and concurrency uniform in their logarithms."""
    rng = np.random.default_rng(seed)

    def log_uniform(ends: tuple[float, float]) -> Floats:
        return np.exp(rng.uniform(math.log(ends[0]), math.log(ends[1]), count))

    low, high = UTILIZATION_RANGE
    return Scenario(
        utilization=np.minimum(utilization * rng.uniform(low, high, count), 1.0),
        vcpu_speed=log_uniform(SPEED_RANGE),
        concurrency=np.maximum(concurrency * log_uniform(CONCURRENCY_RANGE), 1.0),
    )
