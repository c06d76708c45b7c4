"""`python -m tests.bench.decide_drawn`: what is said of functions that are as the model thinks.

Functions are drawn from the model's own prior: a shape, kinks, both layers of noise, slow calls.
All that is said of them must be true but for chance: the expected regret, its bound, every interval
and every confidence. What is wrong here is wrong in the fit or in the rule; what is wrong in
`decide_goal` and right here is a prior that those functions do not share. `--calm` draws none with
slow calls, `--plain` asks for the cheapest alone, and a number draws so many functions.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.bench.decide_goal import CURRENT_MB, DEFAULT, PLAIN, figures, goal_run
from tests.bench.decide_world import Function
from tests.inference import reference as model
from tests.inference.drawn_functions import one_of
from tuner.decision.candidates import candidate_sizes
from tuner.inference.kernel import discrepancy_kernels
from tuner.inference.posterior import never_rising
from tuner.inference.prior import RISING_COUNT, SHAPE_COUNT, prior_shapes

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.bench.decide_goal import GoalRun, Setting

    Floats = NDArray[np.float64]

SIZES_MB: Final = candidate_sizes(128, 3008, 3008)
_RISING_SHARE: Final = 0.02
_LEVELS_MS: Final = (20.0, 3000.0)
_LARGEST_SCATTER: Final = 0.5
_SEED: Final = 77


def drawn_function(number: int, *, slow_calls: bool = True) -> Function:
    """Draw a function; the same number gives the same one."""
    rng = np.random.default_rng((_SEED, number))
    typical_ms = dict(zip(SIZES_MB, np.exp(_log_curve(rng)).tolist(), strict=True))
    between, _ = one_of(model.ENVIRONMENTS, rng)
    count = model.INVOCATION_COUNT
    within = model.INVOCATION_RATIO / math.sqrt(rng.chisquare(count) / count)
    within = min(within, _LARGEST_SCATTER)
    rate, extra = 0.0, 1.0
    if slow_calls and rng.random() < model.SLOW_PROBABILITY:
        rate = float(rng.choice(model.SLOW_RATES))
        shape = model.SLOW_EXTRA_SHAPE
        extra = float(model.SLOW_EXTRA * (shape - 1) / rng.standard_gamma(shape))
    raised = math.exp(within**2 / 2) * (1 + rate * extra)

    def draw(memory_mb: int, luck: random.Random) -> float:
        slow = luck.random() < rate
        factor = 1 + (luck.expovariate(1 / extra) if slow else 0.0)
        return typical_ms[memory_mb] * math.exp(luck.gauss(0, within)) * factor

    return Function(
        f"drawn-{number}",
        "generated",
        SIZES_MB,
        lambda memory_mb: typical_ms[memory_mb] * raised,
        draw,
        between_ratio=between,
    )


def drawn_runs(count: int, setting: Setting = DEFAULT, *, slow_calls: bool = True) -> list[GoalRun]:
    """Decide about so many drawn functions, from one current size after the other."""
    return [
        goal_run(
            drawn_function(number, slow_calls=slow_calls),
            CURRENT_MB[number % len(CURRENT_MB)],
            0,
            setting,
        )
        for number in range(count)
    ]


def _log_curve(rng: np.random.Generator) -> Floats:
    """Log durations at `SIZES_MB`; what does not rise by its shape does not by its kinks either."""
    shapes, number = prior_shapes(), np.arange(SHAPE_COUNT)
    windowed, rising = shapes.windowed_ms > 0, number >= SHAPE_COUNT - RISING_COUNT
    in_windows = rng.random() < model.WINDOWED_ODDS / (1 + model.WINDOWED_ODDS)
    rises = not in_windows and rng.random() < _RISING_SHARE
    among = windowed if in_windows else rising if rises else ~windowed & ~rising
    chosen = rng.choice(np.flatnonzero(among), 1)
    scale = rng.uniform(*np.log(_LEVELS_MS))
    if in_windows:
        scale = float(np.log(shapes.windowed_ms[chosen] / shapes.serial[chosen])[0])
        scale += model.WINDOWED_RATIO * rng.standard_normal()
    (slow_ratio, rough_ratio), _ = one_of(model.DISCREPANCIES, rng)
    sizes_mb = np.array(SIZES_MB)
    slow, rough = discrepancy_kernels(sizes_mb, sizes_mb)
    covariance = slow_ratio**2 * slow + rough_ratio**2 * rough
    own = rng.multivariate_normal(np.zeros(len(sizes_mb)), covariance, method="eigh")
    curve = scale + shapes.select(chosen).log_duration(sizes_mb) + own
    return (curve if rises else never_rising(curve, np.gradient(np.log2(sizes_mb))))[0]


def main(arguments: Sequence[str]) -> int:
    """Print the figures."""
    count = next((int(each) for each in arguments if each.isdigit()), 400)
    setting = PLAIN if "--plain" in arguments else DEFAULT
    runs = drawn_runs(count, setting, slow_calls="--calm" not in arguments)
    print("\n".join(figures(f"drawn, time weight {setting.goal.weight:g}", runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
