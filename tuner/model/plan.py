"""What a sweep is going to do, as data: shown, agreed to, then carried out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.payload import Variant  # noqa: TC001 - files are read by these hints

if TYPE_CHECKING:
    from tuner.model.function import Architecture

Isolation = Literal["auto", "version", "clone"]
EstimateBasis = Literal["recent_duration", "timeout"]
Method = Literal["adaptive", "exhaustive"]
MOST_INVOCATIONS: Final = 40
"""Of an adaptive sweep. If a decision needs more, the answer says so instead of going on."""


@dataclass(frozen=True, slots=True)
class PayloadClass:
    """A payload as the plan and the sweep file know it: no body, only its digest."""

    name: str
    weight: float
    size_bytes: int
    sha256: str
    record_count: int = 1
    variant: Variant | None = None

    @property
    def class_name(self) -> str:
        """The class that it is of, whatever parameter is varied."""
        return self.name if self.variant is None else self.variant.class_name

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The varied parameter and its value here; nothing where the class does not use it."""
        if self.variant is None or self.variant.architecture is not None:
            return ()
        return ((self.variant.parameter, self.variant.value),)

    @property
    def architecture(self) -> Architecture | None:
        """The architecture whose copy it is sent to; None if that is not varied."""
        return None if self.variant is None else self.variant.architecture


@dataclass(frozen=True, slots=True)
class VariedParameter:
    """A payload parameter that a sweep gives several values, in the order that was asked for."""

    name: str
    values: tuple[str, ...]
    current: str
    """The value that the answer compares with."""
    is_setting: bool
    """Whether it sets how many records an event holds (a batch size), or is the function's
    architecture: then it can be chosen. Else it says something of the work itself, which is as it
    comes."""
    is_architecture: bool = False
    """Whether the values are the function's architectures: no event has anything of it."""


@dataclass(frozen=True, slots=True)
class PriceOfDeciding:
    """What a sweep is expected to cost, against what the function costs as it is."""

    invocations_at_current: float
    """How many invocations at the current size cost as much."""
    current_usd_per_month: float | None
    """A month's cost at the current size; None without a rate."""
    share_of_month: float | None


@dataclass(frozen=True, slots=True)
class SweepPlan:
    """Sizes, repetitions and limits of one sweep.

    `sizes_mb` ascend. An exhaustive sweep gives every size `warmup_count` invocations that are
    expected to be cold and `repetition_count` more for each payload, interleaved in an order drawn
    from `seed`; an adaptive one picks among the sizes as it goes, and its counts are 0. With
    `sizes_named`, the operator named the sizes, and no other may be recommended.

    The estimates are expected values if `basis` is "recent_duration" (the function's mean duration
    is known), else upper bounds; `max_wall_s` and `max_cost_usd` are always upper bounds, with
    every invocation taking the function's whole timeout.
    """

    sweep_id: str
    seed: int
    sizes_mb: tuple[int, ...]
    warmup_count: int
    repetition_count: int
    payloads: tuple[PayloadClass, ...]
    concurrency: int
    max_invocations: int
    budget_usd: float | None
    isolation: Isolation
    estimated_invocation_count: int
    estimated_wall_s: float
    estimated_cost_usd: float
    max_wall_s: float | None = None
    max_cost_usd: float | None = None
    basis: EstimateBasis = "timeout"
    method: Method = "exhaustive"
    spends_all: bool = False
    """Whether an adaptive sweep goes on to its limit, however little that promises, because the
    operator said how many invocations to spend."""
    sizes_named: bool = False
    once_each: bool = False
    """No event is sent twice."""
    keep_payloads: bool = False
    fail_on: str | None = None
    """A JMESPath expression: a reply for which it is true counts as a function error."""
    resumed_from: str | None = None
    """Id of the sweep that this one resumes; its invocations count as this one's."""
    other_code_sha256: str | None = None
    """Digest of the other architecture's own build, if architectures are compared with one."""

    @property
    def varied(self) -> VariedParameter | None:
        """The varied parameter, if there is one."""
        varied = [each for each in self.payloads if each.variant is not None]
        variants = [each.variant for each in varied if each.variant is not None]
        if not variants:
            return None
        by_class: dict[str, set[int]] = {}
        for payload in varied:
            by_class.setdefault(payload.class_name, set()).add(payload.record_count)
        is_architecture = variants[0].architecture is not None
        return VariedParameter(
            name=variants[0].parameter,
            values=tuple(dict.fromkeys(each.value for each in variants)),
            current=next((v.value for v in variants if v.is_current), variants[0].value),
            is_setting=is_architecture or any(len(counts) > 1 for counts in by_class.values()),
            is_architecture=is_architecture,
        )
