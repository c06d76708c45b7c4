"""Lambda's own month as a function of the rate: on demand, or provisioned if that's cheaper.

Source: the pricing page of AWS Lambda.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.breakeven.answer import BillItem, merged
from tuner.model.lambda_limits import SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.breakeven.terms import Terms
    from tuner.breakeven.work import Work
    from tuner.model.arrays import Floats
    from tuner.pricing import LambdaPrices

FREE_REQUESTS: Final = 1_000_000
FREE_GB_SECONDS: Final = 400_000
SAVINGS_PLAN_RATIO: Final = 0.12
"""One year, no upfront; on duration and provisioned concurrency, not on requests."""
READY_DEVIATIONS: Final = 0.2533
"""An environment busy 60% of the time pays off (by its prices relative to on demand's, which have
the same ratio in every region). Requests come at random, so the number busy at one moment is
Poisson distributed: all but this many deviations of its mean are busy that long."""


@dataclass(frozen=True, slots=True)
class LambdaBill:
    """A month's cost, for each draw of an invocation's cost.

    `log_gb_usd` is the price of log ingestion, 0 if logs are left out, `gateway_usd` that of a
    request through an API gateway; `snap_start` says whether the function is billed for SnapStart
    (managed Java isn't).
    """

    prices: LambdaPrices
    memory_mb: int
    terms: Terms
    ephemeral_storage_mb: int = 512
    snap_start: bool = False
    log_gb_usd: float = 0.0
    gateway_usd: float = 0.0

    @property
    def is_linear(self) -> bool:
        """Whether each request per second costs the same, however many there are."""
        terms = self.terms
        return terms.account_gb_seconds is None and not (
            self.snap_start or self._provisioned_may_win
        )

    @property
    def _provisioned_may_win(self) -> bool:
        """Only a load that keeps over 60% of the provisioned capacity busy pays for it."""
        if not self.terms.provisioned:
            return False
        traffic, (idle_usd, busy_usd) = self.terms.traffic, self._provisioned_prices_usd
        ready = float(np.mean(traffic.shape)) * traffic.peak_ratio
        return idle_usd * ready + busy_usd < self._first_tier_usd

    @property
    def _first_tier_usd(self) -> float:
        return float(self.prices.duration_tiers[0].price_usd_per_gb_second)

    @property
    def _provisioned_prices_usd(self) -> tuple[float, float]:
        """Per GB-second provisioned, and per GB-second busy."""
        prices = self.prices
        return (
            float(prices.provisioned_idle_price_usd_per_gb_second),
            float(prices.provisioned_duration_price_usd_per_gb_second),
        )

    def usd_per_rate(self, work: Work) -> Floats:
        """What each request per second adds to a month on demand, in the first tier."""
        request = float(self.prices.request_price_usd) + self._extras_usd()
        gb_s, storage_gb_s = self._gb_seconds(work)
        storage = float(self.prices.ephemeral_storage_price_usd_per_gb_second)
        each = request + gb_s * self._first_tier_usd * self._plan + storage_gb_s * storage
        return np.asarray(each * SECONDS_PER_MONTH)

    def month_usd(self, work: Work, rates_per_s: Floats) -> Floats:
        """A month's cost, the cheaper of on demand and provisioned: (draws, rates)."""
        on_demand = self._on_demand_usd(work, rates_per_s)
        if not self._provisioned_may_win:
            return on_demand
        return np.minimum(on_demand, self._provisioned_usd(work, rates_per_s))

    def provisioned_count(self, work: Work, rate_per_s: float) -> float:
        """Environments provisioned on average if that is cheaper; else 0."""
        rates = np.array([rate_per_s])
        if not self._provisioned_may_win:
            return 0.0
        cheaper = self._provisioned_usd(work, rates) < self._on_demand_usd(work, rates)
        return float(self._environments(work, rates)[0, 0]) if cheaper[0, 0] else 0.0

    def items(self, work: Work, rate_per_s: float) -> tuple[BillItem, ...]:
        """The bill of the central draw, with each tier at its own price."""
        requests = rate_per_s * SECONDS_PER_MONTH
        storage_gb_s = float(self._gb_seconds(work)[1][0]) * requests
        prices, terms = self.prices, self.terms
        paid = max(requests - self._free_requests, 0.0)
        items = [BillItem("requests", paid, "request", float(prices.request_price_usd))]
        items += self.duration_items(work, rate_per_s)
        storage = float(prices.ephemeral_storage_price_usd_per_gb_second)
        items.append(BillItem("ephemeral storage above 512 MB", storage_gb_s, "GB-second", storage))
        items += self._snap_start_items(work, requests)
        items.append(BillItem("API gateway", requests, "request", self.gateway_usd))
        logs_gb = requests * terms.log_kb_per_request / 1e6
        items.append(BillItem("log ingestion", logs_gb, "GB", self.log_gb_usd))
        return merged(item for item in items if item.price_usd)

    def duration_items(self, work: Work, rate_per_s: float) -> list[BillItem]:
        """What is billed for memory and time: the part that less work would save."""
        gb_s = float(self._gb_seconds(work)[0][0]) * rate_per_s * SECONDS_PER_MONTH
        plan = " with the Savings Plan" if self.terms.savings_plan else ""
        if count := self.provisioned_count(work, rate_per_s):
            idle = count * SECONDS_PER_MONTH * self.memory_mb / 1024
            idle_usd, busy_usd = self._provisioned_prices_usd
            over = float(self._overflow_ratio(work, np.array([rate_per_s]))[0, 0])
            parts = [
                ("provisioned concurrency", idle, idle_usd),
                ("provisioned duration", gb_s * (1 - over), busy_usd),
                ("duration beyond it", gb_s * over, self._first_tier_usd),
            ]
        else:
            parts = [("duration", part, price) for part, price in self._tiers_of(gb_s)]
        return [
            BillItem(f"{what}{plan}", part, "GB-second", price * self._plan)
            for what, part, price in parts
        ]

    def _on_demand_usd(self, work: Work, rates_per_s: Floats) -> Floats:
        requests = rates_per_s[None, :] * SECONDS_PER_MONTH
        gb_s = self._gb_seconds(work)[0][:, None] * requests
        if self.terms.account_gb_seconds is None:
            duration = gb_s * self._first_tier_usd
        else:
            before = self.terms.account_gb_seconds
            charged = np.maximum(gb_s - self._free_gb_s, 0.0)
            duration = self._tiered(before + charged) - self._tiered(np.array(before))
        return np.asarray(duration * self._plan + self._common_usd(work, requests))

    def _provisioned_usd(self, work: Work, rates_per_s: Floats) -> Floats:
        """What is busy most of the time is provisioned, for each hour's peak; the rest runs on
        demand, in the first tier.
        """
        requests = rates_per_s[None, :] * SECONDS_PER_MONTH
        gb_s = self._gb_seconds(work)[0][:, None] * requests
        idle_usd, busy_usd = self._provisioned_prices_usd
        ready_gb_s = self._environments(work, rates_per_s) * (
            SECONDS_PER_MONTH * self.memory_mb / 1024
        )
        over = self._overflow_ratio(work, rates_per_s)
        busy = gb_s * ((1 - over) * busy_usd + over * self._first_tier_usd)
        duration = ready_gb_s * idle_usd + busy
        return np.asarray(duration * self._plan + self._common_usd(work, requests))

    def _environments(self, work: Work, rates_per_s: Floats) -> Floats:
        """Whole environments, the mean over the hours: (draws, rates)."""
        counts = np.zeros((len(work.lambda_ms), len(rates_per_s)))
        for busy, share in self._busy(work, rates_per_s):
            counts += share * _ready_count(busy)
        return counts

    def _overflow_ratio(self, work: Work, rates_per_s: Floats) -> Floats:
        """Share of the work that exceeds what is provisioned: (draws, rates)."""
        mean = work.lambda_ms[:, None] / 1000 * rates_per_s[None, :]
        beyond = np.zeros_like(mean)
        for busy, share in self._busy(work, rates_per_s):
            beyond += share * (busy - _busy_among(busy, _ready_count(busy)))
        return np.asarray(np.minimum(beyond / mean, 1.0))

    def _busy(self, work: Work, rates_per_s: Floats) -> Iterator[tuple[Floats, float]]:
        """Concurrent invocations at the peak of each level of the hours, and the level's share."""
        traffic = self.terms.traffic
        mean = work.lambda_ms[:, None] / 1000 * rates_per_s[None, :] * traffic.peak_ratio
        for level, share in zip(*traffic.levels(), strict=True):
            yield mean * level, float(share)

    def _common_usd(self, work: Work, requests: Floats) -> Floats:
        """What is the same on demand and provisioned."""
        paid = np.maximum(requests - self._free_requests, 0.0)
        storage_gb_s = self._gb_seconds(work)[1][:, None] * requests
        storage = float(self.prices.ephemeral_storage_price_usd_per_gb_second)
        cost = paid * float(self.prices.request_price_usd) + requests * self._extras_usd()
        cost = cost + storage_gb_s * storage
        if items := self._snap_start_items(work, 1.0):
            cache, restores = items
            cost += cache.cost_usd + requests * restores.cost_usd
        return np.asarray(cost)

    def _snap_start_items(self, work: Work, requests: float) -> list[BillItem]:
        """One version's snapshot in the cache all month, and a restore for each cold start."""
        if not self.snap_start or self.prices.snap_start is None:
            return []
        gigabytes, prices = self.memory_mb / 1024, self.prices.snap_start
        restored = requests * work.cold_start_share * gigabytes
        return [
            BillItem(
                "SnapStart cache",
                gigabytes * SECONDS_PER_MONTH,
                "GB-second",
                float(prices.cache_price_usd_per_gb_second),
            ),
            BillItem("SnapStart restores", restored, "GB", float(prices.restore_price_usd_per_gb)),
        ]

    def _gb_seconds(self, work: Work) -> tuple[Floats, Floats]:
        """Billed for one invocation: memory, and /tmp above 512 MB."""
        rate = self.prices.price_usd_per_ms(self.memory_mb, self.ephemeral_storage_mb)
        seconds = (work.lambda_cost_usd - float(self.prices.request_price_usd)) / rate / 1000
        extra_mb = max(self.ephemeral_storage_mb - 512, 0)
        return seconds * self.memory_mb / 1024, seconds * extra_mb / 1024

    @property
    def _plan(self) -> float:
        return 1 - SAVINGS_PLAN_RATIO if self.terms.savings_plan else 1.0

    @property
    def _free_gb_s(self) -> float:
        """What is left of the account's free tier; nothing unless its usage is given."""
        used = self.terms.account_gb_seconds
        return 0.0 if used is None else max(FREE_GB_SECONDS - used, 0.0)

    @property
    def _free_requests(self) -> float:
        """Other functions' requests are unknown: only an account without any has all of them."""
        return FREE_REQUESTS if self.terms.account_gb_seconds == 0 else 0.0

    def _extras_usd(self) -> float:
        """Per request: an API gateway and its logs."""
        return self.gateway_usd + self.terms.log_kb_per_request / 1e6 * self.log_gb_usd

    def _tiered(self, gb_seconds: Floats) -> Floats:
        ends = [0, *(float(t.upper_bound_gb_seconds or 1e18) for t in self.prices.duration_tiers)]
        costs = [float(self.prices.duration_cost_usd(Decimal(end))) for end in ends]
        return np.asarray(np.interp(gb_seconds, ends, costs))

    def _tiers_of(self, gb_s: float) -> list[tuple[float, float]]:
        """GB-seconds with their price, by tier."""
        tiers = self.prices.duration_tiers
        if self.terms.account_gb_seconds is None:
            return [(gb_s, self._first_tier_usd)]
        start = self.terms.account_gb_seconds
        end = start + max(gb_s - self._free_gb_s, 0.0)
        parts, lower = [], 0.0
        for tier in tiers:
            upper = float(tier.upper_bound_gb_seconds or 1e18)
            part = min(end, upper) - max(start, lower)
            if part > 0:
                parts.append((part, float(tier.price_usd_per_gb_second)))
            lower = upper
        return parts


def _ready_count(busy: Floats) -> Floats:
    """Environments worth provisioning if `busy` run at once on average."""
    return np.asarray(np.floor(np.maximum(busy - READY_DEVIATIONS * np.sqrt(busy), 0)))


def _busy_among(busy: Floats, ready: Floats) -> Floats:
    """Mean number of busy environments among the provisioned: E[min(X, ready)], X Poisson."""
    from scipy.special import pdtr  # noqa: PLC0415 - only for loads that are steady

    below = np.where(ready >= 2, pdtr(np.maximum(ready - 2, 0), busy), 0.0)
    full = 1 - np.where(ready >= 1, pdtr(np.maximum(ready - 1, 0), busy), 1.0)
    return np.asarray(busy * below + ready * full)
