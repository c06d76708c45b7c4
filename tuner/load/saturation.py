"""What a rate asks of the resources behind a function, and which gives way first. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tuner.load.limits import Limit
    from tuner.load.resources import Service, Unit

Key = tuple["Service", str, "Unit"]
"""(service, resource, unit)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How much an invocation asks of a resource, and how that is known."""

    per_invocation: float
    source: str


@dataclass(frozen=True, slots=True)
class Saturation:
    """One limit against what a load asks; None is not known."""

    limit: Limit
    demand: Demand | None
    demand_per_s: float | None
    """At the load's highest rate."""

    @property
    def limited_at_rate_per_s(self) -> float | None:
        """The rate of invocations that uses up the limit; None if it isn't known, or never."""
        if self.limit.per_s is None or self.demand is None or self.demand.per_invocation <= 0:
            return None
        return self.limit.per_s / self.demand.per_invocation

    @property
    def is_exceeded(self) -> bool:
        """Whether the load's highest rate asks for more than there is."""
        return (
            self.limit.per_s is not None
            and self.demand_per_s is not None
            and self.demand_per_s > self.limit.per_s
        )


def saturations(
    limits: Iterable[Limit], demands: Mapping[Key, Demand], rate_per_s: float
) -> tuple[Saturation, ...]:
    """Each limit against the demand at a rate; what gives way first comes first, the unknown last.

    A limit that nothing was asked of is left out if what is asked of the others of its resource is
    known: a table that is only written to has no reads to show.
    """
    found = []
    limits = tuple(limits)
    asked = {(service, resource) for service, resource, _ in demands}
    for limit in limits:
        demand = demands.get((limit.service, limit.resource, limit.unit))
        if demand is None and (limit.service, limit.resource) in asked:
            continue
        per_s = None if demand is None else demand.per_invocation * rate_per_s
        found.append(Saturation(limit, demand, per_s))
    return tuple(sorted(found, key=_order))


def _order(each: Saturation) -> tuple[float, str, str, str]:
    at = each.limited_at_rate_per_s
    limit = each.limit
    return (math.inf if at is None else at, limit.service, limit.resource, limit.unit)


def first_to_give_way(found: Iterable[Saturation]) -> Saturation | None:
    """The one whose limit the lowest rate uses up; None if that is known of none."""
    first = next(iter(found), None)
    return first if first is not None and first.limited_at_rate_per_s is not None else None
