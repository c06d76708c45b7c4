"""When a function's requests come: a rate, a file, its logs, or what CloudWatch counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuner.cold.arrivals import (
    Arrivals,
    arrivals_at,
    arrivals_of_loads,
    arrivals_of_times,
)
from tuner.cold.arrivals_file import is_table, read_arrivals
from tuner.errors import AwsError, InputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.session.inputs import OpenTarget

DAYS: Final = 7
"""Of CloudWatch's counts by the minute: a week has a season's every day."""
_TIMES: Final = """
    SELECT epoch(logged_at)
               - (duration_ms + coalesce(init_duration_ms, restore_duration_ms, 0)) / 1000,
           duration_ms,
           coalesce(init_duration_ms, restore_duration_ms) IS NOT NULL
    FROM reports
    WHERE (function = ? OR function IS NULL) AND logged_at IS NOT NULL
    ORDER BY 1
"""


def given_arrivals(
    rate_per_s: float | None, file: Path | None, function: str, state_dir: Path
) -> Arrivals | None:
    """The arrivals that were asked for; None: none were. Raises UsageError and InputError."""
    if file is None:
        return None if rate_per_s is None else arrivals_at(rate_per_s)
    if rate_per_s is not None:
        raise UsageError("give `rate_per_s` or `arrivals`, not both")
    return read_arrivals(file) if is_table(file) else _logged(file, function, state_dir)


def observed_arrivals(target: OpenTarget, function: str, now: datetime) -> Arrivals | None:
    """What CloudWatch counted in the last week; None on this machine, if nothing ran, or if it
    can't be read.
    """
    gateway = target.gateway
    if gateway.is_loopback:
        return None
    start = now.replace(second=0, microsecond=0) - timedelta(days=DAYS)
    try:
        loads = gateway.minute_loads(function, start=start, days=DAYS)
        return arrivals_of_loads(loads, start, DAYS, f"CloudWatch, {DAYS} days by the minute")
    except (AwsError, InputError):
        return None


def _logged(file: Path, function: str, state_dir: Path) -> Arrivals:
    """The times in a file or folder of logs. Raises InputError."""
    from tuner.api.observing import files_logs
    from tuner.api.reading import FilesRequest

    with files_logs(FilesRequest((file,), function), state_dir=state_dir) as logs:
        rows = logs.store.connection.execute(_TIMES, [logs.function]).fetchall()
    if not rows:
        raise InputError(f"{file} has no REPORT line of {function} with a time: check `arrivals`")
    arrivals = arrivals_of_times(
        [float(at_s) for at_s, _, _ in rows],
        [float(ms) for _, ms, _ in rows],
        began_at=datetime.fromtimestamp(float(rows[0][0]), UTC),
        source=file.name,
    )
    return replace(arrivals, cold_count=sum(bool(is_cold) for _, _, is_cold in rows))
