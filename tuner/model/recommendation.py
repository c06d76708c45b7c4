"""The answer: what size, how sure, what it saves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tuner.model.presented import Presented

if TYPE_CHECKING:
    from tuner.model.finding import Finding
    from tuner.model.function import Architecture, FunctionConfig
    from tuner.model.goal import Goal, OptionName
    from tuner.model.interval import Interval
    from tuner.model.plan import VariedParameter

Verdict = Literal["keep", "resize", "inconclusive"]
Basis = Literal["measured", "modelled"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The verdict. `memory_mb` and the intervals are None when it is inconclusive."""

    verdict: Verdict
    memory_mb: int | None
    basis: Basis
    duration_ms: Interval | None
    cost_usd_per_million: Interval | None
    saving_ratio: Interval | None
    saving_usd_per_month: Interval | None
    expected_regret_ratio: float | None
    confidence: float | None
    reason: str
    """One sentence: why this verdict."""
    best_so_far_mb: int | None = None
    """When inconclusive: the size that looks best so far, not a recommendation."""
    lean_saving_ratio: Interval | None = None
    """When inconclusive: what that size would save, as far as is known."""
    regret_bound_ratio: float | None = None
    """The 95% upper bound on the regret."""
    confidence_of: Literal["move", "best"] = "best"
    """What `confidence` refers to: that the answer beats the current size by more than the
    tolerance, or that no size beats the answer by more."""
    parameters: tuple[tuple[str, str], ...] = ()
    """The varied payload parameter and the value that goes with the size, if it can be set."""
    cost_usd_per_million_records: Interval | None = None
    """If events have several records."""
    architecture: Architecture | None = None
    """The architecture that goes with the size, if several were measured: the function's own for a
    keep. When inconclusive, the one of the best so far."""


@dataclass(frozen=True, slots=True)
class PercentileEstimate:
    """A percentile (0 to 100) of warm duration at one size, with its 90% interval.

    Measured: from that size's own warm samples (at least `samples_needed`), whatever their
    distribution. Modelled: the curve's mean times the scatter of all sizes' samples.
    """

    percentile: float
    duration_ms: Interval
    basis: Basis
    sample_count: int
    """At this size; with several payloads, for the one with the fewest."""
    samples_needed: int


@dataclass(frozen=True, slots=True)
class SizeEstimate:
    """What the curve says about one size (duration_ms is the warm mean)."""

    memory_mb: int
    duration_ms: Interval
    cost_usd_per_million: Interval
    measured: bool
    percentiles: tuple[PercentileEstimate, ...] = ()
    """p50, p95, p99 and the one that was asked for: with several payloads, the slowest one's."""


@dataclass(frozen=True, slots=True)
class ArchitectureCurve:
    """What the curve says of every size on one of several architectures."""

    architecture: Architecture
    curve: tuple[SizeEstimate, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """The answer for another goal, from the same draws (with the chosen value of a parameter)."""

    name: OptionName
    memory_mb: int
    duration_ms: Interval
    cost_usd_per_million: Interval
    measured: bool
    architecture: Architecture | None = None
    """If several were measured."""


@dataclass(frozen=True, slots=True)
class LatencyTarget:
    """The cheapest size whose mean duration is sure (90%, one-sided) to be within a target."""

    max_duration_ms: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """What speed costs: the sizes that no other beats in both, and where paying more stops paying
    off.

    `front_mb` ascends; each is at least 1% faster than every cheaper one. `knee_mb` is None if the
    front has fewer than three sizes.
    """

    front_mb: tuple[int, ...]
    knee_mb: int | None
    latency_targets: tuple[LatencyTarget, ...]


@dataclass(frozen=True, slots=True)
class CurrentSize:
    """The function's current size; intervals are None if nothing is known."""

    memory_mb: int
    duration_ms: Interval | None
    cost_usd_per_million: Interval | None
    parameters: tuple[tuple[str, str], ...] = ()
    cost_usd_per_million_records: Interval | None = None


@dataclass(frozen=True, slots=True)
class SizeSummary:
    """What was counted and measured at one size with one payload."""

    architecture: Architecture
    memory_mb: int
    payload: str
    invocation_count: int
    environment_count: int
    cold_start_count: int
    error_count: int
    timeout_count: int
    oom_count: int
    throttle_count: int
    duration_ms: Interval | None
    cost_usd_per_million: Interval | None
    max_memory_used_mb: int | None
    parameters: tuple[tuple[str, str], ...] = ()
    percentiles: tuple[PercentileEstimate, ...] = ()
    """This payload's, if it has a warm sample at the size."""

    @property
    def failure_count(self) -> int:
        """Invocations that count against the size."""
        return self.error_count + self.timeout_count + self.oom_count


@dataclass(frozen=True, slots=True)
class PairEstimate:
    """What is known about one size with one value of the varied parameter, over the mix of classes.

    `change_ratio` is the cost of a record against the current pair's, less 1; if the parameter
    can't be set, against the current size with the same value.
    """

    value: str
    memory_mb: int
    duration_ms: Interval
    cost_usd_per_million: Interval
    cost_usd_per_million_records: Interval
    change_ratio: Interval | None
    measured: bool
    percentile: PercentileEstimate | None = None
    """The percentile that the goal asks for; None without one, and if invocations fail."""


@dataclass(frozen=True, slots=True)
class ValueAnswer:
    """The answer for one value of the varied parameter, as if it were the only one.

    `record_count` is the mean number of records in an event. `memory_mb` is the size that the goal
    picks, None if no size may be recommended or nothing is known.
    """

    value: str
    record_count: float
    memory_mb: int | None
    pairs: tuple[PairEstimate, ...]
    """By ascending size: what was measured, the current size and what is picked."""


@dataclass(frozen=True, slots=True)
class Variation:
    """Duration and cost over memory and the values of a parameter.

    `best_value` is the answer's own if the parameter can be set, otherwise the one whose picked
    size serves the goal best; None if none is known.
    """

    parameter: VariedParameter
    values: tuple[ValueAnswer, ...]
    best_value: str | None


@dataclass(frozen=True, slots=True)
class Platform:
    """Whether the function should be on Lambda at all; without a rate there is no verdict."""

    verdict: str | None
    break_even_rate_per_s: float | None


@dataclass(frozen=True, slots=True)
class PriceStamp:
    """Which prices were used."""

    as_of: str
    region: str


@dataclass(frozen=True, slots=True)
class PriorUse:
    """What an earlier sweep had to do with the answer.

    `weight` is the probability that no more has changed since than days and hosts explain; None if
    there is no curve. `differs` names what has changed since.
    """

    sweep_id: str
    started_at: str
    code_sha256: str
    tells: Literal["level_and_shape", "shape"]
    differs: tuple[str, ...]
    sample_count: int
    weight: float | None


@dataclass(frozen=True, slots=True)
class SweepStamp:
    """Which sweep the answer rests on."""

    sweep_id: str
    file: str | None
    invocation_count: int
    cost_usd: float
    wall_s: float
    environment_count: int = 0
    pays_back_after_invocations: Interval | None = None
    """After how many invocations a resize has saved what the sweep cost. None without a sure
    saving, and if nothing was billed."""
    prior: PriorUse | None = None
    """The earlier sweep that informed it."""


@dataclass(frozen=True, slots=True)
class Recommendation(Presented):
    """The whole answer, ready to be shown; `curve` has an estimate for every candidate size.

    >>> answer = tuner.recommend("examples/sweeps/mixed.jsonl")
    >>> answer
    <Recommendation for mixed (cost): resize 3008 → ... MB, saves ...%>
    >>> answer.memory_mb < answer.current.memory_mb, answer.saving.low > 0.5
    (True, True)
    >>> answer.to_dict()["recommendation"]["verdict"]
    'resize'
    """

    environment: Literal["aws", "local"]
    function: FunctionConfig
    goal: Goal
    choice: Choice
    current: CurrentSize
    platform: Platform | None
    sizes: tuple[SizeSummary, ...]
    curve: tuple[SizeEstimate, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    prices: PriceStamp
    sweep: SweepStamp
    tradeoff: Tradeoff | None = None
    variation: Variation | None = None
    """If a payload parameter was given several values."""
    options: tuple[Option, ...] = ()
    """Cheapest, balanced and fastest; empty if no size may be recommended or nothing is known."""
    rate_per_s: float | None = None
    """The request rate behind the monthly saving."""
    by_architecture: tuple[ArchitectureCurve, ...] = ()
    """Every architecture's curve, the function's own first, if several were compared; `curve` is
    the answer's."""

    def __repr__(self) -> str:
        """The answer in a line."""
        sizes = f"{self.current.memory_mb} MB"
        if self.memory_mb not in (None, self.current.memory_mb):
            sizes = f"{self.current.memory_mb} → {self.memory_mb} MB"
        if self.moves_to is not None:
            sizes += f" on {self.moves_to}"
        saving = "" if self.saving is None else f", saves {self.saving.estimate:.0%}"
        name, goal = self.function.name, self.goal.name
        return f"<Recommendation for {name} ({goal}): {self.verdict} {sizes}{saving}>"

    @property
    def verdict(self) -> Verdict:
        """Keep, resize or inconclusive."""
        return self.choice.verdict

    @property
    def memory_mb(self) -> int | None:
        """The recommended size, or the current one for a keep; None if inconclusive."""
        return self.choice.memory_mb

    @property
    def architecture(self) -> Architecture | None:
        """The recommended architecture; None if inconclusive."""
        if self.choice.memory_mb is None:
            return None
        return self.choice.architecture or self.function.architecture

    @property
    def moves_to(self) -> Architecture | None:
        """The recommended architecture, if it isn't the function's own."""
        return None if self.architecture == self.function.architecture else self.architecture

    @property
    def now_mb(self) -> int | None:
        """The current size, unless `curve` is of another architecture than the one in use."""
        own = self.choice.architecture in {None, self.function.architecture}
        return self.current.memory_mb if own else None

    @property
    def sizes_on_curve(self) -> tuple[SizeSummary, ...]:
        """What was counted on the architecture that `curve` is of."""
        kind = self.choice.architecture
        return tuple(each for each in self.sizes if kind in {None, each.architecture})

    @property
    def saving(self) -> Interval | None:
        """The share of the cost that the recommended size saves; None if inconclusive."""
        return self.choice.saving_ratio

    @property
    def confidence(self) -> float | None:
        """The probability that the verdict is right; None if nothing is known."""
        return self.choice.confidence

    @property
    def saving_usd_per_million(self) -> float | None:
        """What the recommended size saves on a million invocations. None if nothing is known, and
        if a value is chosen with it, whose events have a different number of records.
        """
        ratio, now = self.choice.saving_ratio, self.current.cost_usd_per_million
        if ratio is None or now is None or self.choice.parameters:
            return None
        return ratio.estimate * now.estimate

    def change_from_now(self, cost_usd_per_million: Interval | None) -> float | None:
        """A cost over the current size's (with the chosen value of a parameter), less 1."""
        now = self.current.cost_usd_per_million
        if self.choice.parameters:
            same = (each for each in self.curve if each.memory_mb == self.current.memory_mb)
            now = next((each.cost_usd_per_million for each in same), None)
        if cost_usd_per_million is None or now is None or not now.estimate:
            return None
        return cost_usd_per_million.estimate / now.estimate - 1

    def percentile(
        self, memory_mb: int, percentile: float, architecture: Architecture | None = None
    ) -> PercentileEstimate | None:
        """A percentile (0 to 100) of warm duration at a size (of several architectures, on the
        answer's unless another is named); None if nothing is known about it, or if invocations
        fail at the size.
        """
        kind = architecture or self.choice.architecture
        for each in self.sizes:
            at_size = each.memory_mb == memory_mb and kind in {None, each.architecture}
            if at_size and each.failure_count:
                return None
        curves = (each.curve for each in self.by_architecture if each.architecture == kind)
        found = (
            each
            for size in next(curves, self.curve)
            if size.memory_mb == memory_mb
            for each in size.percentiles
            if each.percentile == percentile
        )
        return next(found, None)
