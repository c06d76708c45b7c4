"""The share of cold starts, against a replay of environments and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cold.replaying import replay
from tuner.cold import share
from tuner.cold.arrivals import Arrivals, arrivals_of_minutes, arrivals_of_times
from tuner.cold.share import (
    KEEP_ALIVE_S,
    Stretch,
    Work,
    beginning_share,
    cold_share,
    concurrency_at_arrivals,
    count_cold,
    share_over_keep_alive,
    stretches_of,
)


@given(
    st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.001, 40.0)), min_size=1, max_size=60),
    st.floats(0.0, 20.0),
    st.floats(0.1, 60.0),
)
def test_levels_say_what_a_replay_of_environments_says(
    requests: list[tuple[float, float]], init_s: float, keep_alive_s: float
) -> None:
    """Cold starts are as many as where each environment is followed on its own."""
    gaps, busy = zip(*requests, strict=True)
    starts = np.cumsum(gaps)
    told = count_cold(Stretch(starts, np.array(busy)), init_s * 1000, keep_alive_s)
    assert told == sum(replay(starts.tolist(), list(busy), init_s, keep_alive_s))


def test_a_burst_makes_as_many_as_come_at_once() -> None:
    """Three at once are three cold starts; the same again a minute later are none; a fourth beside
    them is one; after the keep-alive all are cold again.
    """
    starts = np.array([0.0, 0.0, 0.0, 60.0, 60.0, 60.0, 60.0, 1000.0, 1000.0])
    stretch = Stretch(starts, np.full(9, 1.0))
    assert count_cold(stretch, 100.0, 600.0) == 3 + 0 + 1 + 2
    assert count_cold(stretch, 100.0, 1000.0) == 4
    assert count_cold(stretch, 100.0, 600.0, ready_count=3) == 1
    assert concurrency_at_arrivals([stretch]).tolist() == [1, 2, 3, 1, 2, 3, 4, 1, 2]


def test_init_keeps_an_environment_busy() -> None:
    """What comes during another's INIT needs an environment of its own."""
    stretch = Stretch(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    assert count_cold(stretch, 0.0, 600.0) == 1
    assert count_cold(stretch, 2000.0, 600.0) == 2


@pytest.mark.parametrize("per_minute", [0.05, 0.2, 0.6])
def test_a_slow_poisson_rate_has_the_share_of_its_gaps(per_minute: float) -> None:
    """Requests that never meet are cold where the gap exceeds the keep-alive: e^(−rate × it)."""
    rate = per_minute / 60
    stretches = stretches_of(Arrivals(rate), Work(1.0, 0.0, 0.0), np.random.default_rng(1))
    for keep_alive_s in KEEP_ALIVE_S:
        found = cold_share(stretches, 0.0, keep_alive_s)
        assert found == pytest.approx(math.exp(-rate * keep_alive_s), abs=0.005)


def test_the_interval_goes_over_the_keep_alive() -> None:
    """A request every 400 s is cold under the shortest keep-alive only, but for the first."""
    arrivals = arrivals_of_times([400.0 * number for number in range(100)])
    stretches = stretches_of(arrivals, Work(50.0, 0.1, 300.0), np.random.default_rng(1))
    found = share_over_keep_alive(stretches, 300.0, request_count=100)
    assert found.estimate == 0.01
    assert found.low < 0.01
    assert found.high == pytest.approx(1.0)


def test_what_is_cold_at_the_beginning_may_have_been_warm() -> None:
    """A request every 10 s that runs for 15 minutes needs 90 environments at first, and none later:
    the interval reaches down to none. At a rate alone there is no beginning.
    """
    times = [10.0 * number for number in range(400)]
    arrivals = arrivals_of_times(times, [899_000.0] * len(times))
    stretches = stretches_of(arrivals, Work(1.0, 0.1, 300.0), np.random.default_rng(1))
    found = share_over_keep_alive(stretches, 300.0, request_count=400)
    assert found.estimate == pytest.approx(90 / 400)
    assert beginning_share(stretches, 300.0) == found.estimate
    assert found.low == 0
    stretches = stretches_of(Arrivals(0.1), Work(1.0, 0.1, 300.0), np.random.default_rng(1))
    assert beginning_share(stretches, 300.0) == 0


def test_minutes_say_nearly_what_times_say() -> None:
    """Of bursts an hour apart, the share by minutes is within 2 points of that by times."""
    rng = np.random.default_rng(7)
    bursts = [3600.0 * hour + rng.uniform(0, 600, 40) for hour in range(48)]
    times = np.sort(np.concatenate(bursts))
    counts = np.bincount((times // 60).astype(int))
    work = Work(200.0, 0.5, 800.0)
    shares = [
        cold_share(stretches_of(each, work, np.random.default_rng(3)), 800.0, 600.0)
        for each in (arrivals_of_times(times.tolist()), arrivals_of_minutes(counts.tolist()))
    ]
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    truth = replay(times.tolist(), work.drawn_s(len(times), rng).tolist(), 0.8, 600.0)
    assert shares[1] == pytest.approx(sum(truth) / len(truth), abs=0.02)


@pytest.mark.parametrize("basis", ["minutes", "times"])
def test_requests_between_all_stretches_are_counted(
    monkeypatch: pytest.MonkeyPatch, basis: str
) -> None:
    """A month with all of its requests in one hour has a share, wherever that hour is."""
    monkeypatch.setattr(share, "_MOST_COUNTED", 1_000)
    counts = [0] * (30 * 1440)
    counts[0] = counts[-1] = 1
    for minute in range(60):
        counts[2000 + minute] = 100
    arrivals = arrivals_of_minutes(counts)
    if basis == "times":
        at = [60.0 * minute + n / 200 for minute, count in enumerate(counts) for n in range(count)]
        arrivals = arrivals_of_times(at)
    stretches = stretches_of(arrivals, Work(100.0, 0.2, 500.0), np.random.default_rng(1))
    assert 0 < sum(each.counted for each in stretches) < 40_000
    found = share_over_keep_alive(stretches, 500.0, request_count=arrivals.request_count)
    assert 0 < found.estimate < 0.2
    assert concurrency_at_arrivals(stretches).max() >= 1


def test_a_long_trace_is_counted_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What isn't counted warms what is: a steady trace of many requests has hardly a cold one."""
    monkeypatch.setattr(share, "_MOST_COUNTED", 10_000)
    times = np.arange(0.0, 40_000.0, 0.8)
    arrivals = arrivals_of_times(times.tolist())
    stretches = stretches_of(arrivals, Work(20.0, 0.0, 300.0), np.random.default_rng(1))
    assert len(stretches) > 10
    assert sum(each.counted for each in stretches) == pytest.approx(10_000, rel=0.05)
    assert cold_share(stretches, 300.0, 300.0) < 1e-4
