"""Samples executions of a machine: which states they visit, and which invocations they wait for.

None of that depends on memory. So executions are sampled once, with what varies between invocations
as uniform numbers (the same at every size), and an assignment of sizes only has to add and compare
times (`latency`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.errors import InputError
from tuner.model.workflow import ANY_ERRORS, Choice, Map, Parallel, Pass, Task, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.model.arrays import Flags, Floats, Indices
    from tuner.model.workflow import Behavior, Catcher, Machine, Retrier, State

MOST_VISITS: Final = 1000
"""Of states, by one run of a machine: a loop is cut there."""
MOST_ITEMS: Final = 40
"""Items of a map that are run one by one; of more, a pool stands for all."""
_MOST_ITEMS_WITHIN: Final = 10
"""The same of a map within a map."""
POOL_COUNT: Final = 3000
_MOST_ROUNDS: Final = 20
"""Items for each worker of a map, up to which some visits to a pool are run item by item."""
_STAND_INS, _LEAST_STAND_INS, _MOST_STEPS = 300, 30, 1_000_000
_MOST_DELAY_S: Final = 31_622_400.0
"""Of a retry, as MaxDelaySeconds may be at most: an execution ends after a year."""
_PILOT_COUNT: Final = 200
_WANTED_CALLS: Final = 100_000
_LEAST_COUNT, _MOST_COUNT = 1000, 6000


@dataclass(frozen=True, slots=True)
class Calls:
    """Invocations of one function; arrays by invocation."""

    function: str
    run: Indices
    """The run of the machine that makes it."""
    luck: Floats
    """Its place in the distribution of durations, 0 to 1."""
    payload: Floats
    """Its place among the payloads, 0 to 1."""
    cold: Floats
    """It starts cold if this is below the share of cold starts."""
    init: Floats
    """How its INIT deviates, standard normal."""
    awaited: bool


@dataclass(frozen=True, slots=True)
class Join:
    """Visits of a Parallel or Map state, which wait for runs of machines within.

    `run` is the visiting run. A Parallel has one run of each branch for every visit; a Map has
    `counts` runs, one visit's after the other's, or a pool of runs that stands for them.
    """

    run: Indices
    within: tuple[Runs, ...]
    counts: Indices | None = None
    max_concurrency: int | None = None
    is_pool: bool = False
    luck: Floats | None = None
    """Of each visit to a pool: (2, visits)."""
    picked: Indices | None = None
    """Which runs of a pool the items of some visits are, which stand for all: (some, items)."""
    stands_in: Indices | None = None
    """Which of those stands for each visit."""


@dataclass(slots=True)
class Runs:
    """Sampled runs of one machine; filled while they go through it."""

    count: int
    fixed_ms: Floats
    """What each waits besides for invocations."""
    failed: Flags
    transition_count: Floats
    """Of each run, with those of machines within."""
    calls: list[Calls] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)
    call_counts: dict[str, Floats] = field(default_factory=dict)
    """Invocations of each run by function, with those of machines within."""
    was_cut: bool = False
    """Whether one was cut in a loop."""

    def counted(self, function: str) -> Floats:
        """How often each run calls a function so far, to be added to."""
        return self.call_counts.setdefault(function, np.zeros(self.count))


def sample_executions(machine: Machine, behavior: Behavior, *, seed: int) -> Runs:
    """Sample between 1,000 and 6,000 executions, by how many invocations they have.

    Raises InputError if no execution ends.
    """
    pilot = _Sampler(behavior, np.random.default_rng(seed)).runs(machine, _PILOT_COUNT)
    calls = sum(float(each.mean()) for each in pilot.call_counts.values())
    count = int(min(max(_WANTED_CALLS / max(calls, 1.0), _LEAST_COUNT), _MOST_COUNT))
    return _Sampler(behavior, np.random.default_rng(seed)).runs(machine, count)


def spread_out(count: int, rng: np.random.Generator) -> Floats:
    """Uniform numbers, one in each of `count` equal parts, in random order: the shares of what
    they decide are nearly exact.
    """
    return np.asarray((rng.permutation(count) + rng.random(count)) / max(count, 1))


class _Sampler:
    def __init__(self, behavior: Behavior, rng: np.random.Generator) -> None:
        self.behavior = behavior
        self.rng = rng
        self._depth = 0
        """Of maps within maps."""

    def runs(self, machine: Machine, count: int) -> Runs:
        """Let `count` runs go through a machine."""
        walk = Runs(count, np.zeros(count), np.zeros(count, dtype=bool), np.zeros(count))
        index = {state.name: number for number, state in enumerate(machine.states)}
        position = np.full(count, index[machine.start])
        visits = np.zeros(count, dtype=int)
        while (active := position[position >= 0]).size:
            for number in np.unique(active):
                here = np.flatnonzero(position == number)
                self._visit(machine.states[number], here, walk, position, index)
                visits[here] += 1
            endless = (visits >= MOST_VISITS) & (position >= 0)
            if endless.any():
                walk.was_cut = True
                position[endless] = -1
        if walk.was_cut and np.all(visits >= MOST_VISITS):
            raise InputError(
                f"no execution ends within {MOST_VISITS:,} states: "
                + (
                    "say how often each `choice` is taken"
                    if any(isinstance(each, Choice) for each in machine.states)
                    else "they lead back to each other, and no Choice leads out"
                )
            )
        return walk

    def _visit(
        self, state: State, here: Indices, walk: Runs, position: Indices, index: dict[str, int]
    ) -> None:
        """Let the runs `here` go through a state, and set where they are next."""
        if isinstance(state, Choice):
            position[here] = self._chosen(state, len(here), index)
        else:
            position[here] = -1 if state.next is None else index[state.next]
        if isinstance(state, Task | Parallel | Map):
            self._attempt(state, here, walk, position, index)
            return
        walk.transition_count[here] += 1
        walk.fixed_ms[here] += self.behavior.overhead_ms or 0.0
        if isinstance(state, Wait):
            known = (1000 * state.seconds,) if state.seconds is not None else ()
            walk.fixed_ms[here] += self._times(state.name, known, len(here))
        if isinstance(state, Pass) and state.fails:
            walk.failed[here] = True

    def _chosen(self, state: Choice, count: int, index: dict[str, int]) -> Indices:
        weights = self.behavior.choices.get(state.name)
        shares = np.array(
            [1.0 if weights is None else weights.get(name, 0.0) for name in state.targets]
        )
        edges = np.cumsum(shares) / shares.sum()
        taken = np.searchsorted(edges[:-1], spread_out(count, self.rng), side="right")
        return np.array([index[name] for name in state.targets])[taken]

    def _times(self, name: str, known: Sequence[float], count: int) -> Floats | float:
        times = self.behavior.times_ms.get(name) or known
        if not times:
            return 0.0
        picked = (spread_out(count, self.rng) * len(times)).astype(int)
        return np.asarray(np.array(times, dtype=float)[picked])

    def _attempt(
        self,
        state: Task | Parallel | Map,
        here: Indices,
        walk: Runs,
        position: Indices,
        index: dict[str, int],
    ) -> None:
        """Try a state until it succeeds, its retries are used up, or its error is caught."""
        tries = 0
        used = np.zeros((walk.count, max(len(state.retriers), 1)), dtype=int)
        while here.size:
            walk.transition_count[here] += 1
            walk.fixed_ms[here] += self.behavior.overhead_ms or 0.0
            again = []
            for error, failed in self._tried(state, here, walk):
                rule, of = _matching(state.retriers, error), failed
                if rule is not None:
                    retrier = state.retriers[rule]
                    left = used[failed, rule] < retrier.max_attempts
                    retried, of = failed[left], failed[~left]
                    walk.fixed_ms[retried] += self._delays(retrier, used[retried, rule])
                    used[retried, rule] += 1
                    again.append(retried)
                caught = _matching(state.catchers, error)
                if caught is None:
                    walk.failed[of], position[of] = True, -1
                else:
                    position[of] = index[state.catchers[caught].next]
            here = np.concatenate(again) if again else np.zeros(0, dtype=int)
            tries += 1
            if here.size and tries >= MOST_VISITS:
                walk.was_cut, walk.failed[here], position[here] = True, True, -1
                return

    def _tried(
        self, state: Task | Parallel | Map, here: Indices, walk: Runs
    ) -> list[tuple[str, Indices]]:
        """Run a state once for each run; return the runs by the error that it ended in."""
        if isinstance(state, Task):
            return self._call(state, here, walk)
        if isinstance(state, Parallel):
            return self._parallel(state, here, walk)
        return self._map(state, here, walk)

    def _delays(self, rule: Retrier, attempt: Indices) -> Floats:
        most_s = _MOST_DELAY_S if rule.max_delay_s is None else rule.max_delay_s
        with np.errstate(over="ignore"):
            growth = np.minimum(rule.backoff_rate**attempt, 1e30)
        delay = np.minimum(1000 * rule.interval_s * growth, 1000 * most_s)
        return np.asarray(delay * (self.rng.random(len(attempt)) if rule.full_jitter else 1.0))

    def _call(self, state: Task, here: Indices, walk: Runs) -> list[tuple[str, Indices]]:
        count, rng = len(here), self.rng
        if state.function is None:
            walk.fixed_ms[here] += self._times(state.name, (), count)
        else:
            walk.counted(state.function)[here] += 1
            walk.calls.append(
                Calls(
                    state.function,
                    here,
                    luck=spread_out(count, rng),
                    payload=spread_out(count, rng),
                    cold=spread_out(count, rng),
                    init=rng.standard_normal(count),
                    awaited=state.awaits_result,
                )
            )
            if state.awaits_result and state.name in self.behavior.times_ms:  # a callback
                walk.fixed_ms[here] += self._times(state.name, (), count)
        outcome = spread_out(count, rng)
        failed, least = [], 0.0
        for error, share in self.behavior.errors.get(state.name, {}).items():
            failed.append((error, here[(outcome >= least) & (outcome < least + share)]))
            least += share
        return [(error, of) for error, of in failed if of.size]

    def _parallel(self, state: Parallel, here: Indices, walk: Runs) -> list[tuple[str, Indices]]:
        within = tuple(self.runs(branch, len(here)) for branch in state.branches)
        walk.joins.append(Join(here, within))
        failed = np.zeros(len(here), dtype=bool)
        for runs in within:
            failed |= runs.failed
            _add_within(walk, here, runs, lambda values: values)
        return [("", here[failed])] if failed.any() else []

    def _map(self, state: Map, here: Indices, walk: Runs) -> list[tuple[str, Indices]]:
        items = np.array(self.behavior.items.get(state.name) or (1,))
        counts = items[(spread_out(len(here), self.rng) * len(items)).astype(int)]
        counts = -(-counts // state.batch_size)
        here, counts = here[counts > 0], counts[counts > 0]
        if not here.size:
            return []
        if counts.max() > (MOST_ITEMS if self._depth == 0 else _MOST_ITEMS_WITHIN):
            return self._pooled_map(state, here, counts, walk)
        runs = self._body(state, int(counts.sum()))
        walk.joins.append(Join(here, (runs,), counts, state.max_concurrency))
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        _add_within(walk, here, runs, lambda values: np.add.reduceat(values, first))
        failures = np.add.reduceat(runs.failed.astype(int), first)
        failed = failures > _tolerated(state, counts)
        return [("", here[failed])] if failed.any() else []

    def _body(self, state: Map, count: int) -> Runs:
        self._depth += 1
        try:
            return self.runs(state.body, count)
        finally:
            self._depth -= 1

    def _pooled_map(
        self, state: Map, here: Indices, counts: Indices, walk: Runs
    ) -> list[tuple[str, Indices]]:
        runs = self._body(state, POOL_COUNT)
        luck = np.array([spread_out(len(here), self.rng) for _ in range(2)])
        most, workers = int(counts.max()), state.max_concurrency
        picked = stands_in = None
        if workers is not None and workers < most <= _MOST_ROUNDS * workers:
            some = min(len(here), _STAND_INS, max(_MOST_STEPS // (most * workers), 1))
            if some >= min(len(here), _LEAST_STAND_INS):
                by_count = np.argsort(counts, kind="stable")
                chosen = by_count[np.linspace(0, len(here) - 1, some).astype(int)]
                stands_in = np.empty(len(here), dtype=np.intp)
                stands_in[by_count] = np.arange(len(here)) * some // len(here)
                picked = self.rng.integers(0, POOL_COUNT, (some, most))
                picked[np.arange(most)[None, :] >= counts[chosen][:, None]] = -1
        walk.joins.append(
            Join(
                here,
                (runs,),
                counts,
                state.max_concurrency,
                is_pool=True,
                luck=luck,
                picked=picked,
                stands_in=stands_in,
            )
        )
        _add_within(walk, here, runs, lambda values: counts * values.mean())
        failures = self.rng.binomial(counts, float(runs.failed.mean()))
        failed = failures > _tolerated(state, counts)
        return [("", here[failed])] if failed.any() else []


def _tolerated(state: Map, counts: Indices) -> Floats:
    """How many of its runs may fail."""
    return np.asarray(np.maximum(state.tolerated_ratio * counts, state.tolerated_count))


def _add_within(walk: Runs, here: Indices, runs: Runs, summed: Callable[[Floats], Floats]) -> None:
    """Count the transitions and invocations of machines within."""
    walk.transition_count[here] += summed(runs.transition_count)
    for function, counts in runs.call_counts.items():
        walk.counted(function)[here] += summed(counts)
    walk.was_cut |= runs.was_cut


def _matching(rules: Sequence[Retrier | Catcher], error: str) -> int | None:
    """The first rule for an error; for one without a name the first that takes any, else the
    first.
    """
    for number, rule in enumerate(rules):
        takes_any = "States.ALL" in rule.errors or (
            "States.TaskFailed" in rule.errors and error != "States.Timeout"
        )
        if takes_any or (error and error in rule.errors):
            return number
    if not error and rules and not any(set(ANY_ERRORS) & {*rule.errors} for rule in rules):
        return 0
    return None
