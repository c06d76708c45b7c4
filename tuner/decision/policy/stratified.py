"""Invocations over sizes and values of a batch size, or architectures, spent where they help find
the best pair.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from tuner.decision.pairs import answering_problem, build_problems
from tuner.decision.policy import BatchPolicy
from tuner.decision.policy.adaptive import AdaptivePolicy
from tuner.decision.strata import strata_of
from tuner.decision.verdict import errors_are_random

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.pairs import StratumProblem
    from tuner.decision.policy import Trial
    from tuner.decision.question import Question
    from tuner.model.invocation import Invocation
    from tuner.model.plan import PayloadClass, VariedParameter


class StratifiedPolicy(BatchPolicy):
    """One adaptive policy per value, all at the same first sizes, so that versions and environments
    are shared.

    Every payload first gets what its own curve needs. Then each batch goes to the value where it
    promises the largest drop in regret for its price: a value that is clearly beaten gets nothing
    more. It stops once there is a verdict on the best pair.
    """

    def __init__(
        self,
        question: Question,
        payloads: Sequence[PayloadClass],
        varied: VariedParameter,
        *,
        seed: int,
        max_invocations: int,
        spends_all: bool = False,
    ) -> None:
        super().__init__(max_invocations)
        self._question = question
        self._strata = strata_of(payloads, varied.values)
        self._varied = varied
        self._seed = seed
        self._policies = tuple(
            AdaptivePolicy(
                question.on(stratum.architecture),
                stratum.weights,
                seed=seed,
                max_invocations=max_invocations,
                spends_all=spends_all,
            )
            for stratum in self._strata
        )

    def sizes_worth_publishing(self, trials: Sequence[Trial]) -> tuple[int, ...]:
        """What any value is likely to need next; of architectures, which share no versions, the
        trials' own.
        """
        sent = {trial.payload for trial in trials}
        worth = [
            policy.sizes_worth_publishing(trials)
            for stratum, policy in zip(self._strata, self._policies, strict=True)
            if not self._varied.is_architecture or sent & stratum.weights.keys()
        ]
        return tuple(sorted(set().union(*worth)))

    def exclude(self, memory_mb: int, payload: str | None = None) -> None:
        """Take no more trials at this size, with a payload: with its value."""
        if payload is None:
            self._question = self._question.without(memory_mb)
        for stratum, policy in zip(self._strata, self._policies, strict=True):
            if payload is None or payload in stratum.weights:
                policy.exclude(memory_mb)

    def _choose(self, done: Sequence[Invocation], slots: int) -> tuple[Trial, ...]:
        for policy in self._policies:
            policy.account(started=self._started, left=self._left)
        evidences = [stratum.evidence(done) for stratum in self._strata]
        initial = [s.initial_trials(e) for s, e in zip(self._policies, evidences, strict=True)]
        first = dict.fromkeys(each for each in chain(*zip_longest(*initial)) if each is not None)
        if first:
            return tuple(first)
        # A value whose events fail everywhere is left out: the others still have an answer.
        known = [
            (policy, stratum, evidence)
            for policy, stratum, evidence in zip(
                self._policies, self._strata, evidences, strict=True
            )
            if all(evidence.samples.values())
        ]
        if not known or any(errors_are_random(evidence) for _, _, evidence in known):
            return ()
        policies = [policy for policy, _, _ in known]
        problems = build_problems(
            self._question,
            [(stratum, evidence) for _, stratum, evidence in known],
            current_value=self._varied.current,
            seed=self._seed,
        )
        best = answering_problem(problems, self._varied.current)
        if best is None:
            tries = [s.confirm_limits(e.problem) for s, e in zip(policies, problems, strict=True)]
            return tuple(chain(*tries))
        [policy] = [s for s, e in zip(policies, problems, strict=True) if e is best]
        needed = policy.confirm(best.problem)
        if needed is not None:
            return needed
        promise, trials = _informative(policies, problems, slots)
        return policy.worthwhile(best.problem, promise, trials)


def _informative(
    policies: Sequence[AdaptivePolicy], problems: Sequence[StratumProblem], slots: int
) -> tuple[float, tuple[Trial, ...]]:
    """The trials of the most promising value, and what they promise."""
    found = [
        policy.acquire(each.problem, slots)
        for policy, each in zip(policies, problems, strict=True)
        if each.problem.ranking.allowed.any()
    ]
    return max(found, key=lambda each: each[0])
