"""Spends each invocation where it changes the decision, and stops once there is a verdict."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.constraints import HEADROOM_USE_RATIO, expected_use_mb
from tuner.decision.evidence import read_evidence
from tuner.decision.move import answer_within, current_fails, lacking_price, weigh_move
from tuner.decision.percentile import samples_needed
from tuner.decision.policy import BATCH, BatchPolicy, Trial
from tuner.decision.policy.initial_design import first_sizes, initial_trials, open_sizes
from tuner.decision.policy.value_of_information import information_values
from tuner.decision.problem import build_problem
from tuner.decision.repeats import calls_needed, weightiest
from tuner.decision.verdict import errors_are_random, nearest_to_limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.decision.move import Move
    from tuner.decision.policy.value_of_information import InformationValue
    from tuner.decision.problem import Problem
    from tuner.decision.question import Question
    from tuner.model.invocation import Invocation

_UNPROVEN_INIT_MS = 300.0
_COMPARED = 12
"""Samples at the current size and at the one leaned toward, before all sizes are
considered again."""
_REPEATED = 2
"""Calls of a size at once where calls scatter widely: so many environments are seen."""
_WORTH_COMPARING = 0.01
"""A smaller gain takes hundreds of samples to be sure of, however small the tolerance."""
_NEIGHBOUR_OCTAVES = 0.2
_TRIED_OCTAVES = 0.3
_NEAR_BEST = 0.9
"""A batch has what is worth nearly as much as the best: the rest would be spent blindly."""
_MOST_ENVIRONMENTS = 4
_SURE_SHARE = 0.6
_RESERVED = 4
_PRICE_OPEN, _PRICE_SETTLED = 0.001, 0.004
"""Regret that an invocation must promise to remove: while it's open whether a move helps, and once
that is settled."""
_RIVAL_REGRET = 0.1
"""A size that was only seen cold may turn out this much better than it looks."""
_COMPARED_CALLS = 2
"""Warm calls of one environment that reveal slow first calls."""
_SETTLED = 0.03
_MOST_CALLS = 8
"""If first calls are slower, an environment is called until what the next call may take longer is
less than the first did, or this many times."""
_SURE_OF_A_LIMIT = 3
"""Warm samples after which a limit that looks out of reach counts as out of reach."""


class AdaptivePolicy(BatchPolicy):
    """Chooses by the value of information per cost, under the goal that the answer serves.

    `payload_weights` are the mix. The current size is measured early, because a resize needs it.
    Cold starts count for what they show about the shape, so warm-ups are spent only at sizes that
    need a warm sample. It gives up if nothing it could still learn would decide, unless it
    `spends_all`. The question's prior informs the curves and says where to look first.
    """

    def __init__(
        self,
        question: Question,
        payload_weights: Mapping[str, float],
        *,
        seed: int,
        max_invocations: int,
        spends_all: bool = False,
    ) -> None:
        super().__init__(max_invocations)
        self._question = question
        self._weights = dict(payload_weights)
        self._seed = seed
        self._spends_all = spends_all
        self._excluded: set[int] = set()
        self._likely: tuple[int, ...] = ()
        self._first_mb: tuple[int, ...] | None = None

    def sizes_worth_publishing(self, trials: Sequence[Trial]) -> tuple[int, ...]:
        """The batch's sizes and the likeliest next ones: a window costs seconds."""
        likely = [size for size in self._likely if size not in self._excluded]
        return tuple(sorted({trial.memory_mb for trial in trials} | set(likely)))

    def exclude(self, memory_mb: int, payload: str | None = None) -> None:
        """Take no more trials at this size."""
        del payload
        self._excluded.add(memory_mb)
        if memory_mb != self._question.function.memory_mb:  # it may stay as it is
            self._question = self._question.without(memory_mb)

    # For policies that share invocations (`tuner.decision.policy.stratified`)

    def account(self, *, started: int, left: int) -> None:
        """Take what all of them have started, and have left."""
        self._started, self._left = started, left

    def initial_trials(self, evidence: Evidence) -> tuple[Trial, ...]:
        """What every payload needs for its own curve."""
        if self._first_mb is None:
            self._first_mb = first_sizes(self._question, self._weights, self._seed)
        open_mb = self._open_sizes(evidence)
        return initial_trials(
            self._question,
            list(self._weights),
            evidence,
            open_mb,
            self._first_mb,
            most=self.planned_count,
        )

    def confirm_limits(self, problem: Problem) -> tuple[Trial, ...]:
        """Warm samples at the size closest to limits that no size seems to meet: few samples may be
        wrong about that.
        """
        nearest = nearest_to_limits(problem)
        if nearest is None or nearest in self._excluded:
            return ()
        for payload in self._weights:
            if len(problem.evidence.warm_ms(payload, nearest)) < _SURE_OF_A_LIMIT:
                return (Trial(nearest, payload),)
        return ()

    def confirm(self, problem: Problem) -> tuple[Trial, ...] | None:
        """A sample that a verdict needs: () if there is a verdict and nothing left to gain, None if
        it's open what to measure.
        """
        move = weigh_move(problem)
        size = problem.estimates.sizes_mb[move.answer]
        answer = answer_within(problem, move, self._left)
        if move.verdict == "inconclusive":
            # The last invocations measure what looks best, whatever is still open.
            if self._left <= _RESERVED:
                return self._unmeasured(problem, answer) or None
            return None
        lacking = (
            self._unmeasured(problem, answer)
            or self._percentile_samples(problem, size)
            or self._warm_rival(problem, move)
            or self._untried(problem, move)
            or self._settled(problem, size)
            or self._repeated(problem, move)
        )
        if lacking:
            return lacking
        regret = float(problem.ranking.regrets(move.answer).mean())
        return () if regret <= problem.goal.tolerance_ratio and not self._spends_all else None

    def acquire(self, problem: Problem, slots: int) -> tuple[float, tuple[Trial, ...]]:
        """What the best invocation promises for its price, and the batch that promises most."""
        init_ms = [c.billed_extra_ms for c in problem.evidence.cold_starts]
        extra = float(np.mean(init_ms)) if init_ms else _UNPROVEN_INIT_MS
        found = information_values(
            problem,
            self._worth_trying(problem),
            most_at_once=min(slots, _MOST_ENVIRONMENTS),
            extra_cold_ms=extra,
        )
        ranked = sorted(found, key=_price, reverse=True)
        apart: list[InformationValue] = []
        for each in ranked:
            if all(
                abs(math.log2(each.memory_mb / o.memory_mb)) > _NEIGHBOUR_OCTAVES for o in apart
            ):
                apart.append(each)
        self._likely = tuple(each.memory_mb for each in apart[:BATCH])
        trials: list[Trial] = []
        for each in apart:
            near_best = _price(each) > _NEAR_BEST * _price(apart[0])
            if (not trials or near_best) and len(trials) + each.now_count <= slots:
                trials += [Trial(each.memory_mb, each.payload)] * each.now_count
        return (_price(apart[0]) if apart else 0.0), tuple(trials)

    def worthwhile(
        self, problem: Problem, promise: float, trials: tuple[Trial, ...]
    ) -> tuple[Trial, ...]:
        """The trials if they are worth their price, or else what confirms a move that looks worth
        it; then what turns the answer so far into a measured one.
        """
        if self._spends_all or promise > _PRICE_SETTLED:
            return trials
        move = weigh_move(problem)
        is_open = move.verdict == "inconclusive"
        if is_open and (comparison := self._comparison(problem, move)):
            return comparison
        unsure = move.verdict == "keep" and move.stake > problem.goal.tolerance_ratio
        if (is_open or unsure) and promise > _PRICE_OPEN:
            return trials
        return self.confirm_measured(problem)

    def confirm_measured(self, problem: Problem) -> tuple[Trial, ...]:
        """What turns the answer so far into a measured one."""
        return self._unmeasured(problem, weigh_move(problem).answer)

    def _choose(self, done: Sequence[Invocation], slots: int) -> tuple[Trial, ...]:
        evidence = read_evidence(done, self._weights)
        first = self.initial_trials(evidence)
        if first:
            self._likely = tuple(trial.memory_mb for trial in first)
            return first
        if any(not samples for samples in evidence.samples.values()):
            return ()
        problem = build_problem(self._question, evidence, seed=self._seed)
        if errors_are_random(evidence):
            return ()
        if not problem.ranking.allowed.any():
            return self.confirm_limits(problem)
        needed = self.confirm(problem)
        if needed is not None:
            return needed
        promise, trials = self.acquire(problem, slots)
        return self.worthwhile(problem, promise, trials)

    def _open_sizes(self, evidence: Evidence) -> list[int]:
        return open_sizes(self._question, evidence, self._excluded)

    def _comparison(self, problem: Problem, move: Move) -> tuple[Trial, ...]:
        """Trials that show whether a move that looks worth it is: at both sizes, first two at once
        and then four, so that fresh environments of each are seen; with the payload of the largest
        weight, which decides most of the gain.
        """
        now = problem.of_current
        if problem.now is None and move.answer == problem.ranking.current:
            return ()
        gain = float(problem.ranking.gains(move.answer).mean())
        if gain < max(problem.goal.tolerance_ratio, _WORTH_COMPARING):
            return ()
        sides = ((problem.estimates.sizes_mb[move.answer], problem), (problem.current_mb, now))
        seen: dict[Trial, tuple[int, int]] = {}
        for memory_mb, of in sides:
            payload = weightiest(of)
            samples = [s for s in of.evidence.samples[payload] if s.memory_mb == memory_mb]
            environments = len({s.environment for s in samples})
            if len(samples) < _COMPARED and memory_mb not in self._excluded:
                seen[Trial(memory_mb, payload)] = (environments, len(samples))
        self._likely = tuple(trial.memory_mb for trial in seen)
        if not seen or min(environments for environments, _ in seen.values()) < 2:
            return (*seen, *seen)
        return (min(seen, key=seen.__getitem__),) * _MOST_ENVIRONMENTS

    def _warm_rival(self, problem: Problem, move: Move) -> tuple[Trial, ...]:
        """A warm sample at the closest rival, if it has only been seen cold."""
        sizes = problem.estimates.sizes_mb
        answer = sizes[move.answer]
        expected = problem.ranking.regret_table().mean(axis=0)
        seen = {s.memory_mb for each in problem.evidence.samples.values() for s in each}
        rivals = [
            m
            for m in seen - {answer} - self._excluded
            if problem.constraints.bars.get(m, "") is None
            and expected[sizes.index(m)] < expected[move.answer] + _RIVAL_REGRET
        ]
        if not rivals:
            return ()
        rival = min(rivals, key=lambda m: expected[sizes.index(m)])
        if rival in problem.measured:
            return ()
        lacking = [p for p in self._weights if not problem.evidence.warm_ms(p, rival)]
        self._likely = (rival,)
        return (Trial(rival, lacking[0]),)

    def _untried(self, problem: Problem, move: Move) -> tuple[Trial, ...]:
        """A trial at a size that may or may not survive, if it would be better than the answer by
        more than the two invocations it takes if it survives, as half of them do.
        """
        objective = problem.ranking.objective
        gains = {
            size: 1 - objective[:, problem.estimates.column(size)] / objective[:, move.answer]
            for size in self._worth_trying(problem)
            if problem.constraints.bars[size] == "untried"
        }
        if not gains:
            return ()
        best = max(gains, key=lambda size: float(gains[size].mean()))
        is_worth_it = float(gains[best].mean()) / 2 > 2 * lacking_price(problem)
        return (Trial(best, next(iter(self._weights))),) if is_worth_it else ()

    def _settled(self, problem: Problem, size: int) -> tuple[Trial, ...]:
        """Another call in an environment of the answer, until it's known whether the first ones are
        slower, and by how much.
        """
        for payload, samples in problem.evidence.samples.items():
            calls = Counter(
                (s.memory_mb, s.environment)
                for s in samples
                if s.call_number is not None and not s.cold
            )
            here = max((n for (memory_mb, _), n in calls.items() if memory_mb == size), default=0)
            settling = problem.estimates.curves[payload].settling
            is_open = max(calls.values(), default=_COMPARED_CALLS) < _COMPARED_CALLS or (
                settling.doubt(here) > _SETTLED and here < _MOST_CALLS
            )
            if is_open and size not in self._excluded:
                self._likely = (size,)
                return (Trial(size, payload),)
        return ()

    def _repeated(self, problem: Problem, move: Move) -> tuple[Trial, ...]:
        """Calls at both sizes of a move, where calls scatter so widely that few say little."""
        now = problem.of_current
        if move.verdict != "resize" or current_fails(now):
            return ()
        needed = calls_needed(problem, move.answer)
        trials: list[Trial] = []
        for memory_mb, of in (
            (problem.estimates.sizes_mb[move.answer], problem),
            (problem.current_mb, now),
        ):
            payload = weightiest(of)
            missing = needed - len(of.evidence.warm_ms(payload, memory_mb))
            if memory_mb not in self._excluded:
                trials += [Trial(memory_mb, payload)] * min(max(missing, 0), _REPEATED)
        self._likely = tuple({trial.memory_mb for trial in trials})
        return tuple(trials)

    def _unmeasured(self, problem: Problem, column: int) -> tuple[Trial, ...]:
        """A trial at the answer and at the current size, if they lack a warm sample."""
        size, now = problem.estimates.sizes_mb[column], problem.of_current
        unmeasured = [(size, problem)]
        if (size != problem.current_mb or problem.now is not None) and not current_fails(now):
            unmeasured.append((problem.current_mb, now))
        trials = []
        for memory_mb, of in unmeasured:
            lacking = [p for p in of.evidence.samples if not of.evidence.warm_ms(p, memory_mb)]
            if lacking and memory_mb not in self._excluded:
                trials.append(Trial(memory_mb, lacking[0]))
        self._likely = tuple(trial.memory_mb for trial in trials)
        return tuple(trials)

    def _percentile_samples(self, problem: Problem, size: int) -> tuple[Trial, ...]:
        """Samples at the answer until the percentile's bound needs no model."""
        if problem.goal.percentile is None or problem.goal.max_duration_ms is None:
            return ()
        needed = samples_needed(problem.goal.percentile)
        missing = {p: needed - len(problem.evidence.warm_ms(p, size)) for p in self._weights}
        return tuple(
            Trial(size, p) for p, n in missing.items() for _ in range(min(max(n, 0), BATCH))
        )

    def _worth_trying(self, problem: Problem) -> list[int]:
        """Open sizes whose observed memory use leaves headroom and that should end before the
        timeout, thinned to a few per octave.
        """
        best = problem.ranking.pick()
        assert best is not None  # some size is allowed
        keep = {*problem.evidence.sampled_mb, problem.estimates.sizes_mb[best]}
        sizes: list[int] = []
        for size in self._open_sizes(problem.evidence):
            used = expected_use_mb(problem.evidence, size)
            if used is not None and used > HEADROOM_USE_RATIO * size:
                continue
            if problem.constraints.bars.get(size) == "timeout":
                continue
            if size in keep or not sizes or math.log2(size / sizes[-1]) > _TRIED_OCTAVES:
                sizes.append(size)
        return sizes


def _price(worth: InformationValue) -> float:
    """Drop in regret per cost of the invocation. Besides money, an invocation costs time, a version
    to publish, a side effect. A drop that only many samples would bring counts little, but it
    counts: otherwise nothing would be worth a first step.
    """
    return (worth.drop + _SURE_SHARE * worth.share_of_sure) / (worth.count + 0.5 * worth.cost_ratio)
