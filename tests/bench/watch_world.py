"""Functions with known traffic, and what can run away in them. It knows nothing of the rules.

A family draws arrivals by the second; a function adds durations, errors, retries and traces; a
runaway adds what Lambda would have run from its onset on, until it has cost $3 or gone on for a
day. Times are seconds from the archive's first midnight, a Monday.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tuner.observe.database import open_database
from tuner.observe.store import ReportStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rng = np.random.Generator

MONDAY: Final = datetime(2026, 6, 1, tzinfo=UTC)
DAY_S: Final = 86_400.0
RATE_USD: Final = 0.0000166667 / 1024 / 1000
REQUEST_USD: Final = 2e-7
AZURE: Final = Path("/work/shared/data/azure2021_200.csv")
_NONE: Final = -1


@dataclass(slots=True)
class Runs:
    """Columns of invocations, of equal length; `end_s` is when the report was written."""

    end_s: Floats
    duration_ms: Floats
    memory_mb: NDArray[np.int64]
    request: NDArray[np.int64]
    """A retry has the same."""
    outcome: NDArray[np.int8]
    """0 success, 1 error, 2 timeout, 3 killed."""
    error: NDArray[np.int64]
    """Which fault; -1 none."""
    trace: NDArray[np.int64]
    passes: NDArray[np.int64]
    message: NDArray[np.int64]
    """A message that its lines name; -1 none."""

    @property
    def cost_usd(self) -> Floats:
        """Of each."""
        return REQUEST_USD + RATE_USD * self.memory_mb * np.ceil(self.duration_ms)

    def where(self, chosen: NDArray[Any]) -> Runs:
        """Some of them."""
        return Runs(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def joined(*parts: Runs) -> Runs:
    """All of them, by time."""
    whole = Runs(
        *(np.concatenate([getattr(each, n) for each in parts]) for n in Runs.__dataclass_fields__)
    )
    return whole.where(np.argsort(whole.end_s, kind="stable"))


@dataclass(frozen=True, slots=True)
class Function:
    """What a function is like; its arrivals come from a family."""

    family: str
    days: int
    per_day: float
    mean_ms: float
    cv: float
    memory_mb: int
    error_ratio: float
    retries: bool
    """Asynchronous: failed events run again after one and after three minutes."""
    traced: bool
    chain_mean: float = 0.0
    """Recursion by design: mean number of runs that follow each event; 0 for none."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Runaway:
    """What was injected, from when on, and what of it was run."""

    kind: str
    onset_s: float
    runs: Runs = field(repr=False)

    def cost_until(self, at_s: float) -> float:
        """What it has cost by then."""
        return float(self.runs.cost_usd[self.runs.end_s <= at_s].sum())


# --- Arrivals -------------------------------------------------------------------------------------


def _profile(rng: Rng, days: int) -> Floats:
    """A rate for each minute, of mean 1: a day of two humps at most, a week, no two days alike."""
    minutes = np.arange(days * 1440)
    hours, weekday = minutes / 60 % 24, minutes // 1440 % 7
    depth, peak = rng.uniform(0.1, 0.95), rng.uniform(0, 24)
    rate = 1 + depth * np.cos((hours - peak) / 24 * 2 * np.pi)
    rate += rng.uniform(0, 0.6) * depth * np.cos((hours - rng.uniform(0, 24)) / 12 * 2 * np.pi)
    weekend = rng.choice([1.0, rng.uniform(0.05, 0.9), rng.uniform(1.0, 1.8)])
    rate = np.maximum(rate, 0.02) * np.where(weekday >= 5, weekend, 1.0)
    rate *= np.repeat(rng.lognormal(0, rng.uniform(0, 0.2), days), 1440)
    return np.asarray(rate / rate.mean())


def _points(rng: Rng, per_minute: Floats) -> Floats:
    counts = rng.poisson(per_minute)
    at = np.repeat(np.arange(len(counts)) * 60.0, counts)
    return np.sort(at + rng.random(len(at)) * 60)


def seasonal(rng: Rng, days: int, per_day: float) -> Floats:
    """Independent callers."""
    return _points(rng, _profile(rng, days) * per_day / 1440)


def bursty(rng: Rng, days: int, per_day: float) -> Floats:
    """The rate wanders by the minute and by the hour, and jumps for some minutes now and then."""
    count = days * 1440
    slow = np.repeat(rng.lognormal(0, rng.uniform(0.1, 0.5), count // 60 + 1), 60)[:count]
    fast = rng.lognormal(0, rng.uniform(0.2, 0.8), count)
    rate = _profile(rng, days) * slow * fast
    for start in np.flatnonzero(rng.random(count) < rng.uniform(0.5, 6) / 1440):
        rate[start : start + int(rng.integers(2, 40))] *= rng.uniform(1.5, 6)
    return _points(rng, rate / rate.mean() * per_day / 1440)


def dumps(rng: Rng, days: int, per_day: float) -> Floats:
    """A queue that is filled on a schedule, and drained as fast as the consumer's concurrency."""
    period_s = float(rng.choice([900, 3600, 7200, 6 * 3600, DAY_S]))
    starts = np.arange(rng.uniform(0, period_s), days * DAY_S, period_s)
    starts = starts[rng.random(len(starts)) > rng.choice([0.0, 0.02])]
    mean = per_day * period_s / DAY_S
    sizes = rng.lognormal(0, rng.uniform(0.05, 0.7), len(starts))
    drained_s = period_s * rng.uniform(0.02, 0.3)
    parts = []
    for start, size in zip(starts + rng.uniform(0, 20, len(starts)), sizes, strict=True):
        parts.append(start + np.sort(rng.random(rng.poisson(mean * size))) * drained_s * size)
    return np.sort(np.concatenate(parts))


def sporadic(rng: Rng, days: int, per_day: float) -> Floats:
    """A few people who click several times."""
    visits = _points(rng, _profile(rng, days) * min(per_day, 200) / 6 / 1440)
    clicks = rng.geometric(1 / 6, len(visits))
    at = np.repeat(visits, clicks) + rng.exponential(20, int(clicks.sum())).cumsum() % 300
    return np.sort(at)


def growing(rng: Rng, days: int, per_day: float) -> Floats:
    """Up to three times the traffic by the end, partly in steps of a launch."""
    rate = _profile(rng, days) * np.linspace(1, rng.uniform(1, 2), days * 1440)
    rate[int(rng.integers(days * 1440)) :] *= rng.uniform(1.0, 1.6)
    return _points(rng, rate / rate.mean() * per_day / 1440)


def timers(rng: Rng, days: int, per_day: float) -> Floats:
    """Schedules to the second, some of several calls at once, with people between."""
    parts = [seasonal(rng, days, per_day * 0.2)]
    for _ in range(int(rng.integers(1, 4))):
        period_s = float(rng.choice([60, 300, 900, 3600, DAY_S]))
        at = np.arange(rng.uniform(0, period_s), days * DAY_S, period_s)
        fan = max(int(per_day * 0.25 / (DAY_S / period_s)), 1)
        parts.append(np.repeat(at, fan) + rng.random(len(at) * fan) * 2)
    return np.sort(np.concatenate(parts))


def campaigns(rng: Rng, days: int, per_day: float) -> Floats:
    """People, and every few days a mailing that brings up to three times as many for an hour."""
    rate = _profile(rng, days)
    minutes = np.arange(len(rate))
    for start in np.flatnonzero(rng.random(len(rate)) < 1 / (1440 * rng.uniform(2, 6))):
        after = minutes - start
        shape = np.exp(-np.maximum(after, 0) / rng.uniform(15, 60)) * (after >= 0)
        rate = rate + rate[start] * rng.uniform(0.5, 2) * shape
    return _points(rng, rate / rate.mean() * per_day / 1440)


def cascades(rng: Rng, days: int, per_day: float) -> Floats:
    """Arrivals that bring more (Hawkes, 1971): clusters of all sizes. Held back from tuning."""
    ratio, generation = rng.uniform(0.3, 0.8), 0
    parts = [_points(rng, _profile(rng, days) * per_day * (1 - ratio) / 1440)]
    while len(parts[-1]) and generation < 40:
        children = rng.poisson(ratio, len(parts[-1]))
        delays = rng.exponential(rng.choice([2.0, 30.0, 300.0]), int(children.sum()))
        parts.append(np.repeat(parts[-1], children) + delays)
        generation += 1
    at = np.sort(np.concatenate(parts))
    return at[at < days * DAY_S]


def recorded(rng: Rng, days: int, per_day: float) -> Floats:
    """Real arrivals of Azure's functions, 21 minutes of one after the other. Held back as well."""
    with AZURE.open(encoding="utf-8") as file:
        rows = [(row["func"], float(row["end_timestamp"])) for row in csv.DictReader(file)]
    by_function: dict[str, list[float]] = {}
    for name, end_s in rows:
        by_function.setdefault(name, []).append(end_s)
    first = min(end_s for _, end_s in rows)
    span_s = max(end_s for _, end_s in rows) - first
    pieces = [np.asarray(each) - first for each in by_function.values() if len(each) >= 2]
    profile, parts = _profile(rng, days), []
    mean = float(np.mean([len(each) for each in pieces]))
    for start in np.arange(0.0, days * DAY_S - span_s, span_s):
        wanted = profile[int(start // 60)] * per_day * span_s / DAY_S
        chosen = rng.integers(len(pieces), size=rng.poisson(wanted / mean))
        parts.extend(start + pieces[each] for each in chosen)
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0)


FAMILIES: Final[dict[str, Callable[[Rng, int, float], Floats]]] = {
    "seasonal": seasonal, "bursty": bursty, "dumps": dumps, "sporadic": sporadic,
    "growing": growing, "timers": timers, "campaigns": campaigns,
}  # fmt: skip
HELD_BACK: Final[dict[str, Callable[[Rng, int, float], Floats]]] = {
    "cascades": cascades, "recorded": recorded,
}  # fmt: skip


# --- Functions ------------------------------------------------------------------------------------


def drawn_function(family: str, seed: int, *, chains: bool | None = None) -> Function:
    """One function of a family."""
    rng = np.random.default_rng([seed, *family.encode()])
    is_chained = rng.random() < 0.3 if chains is None else chains
    return Function(
        family=family,
        days=int(rng.choice([7, 14, 21, 35, 60])),
        per_day=float(np.exp(rng.uniform(np.log(50), np.log(30_000)))),
        mean_ms=float(np.exp(rng.uniform(np.log(20), np.log(3_000)))),
        cv=float(rng.uniform(0.1, 1.0)),
        memory_mb=int(rng.choice([128, 256, 512, 1024, 1769, 3008])),
        error_ratio=float(rng.choice([0.0, 0.0005, 0.005, 0.03])),
        retries=bool(rng.random() < 0.5),
        traced=bool(rng.random() < 0.5),
        chain_mean=float(np.exp(rng.uniform(0, np.log(30)))) if is_chained else 0.0,
        seed=seed,
    )


def quiet_runs(function: Function) -> Runs:
    """What it does when nothing runs away; chains that end, and minutes in which much fails, are
    part of it.
    """
    rng = np.random.default_rng([function.seed, 17, *function.family.encode()])
    family = {**FAMILIES, **HELD_BACK}[function.family]
    arrivals = family(rng, function.days, function.per_day / (1 + function.chain_mean))
    start, trace, passes = _with_chains(rng, function, arrivals)
    bad = _bad_minutes(rng, function)
    ratio = np.where(bad[(start // 60).astype(int) % len(bad)], 0.5, function.error_ratio)
    runs = _runs(rng, function, start, (trace, passes), rng.random(len(start)) < ratio)
    runs = _with_retries(rng, function, runs) if function.retries else runs
    begin_s = np.random.default_rng([function.seed, 29]).uniform(0, DAY_S)  # at any time of a day
    return runs.where((runs.end_s >= begin_s) & (runs.end_s < function.days * DAY_S))


def _bad_minutes(rng: Rng, function: Function) -> NDArray[np.bool_]:
    """Whatever it calls fails for one to three minutes, every two weeks or so."""
    bad = np.zeros(function.days * 1440, dtype=bool)
    if function.error_ratio:
        for at in np.flatnonzero(rng.random(len(bad)) < 1 / (14 * 1440)):
            bad[at : at + int(rng.integers(1, 4))] = True
    return bad


def _with_chains(
    rng: Rng, function: Function, arrivals: Floats
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Starts, traces and passes: an event may bring a chain of runs that ends by itself."""
    trace = np.arange(len(arrivals)) + function.seed * 10_000_000
    if not function.chain_mean:
        return arrivals, trace, np.ones(len(arrivals), dtype=np.int64)
    deviation = rng.uniform(0.2, 0.9)
    lengths = np.round(
        function.chain_mean * rng.lognormal(-(deviation**2) / 2, deviation, len(arrivals))
    ).astype(int)
    at = np.repeat(arrivals, lengths + 1)
    passes = np.concatenate([np.arange(1, each + 2) for each in lengths] or [np.zeros(0)])
    step_s = function.mean_ms / 1000 + rng.exponential(0.2) + 0.03
    return at + (passes - 1) * step_s, np.repeat(trace, lengths + 1), passes.astype(np.int64)


def _runs(
    rng: Rng,
    function: Function,
    start: Floats,
    chain: tuple[NDArray[np.int64], NDArray[np.int64]],
    failed: NDArray[np.bool_],
) -> Runs:
    (trace, passes), count = chain, len(start)
    deviation = float(np.sqrt(np.log1p(function.cv**2)))
    duration = function.mean_ms * rng.lognormal(-(deviation**2) / 2, deviation, count)
    duration = np.minimum(duration, 890_000)
    order = np.argsort(start + duration / 1000, kind="stable")
    none = np.full(count, _NONE)
    fault = np.where(failed, rng.integers(0, 3, count), _NONE)
    runs = Runs(
        end_s=start + duration / 1000,
        duration_ms=duration,
        memory_mb=np.full(count, function.memory_mb),
        request=np.arange(count) + int(rng.integers(1, 2**40)),
        outcome=failed.astype(np.int8),
        error=fault,
        trace=trace if function.traced else none,
        passes=passes if function.traced else none,
        message=none.copy(),
    )
    return runs.where(order)


def _with_retries(rng: Rng, function: Function, runs: Runs, *, again: float = 0.1) -> Runs:
    """Failed events run again after one and after three minutes; few fail again."""
    parts, failed = [runs], runs.where(runs.outcome > 0)
    for wait_s in (60.0, 120.0):
        if not len(failed.end_s):
            break
        fails = rng.random(len(failed.end_s)) < again
        retried = replace(
            failed,
            end_s=failed.end_s + wait_s + rng.exponential(2, len(fails)),
            duration_ms=failed.duration_ms * rng.lognormal(0, 0.1, len(fails)),
            outcome=np.where(fails, failed.outcome, 0).astype(np.int8),
            error=np.where(fails, failed.error, _NONE),
        )
        parts.append(retried)
        failed = retried.where(retried.outcome > 0)
    return joined(*parts)


# --- What runs away -------------------------------------------------------------------------------

MOST_USD: Final = 3.0
MOST_RUNS: Final = 300_000
"""Or to so many runs, where they are short and cheap."""


def _until(runs: Runs, onset_s: float) -> Runs:
    """To the end of a day, or of $3 if that's later than six minutes."""
    runs = runs.where(np.argsort(runs.end_s, kind="stable"))
    spent = runs.cost_usd.cumsum()
    return runs.where(
        (runs.end_s < onset_s + DAY_S)
        & (
            ((spent < MOST_USD) & (np.arange(len(spent)) < MOST_RUNS))
            | (runs.end_s < onset_s + 360)
        )
    )


def _made(function: Function, end_s: Floats, duration_ms: Floats, **columns: Any) -> Runs:
    count = len(end_s)
    none = np.full(count, _NONE)
    made = {
        "memory_mb": np.full(count, function.memory_mb), "request": np.arange(count) + 2**41,
        "outcome": np.zeros(count, dtype=np.int8), "error": none, "trace": none, "passes": none,
        "message": none, **columns,
    }  # fmt: skip
    return Runs(end_s=end_s, duration_ms=duration_ms, **made)


def recursion(rng: Rng, function: Function, onset_s: float) -> Runs:
    """It calls itself: one chain, several, or each run starts two, up to the concurrency."""
    width = int(rng.choice([1, 1, 5, 50, 300]))
    doubles = bool(rng.random() < 0.4)
    lag_s = float(rng.choice([0.02, 0.3, 2.0]))
    mean_ms = min(function.mean_ms, 2000.0)
    step_s = mean_ms / 1000 + lag_s
    times, passes = [], []
    now, depth, at_once, cost, count = onset_s, 1, 1, 0.0, 0
    per_run = REQUEST_USD + RATE_USD * function.memory_mb * mean_ms
    while now < onset_s + DAY_S and (
        (cost < MOST_USD and count < MOST_RUNS) or now < onset_s + 360
    ):
        wide = at_once if doubles else width
        times.append(now + rng.random(wide) * min(step_s, 1.0))
        passes.append(np.full(wide, depth + 1))
        now, depth, cost = now + step_s, depth + 1, cost + wide * per_run
        at_once, count = min(at_once * 2, max(width, 100)), count + wide
    start, depths = np.concatenate(times), np.concatenate(passes)
    duration = mean_ms * rng.lognormal(-0.02, 0.2, len(start))
    traced = {} if not function.traced else {
        "trace": np.full(len(start), 2**42), "passes": depths.astype(np.int64),
    }  # fmt: skip
    return _made(function, start + duration / 1000, duration, **traced)


def poison_message(rng: Rng, function: Function, onset_s: float) -> Runs:
    """A message fails whenever it is visible again; or a shard's batch, again at once."""
    is_stream = rng.random() < 0.3
    mean_ms = min(function.mean_ms, 5000.0)
    wait_s = 0.1 if is_stream else float(rng.choice([30, 60, 180, 360, 900]))
    count = int(min(DAY_S / (wait_s + mean_ms / 1000), 100_000))
    duration = mean_ms * rng.lognormal(-0.005, 0.1, count)
    waits = wait_s + rng.exponential(0.2 if is_stream else 1.0, count)
    end_s = onset_s + np.cumsum(duration / 1000 + waits)
    ids = np.full(count, 77) if rng.random() < 0.5 else np.full(count, _NONE)
    outcome = np.ones(count, dtype=np.int8)
    return _made(
        function, end_s, duration, outcome=outcome, error=np.full(count, 50), message=ids
    )  # fmt: skip


def retry_storm(rng: Rng, function: Function, onset_s: float, quiet: Runs) -> Runs:
    """What it calls hangs or fails: nearly everything fails, and everybody tries again.

    Lambda runs an event again after one and after three minutes; other callers try up to five times
    within seconds, as new requests.
    """
    after = quiet.where((quiet.end_s >= onset_s) & (quiet.end_s < onset_s + DAY_S))
    slow = rng.random() < 0.5
    duration = (
        np.full(len(after.end_s), min(function.mean_ms * 10, 60_000.0))
        if slow
        else after.duration_ms
    )
    outcome = np.full(len(after.end_s), 2 if slow else 1, dtype=np.int8)
    fault = np.full(len(after.end_s), 60)
    first = replace(after, outcome=outcome, error=fault, duration_ms=duration)
    first = replace(first, end_s=after.end_s + duration / 1000)
    parts = [first]
    for number in range(2 if function.retries else 5):
        wait_s = (60.0, 180.0)[number] if function.retries else 1.0 * 2**number
        again = replace(first, end_s=first.end_s + wait_s + rng.exponential(1, len(fault)))
        if not function.retries:
            again = replace(again, request=again.request + 2**43 + number * 2**40)
        parts.append(again)
    return joined(*parts)


def stuck_queue(rng: Rng, function: Function, onset_s: float) -> Runs:
    """Messages come back after they were handled: the consumer never gets to an end."""
    mean_ms = function.mean_ms
    at_once = float(rng.choice([2, 5, 20]))
    rate = at_once / (mean_ms / 1000)
    per_run = REQUEST_USD + RATE_USD * function.memory_mb * mean_ms
    count = int(min(rate * DAY_S, max(MOST_USD / per_run, rate * 360), MOST_RUNS))
    start = onset_s + np.cumsum(rng.exponential(1 / rate, count))
    duration = mean_ms * rng.lognormal(-0.02, 0.2, count)
    return _made(function, start + duration / 1000, duration)


def injected(kind: str, function: Function, seed: int) -> tuple[Runs, Runaway]:
    """A function's runs with one runaway, and the runaway alone."""
    rng = np.random.default_rng([seed, 23, *kind.encode()])
    quiet = quiet_runs(function)
    last = max(function.days - 1.2, 5.0)
    onset_s = float(rng.uniform(min(5.0, last), last)) * DAY_S
    if kind == "retry_storm":
        # It begins with a request that there is.
        at = min(int(np.searchsorted(quiet.end_s, onset_s)), len(quiet.end_s) - 1)
        onset_s = float(quiet.end_s[at])
        added = _until(retry_storm(rng, function, onset_s, quiet), onset_s)
        quiet = quiet.where(quiet.end_s < onset_s)
    elif kind == "stuck_queue":
        added = _until(stuck_queue(rng, function, onset_s), onset_s)
    else:
        make = {"recursion": recursion, "poison_message": poison_message}[kind]
        added = _until(make(rng, function, onset_s), onset_s)
    return joined(quiet, added), Runaway(kind, onset_s, added)


# --- The store ------------------------------------------------------------------------------------


def store_of(runs: Runs, *, until_s: float | None = None) -> ReportStore:
    """The reports table of what was logged by then."""
    chosen = runs if until_s is None else runs.where(runs.end_s <= until_s)
    connection = open_database()
    connection.execute("SET memory_limit = '1GB'")
    columns: dict[str, Any] = {
        "at_us": (chosen.end_s * 1e6).astype(np.int64) + int(MONDAY.timestamp()) * 1_000_000,
        "duration_ms": chosen.duration_ms,
        "memory_mb": chosen.memory_mb.astype(np.int64),
        "request": chosen.request,
        "outcome": chosen.outcome.astype(np.int64),
        "fault": chosen.error,
        "trace": chosen.trace,
        "passes": chosen.passes,
        "message": chosen.message,
    }
    connection.register("runs", columns)
    connection.execute(
        """CREATE TABLE reports AS SELECT NULL::VARCHAR AS account, NULL::VARCHAR AS region,
            'f' AS function, '1' AS version, NULL::VARCHAR AS log_stream,
            NULL::VARCHAR AS architecture, 'made' AS source, request::VARCHAR AS request_id,
            (row_number() OVER (PARTITION BY request ORDER BY at_us))::INTEGER AS attempt,
            make_timestamp(at_us) AS logged_at, memory_mb, duration_ms,
            ceil(duration_ms)::BIGINT AS billed_duration_ms, NULL::DOUBLE AS init_duration_ms,
            NULL::DOUBLE AS restore_duration_ms, NULL::DOUBLE AS billed_restore_duration_ms,
            (memory_mb * 0.6)::BIGINT AS max_memory_used_mb,
            ['success', 'error', 'timeout', 'oom'][outcome + 1] AS outcome,
            CASE WHEN fault >= 0 THEN 'Fault' END AS error_signature,
            CASE WHEN fault >= 0 THEN 'f' || fault END AS error_digest,
            NULL::DOUBLE AS cpu_ms, CASE WHEN trace >= 0 THEN trace::VARCHAR END AS trace_id,
            CASE WHEN passes >= 0 THEN passes::INTEGER END AS passes,
            CASE WHEN message >= 0 THEN ['m' || message] END AS message_digests,
            0::BIGINT AS line FROM runs"""
    )
    connection.unregister("runs")
    return ReportStore(connection)


def at(second: float) -> datetime:
    """The moment of a second."""
    return MONDAY + timedelta(seconds=second)
