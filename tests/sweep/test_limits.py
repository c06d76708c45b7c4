"""Live traffic keeps its share of the concurrency there is."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.errors import InputError
from tuner.sweep.limits import ConcurrencyLimits, polite_concurrency


@pytest.mark.parametrize(
    ("limits", "isolation", "asked", "made"),
    [
        ((1000, None), "version", None, 8),
        ((1000, None), "version", 500, 500),
        ((1000, None), "version", 900, 800),
        ((10, None), "version", None, 8),
        ((5, None), "version", None, 4),
        ((1, None), "version", None, 1),
        ((1000, 5), "version", 20, 4),
        ((1000, 5), "clone", 20, 20),
        ((None, None), "version", 20, 20),
    ],
)
def test_a_share_is_left(
    limits: tuple[int | None, int | None], isolation: Any, asked: int | None, made: int
) -> None:
    """Four fifths of the function's reservation, or of what the account has unreserved."""
    count, lowered = polite_concurrency(
        ConcurrencyLimits(*limits), isolation=isolation, asked=asked
    )
    assert count == made
    assert (lowered is not None) == (asked is not None and made < asked)


def test_a_function_that_may_not_run_is_refused() -> None:
    """Reserved concurrency 0 throttles everything: the message names a way."""
    with pytest.raises(InputError, match="--isolation clone"):
        polite_concurrency(ConcurrencyLimits(1000, 0), isolation="version", asked=None)
    clone = polite_concurrency(ConcurrencyLimits(1000, 0), isolation="clone", asked=None)
    assert clone == (8, None)
