"""Prices by region, as of a date."""

from __future__ import annotations

import datetime
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from tuner.errors import PriceError
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.pricing.rates import (
        FargatePrices,
        InstancePrices,
        LambdaPrices,
        ManagedInstancesPrices,
        NetworkPrices,
    )

_Entry = TypeVar(
    "_Entry", "FargatePrices", "InstancePrices", "NetworkPrices", "ManagedInstancesPrices"
)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Every price that is known. `as_of` is the day on which Lambda's were published."""

    as_of: str
    sources: tuple[str, ...]
    """Where the prices are from, one sentence each."""
    lambda_entries: tuple[LambdaPrices, ...]
    fargate_entries: tuple[FargatePrices, ...] = ()
    instance_entries: tuple[InstancePrices, ...] = ()
    network_entries: tuple[NetworkPrices, ...] = ()
    managed_instances_entries: tuple[ManagedInstancesPrices, ...] = ()

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

    def fargate_prices(self, region: str, architecture: str) -> FargatePrices:
        """Return Fargate's prices; PriceError where none are known."""
        return _found(self.fargate_entries, "Fargate", region, architecture)[0]

    def instances(self, region: str, architecture: str) -> tuple[InstancePrices, ...]:
        """Return the EC2 types that are sold there, by name; PriceError where none are known."""
        return _found(self.instance_entries, "EC2", region, architecture)

    def network_prices(self, region: str) -> NetworkPrices:
        """Return what stands around a fleet; PriceError where nothing is known."""
        return _found(self.network_entries, "load balancer, NAT or IPv4", region)[0]

    def managed_instances_prices(self, region: str) -> ManagedInstancesPrices:
        """Return the fee and request price of Managed Instances; PriceError where unknown."""
        return _found(self.managed_instances_entries, "Lambda Managed Instances", region)[0]


def _unknown(what: str, asked: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(asked.lower(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no Lambda price is known for {what} {asked!r}{hint} (known: {', '.join(known)})"


def _found(
    entries: Sequence[_Entry], what: str, region: str, architecture: str | None = None
) -> tuple[_Entry, ...]:
    """The entries of a place. Raises PriceError where there is none."""
    found = tuple(
        entry
        for entry in entries
        if entry.region == region
        and (architecture is None or getattr(entry, "architecture", None) == architecture)
    )
    if not found:
        where = region if architecture is None else f"{region} {architecture}"
        raise PriceError(f"no {what} price is known for {where}")
    return found


MAX_PRICE_AGE_DAYS: Final = 90


def age_finding(as_of: str, today: datetime.date) -> Finding | None:
    """A warning where the oldest price used is over 90 days old on `today`; else None."""
    age = (today - datetime.date.fromisoformat(as_of)).days
    if age <= MAX_PRICE_AGE_DAYS:
        return None
    return Finding(
        "old_prices",
        "warning",
        # No count of days: a comment would else change daily.
        f"the oldest price used is of {as_of}, over {MAX_PRICE_AGE_DAYS} days ago: "
        "tuner prices refresh asks AWS for today's",
    )
