"""Seeded draws with the same values on every machine and Python version, and sizes drawn from them.

Only `random()` and `getrandbits()` are used: Python promises to keep them for a seed, and text
seeds through SHA-512. Logarithms are rounded away from a platform's last digit. Sizes are as people
write them, one for all or log-normal through two percentiles.
"""

from __future__ import annotations

import math
import random
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

T = TypeVar("T")

EPOCH: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""Made events begin here: with a clock, every run would differ."""
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_WORDS: Final = [
    "amber", "harbor", "signal", "quiet", "market", "ledger", "window", "garden", "copper",
    "meadow", "travel", "silver", "kernel", "planet", "bridge", "orange", "cotton", "museum",
    "record", "winter", "forest", "candle", "engine", "basket",
]  # fmt: skip
_SIZE: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>b|kb|kib|mb|mib)?", re.IGNORECASE)
_BYTES: Final = {"b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2}
_POINT: Final = re.compile(r"p(?P<percent>\d{1,2}(?:\.\d+)?)\s*=\s*(?P<size>.+)", re.IGNORECASE)


class Draw:
    """The draws of one event: they depend only on the key and the order of calls."""

    def __init__(self, *key: object) -> None:
        self.random = random.Random("/".join(map(str, key)))  # noqa: S311 - repeatable, no secret

    def uniform(self) -> float:
        """From 0 up to, not including, 1."""
        return self.random.random()

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, inclusive."""
        span = high - low + 1
        if span <= 0:
            raise PayloadError(f"no number lies between {low} and {high}: swap them")
        return low + self.random.getrandbits(span.bit_length() + 32) % span

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        if not options:
            raise PayloadError("there is nothing to choose from: give at least one option")
        return options[self.integer(0, len(options) - 1)]

    def code(self, length: int) -> str:
        """Letters and digits that can't be confused with each other."""
        bits = self.random.getrandbits(5 * length) if length > 0 else 0
        return "".join(_CROCKFORD[bits >> 5 * digit & 31] for digit in range(length))

    def uuid(self) -> str:
        """A random UUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def text(self, length: int) -> str:
        """ASCII words, `length` characters of them."""
        words, total = [], 0
        block = [self.choice(_WORDS) for _ in range(min(512, length // 4 + 1))]
        while total <= length:
            words.extend(block)
            total += sum(map(len, block)) + len(block)
        return " ".join(words)[:length]

    def time(self, index: int, within_s: int = 1) -> datetime:
        """A time that advances by a second per index, within `within_s` seconds of it."""
        return EPOCH + timedelta(seconds=index, milliseconds=self.integer(0, 1000 * within_s - 1))


def quasirandom(key: str, index: int, part: int = 0) -> float:
    """A share from 0 to 1 that a few events cover evenly: a sweep sends dozens, not thousands.

    An additive recurrence from a start drawn from the key, by the golden ratio and, within a batch,
    by the plastic number (Roberts, "The unreasonable effectiveness of quasirandom sequences").
    """
    start = Draw(key, "spread").uniform()
    return (start + index * 0.6180339887498949 + part * 0.7548776662466927) % 1.0


def interleaved(weights: Mapping[str, float], count: int) -> Iterator[str]:
    """Return `count` names: exact after every whole round of the weights, and never in blocks.

    The name farthest behind its share is always next (Webster's method); ties go by order.
    """
    given = dict.fromkeys(weights, 0)
    for _ in range(count):
        name = min(weights, key=lambda each: (given[each] + 0.5) / weights[each])
        given[name] += 1
        yield name


def parse_bytes(text: str) -> int:
    """`2kB`, `1.5 MB` or `300` in bytes, at most Lambda's 6 MB (6 MiB). Raises PayloadError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise PayloadError(f"{text!r} isn't a size: write 300, 2kB or 1.5MB")
    count = round(float(match["number"]) * _BYTES[(match["unit"] or "b").lower()])
    if not 1 <= count <= MAX_SYNC_PAYLOAD_BYTES:
        raise PayloadError(
            f"{text!r} is out of range: 1 byte to {MAX_SYNC_PAYLOAD_BYTES:,} (Lambda's limit)"
        )
    return count


@dataclass(frozen=True, slots=True)
class SizeDistribution:
    """Log-normal sizes through two points, or always one size (`sigma` 0)."""

    log_median: float
    sigma: float

    def at(self, share: float) -> int:
        """Return the size in bytes that `share` (0 to 1, exclusive) of events are below."""
        z = NormalDist().inv_cdf(min(max(share, 1e-6), 1 - 1e-6))
        # rounded first: the last digits of exp and log are the platform's
        log_size = round(self.log_median + self.sigma * z, 9)
        return min(max(1, round(math.exp(log_size), 4).__trunc__()), MAX_SYNC_PAYLOAD_BYTES)


def parse_distribution(text: str) -> SizeDistribution:
    """`p50=2kB,p99=200kB`, or one size for all. Raises PayloadError."""
    if "=" not in text:
        return SizeDistribution(math.log(parse_bytes(text)), 0.0)
    points = sorted(_point(part) for part in text.split(","))
    if len(points) != 2 or points[0][0] == points[1][0]:
        raise PayloadError(
            f"sizes {text!r} need two different percentiles: write p50=2kB,p99=200kB"
        )
    (low_z, low), (high_z, high) = points
    if low > high:
        raise PayloadError(f"sizes {text!r} must rise with the percentile: write p50=2kB,p99=200kB")
    sigma = (math.log(high) - math.log(low)) / (high_z - low_z)
    return SizeDistribution(math.log(low) - sigma * low_z, sigma)


def _point(text: str) -> tuple[float, int]:
    match = _POINT.fullmatch(text.strip())
    if match is None or not 0 < float(match["percent"]) < 100:
        raise PayloadError(f"{text.strip()!r} isn't a percentile of sizes: write p50=2kB")
    return NormalDist().inv_cdf(float(match["percent"]) / 100), parse_bytes(match["size"])
