"""What day it is, for the age of prices."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

from tuner.errors import InputError


def today() -> date:
    """The day in UTC; SOURCE_DATE_EPOCH (seconds) sets another, so that output can be repeated.

    See reproducible-builds.org/specs/source-date-epoch. Raises InputError for what is no number.
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given:
        return datetime.now(UTC).date()
    try:
        return datetime.fromtimestamp(int(given), UTC).date()
    except (ValueError, OverflowError, OSError):
        raise InputError("SOURCE_DATE_EPOCH is no number of seconds since 1970") from None
