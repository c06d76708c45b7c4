"""What Lambda charges for one architecture in one region."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Final

FREE_EPHEMERAL_STORAGE_MB: Final = 512

# 1/1024 and 1/1000 end after a few decimals: with this many digits no product is ever rounded.
_EXACT: Final = Context(prec=60)


@dataclass(frozen=True, slots=True)
class PriceTier:
    """A GB-second price and the month's usage up to which it holds (None: without an end)."""

    upper_bound_gb_seconds: Decimal | None
    price_usd_per_gb_second: Decimal


@dataclass(frozen=True, slots=True)
class SnapStartPrices:
    """What SnapStart adds: keeping the snapshot, and restoring from it (managed Java is free)."""

    cache_price_usd_per_gb_second: Decimal
    restore_price_usd_per_gb: Decimal


@dataclass(frozen=True, slots=True)
class LambdaPrices:
    """List prices of one architecture in one region, free tier and discounts left out.

    `as_of` is the last day on which the region's prices were confirmed; tiers ascend.
    """

    region: str
    architecture: str
    as_of: str
    request_price_usd: Decimal
    duration_tiers: tuple[PriceTier, ...]
    ephemeral_storage_price_usd_per_gb_second: Decimal
    provisioned_idle_price_usd_per_gb_second: Decimal
    provisioned_duration_price_usd_per_gb_second: Decimal
    snap_start: SnapStartPrices | None
    """None where no SnapStart price is published for the region."""

    def invocation_cost_usd(
        self, memory_mb: int, billed_duration_ms: int, ephemeral_storage_mb: int = 512
    ) -> float:
        """Return what one on-demand invocation costs in the first tier: exact, then one rounding.

        request + GB × seconds × GB-second price + GB of /tmp above 512 MB × seconds × its price,
        with 1 GB = 1,024 MB (AWS Lambda pricing page).
        """
        return float(self.exact_cost_usd(memory_mb, billed_duration_ms, ephemeral_storage_mb))

    def exact_cost_usd(
        self, memory_mb: int, billed_duration_ms: int, ephemeral_storage_mb: int = 512
    ) -> Decimal:
        """Return the cost of `invocation_cost_usd` without any rounding."""
        with localcontext(_EXACT):
            rate = self._price_usd_per_ms(memory_mb, ephemeral_storage_mb)
            return self.request_price_usd + rate * billed_duration_ms

    def price_usd_per_ms(self, memory_mb: int, ephemeral_storage_mb: int = 512) -> float:
        """Return the price of one billed millisecond: cost = request price + this × billed ms."""
        with localcontext(_EXACT):
            return float(self._price_usd_per_ms(memory_mb, ephemeral_storage_mb))

    def duration_cost_usd(self, gb_seconds_per_month: float) -> float:
        """Return what a month's GB-seconds cost over all tiers (duration only, no requests)."""
        with localcontext(_EXACT):
            used, cost, lower = Decimal(gb_seconds_per_month), Decimal(), Decimal()
            for tier in self.duration_tiers:
                upper = used if tier.upper_bound_gb_seconds is None else tier.upper_bound_gb_seconds
                cost += (min(used, upper) - lower) * tier.price_usd_per_gb_second
                if used <= upper:
                    break
                lower = upper
            return float(cost)

    def _price_usd_per_ms(self, memory_mb: int, ephemeral_storage_mb: int) -> Decimal:
        extra_mb = max(ephemeral_storage_mb - FREE_EPHEMERAL_STORAGE_MB, 0)
        compute = memory_mb * self.duration_tiers[0].price_usd_per_gb_second
        storage = extra_mb * self.ephemeral_storage_price_usd_per_gb_second
        return (compute + storage) / 1024 / 1000
