"""Events from a Jinja2 template: seeded for each index, limited in size, memory and time.

They are rendered in Jinja2's sandbox, in a child process that all templates share.

A template sees `index`, its parameters, `fake` (Faker) and the functions number, size, text, id,
uuid, code, time and choice. It cannot reach files, the clock, or randomness that is not seeded.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from tuner.errors import PayloadError
from tuner.payloads.body import checked
from tuner.payloads.extra import load_extra
from tuner.payloads.renderer import names_in, render

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_S: Final = 5.0
"""One event may take this long: a thousand of 2 kB take less than two seconds."""


class TemplateEvents:
    """Events from one template; safe to use from several threads, one after the other."""

    def __init__(
        self,
        source: str,
        *,
        place: str,
        key: str,
        parameters: Mapping[str, object] | None = None,
        most_s: float = MOST_S,
    ) -> None:
        """Read `source`; `place` is its file for messages, `key` seeds it.

        Raises PayloadError for a template that cannot be read, and for a parameter that it does
        not use or a name that it is not given.
        """
        load_extra("jinja2", "templates")
        self._place = place
        self.parameters = dict(parameters or {})
        self._recipe = {
            "source": source,
            "place": place,
            "key": key,
            "parameters": self.parameters,
            "most_s": most_s,
        }
        self._names = names_in(self._recipe)
        recipe = json.dumps([source, key, self.parameters], sort_keys=True, default=str)
        self.digest = hashlib.sha256(recipe.encode()).hexdigest()

    @property
    def unused_parameters(self) -> tuple[str, ...]:
        """Parameters that the template does not name, sorted."""
        return tuple(sorted(self.parameters.keys() - self._names))

    def part(self, index: int, part: int = 0) -> str:
        """Return what the template gives at `index` (and for one `part` of a batch).

        Raises PayloadError.
        """
        return render(self._recipe, index, part)

    def body(self, index: int) -> bytes:
        """Return the event at `index`, which must be JSON. Raises PayloadError."""
        what = f"template {self._place}: the event at index {index}"
        try:
            return checked(self.part(index).encode(), what)
        except UnicodeEncodeError:
            raise PayloadError(f"{what} is not UTF-8") from None
