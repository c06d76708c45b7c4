"""The verdict in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.foreign import plain

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation


def headline(recommendation: Recommendation) -> str:
    """One line: `RESIZE 3008 → 1792 MB: 40 % cheaper (37–42 %), same speed.`"""
    choice, current = recommendation.choice, recommendation.current
    if choice.verdict == "inconclusive":
        return f"INCONCLUSIVE: {_sentence(choice.reason)}"
    if choice.verdict == "keep":
        return f"KEEP {numbers.memory(current.memory_mb)}: {_sentence(choice.reason)}"
    return f"RESIZE {current.memory_mb} → {choice.memory_mb} MB: {_gains(recommendation)}."


def certainty(recommendation: Recommendation) -> str | None:
    """How sure the answer is: `94 % sure that no size is more than 1 % better …`."""
    choice = recommendation.choice
    if choice.confidence is None or choice.verdict == "inconclusive":
        return None
    sure = numbers.probability(choice.confidence)
    tolerance = numbers.percent(recommendation.goal.tolerance_ratio)
    better = f"{sure} sure that no size is more than {tolerance} better under this goal"
    if choice.expected_regret_ratio is None:
        return f"{better}."
    return f"{better} (expected regret {numbers.percent(choice.expected_regret_ratio)})."


def _gains(recommendation: Recommendation) -> str:
    choice, before = recommendation.choice, recommendation.current.duration_ms
    gains = []
    if choice.saving_ratio is not None:
        gains.append(numbers.saving(choice.saving_ratio))
    if choice.saving_usd_per_month is not None:
        gains.append(numbers.monthly_saving(choice.saving_usd_per_month))
    if before is not None and choice.duration_ms is not None:
        gains.append(numbers.speed(before.estimate, choice.duration_ms.estimate))
    if not gains:
        return plain(choice.reason).rstrip(".")
    if choice.basis == "modelled":
        gains.append("modelled, not measured")
    return ", ".join(gains)


def _sentence(text: str) -> str:
    text = plain(text).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
