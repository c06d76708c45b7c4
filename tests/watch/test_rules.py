"""The rules on generated traffic: runaways of each kind, traffic of its own kind, and time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.bench.watch import alarms
from tests.bench.watch_world import (
    DAY_S,
    Function,
    Runs,
    at,
    injected,
    joined,
    quiet_runs,
    store_of,
)
from tuner.watch.tail import FEWEST_DAYS, return_level
from tuner.watch.watched import DAY, expected_by_minute, stretches, window_sums

if TYPE_CHECKING:
    from tuner.model.watch import WatchFinding

FUNCTION = Function(
    family="bursty", days=8, per_day=400.0, mean_ms=3000.0, cv=0.5, memory_mb=3008,
    error_ratio=0.005, retries=True, traced=True, seed=13,
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "family", "code"),
    [
        ("recursion", "bursty", "recursion"),
        ("poison_message", "timers", "poison_message"),
        ("retry_storm", "seasonal", "retry_storm"),
        ("stuck_queue", "dumps", "queue_not_draining"),
    ],
)
def test_a_runaway_is_found_by_its_own_rule(kind: str, family: str, code: str) -> None:
    """While it goes on, at a price, and since it began; nothing is told of before."""
    per_day = 3000.0 if kind == "retry_storm" else 400.0
    runs, runaway = injected(kind, replace(FUNCTION, family=family, per_day=per_day), 5)
    end_s = float(runaway.runs.end_s[-1])
    with store_of(runs) as store:
        assert alarms(store, runaway.onset_s - 60) == []
        found = [each for each in alarms(store, end_s) if each.finding.code == code]
    [one] = found
    assert one.until is None
    assert one.usd_per_hour > 0
    # A queue's run begins with its dump.
    early_s = 3600 if kind == "stuck_queue" else 600
    assert at(runaway.onset_s - early_s) <= one.since <= at(runaway.onset_s + 1200)


@pytest.mark.parametrize("family", ["campaigns", "dumps", "sporadic"])
def test_traffic_of_its_own_kind_is_no_warning(family: str) -> None:
    """Seasons, mailings, dumps, and chains that end."""
    with store_of(quiet_runs(replace(FUNCTION, family=family, chain_mean=8.0))) as store:
        assert alarms(store, 8 * DAY_S) == []


def made_runs(end_s: np.ndarray[Any, Any], **columns: np.ndarray[Any, Any]) -> Runs:
    """Runs of 300 ms at 1 GB that end then; what isn't given is as of plain successes."""
    none = np.full(len(end_s), -1)
    values = {
        "duration_ms": np.full(len(end_s), 300.0), "memory_mb": np.full(len(end_s), 1024),
        "request": np.arange(len(end_s)), "outcome": np.zeros(len(end_s), dtype=np.int8),
        "error": none, "trace": none, "passes": none, "message": none,
    }  # fmt: skip
    return joined(Runs(end_s, **values | columns))


def chains_of(lengths: dict[int, int], days: int) -> Runs:
    """Twenty chains of twelve runs a day, and on some days one of another length."""
    parts = [
        (day * DAY_S + number * 4000, lengths.get(day, 12) if number == 10 else 12)
        for day in range(days)
        for number in range(20)
    ]
    return made_runs(
        np.concatenate([begin + 0.5 * np.arange(count) for begin, count in parts]),
        trace=np.repeat(np.arange(len(parts)), [count for _, count in parts]),
        passes=np.concatenate([np.arange(1, count + 1) for _, count in parts]),
    )


def test_a_recursion_that_comes_again_is_found_again() -> None:
    """The one that was stopped two days before is no example of how long chains may be; that it
    ran on and on isn't told as a queue's.
    """
    with store_of(chains_of({6: 5000, 8: 4000}, 9)) as store:
        found = alarms(store, 9 * DAY_S)
    assert {each.finding.code for each in found} == {"recursion"}
    assert sorted(each.since for each in found) == [at(6 * DAY_S + 40_000), at(8 * DAY_S + 40_000)]
    assert [dict(each.evidence)["longest_chain"] for each in found] == [4000, 5000]


def test_a_long_chain_of_every_night_is_told_of_twice() -> None:
    """3,000 items one after the other in one trace, from the first night of the log on: the third
    is its pattern.
    """
    nights = [3600 + day * DAY_S + 0.9 * np.arange(3000) for day in range(6)]
    runs = made_runs(np.concatenate(nights), trace=np.repeat(np.arange(6), 3000))
    with store_of(runs) as store:
        found = [each for each in alarms(store, 6 * DAY_S) if each.finding.code == "recursion"]
        [now] = [each for each in alarms(store, 3600 + 2000) if each.finding.code == "recursion"]
    assert sorted(each.since for each in found) == [at(3600), at(3600 + DAY_S)]
    # Nothing counts its passes: it may be one request's messages, so nobody is told to stop it.
    assert (now.until, now.finding.severity) == (None, "warning")
    assert now.action.startswith("See in that trace what calls it")


@pytest.mark.parametrize("period_s", [60.0, 300.0, 3600.0])
def test_a_schedule_all_of_whose_runs_fail_is_no_poison_message(period_s: float) -> None:
    """Every run failed since a deployment, and none is tried again: no event is to blame. Where
    nothing ran on that schedule before, a message comes back.
    """
    end_s = np.arange(10.0, 12 * DAY_S, period_s)
    end_s += np.random.default_rng(5).uniform(0, 1.5, len(end_s))
    failed = end_s > 10 * DAY_S
    schedule = made_runs(end_s, outcome=failed.astype(np.int8), error=np.where(failed, 50, -1))
    people = np.sort(np.random.default_rng(6).uniform(0, 12 * DAY_S, 5000))
    poison = joined(made_runs(people), schedule.where(schedule.outcome > 0))
    for runs, is_message in ((schedule, False), (poison, True)):
        with store_of(runs) as store:
            codes = [each.finding.code for each in alarms(store, 12 * DAY_S)]
        assert ("poison_message" in codes) is is_message


def test_what_is_said_of_a_moment_stays_said() -> None:
    """An archive read whole has what a watch said at the time: rules look back only."""
    runs, runaway = injected("recursion", replace(FUNCTION, traced=False), 5)
    end_s = float(runaway.runs.end_s[-1])

    def began(found: list[WatchFinding]) -> list[object]:
        return [(each.finding.code, each.since) for each in found]

    with store_of(runs) as store:
        early = alarms(store, min(runaway.onset_s + 1800, end_s))
        assert began(early)
        assert began(early) == began(alarms(store, end_s))


def test_expectations_are_of_earlier_days_alone() -> None:
    """The first day expects nothing; the second what the first had in that hour or beside it."""
    values = np.zeros(2 * DAY)
    values[10 * 60 : 11 * 60] = 3.0
    expected = expected_by_minute(values, 0)
    assert np.isnan(expected[:DAY]).all()
    busy = np.flatnonzero(expected[DAY:] > 0)
    assert (busy[0], busy[-1]) == (9 * 60, 12 * 60 - 1)
    assert expected[DAY + 600] == 3.0


def test_a_first_day_that_was_not_seen_whole_expects_nothing_of_what_was_not() -> None:
    """The log begins at three: the next day's noon isn't expected to be silent, it's unknown."""
    values = np.full(3 * DAY, 2.0)
    values[: 15 * 60 + 7] = 0.0
    expected = expected_by_minute(values, 0, 15 * 60 + 7)
    assert np.isnan(expected[DAY : DAY + 15 * 60]).all()
    assert (expected[DAY + 16 * 60 :] == 2.0).all()


def test_under_two_weeks_no_weekly_season_is_assumed() -> None:
    """Sundays alone are busy: only the third is expected to be busier than the day before."""
    values = np.ones(21 * DAY)
    for week in range(3):
        values[(7 * week + 6) * DAY : (7 * week + 7) * DAY] = 50.0
    noon = expected_by_minute(values, 0)[720::DAY]
    assert noon[13] < noon[12]  # the second Sunday: the first one has faded by a week
    assert noon[20] > 5 * noon[19]


def test_a_level_is_above_what_was_and_knows_its_limits() -> None:
    """Too few days give none; tame days a low one, heavy tails a high one, never over ten times."""
    assert return_level(np.zeros(FEWEST_DAYS - 1)) == float("inf")
    tame, wild = np.linspace(0, 0.1, 20), np.log(1 / np.linspace(0.05, 1, 20))
    assert 0.1 + np.log(1.5) <= return_level(tame) < return_level(wild)
    assert return_level(wild) <= wild.max() + np.log(10) + 1e-12
    assert return_level(tame[:5]) > return_level(tame)


def test_windows_and_stretches_by_hand() -> None:
    """Sums up to each minute, and flags with gaps."""
    assert window_sums(np.array([1.0, 2, 3, 4]), 2).tolist() == [1, 3, 5, 7]
    flags = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1])
    assert stretches(flags, 2) == [(1, 4), (8, 8)]
