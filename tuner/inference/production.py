"""What production says of the curve: mean durations of whole periods, and CPU time.

A period is the time that one size ran with one code. Its mean over many invocations is known, but
the traffic of two periods differs: by as much as days of one period do, or, where there are few
days, by what is usual. The size of that shift is a grid with prior weights, as a sweep's noises.
Where the code of a period may be another, its level may tell nothing, and its shape a little
(`prior_sweep.OTHER_CODE`).

CPU time weighs the library's shapes: work that keeps a core busy takes CPU time, waiting takes
none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.inference.kernel import discrepancy_kernels
from tuner.inference.prior import prior_shapes
from tuner.inference.prior_sweep import OTHER_CODE, Change
from tuner.inference.variance_components import Observations
from tuner.model.lambda_limits import MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.advice import CodeRelation
    from tuner.model.arrays import Floats, Indices, Integers

_SHIFT_RATIOS: Final = ((0.01, 0.45), (0.03, 0.3), (0.06, 0.17), (0.12, 0.06), (0.3, 0.02))
"""By how much the mix of events shifts the mean from one period to the next, and prior weight:
judgment, which the days of a period correct."""
_UNCHANGED: Final = Change(0.0, 0.0, 0.0, 0.6)
_CHANGES: Final[dict[CodeRelation, tuple[Change, ...]]] = {
    "same": (_UNCHANGED,),
    "unknown": (
        _UNCHANGED,
        *(Change(each.level, each.slow, each.rough, 0.4 * each.weight) for each in OTHER_CODE),
    ),
    "other": OTHER_CODE,
}
"""What may have changed since a period, by what is known of its code: judgment."""
_SHARE_NOISES: Final = ((0.02, 0.5), (0.06, 0.35), (0.2, 0.15))
"""By how much (log) the share of CPU time is off, and prior weight: the platform's accounting is
exact, but a shape is not the function, and some waiting takes CPU time."""


@dataclass(frozen=True, slots=True)
class Period:
    """The warm invocations of one size with one code.

    `error_ratio` is the mean's standard error by its invocations alone. `day_log_means` are what
    the days' means are to each other, with their own standard errors; empty where there is one day.
    `processor_ms` is the mean CPU time of an invocation: positive.
    """

    memory_mb: int
    mean_ms: float
    error_ratio: float
    code: CodeRelation = "same"
    """Whether its code is what runs now."""
    day_log_means: tuple[tuple[float, float], ...] = ()
    processor_ms: float | None = None


@dataclass(frozen=True, slots=True)
class ObservedLevels:
    """Periods as log levels; to the posterior what `Levels` of a sweep are."""

    periods: tuple[Period, ...]
    sizes_mb: Integers
    size_index: Indices
    log_level: Floats
    log_anchor: float
    changes: tuple[Change, ...]
    """Of the least known of the codes; every shift is combined with each."""

    @classmethod
    def of(cls, periods: Sequence[Period]) -> ObservedLevels:
        """Take periods (at least one) in any order."""
        ordered = tuple(sorted(periods, key=lambda each: (each.memory_mb, each.mean_ms)))
        logs = np.log([each.mean_ms for each in ordered])
        anchor = float(logs.mean())
        sizes, index = np.unique([each.memory_mb for each in ordered], return_inverse=True)
        codes = {each.code for each in ordered}
        relation: CodeRelation = "same"
        if codes != {"same"}:
            relation = "unknown" if "unknown" in codes else "other"
        return cls(ordered, sizes, index, np.round(logs - anchor, 9), anchor, _CHANGES[relation])

    def noises(self) -> list[tuple[Observations, float]]:
        """Every shift of the mix with every change of the code: levels and log weight, shift by
        shift, in each shift change by change.
        """
        own = np.diag([each.error_ratio**2 for each in self.periods])
        sizes_mb = self.sizes_mb[self.size_index]
        slow, rough = discrepancy_kernels(sizes_mb, sizes_mb)
        changed = np.array([each.code != "same" for each in self.periods])
        pairs = np.outer(changed, changed)
        found = []
        for shift, log_weight in self.shifts():
            for change in self.changes:
                covariance = own + shift**2 * np.eye(len(own))
                other = change.level**2 + change.slow**2 * slow + change.rough**2 * rough
                covariance = covariance + pairs * other
                observed = Observations(
                    size_index=self.size_index,
                    cold=np.zeros(len(own), dtype=bool),
                    log_level=self.log_level,
                    covariance=covariance,
                    scatter_log_likelihood=0.0,
                )
                found.append((observed, log_weight + float(np.log(change.weight))))
        return found

    def shifts(self) -> list[tuple[float, float]]:
        """How far the mix may shift, with the log weight that the days' scatter leaves it."""
        return [
            (shift, float(np.log(weight)) + sum(_agreement(each, shift) for each in self.periods))
            for shift, weight in _SHIFT_RATIOS
        ]

    @property
    def shift_ratio(self) -> float:
        """The expected size of the mix's shift between two periods."""
        ratios, logs = np.array(self.shifts()).T
        weights = np.exp(logs - logs.max())
        return float(np.sqrt(ratios**2 @ weights / weights.sum()))

    def shape_log_weight(self) -> Floats | None:
        """What CPU time says of each shape of the library; None where it is not known."""
        known = [
            each for each in self.periods if each.processor_ms is not None and each.code == "same"
        ]
        if not known:
            return None
        # CPU times of one function's periods err together: the nearest to one vCPU tells most,
        # and more of them no more than one.
        weights = [_share_log_weight(each) for each in known]
        return np.asarray(np.mean(weights, axis=0))


def _agreement(period: Period, shift: float) -> float:
    """Log likelihood of the days' means if they differ by `shift`, their common mean unknown."""
    if len(period.day_log_means) < 2:
        return 0.0
    means, errors = np.array(period.day_log_means).T
    precision = 1 / (errors**2 + shift**2)
    residual = means - (precision @ means) / precision.sum()
    return float(
        -0.5 * (precision @ residual**2 - np.log(precision).sum() + np.log(precision.sum()))
    )


def _share_log_weight(period: Period) -> Floats:
    """Log density of the observed share of CPU time, for each shape."""
    assert period.processor_ms is not None
    expected = _log_processor_share(period.memory_mb)
    apart = np.log(period.processor_ms / period.mean_ms) - expected
    density = sum(
        weight / deviation * np.exp(-0.5 * (apart / deviation) ** 2)
        for deviation, weight in _SHARE_NOISES
    )
    return np.asarray(np.log(density + 1e-12))


@lru_cache(maxsize=128)
def _log_processor_share(memory_mb: int) -> Floats:
    """Log of CPU time over duration at a size, for every shape of the library."""
    shapes, vcpu = prior_shapes(), memory_mb / MB_PER_VCPU
    knee, cores = np.minimum(vcpu, shapes.knee_vcpu), np.minimum(vcpu, shapes.cores_vcpu)
    one = min(vcpu, 1.0)
    serial = np.where(
        shapes.windowed_ms > 0, shapes.serial, shapes.serial * knee ** (1 - shapes.serial_exponent)
    )
    busy = (
        serial
        + shapes.parallel * cores ** (1 - shapes.serial_exponent)
        + shapes.pressure * vcpu**-shapes.pressure_exponent * one
        + shapes.growth * vcpu**shapes.growth_exponent * one
    )
    duration = np.exp(shapes.log_duration([memory_mb])[:, 0])
    return np.asarray(np.log(np.maximum(busy / duration, 1e-6)))
