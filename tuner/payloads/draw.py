"""Seeded draws that give the same values on every machine and Python version.

Only `random()` and `getrandbits()` are used: they are what Python promises to keep for a seed, and
a text seeds through SHA-512. Logarithms are rounded away from a platform's last digit.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

T = TypeVar("T")

EPOCH: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""Made events begin here: a clock would make every run another one."""
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_WORDS: Final = [
    "amber",
    "harbor",
    "signal",
    "quiet",
    "market",
    "ledger",
    "window",
    "garden",
    "copper",
    "meadow",
    "travel",
    "silver",
    "kernel",
    "planet",
    "bridge",
    "orange",
    "cotton",
    "museum",
    "record",
    "winter",
    "forest",
    "candle",
    "engine",
    "basket",
]


class Draw:
    """The draws of one event: what comes out depends on the key and the order of calls alone."""

    def __init__(self, *key: object) -> None:
        self.random = random.Random("/".join(map(str, key)))  # noqa: S311 - repeatable, no secret

    def share(self) -> float:
        """From 0 up to, not including, 1."""
        return self.random.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        span = high - low + 1
        if span <= 0:
            raise PayloadError(f"no number lies between {low} and {high}: exchange them")
        return low + self.random.getrandbits(span.bit_length() + 32) % span

    def choice(self, options: Sequence[T]) -> T:
        """One of the options."""
        if not options:
            raise PayloadError("there is nothing to choose from: give at least one option")
        return options[self.whole(0, len(options) - 1)]

    def code(self, length: int) -> str:
        """Letters and digits that are not mistaken for each other."""
        bits = self.random.getrandbits(5 * length) if length > 0 else 0
        return "".join(_CROCKFORD[bits >> 5 * place & 31] for place in range(length))

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
        """A time that moves on by a second with the index, within `within_s` seconds of it."""
        return EPOCH + timedelta(seconds=index, milliseconds=self.whole(0, 1000 * within_s - 1))


def spread_share(key: str, index: int, part: int = 0) -> float:
    """A share from 0 to 1 that a few events cover evenly: a sweep sends dozens, not thousands.

    An additive recurrence from a start that the key draws, by the golden ratio and, within a batch,
    by the plastic number (Roberts, "The unreasonable effectiveness of quasirandom sequences").
    """
    start = Draw(key, "spread").share()
    return (start + index * 0.6180339887498949 + part * 0.7548776662466927) % 1.0


def interleaved(weights: Mapping[str, float], count: int) -> Iterator[str]:
    """Return `count` names: exact after every whole round of the weights, and never in blocks.

    Always the name that is farthest behind its share is next (Webster's method); ties go by order.
    """
    given = dict.fromkeys(weights, 0)
    for _ in range(count):
        name = min(weights, key=lambda each: (given[each] + 0.5) / weights[each])
        given[name] += 1
        yield name
