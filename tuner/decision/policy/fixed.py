"""A fixed plan: every size equally often, in a seeded random order."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Self

from tuner.decision.policy import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.invocation import Invocation
    from tuner.model.plan import SweepPlan


class FixedPolicy:
    """Warm-ups at every size first, then rounds over sizes and payloads, interleaved.

    Each size gets `warmup_count` invocations that are expected to be cold (payloads in turn), then
    `repetition_count` for each payload, in rounds whose order is drawn from `seed`: a drift of the
    platform over time then falls on all sizes alike. `max_invocations` counts everything; what
    goes beyond it is cut from the end, and so is an excluded size's remainder.
    """

    def __init__(  # noqa: PLR0917 - read as a table: sizes, payloads, counts, seed, limit
        self,
        sizes_mb: Sequence[int],
        payload_names: Sequence[str],
        warmup_count: int,
        repetition_count: int,
        seed: int,
        max_invocations: int,
    ) -> None:
        rng = random.Random(seed)  # noqa: S311 - an order of trials, no secret
        warmups = [
            Trial(size, payload_names[number % len(payload_names)])
            for number in range(warmup_count)
            for size in sizes_mb
        ]
        self._warmup_count = len(warmups)
        self._waiting = warmups
        for _ in range(repetition_count):
            trials = [Trial(size, payload) for size in sizes_mb for payload in payload_names]
            rng.shuffle(trials)
            self._waiting += trials
        self._left = max_invocations
        self._started: Counter[Trial] = Counter()

    @classmethod
    def of_plan(cls, plan: SweepPlan) -> Self:
        """The policy that an exhaustive plan says."""
        return cls(
            plan.sizes_mb,
            [payload.name for payload in plan.payloads],
            plan.warmup_count,
            plan.repetition_count,
            plan.seed,
            plan.max_invocations,
        )

    @property
    def planned_count(self) -> int:
        """How many invocations are expected: those started and those still to come."""
        return self._started.total() + min(len(self._waiting), self._left)

    def next_trials(
        self, done: Sequence[Invocation], in_flight: Sequence[Trial], slot_count: int
    ) -> tuple[Trial, ...]:
        """Return the next trials in order. The others' results change nothing."""
        del done, in_flight
        count = max(min(slot_count, self._left), 0)
        chosen, self._waiting = self._waiting[:count], self._waiting[count:]
        self._left -= len(chosen)
        self._started.update(chosen)
        return tuple(chosen)

    def sizes_worth_publishing(self, trials: Sequence[Trial]) -> tuple[int, ...]:
        """Every size with trials to come, with those of `trials`: one window serves all."""
        affordable = self._waiting[: max(self._left, 0)]
        return tuple(sorted({trial.memory_mb for trial in (*trials, *affordable)}))

    def account_for(self, earlier: Sequence[Invocation]) -> None:
        """Leave out what has a fair sample, and the warm-ups of sizes that have all of theirs."""
        warmups, rounds = self._waiting[: self._warmup_count], self._waiting[self._warmup_count :]
        for each in earlier:
            trial = Trial(each.memory_mb, each.payload)
            if each.is_warm_sample and trial in rounds:
                rounds.remove(trial)
        open_sizes = {trial.memory_mb for trial in rounds}
        self._waiting = [trial for trial in warmups if trial.memory_mb in open_sizes] + rounds
        self._left -= len(earlier)
        self._started.update(Trial(each.memory_mb, each.payload) for each in earlier)

    def exclude(self, memory_mb: int, payload: str | None = None) -> None:
        """Drop the remaining trials of a size, or of a payload at it."""
        self._waiting = [
            trial
            for trial in self._waiting
            if trial.memory_mb != memory_mb or payload not in (None, trial.payload)
        ]
