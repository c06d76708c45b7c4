"""What the machine has to give right now: tests of CPU shares expect no more than that."""

from __future__ import annotations

import time


def free_share() -> float:
    """How much of a core a busy loop gets right now."""
    begin_s, used_s = time.monotonic(), time.process_time()
    while time.process_time() - used_s < 0.1:
        pass
    return 0.1 / (time.monotonic() - begin_s)
