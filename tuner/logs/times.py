"""What precedes a message: times in every notation, color codes, log streams, names of tables.

All times are UTC; one without a zone counts as UTC, as the AWS CLI and SAM print it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

_COLOR: Final = re.compile(r"\x1b\[[0-9;]*m")
_ISO: Final = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r"(?: ?(Z|UTC|[+-]\d\d:?\d\d))?(?![0-9A-Za-z:.])"
)
_EPOCH: Final = re.compile(r"(\d{13}|\d{16}|\d{10}(?:\.\d{1,6})?)(?![0-9A-Za-z:.-])")
STREAM: Final = re.compile(
    r"\d{4}/\d\d/\d\d/(?:([A-Za-z0-9_-]{1,64}))?\[([^\]\s]{1,140})\]\[?[\w-]+\]?"
)
"""A log stream of Lambda's: function (newer ones have it), version."""
# What tables of the AWS CLI put before a message, and `docker compose` or `sam` before a line.
_WORD: Final = re.compile(
    r"(?:EVENTS|RESULTS|@message|@timestamp|\d{40,60}|/[\w./#-]{1,500}"
    r"|\[?[\w.-]{1,80}\]?[ \t]*\|)(?=\s)"
)
_MOST_LED: Final = 1200
"""Anything longer isn't a prefix."""
_EPOCH_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000
_LATEST_US: Final = 253_402_300_799_000_000  # year 9999


class Lead(NamedTuple):
    """What stood before a message."""

    at_us: int | None
    shape: str | None
    """How the time is written: the platform writes its own the same way throughout a source."""
    stream: str | None
    group: str | None
    rest: str
    """The line from where the message begins."""


def read_lead(line: str) -> Lead:
    """Remove times, color codes, a log stream and a table's words from the beginning of a line."""
    at_us: int | None = None
    shape: str | None = None
    stream: str | None = None
    group: str | None = None
    begin, most = 0, min(len(line), _MOST_LED)
    while begin < most:
        char = line[begin]
        if char in " \t\ufeff":
            begin += 1
        elif char == "\x1b" and (color := _COLOR.match(line, begin)):
            begin = color.end()
        elif char.isdigit() and (named := STREAM.match(line, begin)):
            stream, begin = named[0], named.end()
        elif char.isdigit() and (found := _time_at(line, begin)):
            at_us, shape, begin = found
        elif word := _WORD.match(line, begin):
            group = word[0] if char == "/" else group
            begin = word.end()
        else:
            break
    return Lead(at_us, shape, stream, group, line[begin:] if begin else line)


def _time_at(line: str, begin: int) -> tuple[int, str, int] | None:
    """A time that stands there in µs, how it is written, and where it ends."""
    iso = _ISO.match(line, begin)
    if iso is not None:
        at_us = _us(iso)
        zone = iso[8] if iso[8] in (None, "Z", "UTC") else "+"
        shape = f"{line[begin + 4]}{line[begin + 10]}{len(iso[7] or '')}{zone}"
        return None if at_us is None else (at_us, shape, iso.end())
    epoch = _EPOCH.match(line, begin)
    return None if epoch is None else (_epoch_us(epoch[1]), str(len(epoch[1])), epoch.end())


def _us(iso: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second = map(int, iso.groups()[:6])
    try:
        whole = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(iso[8]))
    except ValueError:
        return None
    micro = int((iso[7] or "0")[:6].ljust(6, "0"))
    seconds = (whole - _EPOCH_DAY) // timedelta(seconds=1) + (second == 60)
    return seconds * 1_000_000 + micro


def _zone(text: str | None) -> timezone:
    if text in (None, "Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _epoch_us(text: str) -> int:
    if len(text) == 16:
        return int(text)
    if len(text) == 13:
        return int(text) * 1000
    seconds, _, part = text.partition(".")
    return int(seconds) * 1_000_000 + int((part or "0").ljust(6, "0"))


def read_time(value: object) -> int | None:
    """A time of a record, in µs: ISO text, or milliseconds (or seconds) since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        scale = 1000 if value > 1e11 else 1_000_000
        at_us = int(value * scale)
        return at_us if 0 < at_us <= _LATEST_US else None
    if not isinstance(value, str):
        return None
    found = _time_at(value.strip(), 0)
    return None if found is None else found[0]
