"""Prices by region, as of a date."""

from __future__ import annotations

import datetime
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
        for entry in self.fargate_entries:
            if (entry.region, entry.architecture) == (region, architecture):
                return entry
        raise PriceError(_missing("Fargate", region, architecture))

    def instances(self, region: str, architecture: str) -> tuple[InstancePrices, ...]:
        """Return the EC2 types that are sold there, by name; PriceError where none are known."""
        found = tuple(
            entry
            for entry in self.instance_entries
            if (entry.region, entry.architecture) == (region, architecture)
        )
        if not found:
            raise PriceError(_missing("EC2", region, architecture))
        return found

    def network_prices(self, region: str) -> NetworkPrices:
        """Return what stands around a fleet; PriceError where nothing is known."""
        for entry in self.network_entries:
            if entry.region == region:
                return entry
        raise PriceError(_missing("load balancer, NAT or IPv4", region))

    def managed_instances_prices(self, region: str) -> ManagedInstancesPrices:
        """Return the fee and request price of Managed Instances; PriceError where unknown."""
        for entry in self.managed_instances_entries:
            if entry.region == region:
                return entry
        raise PriceError(_missing("Lambda Managed Instances", region))


def _unknown(what: str, asked: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(asked.lower(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"no Lambda price is known for {what} {asked!r}{hint} (known: {', '.join(known)})"


def _missing(what: str, *where: str) -> str:
    return f"no {what} price is known for {' '.join(where)}"


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
