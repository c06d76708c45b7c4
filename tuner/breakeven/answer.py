"""The answer: what each platform costs, above which rate it's cheaper, and the verdict."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.interval import figure
from tuner.model.presented import Presented

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tuner.model.finding import Finding
    from tuner.model.interval import Interval


FleetKind = Literal["containers", "ec2", "managed-instances"]
Kind = Literal["lambda"] | FleetKind
Verdict = Literal["stay", "too-close"] | FleetKind
VERDICT_WORDS: Final[Mapping[Verdict, str]] = {
    "stay": "stay on Lambda",
    "too-close": "too close to call",
    "containers": "a candidate for containers",
    "ec2": "a candidate for EC2",
    "managed-instances": "a candidate for Managed Instances",
}


@dataclass(frozen=True, slots=True)
class RateInterval:
    """A break-even rate with its 90% interval.

    `high_per_s` is None if over 5% of the draws have none.
    """

    estimate_per_s: float
    low_per_s: float
    high_per_s: float | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A platform's monthly cost at a rate, for the chart."""

    rate_per_s: float
    cost_usd_per_month: float


@dataclass(frozen=True, slots=True)
class PlatformCost:
    """One platform at the given rate (or, if that is unknown, at its break-even).

    `break_even` is None for Lambda, and if the platform never becomes cheaper for good.
    """

    name: str
    kind: Kind
    units: str
    cost_usd_per_month: Interval | None
    """None if no rate is known. Autoscaled, unless the terms say otherwise."""
    break_even: RateInterval | None
    same_architecture: bool = True
    curve: tuple[CurvePoint, ...] = field(default=(), repr=False)
    fixed_cost_usd_per_month: Interval | None = None
    """For a fleet sized for its peak all month; None for Lambda and without a rate."""
    bill: tuple[BillItem, ...] = field(default=(), repr=False)
    """The items of the estimate; empty if no rate is known."""


@dataclass(frozen=True, slots=True)
class WorkSummary:
    """What one invocation needs, with intervals."""

    wait_ms: Interval
    cpu_ms: Interval
    core_count: Interval
    memory_used_mb: int


@dataclass(frozen=True, slots=True)
class DecidingAssumption:
    """The assumption whose change within `low` to `high` flips the verdict soonest, at `flips_at`.

    `name` is a name in the terms, or `vcpu_speed`: a platform's over Lambda's. `autoscaling` is 1
    or 0. `leaves` says whether leaving Lambda pays beyond `flips_at`.
    """

    name: str
    assumed: float
    low: float
    high: float
    flips_at: float
    leaves: bool


@dataclass(frozen=True, slots=True)
class BreakEven(Presented):
    """The whole answer; `platforms` begins with Lambda. `verdict` is None without a rate.

    >>> found = tuner.break_even(sweep, "50/s")
    >>> found.verdict, found.platforms[0].name
    ('stay', 'Lambda')
    """

    function_name: str
    region: str
    architecture: str
    lambda_memory_mb: int
    verdict: Verdict | None
    reason: str
    rate_per_s: float | None
    platforms: tuple[PlatformCost, ...]
    work: WorkSummary
    break_even_rate_per_s: float | None
    """The lowest among the platforms of the function's own architecture."""
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices_as_of: str
    saving_usd_per_month: Interval | None = None
    """The verdict's platform over Lambda."""
    payback_months: float | None = None
    decided_by: DecidingAssumption | None = None
    """None without a rate, and if no single assumption flips the verdict."""

    def __repr__(self) -> str:
        """The verdict in a line."""
        rate = "no rate given" if self.rate_per_s is None else f"{figure(self.rate_per_s)}/s"
        lowest = self.break_even_rate_per_s
        above = "at no rate" if lowest is None else f"above {figure(lowest)}/s"
        return (
            f"<BreakEven for {self.function_name} at {self.lambda_memory_mb} MB: "
            f"{self.verdict or 'no verdict'} ({rate}), cheaper elsewhere {above}>"
        )


@dataclass(frozen=True, slots=True)
class BillItem:
    """`quantity` of a `unit` ("vCPU-hour") at `price_usd` each, per month."""

    what: str
    quantity: float
    unit: str
    price_usd: float

    @property
    def cost_usd(self) -> float:
        """Quantity times price."""
        return self.quantity * self.price_usd

    def times(self, factor: float) -> BillItem:
        """The same with a multiple of the quantity."""
        return replace(self, quantity=self.quantity * factor)


def total_usd(items: Iterable[BillItem]) -> float:
    """The items' total cost."""
    return sum(item.cost_usd for item in items)


def merged(items: Iterable[BillItem]) -> tuple[BillItem, ...]:
    """One item per thing and price, in the order of first mention, without zeros."""
    quantities: defaultdict[tuple[str, str, float], float] = defaultdict(float)
    for item in items:
        quantities[item.what, item.unit, item.price_usd] += item.quantity
    return tuple(
        BillItem(what, quantity, unit, price_usd)
        for (what, unit, price_usd), quantity in quantities.items()
        if quantity
    )
