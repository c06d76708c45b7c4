"""Events sent in order, then again: a folder's, or the first ones of others."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError
from tuner.model.lambda_limits import MAX_SYNC_PAYLOAD_BYTES
from tuner.payloads.body import checked, is_inside, read_file
from tuner.payloads.sampling import Draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.payload import Events, Payload

_LEAST_COUNT: Final = 10
_SHARES: Final = 2
"""Classes aren't sent equally often: one may get twice its share before its events repeat."""


class FolderEvents:
    """A folder's files in an order drawn from `key`, starting over after the last.

    Only names are kept. The digest is over names and sizes: contents are read when they're sent.
    """

    def __init__(
        self, folder: Path, *, key: str, raw: bool = False, within: Path | None = None
    ) -> None:
        """List the folder.

        Raises PayloadError: unreadable, empty, a file over the limit, or one that links outside
        `within`.
        """
        self._folder, self._raw = folder, raw
        self._names, self.digest = _listed(folder, within)
        draw = Draw(key, "order")
        for last in range(len(self._names) - 1, 0, -1):  # Fisher and Yates
            other = draw.integer(0, last)
            self._names[last], self._names[other] = self._names[other], self._names[last]

    @property
    def event_count(self) -> int:
        """How many files there are."""
        return len(self._names)

    def body(self, index: int) -> bytes:
        """Return the event at `index`. Raises PayloadError, which names the file."""
        path = self._folder / self._names[index % len(self._names)]
        body = read_file(str(path))
        if body is None:
            raise PayloadError(f"payload file {str(path)!r} is gone: record the folder again")
        return checked(body, f"payload file {str(path)!r}", raw=self._raw)

    def part(self, index: int, part: int) -> str:
        """Return a recorded body for one part of the batch of one event."""
        return self.body(index * 10_007 + part).decode("utf-8", "replace")


def _listed(folder: Path, within: Path | None) -> tuple[list[str], str]:
    """Return the names of the visible files, sorted, and a digest of names and sizes."""
    sizes: dict[str, int] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file():
                    if entry.is_symlink() and within and not is_inside(Path(entry.path), within):
                        raise PayloadError(
                            f"payload file {entry.path!r} is a link to outside its folder: copy "
                            "it there, or give `allow_outside=True` if you trust the folder"
                        )
                    sizes[entry.name] = entry.stat().st_size
    except OSError as error:
        raise PayloadError(f"folder {str(folder)!r} can't be read: {error.strerror}") from None
    if not sizes:
        raise PayloadError(f"folder {str(folder)!r} has no events: put one file per event in it")
    digest = hashlib.sha256()
    for name in sorted(sizes):
        if sizes[name] > MAX_SYNC_PAYLOAD_BYTES + 3:  # the byte order mark isn't sent
            raise PayloadError(
                f"payload file {str(folder / name)!r} is over 6 MB, Lambda's limit for an "
                "invocation: take it out, or make it smaller"
            )
        digest.update(f"{name}\0{sizes[name]}\n".encode("utf-8", "surrogateescape"))
    return sorted(sizes), digest.hexdigest()


@dataclass(frozen=True, slots=True)
class FirstEvents:
    """The first `count` events of others, starting over after the last."""

    events: Events
    count: int

    @property
    def digest(self) -> str:
        """The digest of the others."""
        return self.events.digest

    def body(self, index: int) -> bytes:
        """Return the event at `index`. Raises PayloadError."""
        return self.events.body(index % self.count)


def checked_events(payloads: Sequence[Payload], max_invocations: int) -> tuple[Payload, ...]:
    """Make every event that may be sent, and return payloads that send no others.

    None is kept: they are made again when they're sent. Raises PayloadError for one that can't be
    made, is over Lambda's limit, or isn't JSON when it should be.
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
