"""Whether the machine behind a local endpoint changed its own speed during a sweep.

Clock rates follow heat and power, and neighbors on the same host take caches and execution units:
neither shows in how much of a core a process gets. A fixed loop around every invocation shows it.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import Final

from tuner.model.host_check import CHANGED_SPEED_RATIO

_LATELY: Final = 5
"""Invocations whose median is the speed of one time: a few slow loops of five don't move it."""


class HostSpeed:
    """Compares the speed lately with the fastest and the slowest so far."""

    def __init__(self) -> None:
        self._lately_ms: deque[float] = deque(maxlen=_LATELY)
        self._least_ms, self._most_ms = math.inf, 0.0

    def has_changed(self, loop_ms: float | None) -> bool:
        """Take what the loop took around one more invocation (None: not known, as on Lambda); say
        whether the machine has been faster at some time of the sweep than at another.
        """
        if not loop_ms:
            return False
        self._lately_ms.append(loop_ms)
        if len(self._lately_ms) == _LATELY:
            usual_ms = statistics.median(self._lately_ms)
            self._least_ms = min(self._least_ms, usual_ms)
            self._most_ms = max(self._most_ms, usual_ms)
        return self._most_ms >= CHANGED_SPEED_RATIO * self._least_ms
