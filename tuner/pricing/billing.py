"""From measured times to the time that is charged."""

from __future__ import annotations

import math
from decimal import Decimal


def billed_duration_ms(
    duration_ms: float,
    *,
    init_duration_ms: float | None = None,
    billed_restore_duration_ms: float | None = None,
) -> int:
    """Return the milliseconds that Lambda charges for one invocation.

    The handler's time and the INIT before it (or, with SnapStart, the billed part of the restore)
    are added and then rounded up to 1 ms: AWS Lambda pricing page; INIT since 2025-08-01.
    The sum is decimal, as the times are printed: 402.04 + 2597.96 is 3000, not a little more.
    Raises ValueError for a time that is negative or not finite.
    """
    times = (duration_ms, init_duration_ms or 0.0, billed_restore_duration_ms or 0.0)
    if not all(0 <= time < math.inf for time in times):
        raise ValueError(f"times must be finite and not negative: {times}")
    return math.ceil(sum((Decimal(repr(float(time))) for time in times), Decimal()))
