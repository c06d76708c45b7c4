"""Prices by region, as of a date."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import PriceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.pricing.lambda_prices import LambdaPrices


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every price that is known. `as_of` is the day the oldest of them was published."""

    as_of: str
    sources: tuple[str, ...]
    """Where the prices are from, one sentence each."""
    lambda_entries: tuple[LambdaPrices, ...]

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions whose Lambda prices are known, sorted."""
        return tuple(sorted({entry.region for entry in self.lambda_entries}))

    def lambda_prices(self, region: str, architecture: str) -> LambdaPrices:
        """Return Lambda's prices; PriceError names the known regions or architectures."""
        of_region = [entry for entry in self.lambda_entries if entry.region == region]
        if not of_region:
            raise PriceError(_unknown("region", region, self.regions))
        for entry in of_region:
            if entry.architecture == architecture:
                return entry
        known = [entry.architecture for entry in of_region]
        raise PriceError(_unknown("architecture", architecture, known))


def _unknown(what: str, asked: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(asked.lower(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no Lambda price is known for {what} {asked!r}{hint} (known: {', '.join(known)})"
