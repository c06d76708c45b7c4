"""`python -m tests.bench.decide_windows`: calls of a few windows of the CPU quota.

A call that needs more CPU time than a window of 20 ms grants is stopped until the next one, so its
duration depends on the moment at which it begins. Each draw begins at a random one and is carried
out window by window; the truth is the mean over all moments. Answers are scored as in
`tests.bench.decide_goal`.
"""

from __future__ import annotations

import math
import sys
import time
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.bench.decide_goal import CURRENT_MB, DEFAULT, figures, goal_run
from tests.bench.decide_world import Function
from tuner.model.lambda_limits import MB_PER_VCPU, QUOTA_WINDOW_MS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.bench.decide_goal import GoalRun

_WAITS_MS: Final = (0.0, 12.0)
_WORKS_MS: Final = (4.0, 7.0, 11.0, 16.0, 24.0, 37.0, 60.0)
_NOISE: Final = 0.02
_BETWEEN: Final = 0.02
_MOMENTS: Final = 400


def windowed_ms(work_ms: float, memory_mb: int, begin_ms: float) -> float:
    """Duration of `work_ms` of CPU time on one thread that begins `begin_ms` into a window whose
    quota is untouched.
    """
    credit = QUOTA_WINDOW_MS * memory_mb / MB_PER_VCPU
    if credit >= QUOTA_WINDOW_MS:
        return work_ms
    now, left, budget, ends = begin_ms, work_ms, credit, QUOTA_WINDOW_MS
    while True:
        ran = min(left, budget, ends - now)
        now, left, budget = now + ran, left - ran, budget - ran
        if left <= 1e-9:
            return now - begin_ms
        now, budget, ends = ends, credit, ends + QUOTA_WINDOW_MS


def windowed_functions() -> list[Function]:
    """Every amount of work, after no wait and after one."""
    return [_made(work, wait) for work in _WORKS_MS for wait in _WAITS_MS]


def _made(work_ms: float, wait_ms: float) -> Function:
    scatter = math.exp((_NOISE**2 + _BETWEEN**2) / 2)

    @lru_cache(maxsize=256)
    def truth(memory_mb: int) -> float:
        begins = (np.arange(_MOMENTS) + 0.5) / _MOMENTS * QUOTA_WINDOW_MS
        mean = np.mean([windowed_ms(work_ms, memory_mb, float(begin)) for begin in begins])
        return (wait_ms + float(mean)) * scatter

    def draw(memory_mb: int, rng: random.Random) -> float:
        ran = windowed_ms(work_ms, memory_mb, rng.uniform(0, QUOTA_WINDOW_MS))
        return (wait_ms + ran) * math.exp(rng.gauss(0, _NOISE))

    return Function(
        f"work-{work_ms:g}-wait-{wait_ms:g}",
        "generated",
        tuple(range(128, 3009, 64)),
        truth,
        draw,
        between_ratio=_BETWEEN,
    )


def windowed_runs(seeds: range) -> list[GoalRun]:
    """From four current sizes each."""
    return [
        goal_run(function, current_mb, seed, DEFAULT)
        for function in windowed_functions()
        for current_mb in CURRENT_MB
        for seed in seeds
    ]


def main(arguments: Sequence[str]) -> int:
    """Print the figures."""
    runs = windowed_runs(range(next((int(a) for a in arguments if a.isdigit()), 1)))
    print("\n".join(figures("calls of a few windows of the quota", runs)))
    harmful = Counter(run.name for run in runs if run.harmful)
    print("  harmful:", ", ".join(f"{name} {count}" for name, count in harmful.most_common()))
    return 0


if __name__ == "__main__":
    started_s = time.monotonic()
    status = main(sys.argv[1:])
    print(f"{time.monotonic() - started_s:.0f} s")
    sys.exit(status)
