"""The events that a sweep may send: made and checked before the first call, then sent in turn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.payload import Events, Payload

_LEAST_COUNT: Final = 10
_SHARES: Final = 2
"""Classes are not sent equally often: one may get twice its share before its events come again."""


@dataclass(frozen=True, slots=True)
class FirstEvents:
    """The first `count` events of others, again from the start after the last."""

    events: Events
    count: int

    @property
    def digest(self) -> str:
        """That of what they come from."""
        return self.events.digest

    def body(self, index: int) -> bytes:
        """Return the event at `index`. Raises PayloadError."""
        return self.events.body(index % self.count)


def checked_events(payloads: Sequence[Payload], max_invocations: int) -> tuple[Payload, ...]:
    """Make every event that may be sent, and return payloads that send no others.

    None is kept: they are made again when they are sent. Raises PayloadError for one that cannot
    be made, is over Lambda's limit, or is not JSON where it should be.
    """
    share = math.ceil(max_invocations / len(payloads))
    count = min(max_invocations, max(_LEAST_COUNT, _SHARES * share))
    return tuple(_checked(payload, count) for payload in payloads)


def _checked(payload: Payload, count: int) -> Payload:
    if payload.events is None:
        return payload
    for index in range(count):
        payload.events.body(index)
    return replace(payload, events=FirstEvents(payload.events, count))
