"""What SnapStart and provisioned concurrency cost a month, against what they remove. Pure.

Prices are the price book's, of the first tier. INIT is billed like duration, and so is the billed
part of a restore. What requests take when some are cold is a mixture of lognormal durations.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.cold.init_curve import SAMPLE_SPREAD
from tuner.cold.result import ColdOption, Percentiles
from tuner.cold.share import KEEP_ALIVE_S, cold_share, concurrency_at_arrivals
from tuner.model.lambda_limits import HOURS_PER_MONTH, SECONDS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.cold.arrivals import Arrivals
    from tuner.cold.result import OptionName
    from tuner.cold.share import Stretch
    from tuner.model.function import FunctionConfig
    from tuner.model.interval import Interval
    from tuner.pricing import LambdaPrices

RESTORE_MS: Final = 500.0
"""A restore, where none was measured: the order of the REPORT lines that are public (one has
Restore Duration: 500.79 ms, Billed Restore Duration: 53 ms)."""
_BILLED_RESTORE_MS: Final = 53.0
_RESTORE_SPREAD: Final = 0.3
_COVERED: Final = (0.99, 0.999, 0.9999, 1.0)
"""Of the requests, for whose concurrency environments are provisioned: the fewest that do."""
_LEFT_RATIO: Final = 0.1
"""Of the cold starts, what provisioned concurrency may leave."""
# https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html: Java 11, Python 3.12, .NET 8 and
# later; ZIP packages, no more than 512 MB of /tmp.
_RUNTIME: Final = re.compile(r"(java|python|dotnet)(\d+)(?:\.(\d+))?(?:\..*)?")
_LEAST: Final = {"java": (11, 0), "python": (3, 12), "dotnet": (8, 0)}
_NORMAL: Final = NormalDist()
_LEAST_SPREAD: Final = 0.02


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A duration's distribution, by mean and deviation of its log (ms)."""

    middle: float
    spread: float

    @property
    def mean_ms(self) -> float:
        """The mean."""
        return math.exp(self.middle + self.spread**2 / 2)

    @property
    def cv(self) -> float:
        """Coefficient of variation."""
        return math.sqrt(math.expm1(self.spread**2))

    def below(self, ms: float) -> float:
        """The share up to a duration."""
        return _NORMAL.cdf((math.log(ms) - self.middle) / self.spread)


@dataclass(frozen=True, slots=True)
class Facts:
    """What prices and latencies come from, at the function's size.

    `cold_ms` is what a cold request takes besides its INIT; `init` is None where SnapStart hides
    it, `restore` where none was measured.
    """

    function: FunctionConfig
    prices: LambdaPrices
    warm: Lognormal
    cold: Lognormal
    init: Lognormal | None
    restore: Lognormal | None = None
    billed_restore_ms: float | None = None
    """The mean of what is billed of a restore; None where no report says it."""
    ready_count: int = 0
    """Environments that are provisioned already, all month."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests to be priced, with the share of cold starts as the function is now."""

    arrivals: Arrivals
    stretches: tuple[Stretch, ...]
    share: Interval

    def concurrency(self, covered: float = 0.99) -> int:
        """At once when a request comes, for this share of the requests."""
        return int(np.quantile(concurrency_at_arrivals(self.stretches), covered, method="higher"))


def snap_start_refusal(
    function: FunctionConfig, prices: LambdaPrices, ready_count: int = 0
) -> str | None:
    """Why a function with so many provisioned environments can't have SnapStart, as far as is
    known; None if it can, perhaps with a newer version of its runtime.
    """
    if ready_count:
        return "SnapStart isn't for a version that has provisioned concurrency"
    match = _RUNTIME.fullmatch(function.runtime or "")
    if match is None:
        runtime = function.runtime or "a container image"
        return f"SnapStart has Java 11, Python 3.12 and .NET 8 and later, not {runtime}"
    if function.package_type == "Image":
        return "SnapStart takes ZIP packages, not container images"
    if function.ephemeral_storage_mb > 512:
        return "SnapStart allows no more than 512 MB of /tmp"
    if prices.snap_start is None and match[1] != "java":
        return f"no SnapStart price is published for {prices.region}"
    return None


def snap_start_upgrade(function: FunctionConfig) -> str | None:
    """The oldest runtime with SnapStart, for a function whose own is older; None otherwise."""
    match = _RUNTIME.fullmatch(function.runtime or "")
    if match is None or (int(match[2]), int(match[3] or 0)) >= _LEAST[match[1]]:
        return None
    major, minor = _LEAST[match[1]]
    return f"{match[1]}{major}{f'.{minor}' if minor else ''}"


def options_of(facts: Facts, traffic: Traffic | None) -> tuple[ColdOption, ...]:
    """None of them, SnapStart where it's possible, and provisioned concurrency."""
    found = []
    if facts.init is not None:  # as it is: with what is provisioned already
        share = None if traffic is None else traffic.share.estimate
        found.append(_with_ready(facts, traffic, facts.init, facts.ready_count, share))
    if snap_start_refusal(facts.function, facts.prices, facts.ready_count) is None:
        found.append(_snap_start(facts, traffic))
    if facts.init is not None:
        found.append(_provisioned(facts, traffic, facts.init))
    return tuple(found)


def _snap_start(facts: Facts, traffic: Traffic | None) -> ColdOption:
    """The cache of one published version all month, and a restore for each cold start."""
    restore = facts.restore or Lognormal(float(np.log(RESTORE_MS)), _RESTORE_SPREAD)
    gigabytes, prices = facts.function.memory_mb / 1024, facts.prices.snap_start
    is_free = prices is None or (facts.function.runtime or "").startswith("java")
    cache_usd = restored_usd = 0.0
    if not is_free and prices is not None:
        price_usd = float(prices.cache_price_usd_per_gb_second)
        cache_usd = gigabytes * SECONDS_PER_MONTH * price_usd
        restored_usd = gigabytes * float(prices.restore_price_usd_per_gb)
    cost_usd, share = None, None
    if traffic is not None:
        share = traffic.share.estimate
        requests = traffic.arrivals.rate_per_s * SECONDS_PER_MONTH
        billed_ms = facts.billed_restore_ms
        billed_ms = _BILLED_RESTORE_MS if billed_ms is None else billed_ms
        cost_usd = requests * _per_request_usd(facts, share, billed_ms) + cache_usd
        cost_usd += requests * share * restored_usd
    latencies = _latencies(facts, share, restore)
    return ColdOption("snapstart", cost_usd, cache_usd, share, *latencies)


def _provisioned(facts: Facts, traffic: Traffic | None, init: Lognormal) -> ColdOption:
    """Environments that leave a tenth of the cold starts at most, for the hours of the day in which
    any request comes; not fewer than are provisioned already.
    """
    least = max(1, facts.ready_count)
    count, share = (least, None) if traffic is None else _ready(traffic, init.mean_ms, least)
    busy_hours = 24 if traffic is None else len(traffic.arrivals.busy_hours())
    hours = HOURS_PER_MONTH * (busy_hours / 24)
    return _with_ready(facts, traffic, init, count, share, name="provisioned", hours=hours)


def _with_ready(
    facts: Facts,
    traffic: Traffic | None,
    init: Lognormal,
    count: int,
    share: float | None,
    *,
    name: OptionName = "none",
    hours: float = HOURS_PER_MONTH,
) -> ColdOption:
    """So many environments, or none, for so many hours a month. What exceeds them runs on demand,
    with the cold starts that are left.
    """
    gigabytes, prices = facts.function.memory_mb / 1024, facts.prices
    idle_usd = float(prices.provisioned_idle_price_usd_per_gb_second)
    standing_usd = count * gigabytes * hours * 3600 * idle_usd
    cost_usd = None
    if traffic is not None and share is not None:
        at_once = concurrency_at_arrivals(traffic.stretches)
        beyond = float(np.mean(at_once > count))
        usd_per_ms = float(prices.provisioned_duration_price_usd_per_gb_second) * gigabytes / 1000
        requests = traffic.arrivals.rate_per_s * SECONDS_PER_MONTH
        inside_usd = float(prices.request_price_usd) + usd_per_ms * facts.warm.mean_ms
        on_demand_usd = _per_request_usd(facts, share / beyond if beyond else 0.0, init.mean_ms)
        cost_usd = standing_usd + requests * ((1 - beyond) * inside_usd + beyond * on_demand_usd)
    ready = (count, hours) if count else (None, None)
    return ColdOption(name, cost_usd, standing_usd, share, *_latencies(facts, share, init), *ready)


def _ready(traffic: Traffic, init_ms: float, least: int) -> tuple[int, float]:
    """How many environments to provision, and the share of cold starts that they leave."""
    for covered in _COVERED:
        count = max(least, traffic.concurrency(covered))
        left = cold_share(traffic.stretches, init_ms, KEEP_ALIVE_S[1], count)
        if left <= _LEFT_RATIO * traffic.share.estimate:
            break
    return count, left


def _per_request_usd(facts: Facts, share: float, init_ms: float) -> float:
    """A request's mean cost; a cold one is billed its INIT, and its longer first run."""
    function, prices = facts.function, facts.prices
    billed_ms = facts.warm.mean_ms
    billed_ms += share * (init_ms + max(0.0, facts.cold.mean_ms - facts.warm.mean_ms))
    billed_ms += 0.5  # rounded up to whole milliseconds
    price_usd = prices.price_usd_per_ms(function.memory_mb, function.ephemeral_storage_mb)
    return float(prices.request_price_usd) + price_usd * billed_ms


def _latencies(
    facts: Facts, share: float | None, init: Lognormal
) -> tuple[Percentiles | None, Percentiles]:
    """Of all requests, and of the cold ones: INIT and run are added, as lognormals."""
    cold = _sum_of(init, facts.cold)
    of_cold = percentiles([(1.0, cold)])
    if share is None:
        return None, of_cold
    return percentiles([(1 - share, facts.warm), (share, cold)]), of_cold


def _sum_of(one: Lognormal, other: Lognormal) -> Lognormal:
    """Fenton and Wilkinson's lognormal, with the mean and variance of the sum."""
    mean = one.mean_ms + other.mean_ms
    variance = (one.mean_ms * one.cv) ** 2 + (other.mean_ms * other.cv) ** 2
    spread = float(np.sqrt(np.log1p(variance / mean**2)))
    return Lognormal(float(np.log(mean)) - spread**2 / 2, spread)


def lognormal_of(samples_ms: Sequence[float]) -> Lognormal | None:
    """The distribution that samples are from; None without any."""
    logs = [math.log(max(ms, 0.01)) for ms in samples_ms]
    if not logs:
        return None
    spread = stdev(logs) if len(logs) > 1 else SAMPLE_SPREAD  # one says nothing of it
    return Lognormal(fmean(logs), max(spread, _LEAST_SPREAD))


def percentiles(parts: Sequence[tuple[float, Lognormal]]) -> Percentiles:
    """Percentiles of a mixture of (share, distribution)."""
    return Percentiles(*(_quantile(parts, at) for at in (0.50, 0.95, 0.99)))


def _quantile(parts: Sequence[tuple[float, Lognormal]], at: float) -> float:
    """By bisection of log ms: 60 halvings of a range that holds every part's tail."""
    present = [(share, each) for share, each in parts if share > 0]
    low = min(each.middle - 8 * each.spread for _, each in present)
    high = max(each.middle + 8 * each.spread for _, each in present)
    for _ in range(60):
        middle = (low + high) / 2
        if sum(share * each.below(math.exp(middle)) for share, each in present) < at:
            low = middle
        else:
            high = middle
    return math.exp(high)
