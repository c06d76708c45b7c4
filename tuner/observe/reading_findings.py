"""Findings from reading an archive: lines and files that couldn't be used, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model.finding import Finding
from tuner.model.interval import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.observe.folder import Reading

_SHOWN = 3


def reading_findings(reading: Reading) -> Iterator[Finding]:
    """Findings about an archive, for whichever function was asked."""
    if reading.unreadable_count:
        where = [f"{each.source}:{each.line} ({each.why})" for each in reading.unreadable]
        count = reading.unreadable_count
        what = "looks like a report" if count == 1 else "look like reports"
        yield Finding(
            "unreadable_lines",
            "warning",
            f"{counted(count, 'line')} {what} and can't be read, so the counts are too low by as "
            f"many: {_first(where, count)}",
        )
    if reading.torn:
        where = [f"{name} ({why})" for name, why in reading.torn]
        yield Finding(
            "torn_file",
            "warning",
            f"{counted(len(where), 'file')} can't be unpacked to the end, and what comes before "
            f"was read: {_first(where, len(where))}",
        )
    if reading.unusable:
        where = [f"{name} ({why})" for name, why in reading.unusable]
        yield Finding(
            "not_logs",
            "warning",
            f"{counted(len(where), 'file')} left out: {_first(where, len(where))}",
        )
    if reading.too_long_count:
        yield Finding(
            "long_lines",
            "warning",
            f"{counted(reading.too_long_count, 'line')} left out for being over 32 MB long",
        )
    if reading.quoted_count:
        yield Finding(
            "quoted_reports",
            "info",
            f"{counted(reading.quoted_count, 'line')} with a REPORT in the middle of other text: "
            "taken for what a function printed, and not counted",
        )
    if reading.window.start is None and reading.report_count:
        yield Finding(
            "no_times",
            "warning",
            "no line has a time, so there is no window, no rate and no cost a month: take logs "
            "with their timestamps",
        )


def _first(where: Sequence[str], count: int) -> str:
    more = count - min(len(where), _SHOWN)
    return "; ".join(where[:_SHOWN]) + (f"; and {more} more" if more else "")
