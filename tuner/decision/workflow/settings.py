"""A workflow's file: which state machine, how its executions go, or a chain without one.

definition = "orders.asl.json"         # beside this file; or state_machine = "arn:…", or steps
template = "template.yaml"             # says what its ${Name} stand for
overhead_ms = 25                       # of each state transition

[choices."In stock?"]                  # how often each next state is taken, as weights
Ship = 9
Reorder = 1

[items]                                # of maps: a number, or some that were seen
"Each line" = [3, 5, 12]

[error_rates]                          # of attempts: a share, or one for each error
Charge = 0.02

[times_ms]                             # of waits and of other services
"Put order" = [12, 15, 40]

[sweeps]                               # a function's sweep, if it isn't its newest
charge = "charge.jsonl"

[[steps]]                              # a chain: one step after the other
function = "resize"
count = 3                              # of messages at once; concurrency, share, error_rate,
                                       # attempts, retry_s, asynchronous as needed
[[steps]]
name = "queue"
wait_ms = [20, 50, 200]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.interval import listed
from tuner.model.toml_table import read_toml
from tuner.model.workflow import (
    ANY_ERRORS,
    Behavior,
    Choice,
    Machine,
    Map,
    Parallel,
    Pass,
    Retrier,
    Task,
    Wait,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.model.toml_table import TomlTable
    from tuner.model.workflow import State

_END: Final = "end"
_MOST_ITEMS: Final = 1e7
_MOST_MS: Final = 3.2e10
"""A year."""
_MOST_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class WorkflowSettings:
    """All of the file; paths are absolute or relative to the working folder."""

    name: str | None = None
    definition: Path | None = None
    state_machine: str | None = None
    template: Path | None = None
    behavior: Behavior = field(default_factory=Behavior)
    calls: Mapping[str, str] = field(default_factory=dict)
    substitutions: Mapping[str, str] = field(default_factory=dict)
    sweeps: Mapping[str, str] = field(default_factory=dict)
    chain: Workflow | None = None


def read_settings(file: Path) -> WorkflowSettings:
    """Read the file. Raises InputError with the place of what is wrong."""
    return read_toml(file, lambda document: _settings(document, file))


def _settings(document: TomlTable, file: Path) -> WorkflowSettings:
    folder, name = file.parent, document.text("name")
    definition, template = document.text("definition"), document.text("template")
    machine, steps = document.text("state_machine"), document.tables("steps")
    if sum((definition is not None, machine is not None, bool(steps))) != 1:
        raise InputError("give one of definition, state_machine and [[steps]]")
    behavior, chain = _behavior(document), None
    if steps:
        chain = _Chain().workflow(name or file.stem, steps)
        behavior = chain.behavior.updated(behavior)
    sweeps = {
        function: str(folder / spec) if (folder / spec).is_file() else spec
        for function, spec in _texts(document.table("sweeps")).items()
    }
    found = WorkflowSettings(
        name,
        None if definition is None else folder / definition,
        machine,
        None if template is None else folder / template,
        behavior,
        _texts(document.table("calls")),
        _texts(document.table("substitutions")),
        sweeps,
        chain,
    )
    document.end()
    return found


def _texts(table: TomlTable) -> dict[str, str]:
    return {name: text for name in table.names if (text := table.text(name)) is not None}


def _behavior(document: TomlTable) -> Behavior:
    choices = document.table("choices")
    items, times = document.table("items"), document.table("times_ms")
    return Behavior(
        {name: _weights(choices.table(name), most=1e12) for name in choices.names},
        {name: items.counts(name, most=_MOST_ITEMS) for name in items.names},
        _errors(document.table("error_rates")),
        {name: times.numbers(name, most=_MOST_MS) for name in times.names},
        document.number("overhead_ms", most=_MOST_MS),
    )


def _weights(table: TomlTable, *, most: float) -> dict[str, float]:
    return {name: table.number(name, most=most) or 0.0 for name in table.names}


def _errors(rates: TomlTable) -> dict[str, dict[str, float]]:
    return {
        name: _weights(rates.table(name), most=1.0)
        if rates.holds_table(name)
        else {"": rates.number(name, most=1.0) or 0.0}
        for name in rates.names
    }


def check_behavior(machine: Machine, behavior: Behavior) -> None:
    """Raise InputError for a state that isn't there, or isn't of the kind that it's said of."""
    states = {each.name: each for each in machine.walk()}
    kinds: tuple[tuple[str, Mapping[str, object], tuple[type, ...]], ...] = (
        ("choice", behavior.choices, (Choice,)),
        ("items", behavior.items, (Map,)),
        ("error_rate", behavior.errors, (Task, Parallel, Map)),
        ("state_time", behavior.times_ms, (Task, Wait)),
    )
    for parameter, said, wanted in kinds:
        known = [name for name, state in states.items() if isinstance(state, wanted)]
        for name in said:
            if name not in known:
                there_is = f"there is {listed(known, 8)}" if known else "it has none"
                raise InputError(
                    f"`{parameter}`: the workflow has no such state {name}: {there_is}"
                )
    for name, weights in behavior.choices.items():
        state = states[name]
        assert isinstance(state, Choice)
        for target in weights:
            if target not in state.targets:
                raise InputError(
                    f"`choice`: {name} never goes to {target}, but to {listed(state.targets, 8)}"
                )
        if sum(weights.values()) <= 0:
            raise InputError(f"`choice`: {name} goes nowhere: give one of its branches a share")
    for name, rates in behavior.errors.items():
        if sum(rates.values()) > 1:
            raise InputError(f"`error_rate`: the shares of {name} add up to over 1")


def check_calls(machine: Machine, calls: Mapping[str, str]) -> None:
    """Raise InputError for a state that isn't there, or is no task."""
    known = [state.name for state in machine.walk() if isinstance(state, Task)]
    for name in calls:
        if name not in known:
            there_is = f"there is {listed(known, 8)}" if known else "it has none"
            raise InputError(f"`calls`: the workflow has no such task {name}: {there_is}")


class _Chain:
    """Makes a machine of steps: states named after their functions, each once."""

    def __init__(self) -> None:
        self._names: set[str] = {_END}
        self._items: dict[str, tuple[int, ...]] = {}
        self._choices: dict[str, dict[str, float]] = {}
        self._errors: dict[str, dict[str, float]] = {}
        self._times: dict[str, tuple[float, ...]] = {}

    def workflow(self, name: str, steps: Sequence[TomlTable]) -> Workflow:
        machine = self._machine(steps, 0)
        behavior = Behavior(self._choices, self._items, self._errors, self._times)
        return Workflow(name, machine, behavior, kind="chain")

    def _machine(self, steps: Sequence[TomlTable], depth: int) -> Machine:
        if not steps:
            raise InputError("a branch has no steps")
        if depth > _MOST_DEPTH:
            raise InputError(f"branches are nested deeper than {_MOST_DEPTH}")
        states: list[State] = [Pass(_END if depth == 0 else self._named(_END))]
        for step in reversed(steps):
            states[:0] = self._step(step, states[0].name, depth)
        return Machine(states[0].name, tuple(states))

    def _step(self, step: TomlTable, following: str, depth: int) -> list[State]:
        """The states of a step, the first first."""
        function, wait_ms = step.text("function"), step.numbers("wait_ms", most=_MOST_MS)
        branches = step.tables("branches")
        name = self._named(step.text("name") or function or "step")
        if sum((function is not None, bool(wait_ms), bool(branches))) != 1:
            raise InputError(f"the step {name} needs one of function, wait_ms and branches")
        share = step.number("share", most=1.0)
        state: State
        if function is not None:
            state = self._call(step, name, function, following)
        elif branches:
            machines = tuple(
                self._machine(branch.tables("steps"), depth + 1) for branch in branches
            )
            state = Parallel(name, machines, following)
        else:
            state = Wait(name, following)
            self._times[name] = wait_ms
        step.end()
        if share is None:
            return [state]
        choice = self._named(f"whether {name}")
        self._choices[choice] = {state.name: share, following: 1 - share}
        return [Choice(choice, (state.name, following)), state]

    def _call(self, step: TomlTable, name: str, function: str, following: str) -> State:
        attempts = step.count("attempts", most=1e4) or 1
        retrier = Retrier(
            (ANY_ERRORS[0],), step.number("retry_s", most=1e7) or 0.0, attempts - 1, 1.0
        )
        rate = step.number("error_rate", most=1.0)
        if rate is not None:
            self._errors[name] = {"": rate}
        count = step.counts("count", most=_MOST_ITEMS)
        limit = step.count("concurrency", most=1e5)
        task = Task(
            name,
            None if count else following,
            function,
            awaits_result=not step.flag("asynchronous"),
            retriers=(retrier,) if attempts > 1 else (),
        )
        if not count:
            return task
        each = self._named(f"each {name}")
        self._items[each] = count
        return Map(each, Machine(name, (task,)), following, max_concurrency=limit)

    def _named(self, name: str) -> str:
        """The name, with a number if it's taken."""
        found, number = name, 2
        while found in self._names:
            found, number = f"{name} {number}", number + 1
        self._names.add(found)
        return found
