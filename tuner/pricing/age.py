"""How old a price may be before a reader is warned."""

from __future__ import annotations

import datetime
from typing import Final

from tuner.model.finding import Finding

MAX_PRICE_AGE_DAYS: Final = 90


def age_finding(as_of: str, today: datetime.date) -> Finding | None:
    """A warning where the oldest price used is over 90 days old on `today`; else None."""
    age = (today - datetime.date.fromisoformat(as_of)).days
    if age <= MAX_PRICE_AGE_DAYS:
        return None
    return Finding(
        "old-prices",
        "warning",
        # No count of days: a comment would else change daily.
        f"the oldest price used is of {as_of}, over {MAX_PRICE_AGE_DAYS} days ago: "
        "tuner prices refresh asks AWS for today's",
    )
