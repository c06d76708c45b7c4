"""What a busy machine's measurements may still say.

A local function shares the machine, and whatever else runs there slows large sizes down most. How
far isn't known. So a verdict holds only where twice is not enough to overturn it; otherwise the
answer is inconclusive, with the size that looks best.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.move import SURE
from tuner.decision.verdict import undecided
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from tuner.decision.evidence import Evidence
    from tuner.decision.problem import Problem
    from tuner.model.recommendation import Choice

_SLOWDOWN: Final = 2.0
"""How much slower a size may have looked where other work wants its core as much as it does: a
fair scheduler gives each half."""


def doubted(choice: Choice, problem: Problem, evidence: Evidence) -> Choice:
    """Take back what a busy machine may have made look so: only a resize that would be one if the
    current size had looked twice as slow as it is, or one that is killed for memory, is left.
    `evidence` is of all payloads.
    """
    if choice.verdict == "inconclusive":
        return choice
    unknown = replace(choice, expected_regret_ratio=None, regret_bound_ratio=None, confidence=None)
    now, failures = problem.current_mb, evidence.failures
    doubt = f"another size may be better than {now} MB"
    if choice.verdict == "resize" and choice.memory_mb is not None:
        if choice.confidence_of == "move":
            sure = _sure_of(problem, choice.memory_mb)
            if sure >= SURE:
                return replace(unknown, confidence=sure)
        elif now in failures and failures[now][Outcome.OUT_OF_MEMORY]:
            return unknown
        doubt = (
            f"{choice.memory_mb} MB looks best, but maybe not if that made {now} MB look twice as "
            "slow as it is"
        )
    return replace(
        undecided(f"this machine was busy with other work: {doubt}; tune again when it's idle"),
        basis=choice.basis,
        confidence_of=choice.confidence_of,
        parameters=choice.parameters,
        architecture=choice.architecture,
        best_so_far_mb=choice.memory_mb,
        lean_saving_ratio=choice.saving_ratio,
    )


def _sure_of(problem: Problem, memory_mb: int) -> float:
    """How probable it is that a size beats the current one even then."""
    left = 1 - problem.ranking.gains(problem.estimates.column(memory_mb))
    gains = 1 - left * _SLOWDOWN ** sum(problem.goal.exponents)
    return float(np.mean(gains > problem.goal.tolerance_ratio))
