"""The items of a bill: a quantity of something at its price, so that a reader can add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class BillItem:
    """`quantity` of a `unit` ("vCPU-hour") at `price_usd` each, a month."""

    what: str
    quantity: float
    unit: str
    price_usd: float

    @property
    def cost_usd(self) -> float:
        """Quantity times price."""
        return self.quantity * self.price_usd

    def times(self, factor: float) -> BillItem:
        """The same with more or fewer of it."""
        return replace(self, quantity=self.quantity * factor)


def total_usd(items: Iterable[BillItem]) -> float:
    """What the items cost together."""
    return sum(item.cost_usd for item in items)


def merged(items: Iterable[BillItem]) -> tuple[BillItem, ...]:
    """One item for each thing at one price, in the order of their first mention; none of 0."""
    found: dict[tuple[str, str, float], BillItem] = {}
    for item in items:
        key = (item.what, item.unit, item.price_usd)
        before = found.get(key)
        found[key] = (
            item if before is None else replace(item, quantity=before.quantity + item.quantity)
        )
    return tuple(item for item in found.values() if item.quantity)
