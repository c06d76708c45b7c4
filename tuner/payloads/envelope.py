"""Events of a source, around bodies made elsewhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tuner.errors import PayloadError
from tuner.model.payload import Recorded
from tuner.payloads.body import checked
from tuner.payloads.sampling import Draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class EnvelopeInput:
    """What an envelope is made from."""

    bodies: Sequence[str]
    index: int
    draw: Draw
    parameters: Mapping[str, Any]

    def draw_iso_time(self) -> str:
        """A time within the event's second, as services write it: another one at each call."""
        return self.draw.time(self.index).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def draw_epoch_ms(self) -> int:
        """A time within the event's second, in milliseconds: another one at each call."""
        return round(self.draw.time(self.index).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Source:
    """A service that invokes functions, and the parameters of its events."""

    name: str
    title: str
    make: Callable[[EnvelopeInput], Any]
    parameters: tuple[tuple[str, Any], ...] = ()
    """Names and defaults."""
    max_batch: int = 1
    body: str = '{"id": "{{ id() }}", "amount": {{ number(1, 500, 2) }}, "note": "{{ text(80) }}"}'
    """The body's template if the user gives none."""
    polled_service: str | None = None
    """The service in a mapping's ARN, where that alone tells the source."""
    caller_service: str | None = None
    """The service that a resource policy allows to call, where that alone tells the source."""


class Bodies(Protocol):
    """Where the parts inside an envelope come from."""

    digest: str

    def part(self, index: int, part: int) -> str:
        """Return the body for one part of the batch of one event."""


class SourceEvents:
    """Events as a service sends them, each with one body per record."""

    def __init__(
        self, source: Source, bodies: Bodies, *, key: str, parameters: Mapping[str, Any]
    ) -> None:
        """Check the parameters: the source's own, and batch_size. Raises PayloadError."""
        known = dict(source.parameters)
        for name, given in parameters.items():
            if name != "batch_size" and name in known and type(given) is not type(known[name]):
                raise PayloadError(
                    f"{source.name}: {name} is wrong: write it like {json.dumps(known[name])}"
                )
        self._source, self._bodies, self._key = source, bodies, key
        self.batch_size = _checked_batch(source, parameters.get("batch_size", 1))
        self._parameters = {**known, **{n: g for n, g in parameters.items() if n in known}}
        recipe = json.dumps(
            [source.name, bodies.digest, key, self.batch_size, self._parameters], sort_keys=True
        )
        self.digest = hashlib.sha256(recipe.encode()).hexdigest()

    @property
    def event_count(self) -> int | None:
        """How many events come before a recorded body repeats; None: bodies are made."""
        count = self._bodies.event_count if isinstance(self._bodies, Recorded) else None
        # Parts of a batch come from all over the folder, so batches may share some.
        return count if count is None or self.batch_size == 1 else 1

    def body(self, index: int) -> bytes:
        """Return the event at `index`. Raises PayloadError."""
        bodies = [self._bodies.part(index, part) for part in range(self.batch_size)]
        given = EnvelopeInput(bodies, index, Draw(self._key, "envelope", index), self._parameters)
        try:
            event = self._source.make(given)
        except (ValueError, RecursionError):
            raise PayloadError(
                f"{self._source.name} carries JSON, and the body at index {index} is not: "
                "quote text with |tojson"
            ) from None
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        return checked(body, f"the {self._source.name} event at index {index}")


def _checked_batch(source: Source, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise PayloadError(f"{source.name}: batch_size must be a whole number, 1 or more")
    if given > source.max_batch:
        raise PayloadError(
            f"{source.name}: batch_size {given} is too large: it sends at most {source.max_batch}"
        )
    return given
