"""Where the money goes: costs by day and key, what was deployed, and what moved the costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.presented import Presented

if TYPE_CHECKING:
    import datetime

    from tuner.model.finding import Finding
    from tuner.model.interval import Interval

DeploymentSource = Literal["memory", "version", "cloudtrail", "csv", "git"]
BillReason = Literal[
    "other_functions", "requests", "gb_seconds", "price", "other_items", "unexplained"
]
UNTAGGED: Final = "(untagged)"
"""The key of functions that don't have the tag."""
SMALLEST_RATIO: Final = 0.02
"""A smaller change isn't reported: nobody acts on it, and no model is that good."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Something that was deployed; `function` is None where it may concern every function."""

    at: datetime.datetime
    function: str | None
    version: str
    """What it is called: `42`, `1024 → 2048 MB`, `v1.7.0`, `UpdateFunctionCode`."""
    source: DeploymentSource
    until: datetime.datetime | None = None
    """When it had taken over, where that took a while."""


@dataclass(frozen=True, slots=True)
class CostDay:
    """What a key (a function, a feature) cost on a day, UTC."""

    day: datetime.date
    key: str
    invocation_count: int
    cost_usd: float

    @property
    def cost_usd_per_million(self) -> float | None:
        """None on a day without an invocation."""
        return self.cost_usd / self.invocation_count * 1e6 if self.invocation_count else None


@dataclass(frozen=True, slots=True)
class CostChange:
    """A change of what an invocation of a function costs, whatever its traffic did."""

    at: datetime.datetime
    earliest: datetime.datetime
    latest: datetime.datetime
    """It happened between the two, 90%."""
    found_at: datetime.datetime
    """From when on the evidence sufficed."""
    function: str
    key: str
    cause: Deployment | None
    cost_usd_per_invocation_ratio: Interval
    """After over before, less 1."""
    usd_per_month: Interval
    """At the traffic after the change."""
    invocations_per_day_before: float
    invocations_per_day_after: float


@dataclass(frozen=True, slots=True)
class Movement:
    """How the cost a day of a key moved over the window, and by what: positive is more.

    The first and the last week (or half, in a shorter window) are compared: `traffic_usd_per_day`
    is what more invocations cost at the earlier cost of one, `price_usd_per_day` what the cost of
    one adds at the later traffic.
    """

    key: str
    before_usd_per_day: float
    after_usd_per_day: float
    traffic_usd_per_day: float
    price_usd_per_day: float


@dataclass(frozen=True, slots=True)
class Earning:
    """What a feature cost and earned on the days that both are known for."""

    key: str
    cost_usd: float
    revenue_usd: float | None
    """None: the file has no revenue of it."""
    cost_growth_ratio: Interval | None = None
    """Growth of its cost over its revenue's growth, a month (30 days), less 1."""

    @property
    def cost_usd_per_revenue_usd(self) -> float | None:
        """Cost of a dollar earned; None where nothing was."""
        return self.cost_usd / self.revenue_usd if self.revenue_usd else None

    @property
    def outgrows(self) -> bool:
        """Whether its cost surely grows faster than its revenue."""
        return self.cost_growth_ratio is not None and self.cost_growth_ratio.low > 0


@dataclass(frozen=True, slots=True)
class BillDifference:
    """One reason why the bill isn't what the logs add up to; positive: the bill has more."""

    reason: BillReason
    usd: float
    detail: str


@dataclass(frozen=True, slots=True)
class BillCheck:
    """The bill beside the logs, for the days that both cover."""

    first_day: datetime.date
    last_day: datetime.date
    billed_usd: float
    observed_usd: float
    differences: tuple[BillDifference, ...]
    """They add up to what the bill has more."""
    effective_price_ratio: float | None
    """What a GB-second is billed at over its list price."""


@dataclass(frozen=True, slots=True)
class Spend(Presented):
    """The whole answer of `tuner spend`. Days ascend; keys come most expensive first.

    >>> found = tuner.spend("examples/spend/logs")
    >>> found.keys, f"${found.cost_usd:.4f}"
    (('search', 'checkout', 'thumbnails'), '$0.0028')
    """

    by: str
    """`function` or `tag:KEY`."""
    first_at: datetime.datetime
    last_at: datetime.datetime
    keys: tuple[str, ...]
    days: tuple[CostDay, ...] = field(repr=False)
    deploys: tuple[Deployment, ...] = field(repr=False)
    changes: tuple[CostChange, ...]
    movements: tuple[Movement, ...] = field(repr=False)
    revenue: tuple[Earning, ...]
    bill: BillCheck | None
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices_as_of: str
    region: str

    @property
    def largest_changes(self) -> tuple[CostChange, ...]:
        """The changes, the largest monthly amount first."""
        return tuple(sorted(self.changes, key=lambda each: -abs(each.usd_per_month.estimate)))

    @property
    def cost_usd(self) -> float:
        """Cost over the whole window."""
        return sum(each.cost_usd for each in self.days)

    @property
    def invocation_count(self) -> int:
        """Invocations over the whole window."""
        return sum(each.invocation_count for each in self.days)
