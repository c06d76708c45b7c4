"""What one more invocation is worth to the decision.

Expected value of sample information: for each size, imagine that the next invocation there shows
what one of the posterior's draws would show, weigh all draws by it, and see how much less regret
the then best answer has on average than today's best answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tuner.decide.case import Case

    Floats = NDArray[np.float64]

BETWEEN_RATIO: Final = 0.03
"""Assumed scatter between environments (public measurements: a few per cent)."""
_COLD_RATIO = 0.07
"""Assumed scatter of a cold handler's time around its usual multiple of the warm one."""
_IMAGINED = 48


@dataclass(frozen=True, slots=True)
class Worth:
    """The value of one invocation, as the drop of expected regret that it promises."""

    memory_mb: int
    payload: str
    drop: float
    drop_if_sure: float
    """The drop if the size's true duration were told at once: the most that sampling can bring."""
    cost_ratio: float
    """Expected cost of the invocation, over that of one at the best answer."""


def regret_table(case: Case) -> Floats:
    """Regret of every size in every draw; sizes that may not be answered have infinite regret."""
    columns = [case.ranking.regrets(column) for column in range(len(case.estimates.sizes_mb))]
    table = np.column_stack(columns)
    table[:, ~case.ranking.allowed] = np.inf
    return table


def worths(
    case: Case, sizes_mb: Sequence[int], *, extra_cold_ms: float, rng: np.random.Generator
) -> list[Worth]:
    """Worth of the next invocation at each size and with each payload."""
    regrets = regret_table(case)
    open_columns = np.isfinite(regrets[0])
    if not open_columns.any():
        return []
    regrets = regrets[:, open_columns]
    now = float(regrets.mean(axis=0).min())
    draw_count = len(regrets)
    imagined = (np.arange(_IMAGINED) * draw_count) // _IMAGINED
    noise = rng.standard_normal(_IMAGINED)
    usual_cost = float(case.estimates.cost_usd.mean(axis=0)[open_columns].min())
    found = []
    for size in sizes_mb:
        column = case.estimates.column(size)
        for payload, draws in case.estimates.by_payload_ms.items():
            logs = np.log(draws[:, column])
            deviation, cold = _noise(case, size, payload)
            cost = _cost(case, size, payload, extra_cold_ms if cold else 0.0)
            seen = logs[imagined] + deviation * noise
            sure = logs[imagined]
            tight = max(deviation / 8, 1e-4)
            found.append(
                Worth(
                    memory_mb=size,
                    payload=payload,
                    drop=now - _after(regrets, logs, seen, deviation),
                    drop_if_sure=now - _after(regrets, logs, sure, tight),
                    cost_ratio=cost / usual_cost,
                )
            )
    return found


def _after(regrets: Floats, logs: Floats, seen: Floats, deviation: float) -> float:
    """Mean, over what may be seen, of the least expected regret after it."""
    score = -0.5 * ((seen[:, None] - logs[None, :]) / deviation) ** 2
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return float((weight @ regrets).min(axis=1).mean())


def _noise(case: Case, size: int, payload: str) -> tuple[float, bool]:
    """(relative deviation of what the next invocation adds, whether it will be cold).

    An environment's mean is known no better than its own luck allows, so the second sample of an
    environment adds less than the first.
    """
    within = case.estimates.within_ratio**2
    samples = [s for s in case.evidence.samples[payload] if s.memory_mb == size]
    cold = not any(s.memory_mb == size for each in case.evidence.samples.values() for s in each)
    warm_count = sum(not s.cold for s in samples)
    cold_count = len(samples) - warm_count
    before = warm_count / within + cold_count / (within + _COLD_RATIO**2)
    after = before + 1 / (within + (_COLD_RATIO**2 if cold else 0.0))
    luck = BETWEEN_RATIO**2
    gain = after / (1 + luck * after) - before / (1 + luck * before)
    return float(np.sqrt(1 / gain)), cold


def _cost(case: Case, size: int, payload: str, extra_ms: float) -> float:
    """Expected cost of one invocation, an INIT of `extra_ms` included."""
    column = case.estimates.column(size)
    warm_usd = float(case.estimates.by_payload_usd[payload][:, column].mean())
    warm_ms = float(case.estimates.by_payload_ms[payload][:, column].mean())
    return warm_usd * (1 + extra_ms / max(warm_ms, 0.5))
