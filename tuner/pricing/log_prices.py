"""What CloudWatch charges for a function's logs, by class and by the month's tiers, and X-Ray."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

LogDestination = Literal["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]
"""A log class of CloudWatch; DELIVERY goes on to S3 or Firehose."""
DESTINATIONS: Final[tuple[LogDestination, ...]] = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
BYTES_PER_GB: Final = 2**30
"""As AWS meters bytes; its feed has the first 10 TB as 10,240 GB."""


@dataclass(frozen=True, slots=True)
class LogTier:
    """A price a GB, and the month's GB that it goes up to (None: no limit)."""

    upper_bound_gb: Decimal | None
    price_usd_per_gb: Decimal


@dataclass(frozen=True, slots=True)
class LogPrices:
    """List prices of one region. Tiers count over all vended logs of an account in a month."""

    region: str
    as_of: str
    tiers: tuple[tuple[LogDestination, tuple[LogTier, ...]], ...]
    storage_gb_month_usd: Decimal
    metric_month_usd: Decimal | None = None
    """A custom metric, in the first tier."""
    trace_usd: Decimal | None = None
    """A trace that X-Ray records."""

    def ingestion_usd(
        self, size_gb: Decimal, destination: LogDestination, already_gb: Decimal = Decimal()
    ) -> Decimal:
        """What a month's logs cost to ingest, exactly.

        `already_gb` is what the account's other logs fill of the tiers. Raises ValueError for a
        negative size.
        """
        return sum(
            (gb * price for gb, price in self.parts(size_gb, destination, already_gb)), Decimal()
        )

    def first_tier_usd(self, destination: LogDestination) -> Decimal:
        """The price of a GB in the first tier."""
        return dict(self.tiers)[destination][0].price_usd_per_gb

    def parts(
        self, size_gb: Decimal, destination: LogDestination, already_gb: Decimal = Decimal()
    ) -> Iterator[tuple[Decimal, Decimal]]:
        """The GB in each tier that has any, with its price. Raises ValueError."""
        if size_gb < 0 or already_gb < 0:
            raise ValueError("a size isn't negative")
        lower, end = Decimal(), already_gb + size_gb
        for tier in dict(self.tiers)[destination]:
            upper = end if tier.upper_bound_gb is None else min(end, tier.upper_bound_gb)
            if (gb := upper - max(already_gb, lower)) > 0:
                yield gb, tier.price_usd_per_gb
            if upper == end:
                return
            lower = upper
