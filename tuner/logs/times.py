"""What precedes a message: times in every notation, color codes, log streams, names of tables.

All times are UTC; one without a zone counts as UTC, as the AWS CLI and SAM print it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

_COLOR: Final = re.compile(r"\x1b\[[0-9;]*m")
_ISO: Final = re.compile(
    r"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d):(\d\d)(?:[.,](\d{1,9}))?"
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
_PULUMI: Final = re.compile(r"\[ {0,80}([A-Za-z0-9_-]{1,64})\](?= )")
"""The function's name, as `pulumi logs` puts it right behind the time."""
_COLORS: Final = r"(?:\x1b\[[0-9;]*m)?"
_NAMED: Final = r"(\d{4}/\d\d/\d\d/(?:[A-Za-z0-9_-]{1,64})?\[[^\]\s]{1,140}\]\[?[\w-]+\]?)"
# A time, with a stream before or behind it, before what begins as a message: most lines.
_USUAL: Final = re.compile(
    rf"{_COLORS}(?:{_NAMED}{_COLORS}[ \t]+{_COLORS})?"
    r"(\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d):([0-5]\d)(?:[.,](\d{1,9}))?"
    rf"(?: ?(Z|UTC|[+-]\d\d:?\d\d))?{_COLORS}(?:[ \t]+{_COLORS}{_NAMED}{_COLORS})?[ \t]+"
    r"(?=[A-Za-z{])"
)
_MOST_LED: Final = 1200
"""Anything longer isn't a prefix."""
_EPOCH_DAY: Final = datetime(1970, 1, 1, tzinfo=UTC)
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
    usual = _USUAL.match(line)
    if usual is not None:
        before, minute, second, fraction, zone, behind = usual.groups()
        minute_us = _minute_us(minute, zone)
        if minute_us is not None:
            at = minute_us + int(second) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
            shape = _shape(minute, fraction, zone)
            return Lead(at, shape, before or behind, None, line[usual.end() :])
    return _read_any_lead(line)


def _read_any_lead(line: str) -> Lead:
    at_us: int | None = None
    shape: str | None = None
    stream: str | None = None
    group: str | None = None
    begin, most, time_end = 0, min(len(line), _MOST_LED), -1
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
            time_end = begin
        elif begin == time_end and (own := _PULUMI.match(line, begin)):
            group, begin = f"/aws/lambda/{own[1]}", own.end()
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
        minute, second, fraction, zone = iso.groups()
        minute_us = _minute_us(minute, zone)
        if minute_us is None or int(second) > 60:
            return None
        at_us = minute_us + int(second) * 1_000_000 + int((fraction or "0")[:6].ljust(6, "0"))
        return at_us, _shape(minute, fraction, zone), iso.end()
    epoch = _EPOCH.match(line, begin)
    return None if epoch is None else (_epoch_us(epoch[1]), str(len(epoch[1])), epoch.end())


def _shape(minute: str, fraction: str | None, zone: str | None) -> str:
    zone = zone if zone in (None, "Z", "UTC") else "+"
    return f"{minute[4]}{minute[10]}{len(fraction or '')}{zone}"


@lru_cache(maxsize=10_000)
def _minute_us(minute: str, zone: str | None) -> int | None:
    """When a minute of a zone begins; None if there is none such."""
    try:
        year, month, day, hour, number = (int(minute[at : at + 2]) for at in (2, 5, 8, 11, 14))
        year += int(minute[:2]) * 100
        begin = datetime(year, month, day, hour, number, tzinfo=_zone(zone))
    except ValueError:
        return None
    return (begin - _EPOCH_DAY) // timedelta(microseconds=1)


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
        at_us = value * (1000 if value > 1e11 else 1_000_000)
        return int(at_us) if 1 <= at_us <= _LATEST_US else None
    if not isinstance(value, str):
        return None
    found = _time_at(value.strip(), 0)
    return None if found is None else found[0]
