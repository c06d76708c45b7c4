"""An invoice that was computed by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

BOOK = load_price_book()
MONTH_S = Decimal(730 * 3600)


class Invoice(NamedTuple):
    """A case, its working, the amount in dollars, and the code's bill."""

    case: str
    working: str
    amount_usd: str
    bill: Callable[[], Decimal]
