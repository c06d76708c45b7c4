"""Tables that people keep beside the logs: revenue, deployments, features of functions.

CSV with a header, columns in any order, UTF-8, plain or gzip. Errors name the line.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import math
import re
import zlib
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError
from tuner.model.spend import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

_AMOUNT: Final = re.compile(r"(?:USD\s*|US\$|\$)?\s*(-?[0-9][0-9,]*(?:\.[0-9]+)?)(?:\s*USD)?")
_OTHER_CURRENCY: Final = re.compile(r"[€£¥₹]|\b(?!USD\b)[A-Z]{3}\b")


def read_revenue(path: Path) -> dict[str, dict[datetime.date, float]]:
    """Read revenue by feature and day, in US dollars: columns day, feature, revenue (and currency).

    Several lines for a day and feature are added up. Raises InputError for anything but dollars.
    """
    revenue: dict[str, dict[datetime.date, float]] = {}
    for where, row in rows_of(path, ("day", "feature", "revenue"), "revenue"):
        currency = row.get("currency", "").strip().upper()
        amount = row["revenue"].strip()
        other = _OTHER_CURRENCY.search(amount)
        if currency not in {"", "USD"} or other:
            raise InputError(
                f"{where}: revenue is in {currency or (other[0] if other else '')}, and costs are "
                "in US dollars: convert it to USD first"
            )
        found = _AMOUNT.fullmatch(amount)
        if found is None:
            raise InputError(f"{where}: {amount[:40]!r} isn't an amount of dollars")
        days = revenue.setdefault(_needed(where, row, "feature"), {})
        day = _day(where, row["day"])
        days[day] = days.get(day, 0.0) + float(found[1].replace(",", ""))
    if not revenue:
        raise InputError(f"{path} has no line of revenue below its header")
    return revenue


def read_deploys(path: Path) -> tuple[Deployment, ...]:
    """Read deployments: columns at (ISO 8601; UTC unless stated), version, function.

    Without a function, a deployment may concern every one.
    """
    return tuple(
        Deployment(
            at=instant(where, row["at"]),
            function=row.get("function", "").strip() or None,
            version=row.get("version", "").strip() or "deployment",
            source="csv",
        )
        for where, row in rows_of(path, ("at",), "deploys")
    )


def read_tags(path: Path, key: str) -> dict[str, str]:
    """Read a tag's value by function: columns function and one named like the tag's key.

    Raises InputError if there is no such column.
    """
    values = {
        _needed(where, row, "function"): row[key].strip()
        for where, row in rows_of(path, ("function", key), "tags")
    }
    return {function: value for function, value in values.items() if value}


def rows_of(
    path: Path, columns: tuple[str, ...], parameter: str
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield (where, row by lower-case column name) from a table that has these columns.

    `parameter` names the parameter that had the path. Raises InputError.
    """
    with _opened(path, parameter) as file:
        try:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            names = [name if name in columns else name.lower() for name in header]
            missing = [name for name in columns if name not in names]
            if missing:
                raise InputError(
                    f"{path} lacks the column {', '.join(missing)}: its first line must name "
                    f"{', '.join(columns)} (it has {', '.join(header)[:80] or 'nothing'})"
                )
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                where = f"{path}, line {reader.line_num}"
                if len(row) < len(names):
                    raise InputError(
                        f"{where} has {len(row)} of {len(names)} columns: is it cut off?"
                    )
                yield where, dict(zip(names, row, strict=False))
        except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error):
            raise InputError(
                f"{path} isn't a CSV table, plain or gzip: check `{parameter}`"
            ) from None


def instant(where: str, text: str) -> datetime.datetime:
    """A moment in UTC. Raises InputError."""
    try:
        at = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"{where}: {text.strip()[:40]!r} isn't a time: write it as 2026-03-03T14:05:00Z"
        ) from None
    return in_utc(at)


def in_utc(at: datetime.datetime) -> datetime.datetime:
    """The same moment in UTC, which is the zone of one without."""
    return at.replace(tzinfo=datetime.UTC) if at.tzinfo is None else at.astimezone(datetime.UTC)


def amount(where: str, text: str) -> float:
    """A number, 0 if it's empty. Raises InputError."""
    if text.strip() in {"", "NULL", "null"}:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {text.strip()[:40]!r} isn't a number")
    return value


def _opened(path: Path, parameter: str) -> TextIO:
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == b"\x1f\x8b"
        if is_packed:
            return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}): check `{parameter}`") from None


def _day(where: str, text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise InputError(f"{where}: {text.strip()[:40]!r} isn't a day: write 2026-03-03") from None


def _needed(where: str, row: Mapping[str, str], column: str) -> str:
    value = row[column].strip()
    if not value:
        raise InputError(f"{where} names no {column}")
    return value
