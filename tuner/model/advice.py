"""What to do about a function's memory by what production says, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuner.model.interval import Interval  # noqa: TC001 - from_record reads the annotations

AdviceVerdict = Literal["keep", "resize", "sweep", "unknown"]
AdviceBasis = Literal["one_size", "several_sizes", "cpu_time", "several_sizes_and_cpu_time"]
CodeRelation = Literal["same", "unknown", "other"]
"""Whether a period ran the code that runs now."""


@dataclass(frozen=True, slots=True)
class DayMean:
    """Warm successes of one day at one size."""

    count: int
    mean_ms: float


@dataclass(frozen=True, slots=True)
class ObservedSize:
    """What production says of one memory size with one code.

    Durations are of warm successes; `cv` is their standard deviation over their mean. `days` has
    each day's mean, in any order. `processor_ms` is the mean CPU time of an invocation.
    """

    memory_mb: int
    invocation_count: int
    warm_count: int
    mean_ms: float | None
    """None without a warm success."""
    cv: float
    p99_ms: float | None = None
    code: CodeRelation = "same"
    days: tuple[DayMean, ...] = ()
    cold_count: int = 0
    mean_billed_init_ms: float = 0.0
    """What a cold start is billed beyond its handler."""
    error_count: int = 0
    timeout_count: int = 0
    oom_count: int = 0
    max_memory_used_mb: int | None = None
    processor_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of a function besides its sizes. None stands for what is not known."""

    memory_mb: int
    window_s: float | None
    """How long it was observed; None where no line has a time."""
    timeout_s: int | None = None
    ephemeral_storage_mb: int | None = None
    discount_ratio: float = 0.0
    """Off the list price."""


@dataclass(frozen=True, slots=True)
class SweepWorth:
    """What a sweep costs, and what it could save: the best size over what is advised without it.

    `saving_usd_per_month` is None where the window is too short for a monthly figure.
    """

    invocation_count: int
    cost_usd: float
    saving_ratio: Interval
    saving_usd_per_month: Interval | None

    @property
    def value_per_dollar(self) -> float | None:
        """Expected saving of a month for each dollar that the sweep costs."""
        if self.saving_usd_per_month is None or self.cost_usd <= 0:
            return None
        return max(self.saving_usd_per_month.estimate, 0.0) / self.cost_usd


@dataclass(frozen=True, slots=True)
class SizeForecast:
    """What is expected at one size, from production at others; the estimate is the median."""

    memory_mb: int
    duration_ms: Interval
    cost_usd_per_million: Interval


@dataclass(frozen=True, slots=True)
class Advice:
    """keep, resize (to `memory_mb`), sweep, or unknown; and what it saves.

    Savings are against the current size, intervals are None where nothing is known: of a resize,
    what it saves; of a sweep, what the best size could save.
    """

    verdict: AdviceVerdict
    memory_mb: int | None
    saving_ratio: Interval | None
    saving_usd_per_month: Interval | None
    reason: str
    """One plain sentence."""
    basis: AdviceBasis | None = None
    confidence: float | None = None
    """Of a resize: how probable it is that the size is better by more than the tolerance."""
    duration_ratio: Interval | None = None
    """Of a resize: duration at the advised size over today's."""
    leans_to_mb: int | None = None
    """Of a sweep: the size that looks best so far."""
    mix_shift_ratio: float | None = None
    """By how much the mix of events may shift a mean from one period to another; None where only
    one period counts."""
    sweep: SweepWorth | None = None
    forecasts: tuple[SizeForecast, ...] = ()
    """At the sizes that matter: today's, the advised one and some to compare with."""
