"""Compares two sweeps, of which one or both vary a parameter, value by value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuner.decision.strata import seed_at, sweep_at
from tuner.errors import InputError

if TYPE_CHECKING:
    from tuner.model.plan import VariedParameter
    from tuner.model.sweep import Sweep


@dataclass(frozen=True, slots=True)
class MatchedSweeps:
    """Both sweeps at each value that both measured; `first` is the value in use, if it is one."""

    parameter: str
    first: str
    pairs: dict[str, tuple[Sweep, Sweep]]
    left_out: tuple[str, ...]
    """Values that only one of the two has."""


def match_sweeps(a: Sweep, b: Sweep, sources: tuple[str, str]) -> MatchedSweeps | None:
    """Split both sweeps by value; None if neither varies a parameter.

    A sweep with one batch size has that value alone. Raises InputError if both have no value of the
    same parameter in common.
    """
    varied = [sweep.plan.varied for sweep in (a, b)]
    known = next((each for each in varied if each is not None), None)
    if known is None:
        return None
    values = [_values(s, v, known) for s, v in zip((a, b), varied, strict=True)]
    names = {each.name for each in varied if each is not None}
    both = [value for value in values[0] if value in values[1]]
    if len(names) > 1 or not both:
        told = " and ".join(
            f"{source} with {_told(each, found)}"
            for source, each, found in zip(sources, varied, values, strict=True)
        )
        raise InputError(
            f"{told} have no payloads in common: sweep both with the same `payloads` and `vary`"
        )
    used = [each.current for each in (varied[1], varied[0]) if each and each.current in both]
    return MatchedSweeps(
        parameter=known.name,
        first=used[0] if used else both[0],
        pairs={value: (_part(a, value), _part(b, value)) for value in both},
        left_out=tuple(v for v in dict.fromkeys([*values[0], *values[1]]) if v not in both),
    )


def _values(sweep: Sweep, varied: VariedParameter | None, other: VariedParameter) -> list[str]:
    """The values that a sweep has; without a variation its batch size or its architecture, if the
    other varies that.
    """
    if varied is not None:
        return [*varied.values]
    if other.is_architecture:
        return [sweep.function.architecture]
    counts = {payload.record_count for payload in sweep.plan.payloads}
    return [str(counts.pop())] if other.is_setting and len(counts) == 1 else []


def _told(varied: VariedParameter | None, values: list[str]) -> str:
    if varied is not None:
        return f"{varied.name} {', '.join(varied.values)}"
    return f"batches of {values[0]}" if values else "nothing varied"


def _part(sweep: Sweep, value: str) -> Sweep:
    """The sweep at one value, as one that varies nothing, with its answer's curves."""
    if (varied := sweep.plan.varied) is None:
        return sweep
    part = sweep_at(sweep, value)
    return replace(
        part,
        plan=replace(
            part.plan,
            seed=seed_at(sweep.plan.seed, varied.values.index(value)),
            payloads=tuple(replace(each, variant=None) for each in part.plan.payloads),
        ),
    )
