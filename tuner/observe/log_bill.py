"""What a month of a function's logs costs, at a class and the month's tiers; all in decimals.

Ingestion is by the uncompressed bytes, each tier at its own price. Storage is by the compressed
ones for as long as they are kept: a volume that comes in evenly and is kept for r days is r days'
worth of it at any time (CloudWatch's pricing page).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.pricing.log_prices import BYTES_PER_GB

if TYPE_CHECKING:
    from tuner.pricing import LogPrices
    from tuner.pricing.log_prices import LogDestination

COMPRESSION_RATIO: Final = Decimal("0.15")
"""Stored bytes over ingested ones, as AWS's Pricing Calculator assumes."""
DAYS_PER_MONTH: Final = Decimal(SECONDS_PER_MONTH) / 86_400


@dataclass(frozen=True, slots=True)
class LogVolume:
    """GB of logs: of a million invocations, and of a month (None under one day of logs)."""

    per_million_gb: Decimal
    per_month_gb: Decimal | None

    def share(self, ratio: Decimal) -> LogVolume:
        """A part of it."""
        month = None if self.per_month_gb is None else self.per_month_gb * ratio
        return LogVolume(self.per_million_gb * ratio, month)


@dataclass(frozen=True, slots=True)
class LogCost:
    """Ingestion and storage: of a million invocations in the first tier, and of a month."""

    ingestion_usd_per_million: Decimal
    storage_usd_per_million: Decimal
    ingestion_usd_per_month: Decimal | None
    storage_usd_per_month: Decimal | None

    @property
    def usd_per_million(self) -> Decimal:
        """Both."""
        return self.ingestion_usd_per_million + self.storage_usd_per_million

    @property
    def usd_per_month(self) -> Decimal | None:
        """Both; None under one day of logs."""
        if self.ingestion_usd_per_month is None or self.storage_usd_per_month is None:
            return None
        return self.ingestion_usd_per_month + self.storage_usd_per_month


@dataclass(frozen=True, slots=True)
class LogBill:
    """Prices, for how many days logs are kept, and what the account's other logs fill of the tiers.

    Logs that are kept for ever (None, or nobody knows) are priced as one month's, which adds up
    month by month.
    """

    prices: LogPrices
    retention_days: int | None = None
    already_gb: Decimal = Decimal()

    def of(self, volume: LogVolume, destination: LogDestination) -> LogCost:
        """What a volume costs at a destination; what is delivered isn't stored in CloudWatch."""
        month = volume.per_month_gb
        return LogCost(
            volume.per_million_gb * self.prices.first_tier_usd(destination),
            self.storage_usd(volume.per_million_gb, destination),
            None if month is None else self.ingestion_usd(month, destination),
            None if month is None else self.storage_usd(month, destination),
        )

    def ingestion_usd(self, month_gb: Decimal, destination: LogDestination) -> Decimal:
        """A month's, over the tiers."""
        return self.prices.ingestion_usd(month_gb, destination, self.already_gb)

    def storage_usd(self, month_gb: Decimal, destination: LogDestination) -> Decimal:
        """A month's volume, for as long as it's kept."""
        if destination == "DELIVERY":
            return Decimal()
        days = self.retention_days
        months = Decimal(1) if days is None else Decimal(days) / DAYS_PER_MONTH
        return month_gb * COMPRESSION_RATIO * months * self.prices.storage_gb_month_usd


def gigabytes(size_bytes: float | Decimal) -> Decimal:
    """Bytes as GB of 2^30, as they are billed."""
    return Decimal(size_bytes) / BYTES_PER_GB
