"""What a sweep sends, as the options of `tune` say it: loaded before a connection is opened, except
for what only the function's account has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tuner.api.events import load_for, test_event_names
from tuner.cli.screen import agree, is_interactive, say
from tuner.payloads import asks_for_test_events, load_payloads

if TYPE_CHECKING:
    from tuner import api
    from tuner.model.payload import Payload


@dataclass(frozen=True, slots=True)
class Sending:
    """Payload specs with the options for all of them."""

    specs: tuple[str, ...]
    seed: int
    raw: bool
    size: str | None
    vary: str | None

    def payloads(self) -> tuple[Payload, ...]:
        """Return what can be loaded without the account: all, or nothing. Raises PayloadError."""
        if any(map(asks_for_test_events, self.specs)):
            return ()
        return load_payloads(self.specs, **self._options)

    def completed(self, request: api.Request, target: api.Target, function: str) -> api.Request:
        """Return the request with its payloads; where none was named, offer the function's
        shareable test events. Raises PayloadError and AwsError.
        """
        specs = self.specs
        if not specs and (names := test_event_names(target, function)):
            say(
                f"The function has shareable test events ({', '.join(names)}), and no --payload "
                "was given: --payload test-events sends them instead of {}."
            )
            if is_interactive() and agree("Send them?"):
                specs = ("test-events",)
        if request.payloads and specs == self.specs:
            return request
        return replace(request, payloads=load_for(target, function, specs, **self._options))

    @property
    def _options(self) -> dict[str, Any]:
        return {"seed": self.seed, "raw": self.raw, "size": self.size, "vary": self.vary}
