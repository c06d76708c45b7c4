"""Draws told as a mean and an interval."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.decision.estimates import interval, intervals


def test_an_interval_is_the_shortest_that_holds_its_share_of_the_draws() -> None:
    """Of 0 to 99 with the last ten far away, 92 draws in a row are fewest apart from 0 to 91."""
    draws = np.array([*range(90), *range(1000, 1010)], dtype=float)
    found = interval(np.random.default_rng(1).permutation(draws))
    assert (found.low, found.high) == (0.0, 1001.0)
    assert found.estimate == pytest.approx(draws.mean())


def test_the_edge_of_what_is_possible_is_within_where_draws_are_dense() -> None:
    """Draws that pile up at 1 and thin out above (a duration that hardly rises) keep the 1."""
    draws = 1 + np.random.default_rng(2).exponential(0.05, 2000)
    assert interval(draws).low == draws.min()
    assert interval(-draws).high == -draws.min()


def test_nine_in_ten_normal_draws_to_come_fall_within() -> None:
    """Of 200 draws, on average over many sets of them."""
    rng = np.random.default_rng(3)
    found = intervals(rng.standard_normal((200, 2000)))
    to_come = rng.standard_normal((200, 2000))
    inside = [
        (each.low <= row) & (row <= each.high) for each, row in zip(found, to_come.T, strict=True)
    ]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.005)
