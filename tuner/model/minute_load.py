"""What came in one minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class MinuteLoad:
    """Invocations of one minute, and the most that ran at once (None: not known)."""

    start: datetime
    invocation_count: float
    max_concurrency: float | None = None
