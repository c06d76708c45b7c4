"""An event that is sent to the function, or a class of events of one kind."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from tuner.model.function import Architecture  # noqa: TC001 - files are read by these hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ARCHITECTURE: Final = "architecture"
"""The name of the parameter that tells the copies of a sweep over architectures apart."""


class Events(Protocol):
    """Many events of one kind, made or read when they are asked for."""

    @property
    def digest(self) -> str:
        """SHA-256 of what the events come from, hexadecimal."""

    def body(self, index: int) -> bytes:
        """Return the event at `index` (0 and up, without end): the same for the same index.

        Raises PayloadError.
        """


@runtime_checkable
class Recorded(Protocol):
    """Events that come again after the last one, since they were recorded, not made."""

    @property
    def event_count(self) -> int | None:
        """How many come before one comes again; None: none does."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What a payload is one of several of: a class, made with one value of a varied parameter."""

    class_name: str
    parameter: str
    value: str
    """As it was written: 5, true, large."""
    is_current: bool = False
    """Whether the answer compares with this value: it stands for what is in use."""
    architecture: Architecture | None = None
    """Where the function's architecture is varied: the one whose copy the payload is sent to."""


def typed_value(written: str) -> Any:
    """A varied parameter's value: a number or a Boolean if it is one in JSON, else the text."""
    try:
        value = json.loads(written)
    except ValueError:
        return written
    if isinstance(value, float) and not math.isfinite(value):
        return written  # NaN and 1e999 are Python's, not JSON's
    return value if isinstance(value, bool | int | float) else written


@dataclass(frozen=True, slots=True)
class Payload:
    """One named payload class. Sweep files and reports hold its digest, never its body.

    `body` is the event, or the first one where there are many: those come from `events`.
    `weight` is the share of events, `record_count` how many records each of them holds.
    """

    name: str
    body: bytes = field(repr=False)
    weight: float = 1.0
    events: Events | None = field(default=None, repr=False, compare=False)
    record_count: int = 1
    seed: int | None = None
    """What its events are made from; None where they are not made."""
    variant: Variant | None = None

    @property
    def sha256(self) -> str:
        """Digest of the body, or of what many come from, hexadecimal."""
        if self.events is not None:
            return self.events.digest
        return hashlib.sha256(self.body).hexdigest()

    @property
    def event_count(self) -> int | None:
        """How many different events there are; None: as many as are asked for."""
        if self.events is None:
            return 1
        return self.events.event_count if isinstance(self.events, Recorded) else None

    def body_at(self, index: int) -> bytes:
        """Return the event that is sent at `index`. Raises PayloadError."""
        return self.body if self.events is None else self.events.body(index)


def on_architectures(
    payloads: Iterable[Payload], own: Architecture, others: Iterable[Architecture]
) -> Iterator[Payload]:
    """Each payload for the function's own architecture, under its name, and for the others."""
    given = tuple(payloads)
    for architecture in (own, *others):
        for each in given:
            is_own = architecture == own
            yield replace(
                each,
                name=each.name if is_own else f"{each.name} on {architecture}",
                variant=Variant(each.name, ARCHITECTURE, architecture, is_own, architecture),
            )
