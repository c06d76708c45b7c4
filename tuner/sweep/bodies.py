"""Which event each call sends."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.model.payload import Payload


class Bodies:
    """Events of each class in their order, from the first on at every version.

    Sizes are compared, so each meets the same events: what differs between them is the size. With
    `once_each` no event is ever taken twice, at whichever size, and those that were sent before
    (`first_index` of a class) are not taken either.
    """

    def __init__(
        self,
        payloads: Sequence[Payload],
        *,
        once_each: bool = False,
        first_index: Mapping[str, int] | None = None,
    ) -> None:
        self._payloads = {payload.name: payload for payload in payloads}
        self._once_each = once_each
        self._taken: Counter[tuple[str, str]] = Counter()
        for name, index in (first_index or {}).items():
            self._taken[name, ""] = index

    def take(self, payload: str, version: str) -> int | None:
        """Return the index of the next event of a class for a version.

        None: each was sent once, and may not be sent again. One thread only.
        """
        key = (payload, "" if self._once_each else version)
        index, count = self._taken[key], self._payloads[payload].event_count
        if self._once_each and count is not None and index >= count:
            return None
        self._taken[key] += 1
        return index

    def body(self, payload: str, index: int) -> bytes:
        """Return an event, which may have to be made. Any thread. Raises PayloadError."""
        return self._payloads[payload].body_at(index)
