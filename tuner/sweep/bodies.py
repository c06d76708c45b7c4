"""Which event each call sends."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.payload import Payload


class Bodies:
    """Events of each class in their order, from the first on at every version.

    Sizes are compared, so each meets the same events: what differs between them is the size. May
    be asked by several threads.
    """

    def __init__(self, payloads: Sequence[Payload]) -> None:
        self._payloads = {payload.name: payload for payload in payloads}
        self._sent: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def next(self, payload: str, version: str) -> bytes:
        """Return the next event of a class for a version. Raises PayloadError."""
        with self._lock:
            index = self._sent[payload, version]
            self._sent[payload, version] += 1
            return self._payloads[payload].body_at(index)
