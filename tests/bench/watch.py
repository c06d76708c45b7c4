"""Runaways in generated traffic: found within 5 minutes or before $1, and false alarms.

`watch_world` draws functions of seven families of arrivals, seven to sixty days of each, and what
runs away in them; two more families (cascades, and real arrivals where they are at hand) were held
back when the rules' constants were chosen. A runaway counts as found if the watch, asked at every
minute of the first five, and then at times that lie ever further apart, says a warning or an error
that isn't over before the runaway began: within five minutes, or before it has cost a dollar. A
false alarm is any warning or error about a function in which nothing runs away, told at the end of
any of its weeks; the same one told twice counts once.

`python -m tests.bench.watch [seeds a family]` prints both tables by family.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.bench.watch_world import (
    AZURE,
    DAY_S,
    FAMILIES,
    HELD_BACK,
    MONDAY,
    at,
    drawn_function,
    injected,
    quiet_runs,
    store_of,
)
from tuner.model.observation import Window
from tuner.pricing import load_price_book
from tuner.watch.watch import watch_function
from tuner.watch.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tuner.model.watch import WatchFinding
    from tuner.observe.store import ReportStore

KINDS: Final = ("recursion", "poison_message", "retry_storm", "stuck_queue")
_CODES: Final = {"stuck_queue": "queue_not_draining"}
_FIRST_SEED: Final = 1000
_IN_TIME_S: Final = 300.0
_IN_TIME_USD: Final = 1.0


def families(*, held_back: bool) -> tuple[str, ...]:
    """Their names; real arrivals only where there are some."""
    if not held_back:
        return tuple(FAMILIES)
    return tuple(each for each in HELD_BACK if each != "recorded" or AZURE.exists())


def alarms(store: ReportStore, until_s: float) -> list[WatchFinding]:
    """The warnings and errors of a watch at that time."""
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")
    watched = Watched(store, "f", prices, MONDAY, at(until_s), Window(None, at(until_s)))
    return [each for each in watch_function(watched) if each.finding.severity != "info"]


@dataclass(frozen=True, slots=True)
class Found:
    """How a runaway was found; `code` is None where it wasn't by the end of a day or of $3."""

    kind: str
    after_s: float
    cost_usd: float
    code: str | None
    has_right_code: bool

    @property
    def in_time(self) -> bool:
        """Within five minutes or before a dollar."""
        return self.code is not None and (
            self.after_s <= _IN_TIME_S or self.cost_usd < _IN_TIME_USD
        )

    @property
    def is_due(self) -> bool:
        """Whether it should have been found by now: some cost less than a dollar in a whole day."""
        return self.code is not None or self.cost_usd >= _IN_TIME_USD


def find(kind: str, family: str, seed: int) -> Found:
    """Inject a runaway, and watch."""
    runs, runaway = injected(kind, drawn_function(family, seed), seed)
    last_s = float(runaway.runs.end_s.max())
    ends = [runaway.onset_s + 60 * minute for minute in range(1, 6)]
    while ends[-1] < last_s:
        ends.append(min(runaway.onset_s + (ends[-1] - runaway.onset_s) * 1.3, last_s))
    with store_of(runs) as store:
        for end_s in ends:
            told = [
                each
                for each in alarms(store, end_s)
                if each.until is None or each.until >= at(runaway.onset_s)
            ]
            if told:
                codes = {each.finding.code for each in told}
                right = _CODES.get(kind, kind) in codes
                after_s = end_s - runaway.onset_s
                return Found(kind, after_s, runaway.cost_until(end_s), codes.pop(), right)
    return Found(kind, last_s - runaway.onset_s, runaway.cost_until(last_s), None, False)


def false_alarms(family: str, seed: int, *, chains: bool | None = None) -> tuple[set[str], float]:
    """What a quiet function is told to have, and how many weeks it was watched."""
    function = drawn_function(family, seed, chains=chains)
    runs = quiet_runs(function)
    told: dict[tuple[str, int], str] = {}
    if len(runs.end_s):
        with store_of(runs) as store:
            for week in range(1, -(-function.days // 7) + 1):
                end_s = min(week * 7, function.days) * DAY_S
                if runs.end_s[0] >= end_s:
                    continue
                for each in alarms(store, end_s):
                    began = (each.since - MONDAY) // timedelta(hours=6)
                    told[each.finding.code, began] = each.finding.code
    return {f"{code} {began}" for code, began in told}, function.days / 7


def found_table(
    names: Iterable[str], kinds: Iterable[str], seeds: int
) -> Iterator[tuple[str, str, list[Found]]]:
    """By kind and family."""
    for kind in kinds:
        for family in names:
            found = [find(kind, family, _FIRST_SEED + each) for each in range(seeds)]
            yield kind, family, found


def false_table(
    names: Iterable[str], seeds: int, *, chains: bool | None = None
) -> Iterator[tuple[str, list[str], float]]:
    """By family: what was told, and function-weeks."""
    for family in names:
        told: list[str] = []
        weeks = 0.0
        for seed in range(_FIRST_SEED, _FIRST_SEED + seeds):
            some, more = false_alarms(family, seed, chains=chains)
            told += some
            weeks += more
        yield family, told, weeks


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """What `make bench-watch` shows."""
    for held_back in (False, True):
        names = families(held_back=held_back)
        which = "held-back arrivals" if held_back else "generated arrivals"
        by_kind: dict[str, list[Found]] = {}
        for kind, _family, found in found_table(names, KINDS, 4):
            by_kind.setdefault(kind, []).extend(found)
        for kind, found in by_kind.items():
            good = sum(each.in_time for each in found)
            due = sum(each.is_due for each in found)
            after = np.median([each.after_s for each in found]) / 60
            right = sum(each.has_right_code for each in found)
            said = (
                f"{good} of {due} (median {after:.0f} min; {right} by its own code; "
                f"{len(found) - due} more cost less than $1 in a day)"
            )
            yield (
                f"{kind} over {which}, found within 5 minutes or before $1",
                "all",
                said,
                good == due,
            )
        told: list[str] = []
        weeks = 0.0
        for _family, some, more in false_table(names, 10):
            told += some
            weeks += more
        yield (
            f"warnings in 100 function-weeks of {which}",
            "at most 1",
            f"{100 * len(told) / weeks:.2f} ({len(told)} in {weeks:.0f})",
            len(told) <= weeks / 100,
        )
        some = [each for _, told, _ in false_table(names, 4, chains=True) for each in told]
        chains = sum(each.startswith("recursion") for each in some)
        yield f"recursion by design told of, {which}", "never", str(chains), chains == 0


def main(seeds: int) -> None:
    """Print both tables."""
    for held_back in (False, True):
        names = families(held_back=held_back)
        print("held back" if held_back else "generated")
        for kind, family, found in found_table(names, KINDS, seeds):
            late = [
                f"{each.after_s / 60:.0f} min ${each.cost_usd:.2f}"
                + ("" if each.is_due else " (not due)")
                for each in found
                if not each.in_time
            ]
            good, right = len(found) - len(late), sum(each.has_right_code for each in found)
            slowest = max(each.after_s for each in found) / 60
            print(f"{kind:15} {family:10} {good:3}/{len(found)} own code {right:3} "
                  f"slowest {slowest:6.0f} min {late or ''}")  # fmt: skip
        for family, told, weeks in false_table(names, seeds):
            print(f"false           {family:10} {len(told):3} in {weeks:.0f} weeks {told or ''}")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["4"])[0]))
