"""What a sweep invokes: the function itself or a copy, or a copy for each architecture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.lease.lease import Leased
    from tuner.model.function import Architecture
    from tuner.sweep.estimate import Pricing
    from tuner.sweep.prepared import PreparedSweep


@dataclass(frozen=True, slots=True)
class SweptFunction:
    """A leased function with its prices and the versions that were published of it."""

    lease: Leased
    pricing: Pricing
    other: Architecture | None = None
    """Its architecture, if it isn't the function's own."""
    versions: dict[int, str] = field(default_factory=dict)
    """By size, as the sweep file names them."""

    def named(self, version: str) -> str:
        """A version's name in the sweep file, where two copies have a version 1 each."""
        return version if self.other is None else f"{self.other}:{version}"


def number_of(version: str) -> str:
    """Lambda's number of a version, by its name in the sweep file."""
    return version.rpartition(":")[2]


class SweptFunctions:
    """The leased functions, by the payloads that are sent to them."""

    def __init__(self, prepared: PreparedSweep, leases: Sequence[Leased]) -> None:
        self._all = [SweptFunction(leases[0], prepared.pricing())]
        if prepared.other is not None:
            kind = prepared.other.architecture
            self._all.append(SweptFunction(leases[1], prepared.pricing(kind), kind))
        own = prepared.function.architecture
        self._by_payload = {
            each.name: self._all[each.architecture not in {None, own}]
            for each in prepared.plan.payloads
        }

    def __iter__(self) -> Iterator[SweptFunction]:
        return iter(self._all)

    def of(self, payload: str) -> SweptFunction:
        """Where a payload is sent."""
        return self._by_payload[payload]

    @property
    def sizes_mb(self) -> set[int]:
        """Every size that was published of any of them."""
        return {size for each in self._all for size in each.versions}
