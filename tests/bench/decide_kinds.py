"""Generated functions that break a rule of thumb: flat cost, durations that rise with memory or
are least in the middle, kinks and cliffs, falls steeper than 1/memory, slow first calls, and rare
slow calls that weigh more at small sizes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from tests.bench.decide_world import Function, quantised

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_NOISES: Final = (0.03, 0.1)
_FIRST_CALLS_EXTRA: Final = 0.8
_FIRST_CALLS_DECAY: Final = 1.5
_SLOW_CALL_SHARE: Final = 0.03


def odd_functions() -> list[Function]:
    """Every kind at two noise levels, in a fixed order."""
    functions = []
    for number, (name, truth) in enumerate(_SHAPES.items()):
        for noise in _NOISES:
            between = 0.03 if (number + int(noise * 100)) % 2 else 0.06
            functions.append(_made(f"{name}-{noise}", truth, noise, between))
    for name, truth in _USUAL.items():
        for noise in _NOISES:
            functions.append(_made(f"settling-{name}-{noise}", truth, noise, 0.03, settles=True))
            functions.append(
                _made(f"pauses-{name}-{noise}", truth, noise, 0.03, pause_extra=_pause_extra)
            )
    return functions


def _made(
    name: str,
    truth: Callable[[int], float],
    noise: float,
    between: float,
    *,
    settles: bool = False,
    pause_extra: Callable[[int], float] | None = None,
) -> Function:
    """Noise of mean 1; pauses add to the mean, first calls do not: they end."""
    scatter = math.exp(noise**2 / 2) * math.exp(between**2 / 2)

    def extra(memory_mb: int) -> float:
        return pause_extra(memory_mb) if pause_extra else 0.0

    def draw(memory_mb: int, rng: random.Random) -> float:
        paused = pause_extra is not None and rng.random() < _SLOW_CALL_SHARE
        factor = 1 + (extra(memory_mb) if paused else 0.0)
        return truth(memory_mb) * math.exp(rng.gauss(0, noise)) * factor

    return Function(
        name,
        "generated",
        tuple(range(128, 3009, 64)),
        lambda m: truth(m) * scatter * (1 + _SLOW_CALL_SHARE * extra(m)),
        draw,
        between_ratio=between,
        settling=_settling if settles else None,
        runtime="java21" if pause_extra else "python3.13",
    )


def _settling(call_number: int) -> float:
    """How much longer the n-th call of an environment takes (0: the cold one)."""
    return 1 + _FIRST_CALLS_EXTRA * math.exp(-call_number / _FIRST_CALLS_DECAY)


def _pause_extra(memory_mb: int) -> float:
    """How many times its usual duration a pause adds: a full heap is collected more slowly."""
    return 3.0 * (1769 / memory_mb) ** 0.5


def _one_core(memory_mb: int) -> float:
    return 1769 / min(memory_mb, 1769)


_SHAPES: Final[dict[str, Callable[[int], float]]] = {
    # The cost hardly differs, the duration does.
    "flat-one-core": lambda m: 20 + 900 * _one_core(m),
    "flat-two-cores": lambda m: 700 * 1769 / m,
    "nearly-flat-falling": lambda m: 600 * (1769 / m) ** 1.04,
    "nearly-flat-rising": lambda m: 600 * (1769 / m) ** 0.96,
    # Workers by memory, caches that thrash.
    "rising": lambda m: 300 + 0.05 * m,
    "least-in-the-middle": lambda m: 200 * 1769 / m + 0.15 * m,
    "least-at-small": lambda m: 40 * 1769 / m + 0.3 * m,
    # Thresholds that no smooth form has.
    "cliff-512": lambda m: 400 * _one_core(m) * (3 if m < 512 else 1),
    "cliff-384-large": lambda m: 250 * (9 if m < 384 else 1),
    "cliff-1024-small": lambda m: (150 + 60 * _one_core(m)) * (1.25 if m < 1024 else 1),
    "kink-dearer": lambda m: (100 + 200 * _one_core(m)) * (1.1 if 448 <= m < 1024 else 1),
    "kink-cheaper": lambda m: 500 * _one_core(m) * (0.92 if 700 <= m < 1300 else 1),
    # Falls that are steeper than 1/memory.
    "steep-1.2": lambda m: 200 * _one_core(m) ** 1.2,
    "steep-1.5-waiting": lambda m: 60 + 60 * _one_core(m) ** 1.5,
    "steep-below-300": lambda m: 300 * _one_core(m) * (1 + max(300 / m - 1, 0) ** 1.5),
    "windows-15": quantised(15.0),
    "windows-28": quantised(28.0),
}

_USUAL: Final[dict[str, Callable[[int], float]]] = {
    "one-thread": lambda m: 10 + 300 * _one_core(m),
    "mixed": lambda m: 120 + 120 * _one_core(m),
    "waiting": lambda m: 500.0,
}
