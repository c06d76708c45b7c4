"""Invocations over sizes and values of a batch size, spent where they tell the best pair."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from tuner.decide.case import Question
from tuner.decide.pairs import best_case, build_cases
from tuner.decide.parts import parts_of
from tuner.decide.verdict import errors_are_random
from tuner.explore.adaptive import AdaptiveStrategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decide.evidence import Evidence
    from tuner.decide.pairs import ValueCase
    from tuner.explore.strategy import Trial
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.invocation import Invocation
    from tuner.model.plan import PayloadClass, VariedParameter
    from tuner.pricing import LambdaPrices

_BATCH = 4


class VariedStrategy:
    """One adaptive strategy for each value, all at the same first sizes, so that versions and
    environments are shared.

    Every payload first gets what a curve of its own needs. Then each batch goes to the value where
    it promises the largest drop of regret for its price: a value that is clearly beaten gets
    nothing more. It stops when the best pair stands.
    """

    def __init__(
        self,
        sizes_mb: Sequence[int],
        payloads: Sequence[PayloadClass],
        varied: VariedParameter,
        *,
        function: FunctionConfig,
        goal: Goal,
        prices: LambdaPrices,
        seed: int,
        max_invocations: int,
        spends_all: bool = False,
    ) -> None:
        self._question = Question(goal, function, prices, frozenset(sizes_mb))
        self._parts = parts_of(payloads, varied.values)
        self._varied = varied
        self._seed = seed
        self._strategies = tuple(
            AdaptiveStrategy(
                sizes_mb,
                part.weights,
                function=function,
                goal=goal,
                prices=prices,
                seed=seed,
                max_invocations=max_invocations,
                spends_all=spends_all,
            )
            for part in self._parts
        )
        self._left = max_invocations
        self._started = 0

    @property
    def planned_count(self) -> int:
        """How many invocations are foreseen at most."""
        return self._started + max(self._left, 0)

    def next_trials(
        self, done: Sequence[Invocation], in_flight: Sequence[Trial], slot_count: int
    ) -> tuple[Trial, ...]:
        """Choose the next batch; nothing while one is in flight, or when the answer stands."""
        slots = min(slot_count, self._left, _BATCH)
        if in_flight or slots <= 0:
            return ()
        for strategy in self._strategies:
            strategy.account(started=self._started, left=self._left)
        evidences = [part.evidence(done) for part in self._parts]
        trials = self._choose(evidences, slots)[:slots]
        self._left -= len(trials)
        self._started += len(trials)
        return trials

    def sizes_worth_publishing(self, trials: Sequence[Trial]) -> tuple[int, ...]:
        """What any value is likely to need next."""
        worth = [each.sizes_worth_publishing(trials) for each in self._strategies]
        return tuple(sorted(set().union(*worth)))

    def account_for(self, earlier: Sequence[Invocation]) -> None:
        """Earlier invocations count against the limit that all values share."""
        self._left -= len(earlier)
        self._started += len(earlier)

    def exclude(self, memory_mb: int, reason: str, payload: str | None = None) -> None:
        """Take no further trials at this size, with a payload: with its value."""
        if payload is None:
            self._question = self._question.without(memory_mb)
        for part, strategy in zip(self._parts, self._strategies, strict=True):
            if payload is None or payload in part.weights:
                strategy.exclude(memory_mb, reason)

    def _choose(self, evidences: Sequence[Evidence], slots: int) -> tuple[Trial, ...]:
        looks = [s.look(e) for s, e in zip(self._strategies, evidences, strict=True)]
        first = dict.fromkeys(each for each in chain(*zip_longest(*looks)) if each is not None)
        if first:
            return tuple(first)
        # A value whose events fail everywhere is left out: the others have an answer.
        known = [
            (strategy, part, evidence)
            for strategy, part, evidence in zip(
                self._strategies, self._parts, evidences, strict=True
            )
            if all(evidence.samples.values())
        ]
        if not known or any(errors_are_random(evidence) for _, _, evidence in known):
            return ()
        strategies = [strategy for strategy, _, _ in known]
        cases = build_cases(
            self._question,
            [part for _, part, _ in known],
            [evidence for _, _, evidence in known],
            seed=self._seed,
        )
        best = best_case(cases, self._varied.current)
        if best is None:
            tries = [s.approach(e.case) for s, e in zip(strategies, cases, strict=True)]
            return tuple(chain(*tries))
        [strategy] = [s for s, e in zip(strategies, cases, strict=True) if e is best]
        needed = strategy.settle(best.case)
        if needed is not None:
            return needed
        promise, trials = _informative(strategies, cases, slots)
        if strategy.is_futile(best.case, promise):
            return strategy.last_look(best.case)
        return trials


def _informative(
    strategies: Sequence[AdaptiveStrategy], cases: Sequence[ValueCase], slots: int
) -> tuple[float, tuple[Trial, ...]]:
    """The trials of the value where they promise most, and that promise."""
    found = [
        strategy.inform(each.case, slots)
        for strategy, each in zip(strategies, cases, strict=True)
        if each.case.ranking.allowed.any()
    ]
    return max(found, key=lambda each: each[0])
