"""Which invocation comes next, and when to stop: pure, so benchmarks can replay it.

Read `adaptive` first. A `Policy` is told every invocation that was made and returns the `Trial`s to
start now. The adaptive one spends each where it changes the decision: it begins with the
`initial_design`, and asks the `value_of_information` what one more would be worth, until there is a
verdict. `stratified` does so over sizes and values of a varied parameter. `fixed` runs every size
equally often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.invocation import Invocation

BATCH: Final = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """One invocation to make."""

    memory_mb: int
    payload: str


class Policy(Protocol):
    """Chooses trials. It's told everything; it has no clock and no network, and its only randomness
    comes from a seed.
    """

    @property
    def planned_count(self) -> int:
        """How many invocations are expected at most, for progress."""

    def next_trials(
        self, done: Sequence[Invocation], in_flight: Sequence[Trial], slot_count: int
    ) -> tuple[Trial, ...]:
        """Choose up to `slot_count` trials to start now.

        An empty answer while nothing is in flight ends the sweep; while something is in flight it
        means: wait.
        """

    def sizes_worth_publishing(self, trials: Sequence[Trial]) -> tuple[int, ...]:
        """Sizes to publish in one window with those of `trials`: they are likely next."""

    def account_for(self, earlier: Sequence[Invocation]) -> None:
        """Count what an earlier run of the sweep made; once, before the first trial."""

    def exclude(self, memory_mb: int, payload: str | None = None) -> None:
        """Take no more trials at this size, which fails or can't be published. With a payload: only
        with that one (and others of its value of a varied parameter).
        """


class BatchPolicy:
    """Chooses batches, each once the last is in, until there is a verdict or the limit is reached.

    The fit between two batches is what makes the choice good.
    """

    def __init__(self, max_invocations: int) -> None:
        self._left = max_invocations
        self._started = 0

    @property
    def planned_count(self) -> int:
        """How many invocations are expected at most."""
        return self._started + max(self._left, 0)

    def next_trials(
        self, done: Sequence[Invocation], in_flight: Sequence[Trial], slot_count: int
    ) -> tuple[Trial, ...]:
        """Choose the next batch; nothing while one is in flight, or once there is a verdict."""
        slots = min(slot_count, self._left, BATCH)
        if in_flight or slots <= 0:
            return ()
        trials = self._choose(done, slots)[:slots]
        self._left -= len(trials)
        self._started += len(trials)
        return trials

    def account_for(self, earlier: Sequence[Invocation]) -> None:
        """Earlier invocations count against the limit; their results come with `done`."""
        self._left -= len(earlier)
        self._started += len(earlier)

    def _choose(self, done: Sequence[Invocation], slots: int) -> tuple[Trial, ...]:
        """What to start now, what promises most first."""
        raise NotImplementedError
