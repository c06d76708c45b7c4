"""Advice from production, as lines of a terminal and as the promised JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.report import numbers
from tuner.report.json import fields_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.advice import Advice

_MOST_SURE: Final = 0.99
"""No model is surer of a size that never ran."""


def advice_json(advice: Advice | None) -> dict[str, Any] | None:
    """The advice of an observation or a scanned function; None where there is none."""
    if advice is None:
        return None
    return {
        **fields_json(
            advice, "verdict", "memory_mb", "saving_usd_per_month", "saving_ratio", "reason",
            "basis", "confidence", "duration_ratio", "leans_to_mb", "mix_shift_ratio",
        ),
        "sweep": advice.sweep
        and fields_json(
            advice.sweep, "invocation_count", "cost_usd", "saving_ratio", "saving_usd_per_month",
            "value_per_dollar",
        ),
        "sizes": [
            fields_json(each, "memory_mb", "duration_ms", "cost_usd_per_million")
            for each in advice.forecasts
        ],
    }  # fmt: skip


def advice_lines(advice: Advice, now_mb: int, command: str) -> Iterator[str]:
    """The verdict with its reason; what it saves; how sure it is. `command` is how a sweep is
    started.
    """
    size = f"{now_mb} → {advice.memory_mb} MB" if advice.verdict == "resize" else ""
    head = " ".join(filter(None, (advice.verdict.upper(), size)))
    yield f"{head}: {advice.reason}."
    saving = advice.saving_usd_per_month
    if advice.verdict in ("resize", "sweep") and saving is not None:
        could = "Saves" if advice.verdict == "resize" else "Could save"
        low, high = numbers.rough_usd(saving.low), numbers.rough_usd(saving.high)
        yield f"{could} {low} to {high} a month (90%)."
    if advice.confidence is not None:
        sure = numbers.percent(min(advice.confidence, _MOST_SURE))
        yield f"{sure} sure that it's better than {now_mb} MB."
    if advice.mix_shift_ratio is not None and advice.verdict != "keep":
        yield (
            "Periods at two sizes are compared: the mix of events may shift a mean by "
            f"{numbers.percent(advice.mix_shift_ratio)} between them."
        )
    if advice.verdict == "sweep":
        yield f"Measure: {command}"
