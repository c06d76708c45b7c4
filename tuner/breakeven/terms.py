"""The terms of a comparison, and what is drawn because nobody knows it before moving."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.breakeven.traffic import Traffic
from tuner.errors import UsageError
from tuner.model.number_fields import check_number_fields

if TYPE_CHECKING:
    from tuner.model.arrays import Floats

DEFAULT_UTILIZATION: Final = 0.6
DEFAULT_CONCURRENCY: Final = 10
UTILIZATION_RANGE: Final = (0.4 / 0.6, 0.7 / 0.6)
"""Relative to the target: 0.4 to 0.7 around 0.6."""
SPEED_RANGE: Final = (0.8, 1.25)
"""A platform's vCPU over Lambda's."""
CONCURRENCY_RANGE: Final = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Arrays with one element per draw.

    `utilization` is the share of a unit that the peak may use, `vcpu_speed` a vCPU's speed over
    Lambda's, `concurrency` the requests that a process may hold while they wait.
    """

    utilization: Floats
    vcpu_speed: Floats
    concurrency: Floats


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


Trigger = Literal["http", "queue", "stream", "schedule"]


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that the operator may settle; the defaults favor staying on Lambda.

    Leaving Lambda is recommended only if it saves `min_saving_usd_per_month` and `min_saving_ratio`
    of Lambda's bill; the same holds for a resize. Raises UsageError for terms that cannot be.

    >>> terms = tuner.Terms(tuner.Traffic(50), trigger="queue", savings_plan=True)
    >>> tuner.break_even("examples/sweeps/mixed.jsonl", terms).rate_per_s
    50
    """

    traffic: Traffic = Traffic(None)  # noqa: RUF009 - frozen
    trigger: Trigger = "http"
    autoscaling: bool = True
    """Whether fleets follow the load over the day; otherwise they are sized for its peak."""
    utilization: float = DEFAULT_UTILIZATION
    container_concurrency: float = DEFAULT_CONCURRENCY
    spot_share: float = 0.0
    savings_plan: bool = False
    nat: bool = False
    account_gb_seconds: float | None = None
    ops_cost_usd: float = 0.0
    gateway_usd_per_million: float | None = 0.0
    """An API gateway in front of Lambda; None: an HTTP API at its list price. 0: a function URL."""
    load_balancer_usd_per_month: float | None = None
    migration_cost_usd: float | None = None
    provisioned: bool = True
    """Whether to price Lambda with provisioned concurrency if that's cheaper."""
    log_kb_per_request: float = 0.0
    """Logs per request, billed by the GB on every platform; 0 leaves them out."""
    arm_speed: float = 1.0
    """An arm vCPU's over an x86 one's."""
    needs_gpu: bool = False
    min_saving_usd_per_month: float = 50.0
    min_saving_ratio: float | None = None
    """Of the bill; None: a fifth for leaving Lambda, any for a resize, which takes no work."""

    def __post_init__(self) -> None:
        """Raise UsageError for impossible terms."""
        if not isinstance(self.traffic, Traffic):
            raise UsageError(f"`traffic` is {self.traffic!r}: pass a Traffic, such as Traffic(50)")
        check_number_fields(self)
        for name in ("utilization", "spot_share", "min_saving_ratio"):
            value = getattr(self, name)
            low = 0 if name != "utilization" else 1e-3
            if value is not None and not low <= value <= 1:
                raise UsageError(f"`{name}={value:g}` isn't a share: pass 0 to 1")
        if not 0.1 <= self.arm_speed <= 10:
            raise UsageError(f"`arm_speed={self.arm_speed:g}` is out of range: 0.1 to 10")
        if self.container_concurrency < 1:
            raise UsageError(
                f"`container_concurrency={self.container_concurrency:g}` is too low: give 1 or more"
            )
