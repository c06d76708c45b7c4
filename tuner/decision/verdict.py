"""The verdict: keep, resize, or inconclusive with what more would be needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.estimates import interval
from tuner.decision.move import current_fails, firm_move
from tuner.decision.repeats import lacking_calls
from tuner.decision.replies import error_at_current
from tuner.model.interval import figure, percent, percent_digits
from tuner.model.invocation import Outcome
from tuner.model.recommendation import Choice

if TYPE_CHECKING:
    from tuner.decision.evidence import Evidence
    from tuner.decision.move import Move
    from tuner.decision.problem import Problem
    from tuner.decision.question import Question
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Basis

RANDOM_ERRORS: Final = (
    "invocations fail at several sizes for reasons other than memory, so no size is safe: "
    "fix the function's errors (or the payload), then tune again"
)
GOAL_WISHES: Final = {
    "cost": "the best size for cost",
    "speed": "the best size for speed",
    "balanced": "the best balance of cost and speed",
}
_BOUND_QUANTILE = 0.95
_MANY_ALIKE = 4
"""From this many equally good sizes on, it's worth listing them."""
_HARDLY_RATIO = 0.02
"""Sizes that come this close to each other come as near to a limit."""


def judge(problem: Problem) -> Choice:
    """Reach a verdict. A size that was not measured cannot carry a resize."""
    if (why := errors_for_work(problem)) is not None:
        return undecided(why)
    if not problem.ranking.allowed.any():
        return undecided(nothing_allowed(problem))
    move = firm_move(problem)
    objection = _objection(problem, move)
    size = problem.estimates.sizes_mb[move.answer]
    regrets = problem.ranking.regrets(move.answer)
    regret, bound = float(regrets.mean()), float(np.quantile(regrets, _BOUND_QUANTILE))
    if objection is not None:
        return replace(
            undecided(objection),
            expected_regret_ratio=regret,
            regret_bound_ratio=bound,
            confidence=move.confidence,
            confidence_of=move.confidence_of,
            best_so_far_mb=size,
            lean_saving_ratio=_saving(problem, move.answer),
        )
    return Choice(
        # The verdict is about the size; another value of a parameter goes with it.
        verdict="keep" if size == problem.current_mb else move.verdict,
        memory_mb=size,
        basis=_basis(problem, size),
        duration_ms=interval(problem.estimates.duration_ms[:, move.answer]),
        cost_usd_per_million=interval(problem.estimates.cost_usd[:, move.answer] * 1e6),
        saving_ratio=_saving(problem, move.answer),
        saving_usd_per_month=None,
        expected_regret_ratio=regret,
        regret_bound_ratio=bound,
        confidence=move.confidence,
        confidence_of=move.confidence_of,
        reason=_reason(problem, size),
    )


def errors_for_work(problem: Problem) -> str | None:
    """Object if the current size answers with errors: its samples aren't of the work."""
    if problem.goal.allow_different_replies:
        return None
    return error_at_current(problem.evidence, problem.current_mb)


def undecided(reason: str) -> Choice:
    """An inconclusive verdict of which nothing else is known, with what more would be needed."""
    return Choice(
        verdict="inconclusive",
        memory_mb=None,
        basis="modelled",
        duration_ms=None,
        cost_usd_per_million=None,
        saving_ratio=None,
        saving_usd_per_month=None,
        expected_regret_ratio=None,
        confidence=None,
        reason=reason,
    )


def nothing_allowed(problem: Problem) -> str:
    """Say why no size may be recommended, and which comes closest to the limits."""
    nearest = _cheapest_near_limits(problem)
    if nearest is None:
        return (
            "at every size invocations fail, run out of memory or leave under 20% of it free: "
            "fix the function, or allow larger sizes with `max_memory_mb`"
        )
    limits = _limits(problem, nearest)
    reached = " and ".join(limit.reached for limit in limits)
    raised = " or ".join(f"`{limit.parameter}`" for limit in limits)
    which = "the limits" if len(limits) > 1 else "the limit"
    return f"no size meets {which}: {nearest} MB comes closest with {reached}; raise {raised}"


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit of the goal, and what a size reaches."""

    parameter: str
    reached: str
    excess_ratio: float


def _limits(problem: Problem, memory_mb: int) -> list[_Limit]:
    """The goal's limits at a size."""
    goal, latency = problem.goal, problem.constraints.latencies.get(memory_mb)
    limits = []
    if latency is not None and goal.max_duration_ms is not None:
        of = "the mean" if goal.percentile is None else f"p{goal.percentile:g}"
        modelled = "" if latency.measured else ", modelled"
        reached = (
            f"{figure(latency.bound_ms)} ms (90% bound on {of}{modelled}) against a limit of "
            f"{goal.max_duration_ms:g} ms"
        )
        excess = latency.bound_ms / goal.max_duration_ms
        limits.append(_Limit("max_duration_ms", reached, excess))
    if goal.max_cost_usd_per_million is not None:
        column = problem.estimates.column(memory_mb)
        cost = float(problem.estimates.cost_usd[:, column].mean()) * 1e6
        limit_usd = goal.max_cost_usd_per_million
        reached = f"${cost:.2f} per million against a limit of ${limit_usd:.2f}"
        excess = cost / max(goal.max_cost_usd_per_million, 1e-9)
        limits.append(_Limit("max_cost_usd_per_million", reached, excess))
    return limits


def nearest_to_limits(problem: Problem) -> int | None:
    """The size that breaks only limits of the goal, and those by the least; None without one."""
    within = _within_all_but_limits(problem)
    by_cost = all(problem.constraints.bars[size] == "too dear" for size in within)
    values = problem.estimates.cost_usd if by_cost else problem.estimates.worst_ms
    means = {m: float(values[:, problem.estimates.column(m)].mean()) for m in within}
    return min(means, key=means.__getitem__) if means else None


def _cheapest_near_limits(problem: Problem) -> int | None:
    """The size that breaks the worst broken limit by the least; of those that hardly differ in it,
    the cheapest measured one. None without one.
    """
    within = _within_all_but_limits(problem)
    if not within:
        return None
    excess = {m: max(limit.excess_ratio for limit in _limits(problem, m)) for m in within}
    cost = dict(
        zip(problem.estimates.sizes_mb, problem.estimates.cost_usd.mean(axis=0), strict=True)
    )
    least = min(excess.values())
    near = [m for m in within if excess[m] <= least * (1 + _HARDLY_RATIO)]
    return min([m for m in near if m in problem.measured] or near, key=cost.__getitem__)


def _within_all_but_limits(problem: Problem) -> list[int]:
    return [
        size for size, bar in problem.constraints.bars.items() if bar in ("too slow", "too dear")
    ]


def _objection(problem: Problem, move: Move) -> str | None:
    """What is wrong with the answer and what more would be needed; None if nothing is."""
    size = problem.estimates.sizes_mb[move.answer]
    if errors_are_random(problem.evidence):
        return RANDOM_ERRORS
    now = problem.of_current
    resize = size != problem.current_mb or problem.now is not None
    if size not in problem.measured:
        return _doubt(problem, move) or (
            f"{size} MB looks best but wasn't measured: go on with the sweep under this goal "
            "(`resume`), or name that size (`memory_sizes_mb`)"
        )
    if resize and problem.current_mb not in now.measured and not current_fails(now):
        return (
            f"{size} MB looks best, but the current {problem.current_mb} MB wasn't measured, so "
            f"the saving isn't known: add it with `memory_sizes_mb`"
        )
    latency = problem.constraints.latencies.get(size)
    if resize and latency is not None and not latency.measured:
        return (
            f"p{problem.goal.percentile:g} at {size} MB is modelled from few samples: "
            f"{latency.samples_missing} more there would settle it (raise `max_invocations`)"
        )
    if resize and move.verdict == "resize" and not current_fails(now):
        return _few_calls(problem, move)
    return _doubt(problem, move)


def _few_calls(problem: Problem, move: Move) -> str | None:
    """Object if calls scatter widely and one of a move's sizes was called too seldom."""
    lacking = lacking_calls(problem, move.answer)
    if lacking is None:
        return None
    memory_mb, called, needed = lacking
    size = problem.estimates.sizes_mb[move.answer]
    return (
        f"{size} MB looks best, but calls scatter widely and {memory_mb} MB has {called} of the "
        f"{needed} warm ones that a comparison needs: raise `max_invocations`"
    )


def _doubt(problem: Problem, move: Move) -> str | None:
    """Object if it's open whether a move helps."""
    if move.verdict != "inconclusive":
        return None
    size, now = problem.estimates.sizes_mb[move.answer], problem.current_mb
    if size == now and problem.now is None:
        return (
            f"another size may be up to {percent(move.stake, 1)} better than {now} MB"
            f"{_alike(problem)}; more samples would settle it (raise `max_invocations` or "
            f"`tolerance_ratio`)"
        )
    current = f"the current {now} MB" if problem.now is None else "what is set now"
    gain = interval(problem.ranking.gains(move.answer))
    likely = f"{percent_digits(gain.low)} to {percent(gain.high)}"
    return (
        f"{size} MB looks {percent(gain.estimate, 1)} better than {current}, but that isn't "
        f"certain ({likely}): more samples at both would settle it (raise `max_invocations`)"
    )


def _alike(problem: Problem) -> str:
    """Say so if many sizes are as good as the best one, as far as is known."""
    expected = problem.ranking.regret_table().mean(axis=0)
    near = expected <= expected[problem.ranking.allowed].min() + problem.goal.tolerance_ratio
    sizes = np.array(problem.estimates.sizes_mb)[near & problem.ranking.allowed]
    if len(sizes) < _MANY_ALIKE:
        return ""
    within = percent(problem.goal.tolerance_ratio, 1)
    return f", and {len(sizes)} sizes from {sizes[0]} to {sizes[-1]} MB look alike within {within}"


def errors_are_random(evidence: Evidence) -> bool:
    """Whether function errors come and go regardless of memory: at two sizes or more, one of which
    memory can't explain.
    """
    erring = [m for m, counts in evidence.failures.items() if counts[Outcome.FUNCTION_ERROR]]
    return len(erring) >= 2 and any(not memory_may_explain(evidence, size) for size in erring)


def memory_may_explain(evidence: Evidence, failing_mb: int) -> bool:
    """Whether a size may fail for lack of memory: neither it nor a smaller one has succeeded."""
    return not any(n and m <= failing_mb for m, n in evidence.success_counts.items())


def _basis(problem: Problem, size: int) -> Basis:
    latency = problem.constraints.latencies.get(size)
    measured = size in problem.measured and (latency is None or latency.measured)
    return "measured" if measured else "modelled"


def _saving(problem: Problem, chosen: int) -> Interval | None:
    """Saving against the current size, draw by draw; None if that fails."""
    if current_fails(problem):
        return None
    now = problem.estimates.cost_usd[:, problem.estimates.column(problem.current_mb)]
    return interval(1 - problem.estimates.cost_usd[:, chosen] / now)


def _reason(problem: Problem, size: int) -> str:
    """One sentence that says why a size is the answer."""
    if current_fails(problem):
        return f"invocations fail at the current {problem.current_mb} MB and succeed at {size} MB"
    if size == problem.current_mb:
        return "no other size is worth the change"
    return f"{size} MB is {GOAL_WISHES[problem.goal.first]}"


# What is missing if the samples are too few for an answer


def only_size(problem: Problem) -> Choice | None:
    """A range of one size, or samples at one size, can't support a comparison. Cold samples at
    other sizes can: they show the shape.
    """
    if len(problem.evidence.sampled_mb) > 1:
        return None
    sizes = ", ".join(f"{size} MB" for size in problem.evidence.measured_mb) or "no size"
    return undecided(
        f"only {sizes} gave samples, so there's nothing to compare: "
        f"measure at least two sizes (`memory_sizes_mb`, `max_invocations`)"
    )


def why_no_curve(question: Question, evidence: Evidence) -> str:
    """Say what is missing if there is no warm sample."""
    current_mb = question.function.memory_mb
    if not question.goal.allow_different_replies and (
        why := error_at_current(evidence, current_mb)
    ):
        return why
    if evidence.failures and not any(evidence.success_counts.values()):
        return _why_nothing_succeeded(evidence)
    if errors_are_random(evidence):
        return RANDOM_ERRORS
    if len(question.candidates) == 1:
        return (
            "one size leaves nothing to compare: widen `min_memory_mb` and "
            "`max_memory_mb`, or name more `memory_sizes_mb`"
        )
    if any(evidence.success_counts.values()) and not any(evidence.samples.values()):
        return "invocations succeeded but none could be measured: fix what the findings name"
    return (
        "too few warm samples for a curve: allow more invocations (`max_invocations`), or go on "
        "with a sweep that was interrupted (`resume`)"
    )


def _why_nothing_succeeded(evidence: Evidence) -> str:
    """Say what became of every invocation, and what to do."""
    counts = sum(evidence.failures.values(), Counter())
    count, largest_mb = counts.total(), max(evidence.failures)
    if counts[Outcome.OUT_OF_MEMORY] == count:
        return (
            f"all {count} invocations ran out of memory, at up to {largest_mb} MB: allow "
            f"larger sizes (`max_memory_mb`, 10240 at most) or send smaller events"
        )
    if counts[Outcome.TIMEOUT] == count:
        return (
            f"all {count} invocations hit the function's timeout, at up to {largest_mb} MB: "
            f"raise the timeout or send smaller events"
        )
    return (
        f"all {count} invocations failed: check the function's log and fix it (or the payload), "
        f"then tune again"
    )
