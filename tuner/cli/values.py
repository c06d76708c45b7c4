"""Reads the values of options: `2%`, `500ms`, `128,256,512`."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar, get_args

import typer

from tuner.cli.config import NO_SLACK, examples_dir
from tuner.cli.flags import with_flags
from tuner.errors import InputError
from tuner.model.function import Architecture
from tuner.model.goal import MOST_TIME_WEIGHT
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB

_DURATION: Final = re.compile(r"(?P<number>[0-9]*\.?[0-9]+)\s*(?P<unit>ms|s|min|m)")
_MS: Final = {"ms": 1.0, "s": 1_000.0, "m": 60_000.0, "min": 60_000.0}

_ARCHITECTURES: Final[tuple[Architecture, ...]] = get_args(Architecture)
DEMO: Final = "demo"
_REGION: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")  # as botocore checks it
T = TypeVar("T")


class Sizes(tuple[int, ...]):
    """Memory sizes in MB, ascending. A class, because typer reads plain tuples as several words."""

    __slots__ = ()


class Architectures(tuple[Architecture, ...]):
    """Architectures, each once."""

    __slots__ = ()


def architectures(text: str) -> Architectures:
    """`x86_64,arm64`."""
    named = Architectures(_architecture(part.strip()) for part in str(text).split(","))
    return Architectures(dict.fromkeys(named))


def codes(given: Iterable[str]) -> tuple[str | None, tuple[tuple[Architecture, str], ...]]:
    """`dist.zip` for any architecture, or `arm64=dist-arm64.zip` for one; each given once."""
    plain: list[str] = []
    by_architecture: dict[Architecture, str] = {}
    for text in given:
        name, equals, code = text.partition("=")
        if equals and name in _ARCHITECTURES:
            if _architecture(name) in by_architecture:
                raise typer.BadParameter(f"--code {name}=… is given twice")
            by_architecture[_architecture(name)] = code
        else:
            plain.append(text)
    if len(plain) > 1:
        raise typer.BadParameter(
            "several builds: say which architecture each is for, as --code arm64=dist.zip"
        )
    return next(iter(plain), None), tuple(by_architecture.items())


def _architecture(text: str) -> Architecture:
    for each in _ARCHITECTURES:
        if text == each:
            return each
    raise typer.BadParameter(f"{text!r} isn't an architecture: {' or '.join(_ARCHITECTURES)}")


def ratio(text: str) -> float:
    """`2%` or `0.02`, from 0 up to 1."""
    stripped = str(text).strip()
    number = _number(stripped.removesuffix("%"), f"{text!r} isn't a share: write 2% or 0.02")
    share = number / 100 if stripped.endswith("%") else number
    return _within(share, 0 <= share <= 1, text, "0 to 1, or 0% to 100%")


def discount_percent(text: str) -> float:
    """`12` or `12%`: from 0 to under 100."""
    stripped = str(text).strip().removesuffix("%")
    number = _number(stripped, f"{text!r} isn't a discount: write 12%")
    return _within(number, 0 <= number < 100, text, "0% to under 100%")


_HOURLY: Final = re.compile(r"\$?\s*([0-9.]+)\s*(?:usd)?\s*/\s*(?:h|hour)", re.IGNORECASE)


def usd_per_hour(text: str) -> float:
    """`20usd/h`, `$20/h` or `20/hour`: above 0."""
    found = _HOURLY.fullmatch(str(text).strip())
    wrong = f"{text!r} isn't dollars an hour: write 20usd/h"
    if found is None:
        raise typer.BadParameter(wrong)
    number = _number(found[1], wrong)
    return _within(number, number > 0, text, "above 0")


def time_weight(text: str) -> float:
    """A number from 0 up to 1000."""
    number = _number(str(text).strip(), f"{text!r} isn't a weight: write 0.1 or 1")
    return _within(number, 0 <= number <= MOST_TIME_WEIGHT, text, f"0 to {MOST_TIME_WEIGHT:g}")


def no_slack(text: str) -> float:
    """Refuse the old slack option."""
    del text
    raise typer.BadParameter(NO_SLACK)


def duration_ms(text: str) -> float:
    """`500ms` or `2s`, in milliseconds; the unit must be there."""
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise typer.BadParameter(f"{text!r} isn't a duration: write 500ms or 2s")
    milliseconds = float(match["number"]) * _MS[match["unit"]]
    if milliseconds <= 0:
        raise typer.BadParameter(f"{text!r} isn't a duration above 0")
    return milliseconds


def percentile(text: str) -> float:
    """`95` or `p95`: above 0, below 100."""
    number = _number(str(text).strip().removeprefix("p"), f"{text!r} isn't a percentile: write 95")
    return _within(number, 0 < number < 100, text, "above 0, below 100")


@contextmanager
def of_option(option: str) -> Iterator[None]:
    """Have a BadParameter name the option that it's about, where its value is read afterwards; an
    InputError becomes one.
    """
    try:
        yield
    except InputError as error:
        raise typer.BadParameter(with_flags(str(error)), param_hint=f"'{option}'") from None
    except typer.BadParameter as error:
        error.param_hint = error.param_hint or f"'{option}'"
        raise


def parameters_of(given: Iterable[str] | None, option: str = "--parameter") -> dict[str, str]:
    """`Stage=prod` from `--parameter` and `--env`; the last value for a name counts."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not (equals and name.strip()):
            raise typer.BadParameter(f"write {option} NAME=VALUE")
        found[name.strip()] = value
    return found


def amount_usd(text: str) -> float:
    """`0.50` or `$0.50`: above 0."""
    number = _number(str(text).strip().removeprefix("$"), f"{text!r} isn't an amount: write 0.50")
    if number <= 0:
        raise typer.BadParameter(f"{text!r} isn't an amount above 0")
    return number


def amount_or_nothing(text: str) -> float:
    """`0`, `0.50` or `$0.50`: finite, from 0."""
    number = _number(str(text).strip().removeprefix("$"), f"{text!r} isn't an amount: write 0.50")
    return _within(number, number >= 0, text, "0 or more")


def template(text: str) -> Path:
    """A template's file; `demo` for the examples', unless a file has that name."""
    given = Path(text)
    return examples_dir() / "template.yaml" if text == DEMO and not given.exists() else given


def region(text: str) -> str:
    """`eu-west-1`, in any partition."""
    if not _REGION.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not the name of a region: write one like eu-west-1")
    return text


def names(text: str | None) -> tuple[str, ...]:
    """`staging,production`: each once."""
    parts = (part.strip() for part in (text or "").split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def regions(text: str | None) -> tuple[str, ...]:
    """`eu-west-1,us-east-1` of `--regions`: each once."""
    with of_option("--regions"):
        return tuple(map(region, names(text)))


def event_sizes(text: str) -> str:
    """`p50=2kB,p99=200kB` or `2kB`, as written."""
    from tuner.payloads.sampling import parse_distribution

    _read(parse_distribution, text)
    return text


def size_bytes(text: str) -> int:
    """`4kB`, `1.5MB` or `300`, in bytes."""
    from tuner.payloads.sampling import parse_bytes

    return _read(parse_bytes, str(text))


def pathway_need(text: str) -> str:
    """`order`, `fan-out` or `replay`."""
    if (found := str(text).strip()) not in {"order", "fan-out", "replay"}:
        raise typer.BadParameter(f"{text!r} isn't known: write order, fan-out or replay")
    return found


def rate_per_s(text: str) -> float:
    """`50/s`, `3000/min`, `1M/day` or `30M/month`: above 0, in requests per second."""
    from tuner.breakeven.request_rate import parse_rate

    return _read(parse_rate, str(text))


def count(text: str) -> float:
    """`30M`, `500k`, `2G` or `1e6`: above 0."""
    from tuner.breakeven.request_rate import parse_count

    return _read(parse_count, str(text))


def _read(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None


def days(text: str) -> float:
    """`14` or `0.5`: above 0."""
    number = _number(str(text).strip(), f"{text!r} isn't a count of days: write 14")
    if number <= 0:
        raise typer.BadParameter(f"{text!r} days is no time: write 14, or 0.5 for half a day")
    return number


def since(text: str) -> datetime:
    """`2026-11-01`, or `7d` for the last seven days; UTC."""
    stripped = str(text).strip()
    try:
        if stripped.endswith("d"):
            return datetime.now(UTC) - timedelta(days=float(stripped.removesuffix("d")))
        day = datetime.fromisoformat(stripped)
        return day if day.tzinfo else day.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} isn't a day: write 2026-11-01 or 7d") from None


def moment(text: str) -> datetime:
    """`2026-11-01` (its beginning) or `2026-11-01T06:30Z`; UTC without a zone."""
    try:
        found = datetime.fromisoformat(str(text).strip())
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} isn't a time: write 2026-11-01 or 2026-11-01T06:30Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment_to(text: str) -> datetime:
    """The same; a day means its end."""
    found = moment(text)
    is_day = len(str(text).strip()) <= len("2026-11-01")
    return found + timedelta(days=1, microseconds=-1) if is_day else found


def memory_mb(text: str) -> int:
    """`1024` or `1024MB`, within Lambda's range."""
    digits = str(text).strip().upper().removesuffix("MB").strip()
    if not (digits.isascii() and digits.isdecimal()):
        raise typer.BadParameter(f"{text!r} isn't a memory size in MB: write 1024")
    size_mb = int(digits)
    if not MIN_MEMORY_MB <= size_mb <= MAX_MEMORY_MB:
        raise typer.BadParameter(
            f"{size_mb} MB is out of range: {MIN_MEMORY_MB} to {MAX_MEMORY_MB}"
        )
    return size_mb


def memory_sizes_mb(text: str) -> Sizes:
    """`128,256,512`: in range, ascending, each once."""
    sizes = Sizes(memory_mb(part) for part in str(text).split(","))
    for left, right in itertools.pairwise(sizes):
        if left >= right:
            raise typer.BadParameter(
                f"{right} comes after {left}: give the sizes in ascending order, each once"
            )
    return sizes


def _within(number: float, holds: bool, text: str, words: str) -> float:
    """The number that `text` stands for, if it's in the range that `words` name."""
    if not holds:
        raise typer.BadParameter(f"{text!r} is out of range: {words}")
    return number


def _number(text: str, complaint: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise typer.BadParameter(complaint) from None
    if not math.isfinite(number):
        raise typer.BadParameter(complaint)
    return number
