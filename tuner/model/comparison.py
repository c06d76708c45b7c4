"""Two sweeps side by side: how large the difference is, and whether it's real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tuner.model.presented import Presented

if TYPE_CHECKING:
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.model.interval import Interval
    from tuner.model.recommendation import PriceStamp, SizeEstimate

ComparisonKind = Literal["architectures", "code", "rollout", "repeat", "same"]
"""What differs: the architecture; the code; the memory alone (before and after); nothing; not even
the sweep, which is compared with itself."""

ChangeVerdict = Literal["higher", "lower", "same", "unclear"]
PairKind = Literal["now", "forecast", "recommended"]


@dataclass(frozen=True, slots=True)
class Change:
    """B over A, less 1: positive means that B has more of it.

    "higher" or "lower": zero is outside the 90% interval. "same": the whole interval is within the
    tolerance. Otherwise "unclear".
    """

    ratio: Interval
    probability_higher: float
    verdict: ChangeVerdict


@dataclass(frozen=True, slots=True)
class Quantity:
    """One quantity on both sides, and its change."""

    a: Interval
    b: Interval
    change: Change


@dataclass(frozen=True, slots=True)
class Pair:
    """A at one size against B at one (`now`: as each is configured; `forecast`: what A's curve says
    about B's size against what B measured; `recommended`: each at the size recommended for it).

    `measured` says whether both have warm samples there (for a forecast: whether B has).
    """

    what: PairKind
    a_memory_mb: int
    b_memory_mb: int
    measured: bool
    duration_ms: Quantity
    cost_usd_per_million: Quantity
    cost_usd_per_million_records: Quantity | None = None
    """If events on either side have several records."""

    @property
    def cost(self) -> Quantity:
        """Per record, if events have several."""
        return self.cost_usd_per_million_records or self.cost_usd_per_million


@dataclass(frozen=True, slots=True)
class ValueChange:
    """The change at one value of a varied parameter, with that value on both sides."""

    value: str
    duration: Change
    cost: Change


@dataclass(frozen=True, slots=True)
class Pooled:
    """The change over the sizes that both measured: the geometric mean of the sizes' ratios."""

    sizes_mb: tuple[int, ...]
    duration: Change
    cost: Change


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two sweeps; `curve` has the sizes that both sides estimate."""

    source: str
    sweep_id: str
    started_at: str
    environment: Literal["aws", "local"]
    function: FunctionConfig
    recommended_mb: int | None
    curve: tuple[SizeEstimate, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Presented):
    """The whole comparison; `by_size` has the change of duration and of cost at every curve size.

    >>> found = tuner.compare(sweep, sweep)
    >>> found.kind, found.pair("now").b_memory_mb
    ('same', 3008)

    `pooled` is None if no size was measured in both. If a parameter was varied, everything is at
    the value in `parameters`, and `by_value` has each value that both sweeps measured.
    """

    kind: ComparisonKind
    tolerance_ratio: float
    a: Side
    b: Side
    pairs: tuple[Pair, ...]
    pooled: Pooled | None
    by_size: tuple[tuple[Change, Change], ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices: PriceStamp
    parameters: tuple[tuple[str, str], ...] = ()
    by_value: tuple[ValueChange, ...] = ()

    def __repr__(self) -> str:
        """What is compared, in a line, and the change if both are as configured."""
        now = None if self.kind == "same" else self.pair("now")
        change = "" if now is None else f", time {now.duration_ms.change.ratio.estimate:+.0%}"
        a, b = self.a.function, self.b.function
        return (
            f"<Comparison ({self.kind}) of {a.name} {a.memory_mb} MB and {b.name} {b.memory_mb} "
            f"MB{change}>"
        )

    @property
    def sides(self) -> tuple[tuple[str, Side], tuple[str, Side]]:
        """Both sides with their labels."""
        return ("A", self.a), ("B", self.b)

    def pair(self, what: PairKind) -> Pair | None:
        """The pair of that kind, if the comparison has one."""
        return next((pair for pair in self.pairs if pair.what == what), None)
