"""What a change of memory saved, against what its sweep said: the answer of `tuner verify`.

A saving is positive where the new memory is cheaper. Ratios are of the cost of an invocation at the
old memory, and traffic is no part of them; dollars are at the traffic after the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the ledger is read by these hints
from typing import TYPE_CHECKING, Literal

from tuner.model.interval import Interval  # noqa: TC001 - as above

if TYPE_CHECKING:
    from tuner.model.finding import Finding
    from tuner.model.observation import Window
    from tuner.model.recommendation import Verdict

VerificationVerdict = Literal["as_forecast", "less", "more", "unknown"]
VerificationMethod = Literal["split", "before_after"]
CauseCode = Literal[
    "other_memory", "other_baseline", "changed_back", "code_changed", "architecture_changed",
    "cold_starts_moved", "rate_moved", "traffic_mix_moved", "durations_spread", "payloads_differ",
    "failures_rose", "measured_elsewhere",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a sweep said of a function's memory."""

    sweep_id: str
    swept_at: datetime
    environment: Literal["aws", "local"]
    function: str
    region: str
    architecture: str
    code_sha256: str
    verdict: Verdict
    from_mb: int
    to_mb: int | None
    """None where the sweep was inconclusive."""
    saving_ratio: Interval | None
    cost_usd_per_million: Interval | None
    """At `from_mb`, with the sweep's payloads."""
    rate_per_s: float | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that explains a difference from the forecast, with its figures."""

    code: CauseCode
    message: str


@dataclass(frozen=True, slots=True)
class Side:
    """What was seen at one memory size."""

    memory_mb: int
    versions: tuple[str, ...]
    start: datetime
    end: datetime
    invocation_count: int
    cost_usd_per_million: float
    cold_start_share: float
    failure_share: float
    rate_per_s: float


@dataclass(frozen=True, slots=True)
class Saved:
    """How the cost of an invocation moved, by one method."""

    method: VerificationMethod
    saving_ratio: Interval
    usd_per_month: Interval
    before: Side
    after: Side
    changed_at: datetime
    causes: tuple[Cause, ...] = ()
    untouched_count: int = 0
    """Functions that nobody changed, against which it was held."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer: what was forecast, what came, and what explains the difference."""

    forecast: Forecast
    verdict: VerificationVerdict
    reason: str
    """One sentence: why this verdict."""
    window: Window
    forecast_usd_per_month: Interval | None
    saved: Saved | None
    """None where nothing could be compared."""
    difference_ratio: Interval | None
    """The realized saving less the forecast one, as shares of the old cost."""
    days_needed: float | None
    """About how many more days would tell; None where it's told, or none would."""
    sources: tuple[str, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices_as_of: str

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What explains the difference."""
        return () if self.saved is None else self.saved.causes


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verified forecast, as the ledger keeps it: one a sweep."""

    sweep_id: str
    function: str
    region: str
    from_mb: int
    to_mb: int
    verdict: VerificationVerdict
    method: VerificationMethod
    forecast_saving_ratio: Interval
    realized_saving_ratio: Interval
    forecast_usd_per_month: Interval | None
    realized_usd_per_month: Interval
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How earlier forecasts came out.

    A forecast's interval held if the 90% interval of the difference from what came has zero in it.
    """

    outcome_count: int
    held_count: int
    typical_ratio: float | None
    """The median of realized over forecast savings; None without a forecast of a saving."""
    width_factor: float
    """By how much wider nine of ten intervals would have held, with a prior that they're right."""
