"""Two questions: which size, and whether to move there from the current one.

The size is the one with the least sum of expected regret and a price for every invocation that it
still lacks. A move is right if that size is better than the current one by more than the tolerance
with a probability of 90%, even if some third size may be a little better still; a slower size must
also be cheaper by that much, with 95%. The current size is kept if no other size has enough to gain
to be worth a change. Otherwise it's open whether to move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from tuner.decision.constraints import fails_at_random
from tuner.decision.ranking import Staying
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from tuner.decision.problem import Problem
    from tuner.model.arrays import Floats
    from tuner.model.recommendation import Verdict

SURE: Final = 0.9
"""How probable it must be that a size is better, for a move."""
_SURE_CHEAPER: Final = 0.95
"""How probable it must be that a slower one is cheaper: slower for nothing does harm."""
_SMALL_GAIN, _SMALL_STAKE = 3.0, 5.0
"""A change isn't worth an unlikely gain of this many tolerances, unless all sizes together have
more than the stake to gain."""
_LIKELY: Final = 0.75
_LACKING_TOLERANCES: Final = 0.4
"""Expected regret, in tolerances, that an invocation must remove if it's made only to answer with a
better size."""


@dataclass(frozen=True, slots=True)
class Move:
    """What follows from the draws, whether or not an answer has the samples it needs."""

    verdict: Verdict
    answer: int
    """Column of the size that is answered, or leaned toward."""
    confidence: float
    """Probability that the verdict is right: for a move, that it gains more than the tolerance; for
    a keep, that no size does. If it's open, the move's."""
    stake: float
    """Expected regret of staying."""
    confidence_of: Literal["move", "best"] = "best"
    """If the current size can't stay, a move is right: its confidence is in the size."""


def firm_move(problem: Problem) -> Move:
    """Answer both questions; if the best size has no warm sample and a measured one surely beats
    the current one, with that one. The regret's bound says what may be given up.
    """
    move, sizes = weigh_move(problem), problem.estimates.sizes_mb
    if sizes[move.answer] in problem.measured:
        return move
    firm = weigh_move(problem, only_measured=True)
    sure = firm.verdict == "resize" and sizes[firm.answer] in problem.measured
    return firm if sure else move


def weigh_move(problem: Problem, *, only_measured: bool = False) -> Move:
    """Answer both questions. Some size must be allowed.

    If a varied parameter's current value is another, a move is away from the current size with that
    value, and `keep` says that it isn't worth it: then the current value's own problem has the
    answer.
    """
    ranking, tolerance = problem.ranking, problem.goal.tolerance_ratio
    chosen = measured_answer(problem, only=only_measured)
    staying = _staying(problem)
    if staying is None:
        within = float(np.mean(ranking.regrets(chosen) <= tolerance))
        return Move("resize", chosen, within, 1.0)
    stays = chosen if problem.now is not None else ranking.current
    regrets = ranking.regrets_of(staying.objective)
    stake, fine = float(regrets.mean()), float(np.mean(regrets <= tolerance))
    gain = float(np.mean(ranking.gains(chosen) > tolerance))
    changes = problem.now is not None or chosen != ranking.current
    if changes and gain >= SURE and _is_worth_slowness(problem, chosen, staying):
        return Move("resize", chosen, gain, stake, "move")
    gains = 1 - ranking.answers() / staying.objective[:, None]
    small = float(gains.mean(axis=0).max()) <= _SMALL_GAIN * tolerance
    small = small and stake <= _SMALL_STAKE * tolerance and gain < _LIKELY
    if stake <= tolerance or small:
        return Move("keep", stays, fine, stake)
    return Move("inconclusive", chosen, gain, stake, "move")


def _staying(problem: Problem) -> Staying | None:
    """What changing nothing would be; None if the current size can't stay."""
    ranking, estimates = problem.ranking, problem.estimates
    if problem.now is not None:
        return ranking.staying
    column = ranking.current
    if not ranking.allowed[column] and not _may_stay(problem):
        return None
    return Staying(
        objective=ranking.objective[:, column],
        duration_ms=estimates.duration_ms[:, column],
        cost_usd=estimates.cost_usd[:, column],
    )


def _may_stay(problem: Problem) -> bool:
    """Whether only failures that memory can't explain speak against the current size."""
    is_failing = problem.constraints.bars[problem.current_mb] == "fails"
    return is_failing and fails_at_random(problem.evidence, problem.current_mb)


def measured_answer(problem: Problem, *, only: bool = False) -> int:
    """The column with the least expected regret, where every invocation that a size still lacks
    counts as a part of the tolerance (with `only`, a size that lacks none comes before any that
    does). The current size lacks none, because it may be kept; with another value of a varied
    parameter it's a move like any other.
    """
    ranking = problem.ranking
    expected = np.where(ranking.allowed, ranking.regret_table().mean(axis=0), np.inf)
    lacking = lacking_counts(problem)
    if problem.now is None:
        lacking[ranking.current] = 0
    if only and (ranking.allowed & (lacking == 0)).any():
        return int(np.where(lacking == 0, expected, np.inf).argmin())
    return int((expected + lacking_price(problem) * lacking).argmin())


def lacking_price(problem: Problem) -> float:
    """What an invocation that a size still lacks counts as, in expected regret."""
    return _LACKING_TOLERANCES * problem.goal.tolerance_ratio


def lacking_counts(problem: Problem) -> Floats:
    """How many invocations each size lacks to support an answer: a cold one if it has none, and a
    warm one of every payload; (sizes,).
    """
    samples = problem.evidence.samples
    sampled = problem.evidence.sampled_mb
    warm = [{s.memory_mb for s in each if not s.cold} for each in samples.values()]
    return np.array(
        [
            (size not in sampled) + sum(size not in each for each in warm)
            for size in problem.estimates.sizes_mb
        ],
        dtype=float,
    )


def answer_within(problem: Problem, move: Move, invocation_count: int) -> int:
    """The column that looks best among those that this many invocations could complete; the move's
    own if there is none.
    """
    ranking, now = problem.ranking, problem.of_current
    stays = problem.now is None and move.answer == ranking.current
    lacking = lacking_counts(problem) + lacking_counts(now)[now.ranking.current]
    within = ranking.allowed & (lacking <= invocation_count)
    if problem.now is None:
        within[ranking.current] = False
    best = None if stays or within[move.answer] else ranking.pick(within)
    return move.answer if best is None else best


def _is_worth_slowness(problem: Problem, chosen: int, staying: Staying) -> bool:
    """Whether a size is no slower than the current one, or surely cheaper."""
    duration, cost = problem.estimates.duration_ms, problem.estimates.cost_usd
    if duration[:, chosen].mean() <= staying.duration_ms.mean():
        return True
    cheaper = cost[:, chosen] < staying.cost_usd * (1 - problem.goal.tolerance_ratio)
    return float(np.mean(cheaper)) >= _SURE_CHEAPER


def current_fails(problem: Problem) -> bool:
    """Whether the current size runs out of memory or time: then leaving it needs no comparison.

    It does not for failures that come at any size: another one would have them as well.
    """
    counts = problem.evidence.failures.get(problem.current_mb)
    if counts is None or fails_at_random(problem.evidence, problem.current_mb):
        return False
    return bool(counts[Outcome.OUT_OF_MEMORY] or counts[Outcome.TIMEOUT])
