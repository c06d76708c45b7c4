"""Which invocation comes next, and when to stop: pure, so benchmarks can replay it.

Read `adaptive` first. A `Policy` is told every invocation that was made and returns the `Trial`s to
start now. The adaptive one spends each where it changes the decision: it begins with the
`initial_design`, and asks the `value_of_information` what one more would be worth, until there is a
verdict. `stratified` does so over sizes and values of a varied parameter. `fixed` runs every size
equally often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.invocation import Invocation


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

    def exclude(self, memory_mb: int, reason: str, payload: str | None = None) -> None:
        """Take no more trials at this size, which fails or can't be published. With a payload: only
        with that one (and others of its value of a varied parameter).
        """
