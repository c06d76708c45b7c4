"""Sampled runs of a machine: what each waits for, without any size in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tuner.model.arrays import Flags, Floats, Indices


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


@dataclass(frozen=True, slots=True)
class Runs:
    """Sampled runs of one machine."""

    count: int
    fixed_ms: Floats
    """What each waits besides for invocations."""
    calls: tuple[Calls, ...]
    joins: tuple[Join, ...]
    failed: Flags
    transition_count: Floats
    """Of each run, with those of machines within."""
    call_counts: Mapping[str, Floats]
    """Invocations of each run by function, with those of machines within."""
    was_cut: bool
    """Whether one was cut in a loop."""
