"""CPU time of the analysis of one sweep, imports excluded."""

from __future__ import annotations

import statistics
import time
from typing import Final

from tests.sweeps import made_sweep
from tuner.breakeven.platform_comparison import compare_platforms
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import traffic_of_rate
from tuner.decision.analysis import analyse
from tuner.decision.recommendation import recommend
from tuner.model.goal import Goal
from tuner.pricing import load_price_book
from tuner.session.breakeven import read_work

RUNS: Final = 15


def rows() -> list[tuple[str, str, str, bool]]:
    """Fit, 200 draws and recommendation of a sweep of ten sizes with five samples each."""
    sweep, prices = made_sweep(), load_price_book()
    recommend(analyse(sweep, Goal(), price_book=prices))  # imports, caches
    times_ms = []
    for seed in range(RUNS):
        start_s = time.process_time()
        recommend(analyse(sweep, Goal(), price_book=prices, seed=seed))
        times_ms.append((time.process_time() - start_s) * 1000)
    median_ms = statistics.median(times_ms)
    break_even_ms = _break_even_ms()
    return [
        (
            "fit plus 200 draws plus recommendation, CPU time",
            "< 20 ms",
            f"{median_ms:.1f} ms",
            median_ms < 20,
        ),
        (
            "one break-even over all platforms with intervals, CPU time",
            "< 100 ms",
            f"{break_even_ms:.1f} ms",
            break_even_ms < 100,
        ),
    ]


def _break_even_ms() -> float:
    """From the work of a sweep to the answer, eight platforms of 200 draws each, at 50/s."""
    sweep, prices = made_sweep(), load_price_book()
    work = read_work(analyse(sweep, Goal(), price_book=prices), 1024)
    terms = Terms(traffic=traffic_of_rate(50.0))
    times_ms = []
    for seed in range(RUNS):
        start_s = time.process_time()
        compare_platforms(sweep.function, work, terms, price_book=prices, seed=seed)
        times_ms.append((time.process_time() - start_s) * 1000)
    return statistics.median(times_ms)
