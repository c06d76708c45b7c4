"""Change points against known truth: steps found within a day, and false ones in a year.

Functions of lognormal costs with a Pareto tail, traffic that varies nine to one over the day, a
daily cycle of the level of ±10%, cheaper weekends, hours and days that differ by chance, and gaps
(`tests/observe/cost_worlds.py`). A step of 10% up or down comes at a random hour after eight weeks;
the archive ends a day later. It is found if a change is reported within that day.

`python -m tests.bench.observe_changes` prints the whole table, with from where on a step can be
found at all: by calculation, and simulated at that very number of invocations.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import norm

from tests.observe.cost_worlds import made_hours, up_to
from tuner.observe.change_points import DAY_THRESHOLD, find_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP: Final = 0.1
HISTORY_DAYS: Final = 56
BASELINE_DAYS: Final = 28
DAY_DEVIATION: Final = 0.005
"""Days differ by half a percent, hours by one."""
TARGET: Final = 0.95


def invocations_needed(cv: float, *, step: float = STEP, days: float = 1.0) -> float:
    """Invocations a day from which on 95% of the steps are beyond the threshold after some days.

    The mean logarithm of n invocations deviates by sqrt(ln(1 + CV²) / n), the one of the four weeks
    before it by as much over the root of 28; a step of log(1.1) must exceed the threshold by 1.64
    deviations. The hours' and days' own variance comes on top, and doesn't fall with n.
    """
    reach = math.log1p(step) / (DAY_THRESHOLD + norm.ppf(TARGET))
    own = DAY_DEVIATION**2 * (1 / max(days, 1) + 1 / BASELINE_DAYS) + 0.01**2 / 24 / days
    variance = math.log1p(cv**2) * (1 / days + 1 / BASELINE_DAYS)
    return variance / (reach**2 - own) if reach**2 > own else math.inf


def found_within_a_day(per_day: float, cv: float, trials: int, *, step: float = STEP) -> float:
    """The share of steps that are found with no more than a day of data after them."""
    found = 0
    for seed in range(trials):
        rng = np.random.default_rng([seed, round(per_day), round(cv * 10)])
        at = HISTORY_DAYS * 24 + int(rng.integers(24))
        ratio = step if seed % 2 else 1 / (1 + step) - 1
        hours = made_hours(
            rng, days=HISTORY_DAYS + 2, per_day=per_day, cv=cv, steps=[(at, ratio)],
            day_deviation=DAY_DEVIATION,
        )  # fmt: skip
        changes = find_changes(up_to(hours, at + 24))
        found += any(abs(each.hour - at) <= 24 for each in changes)
    return found / trials


def false_in_a_year(per_day: float, cv: float, years: int) -> float:
    """False changes that a year's archive of a function is told to have."""
    found = 0
    for seed in range(years):
        rng = np.random.default_rng([seed, round(per_day), round(cv * 10), 7])
        hours = made_hours(rng, days=365, per_day=per_day, cv=cv, day_deviation=DAY_DEVIATION)
        found += len(find_changes(hours))
    return found / years


def false_told_daily(per_day: float, cv: float, functions: int) -> float:
    """False changes in a year that are told of on any day, by who asks every day: later days may
    take them back. Each function has eight weeks of history, and 17 weeks of days on which it's
    asked.
    """
    days, told = 120, 0
    for seed in range(functions):
        rng = np.random.default_rng([seed, round(per_day), round(cv * 10), 11])
        hours = made_hours(
            rng, days=HISTORY_DAYS + days, per_day=per_day, cv=cv, day_deviation=DAY_DEVIATION
        )
        mine: list[int] = []
        for day in range(HISTORY_DAYS + 1, HISTORY_DAYS + days + 1):
            for change in find_changes(up_to(hours, day * 24)):
                if change.hour >= HISTORY_DAYS * 24 and not any(
                    abs(change.hour - each) <= 48 for each in mine
                ):
                    mine.append(change.hour)
        told += len(mine)
    return told * 365 / days / functions


def table(trials: int, years: int) -> Iterator[tuple[float, int, float, float, float]]:
    """CV, invocations a day, share found, false in a year, invocations needed."""
    for cv in (0.3, 0.6, 1.0):
        for per_day in (1_000, 100_000):
            yield (
                cv,
                per_day,
                found_within_a_day(per_day, cv, trials),
                false_in_a_year(per_day, cv, years),
                invocations_needed(cv),
            )


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """What `make bench-observe` shows. Where calculation says that a step can't be found within a
    day, the target is that it's found once it can.
    """
    for cv, per_day, found, false, needed in table(trials=200, years=20):
        can = per_day >= needed
        yield (
            f"a step of 10% at CV {cv:g}, {per_day:,} invocations a day, found within a day",
            "95%" if can else f"can't be (from {needed:,.0f} a day on)",
            f"{found:.1%}",
            found >= TARGET - 0.03 or not can,
        )
        yield (
            f"false changes in a function-year at CV {cv:g}, {per_day:,} a day",
            "at most 1",
            f"{false:.2f}",
            false <= 1,
        )
    for cv in (0.6, 1.0):
        needed = invocations_needed(cv)
        found = found_within_a_day(needed, cv, 200)
        yield (
            f"the same at CV {cv:g} from where on it can be found, {needed:,.0f} a day",
            "95%",
            f"{found:.1%}",
            found >= TARGET - 0.03,
        )


def main(trials: int, years: int) -> None:
    """Print the table."""
    print("  CV  invocations/day  found in a day  false/year  needed a day")
    for cv, per_day, found, false, needed in table(trials, years):
        print(f"{cv:4g} {per_day:16,} {found:15.1%} {false:11.2f} {needed:13,.0f}")
    for cv in (0.3, 0.6, 1.0):
        needed = invocations_needed(cv)
        print(f"at {needed:,.0f} a day, CV {cv:g}: {found_within_a_day(needed, cv, trials):.1%}")
    for cv in (0.3, 0.6, 1.0):
        told = false_told_daily(1000, cv, years // 2)
        print(f"asked every day, 1,000 a day, CV {cv:g}: {told:.2f} false in a year")


if __name__ == "__main__":
    main(*(int(each) for each in (sys.argv[1:] or ("400", "50"))))
