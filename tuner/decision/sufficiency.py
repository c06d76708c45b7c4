"""What is missing if the samples are too few for an answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tuner.decision.replies import error_at_current
from tuner.decision.verdict import RANDOM_ERRORS, errors_are_random, undecided
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from tuner.decision.evidence import Evidence
    from tuner.decision.problem import Problem
    from tuner.decision.question import Question
    from tuner.model.recommendation import Choice


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
