"""Samples of functions whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tuner.inference.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def one_thread_ms(memory_mb: int) -> float:
    """100 ms of waiting and 400 ms of CPU on one thread."""
    return 100 + 400 * 1769 / min(memory_mb, 1769)


def made_samples(
    duration_ms: Callable[[int], float],
    sizes_mb: Sequence[int],
    *,
    environment_count: int = 2,
    sample_count: int = 3,
    between_ratio: float = 0.03,
    within_ratio: float = 0.04,
    seed: int = 1,
) -> list[Sample]:
    """`sample_count` samples from each of `environment_count` environments at each size."""
    rng = np.random.default_rng(seed)
    samples = []
    for size in sizes_mb:
        for number in range(environment_count):
            luck = rng.normal(0, between_ratio)
            for _ in range(sample_count):
                factor = float(np.exp(luck + rng.normal(0, within_ratio)))
                samples.append(Sample(size, duration_ms(size) * factor, f"{size}/{number}"))
    return samples
