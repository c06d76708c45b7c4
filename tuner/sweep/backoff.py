"""How long a throttled call waits before it is sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential waits with jitter, so that throttled calls do not come back together.

    With the defaults the last of ten attempts is made after about a minute.
    """

    first_s: float = 0.2
    most_s: float = 20.0
    attempt_count: int = 10

    def wait_s(self, throttle_count: int, retry_after_s: float | None, rng: Random) -> float | None:
        """Return the wait after so many throttles of one call; None if it is to be given up.

        What the service asks for (`retry_after_s`) is waited at least, up to a minute.
        """
        if throttle_count >= self.attempt_count:
            return None
        longest_s = min(self.most_s, self.first_s * 2.0 ** (throttle_count - 1))
        asked_s = min(retry_after_s or 0.0, 60.0)
        return max(asked_s, 0.0) + longest_s * rng.uniform(0.5, 1.0)
