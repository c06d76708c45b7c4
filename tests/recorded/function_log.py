"""What functions log during a replay."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.local.execution.invocation_log import LogEvent

LIMIT_S: Final = 20.0


class FunctionLog:
    """Log entries of all functions, in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._entries: list[tuple[str, str]] = []

    def keep(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Take entries, as an executor gives them."""
        del group
        with self._changed:
            self._entries += [(stream, event.message) for event in events]
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget all of them."""
        with self._changed:
            self._entries.clear()

    def wait(self, count: int, begins: str) -> tuple[str, list[str]]:
        """Wait for entries that begin so, for a while; give the last one's stream, and them."""

        def found() -> list[tuple[str, str]]:
            return [each for each in self._entries if each[1].startswith(begins)]

        with self._changed:
            self._changed.wait_for(lambda: len(found()) >= count, LIMIT_S)
            entries = found()
        return (entries[-1][0] if entries else ""), [message for _, message in entries]


def tail_of(reply: Mapping[str, Any]) -> str:
    """Read a reply's log tail."""
    return base64.b64decode(reply["LogResult"]).decode()
