"""The truth for the predicted share: environments, replayed event by event.

Written apart from `tuner.cold.share`, on purpose: here are environments with a life of their own,
there only levels of concurrency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Environment:
    busy_until_s: float
    used_count: int = 1


def replay(
    starts_s: Sequence[float], busy_s: Sequence[float], init_s: float, keep_alive_s: float
) -> list[bool]:
    """Whether each request is cold: the most recently used idle environment takes it, one that was
    idle for longer than the keep-alive is gone, and without any a new one is made.
    """
    environments: list[Environment] = []
    cold: list[bool] = []
    for start, busy in zip(starts_s, busy_s, strict=True):
        environments = [each for each in environments if start - each.busy_until_s <= keep_alive_s]
        idle = [each for each in environments if each.busy_until_s <= start]
        if idle:
            latest = max(idle, key=lambda each: each.busy_until_s)
            latest.busy_until_s = start + busy
            latest.used_count += 1
        else:
            environments.append(Environment(start + init_s + busy))
        cold.append(not idle)
    return cold
