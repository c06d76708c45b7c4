"""A workflow: its states as written, how its executions go, and what sizes it should have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuner.model.finding import Finding
    from tuner.model.goal import Goal
    from tuner.model.interval import Interval

ANY_ERRORS: Final = ("States.ALL", "States.TaskFailed")


@dataclass(frozen=True, slots=True)
class Retrier:
    """One rule of a state's Retry, with the defaults of the Amazon States Language."""

    errors: tuple[str, ...]
    interval_s: float = 1.0
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay_s: float | None = None
    full_jitter: bool = False


@dataclass(frozen=True, slots=True)
class Catcher:
    """One rule of a state's Catch."""

    errors: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Pass:
    """A state that takes no time; `next` is None where the machine ends."""

    name: str
    next: str | None = None
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """A state that waits; None: the input says how long."""

    name: str
    next: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A state that branches: the states it may go to, each once, in their order."""

    name: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A state that calls a function, or (`function` is None) another service."""

    name: str
    next: str | None = None
    function: str | None = None
    resource: str = ""
    """As written: what is called."""
    awaits_result: bool = True
    """False for an asynchronous invocation: it's paid for, and nothing waits for it."""
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()
    timeout_s: float | None = None
    """An attempt that takes longer fails with States.Timeout; None: none is written."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """A state that runs machines at once, and waits for all."""

    name: str
    branches: tuple[Machine, ...]
    next: str | None = None
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """A state that runs a machine for each item; `max_concurrency` None: for all at once."""

    name: str
    body: Machine
    next: str | None = None
    max_concurrency: int | None = None
    is_distributed: bool = False
    batch_size: int = 1
    """Items of one run of the machine."""
    tolerated_ratio: float = 0.0
    """Share of runs that may fail without failing it."""
    tolerated_count: int = 0
    retriers: tuple[Retrier, ...] = ()
    catchers: tuple[Catcher, ...] = ()


State = Pass | Wait | Choice | Task | Parallel | Map


@dataclass(frozen=True, slots=True)
class Machine:
    """States with one to start at. Names are unique in it and all machines within it."""

    start: str
    states: tuple[State, ...]
    timeout_s: float | None = None
    """An execution that takes longer fails; None: none is written, or it's within another."""

    def walk(self) -> Iterator[State]:
        """Every state, those of machines within too."""
        for state in self.states:
            yield state
            within: tuple[Machine, ...] = ()
            if isinstance(state, Parallel):
                within = state.branches
            elif isinstance(state, Map):
                within = (state.body,)
            for machine in within:
                yield from machine.walk()

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that it calls, each once, in their order."""
        called = (each.function for each in self.walk() if isinstance(each, Task))
        return tuple(dict.fromkeys(name for name in called if name is not None))


@dataclass(frozen=True, slots=True)
class Behavior:
    """How executions go, by the name of the state; what isn't there isn't known.

    `choices` has weights of the next states; `items` counts of a Map's items, each as likely;
    `errors` the share of attempts that end in each error ("" for any); `times_ms` how long waits
    and other services take, each as likely; `overhead_ms` is what a transition takes besides.
    """

    choices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    items: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    errors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    times_ms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    overhead_ms: float | None = None
    execution_count: int = 0
    """How many executions of the history it is from."""

    def updated(self, other: Behavior) -> Behavior:
        """The same with everything that `other` knows."""
        return Behavior(
            {**self.choices, **other.choices},
            {**self.items, **other.items},
            {**self.errors, **other.errors},
            {**self.times_ms, **other.times_ms},
            self.overhead_ms if other.overhead_ms is None else other.overhead_ms,
            self.execution_count or other.execution_count,
        )


@dataclass(frozen=True, slots=True)
class Workflow:
    """A machine by its name, and how its executions go."""

    name: str
    machine: Machine
    behavior: Behavior = field(default_factory=Behavior)
    kind: str = "standard"
    """`standard` or `express`, or `chain` for one without a state machine."""


@dataclass(frozen=True, slots=True)
class SizedFunction:
    """A function of the workflow with its size in the answer."""

    name: str
    memory_mb: int
    was_mb: int
    call_count: float
    """Invocations in an execution, on average: retries and map items count."""
    cost_usd_per_million: float
    """Of executions: its share."""
    was_usd_per_million: float
    duration_ms: float
    """Its mean warm duration at the size."""
    was_ms: float
    is_measured: bool
    """Whether its sweep has warm samples at the size."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an assignment of sizes gives: latency of executions, and cost of a million."""

    duration_ms: Interval
    """At the percentile that was asked for."""
    p50_ms: float
    p95_ms: Interval
    cost_usd_per_million: Interval
    quantiles_ms: tuple[float, ...] = ()
    """Of the whole distribution: 0.5%, 1.5%, … 99.5%."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What the next faster size of one function would bring; None where there is none."""

    name: str
    faster_mb: int | None
    gained_ms: float | None
    """Of the percentile of the whole."""
    added_usd_per_million: float | None
    usd_per_million_per_ms: float | None


@dataclass(frozen=True, slots=True)
class WorkflowAnswer:
    """The sizes for a target, and what they bring."""

    name: str
    goal: Goal
    percentile: float
    is_met: bool | None
    """Whether the estimate is within the limits; None without limits."""
    probability_met: float | None
    """Chance that the percentile is within its limit, given the sweeps; None without one."""
    functions: tuple[SizedFunction, ...]
    now: Outcome
    then: Outcome
    sensitivity: tuple[Sensitivity, ...]
    """Those first that buy time cheapest."""
    frontier: tuple[tuple[float, float], ...]
    """(ms at the percentile, USD per million): the least cost of each latency, cheapest first."""
    transition_count: float
    """State transitions of an execution, on average."""
    failed_share: float
    """Executions that end in failure."""
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[str, ...] = ()
    prices_as_of: str = ""
