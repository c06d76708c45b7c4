"""The constants of the curve's priors, chosen again without each file of recordings.

None is fitted by formula; those below were set by what is known of Lambda, and some compared on
the recordings. So each is chosen anew (as it is, a third less, a third more) by the regret on two
files only, and all that win together decide about the file that was left out. How much its regret
moves with each constant says how much rests on it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRIORS: Final = (
    "variance_components._PRIOR_COUNT",
    "variance_components._PRIOR_RATIO",
    "variance_components._COLD_PRIOR_RATIO",
    "outliers._CLIP_DEVIATIONS",
    "outliers.LARGEST_KINK_RATIO",
    "kernel.SLOW_OCTAVES",
    "kernel.ROUGH_OCTAVES",
    "posterior._DISCREPANCY_RATIOS",
    "posterior.BETWEEN_RATIOS",
    "posterior._WITHIN_SCALES",
    "slow_calls._SLOW_CALLS_SHARE",
    "slow_calls._RATES",
    "slow_calls.SLOW_CALL_EXTRA",
    "slow_calls._OWN_SCALES",
)
FACTORS: Final = (1.0, 0.7, 1.3)


@contextmanager
def scaled(factors: Mapping[str, float]) -> Iterator[None]:
    """Scale constants of `tuner.inference`, wherever they were imported to, for a while."""
    import tuner.inference.posterior  # noqa: F401 - so that there is something to change

    rooms = [m for name, m in sys.modules.items() if name.startswith("tuner.inference.")]
    before: list[tuple[Any, str, Any]] = []
    try:
        for path, factor in factors.items():
            room, name = path.split(".")
            value = getattr(sys.modules[f"tuner.inference.{room}"], name)
            for module in rooms:
                if hasattr(module, name):
                    before.append((module, name, value))
                    setattr(module, name, _times(value, factor))
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def _times(value: Any, factor: float) -> Any:
    """Scale a number, an array, or all but the weight (the last) of each row of a table."""
    if isinstance(value, tuple) and isinstance(value[0], tuple):
        return tuple((*(each * factor for each in row[:-1]), row[-1]) for row in value)
    if isinstance(value, tuple):
        return tuple(each * factor for each in value)
    return value * factor


def chosen_without(
    file: str, regrets: Mapping[tuple[str, float], Mapping[str, float]]
) -> dict[str, float]:
    """The factor of each constant with the least mean regret over functions of the other files.

    `regrets` has, by constant and factor, the mean regret of each file. As it is wins ties.
    """
    return {
        prior: min(
            FACTORS,
            key=lambda factor: round(
                float(np.mean([r for f, r in regrets[prior, factor].items() if f != file])), 5
            ),
        )
        for prior in PRIORS
    }
