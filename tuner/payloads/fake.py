"""Faker behind a seed: without what reads the clock, and loaded only for templates that use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.errors import PayloadError
from tuner.payloads.extra import load_extra

if TYPE_CHECKING:
    from tuner.payloads.draw import Draw

_NOT_REPRODUCIBLE: Final = frozenset(
    {"profile", "simple_profile", "credit_card_expire", "credit_card_full", "passport_dob",
     "passport_dates", "passport_full", "zip", "tar", "image"}
)  # fmt: skip
_NOT_VALUES: Final = frozenset({"add_provider", "provider", "providers", "parse", "format"})


class Fake:
    """Faker's values for one locale, drawn anew for each event."""

    def __init__(self) -> None:
        """Load Faker. Raises PayloadError without it."""
        faker = load_extra("faker", "templates with `fake`")
        dates = load_extra("faker.providers.date_time", "templates with `fake`")
        self._generator: Any = faker.Factory.create("en_US")
        self._clocked = _NOT_REPRODUCIBLE | {
            name for name in vars(dates.Provider) if not name.startswith("_")
        }

    def seeded(self, draw: Draw) -> Fake:
        """Begin the draws of an event."""
        self._generator.seed_instance(draw.random.getrandbits(64))
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "seed")) or name in _NOT_VALUES:
            raise AttributeError(name)
        if name in self._clocked:
            raise PayloadError(
                f"fake.{name} depends on the clock, so that no seed can repeat it: use time()"
            )
        return getattr(self._generator, name)
