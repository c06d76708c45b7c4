"""A sweep over a varied parameter, split up: the mix of classes at each value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tuner.decision.evidence import read_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.model.function import Architecture
    from tuner.model.invocation import Invocation
    from tuner.model.plan import PayloadClass
    from tuner.model.sweep import Sweep

_SEEDS_APART: Final = 101


@dataclass(frozen=True, slots=True)
class Stratum:
    """What the function receives at one value; classes that don't use the parameter are in all.

    `weights` are shares of events, by payload; `record_count` is the mean number of records in an
    event. `position` is the value's place among all values. `architecture` is the value, where the
    function's architecture is what is varied.
    """

    value: str
    position: int
    weights: Mapping[str, float]
    record_count: float
    architecture: Architecture | None = None

    def evidence(self, invocations: Iterable[Invocation]) -> Evidence:
        """What the invocations of this stratum say."""
        own = (each for each in invocations if each.payload in self.weights)
        return read_evidence(own, self.weights)


def strata_of(payloads: Sequence[PayloadClass], values: Sequence[str]) -> tuple[Stratum, ...]:
    """Return a stratum for each value, in order."""
    return tuple(_stratum(payloads, value, position) for position, value in enumerate(values))


def mean_record_count(payloads: Iterable[PayloadClass]) -> float:
    """Records in an event, on average over the weights."""
    mix = tuple(payloads)
    total = sum(each.weight for each in mix)
    return sum(each.weight * each.record_count for each in mix) / total


def sweep_at(sweep: Sweep, value: str) -> Sweep:
    """Return the sweep as if it had been made with only one value of its varied parameter."""
    payloads = _mix(sweep.plan.payloads, value)
    names = {each.name for each in payloads}
    function = sweep.function
    architecture = payloads[0].architecture if payloads else None
    if architecture is not None and architecture != function.architecture:
        digest = sweep.plan.other_code_sha256 or function.code_sha256
        function = replace(function, architecture=architecture, code_sha256=digest)
    return replace(
        sweep,
        function=function,
        plan=replace(sweep.plan, payloads=payloads),
        invocations=tuple(each for each in sweep.invocations if each.payload in names),
    )


def seed_at(seed: int, position: int) -> int:
    """Curves of different values are drawn independently: their errors aren't related."""
    return seed + _SEEDS_APART * position


def _stratum(payloads: Sequence[PayloadClass], value: str, position: int) -> Stratum:
    mix = _mix(payloads, value)
    return Stratum(
        value,
        position,
        {each.name: each.weight for each in mix},
        mean_record_count(mix),
        mix[0].architecture,
    )


def _mix(payloads: Sequence[PayloadClass], value: str) -> tuple[PayloadClass, ...]:
    return tuple(each for each in payloads if each.variant is None or each.variant.value == value)
