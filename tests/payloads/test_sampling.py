"""Draws, weights and sizes."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import PayloadError
from tuner.payloads.sampling import Draw, interleaved, parse_bytes, parse_distribution, quasirandom


@settings(deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=6), st.integers(1, 300))
def test_weighted_draws_are_exact_in_proportion(weights: list[int], count: int) -> None:
    """After a whole round each class has exactly its share, and no class is ever left out long."""
    by_name = {str(place): weight for place, weight in enumerate(weights)}
    total = sum(weights)
    drawn = list(interleaved(by_name, total * (1 + count // total)))
    rounds = len(drawn) // total
    assert Counter(drawn) == {name: weight * rounds for name, weight in by_name.items()}


def test_weighted_draws_come_interleaved() -> None:
    """80 to 20 is one in five, never a block of the rare one."""
    drawn = "".join(interleaved({"a": 80, "b": 20}, 50))
    assert drawn.count("b") == 10
    assert "bb" not in drawn
    assert "aaaaaa" not in drawn
    for end in range(1, 51):
        assert abs(drawn[:end].count("b") - Fraction(end, 5)) <= 1


def test_a_draw_keeps_its_values() -> None:
    """These values are a promise: other ones would make every corpus another."""
    draw = Draw(7, "order", 3)
    assert [draw.integer(1, 1000), draw.code(6), draw.choice("abc"), draw.text(9)] == PROMISED


PROMISED = [972, "804r2c", "b", "engine ke"]


@pytest.mark.parametrize(
    ("text", "count"), [("300", 300), ("2kB", 2000), ("2KiB", 2048), ("1.5 MB", 1_500_000)]
)
def test_sizes_are_read_as_people_write_them(text: str, count: int) -> None:
    """A kB has 1000 bytes, a KiB 1024."""
    assert parse_bytes(text) == count


@pytest.mark.parametrize(
    "text", ["", "0", "7MB", "2 potatoes", "p50=2kB", "p50=2kB,p50=3kB", "p50=2kB,p99=1kB",
             "p0=1kB,p50=2kB", "p50=2kB,p90=3kB,p99=4kB"],
)  # fmt: skip
def test_sizes_that_say_nothing_are_refused(text: str) -> None:
    """One line."""
    with pytest.raises(PayloadError):
        parse_distribution(text)


def test_a_distribution_goes_through_its_points() -> None:
    """Half of the events are below 2 kB, one in a hundred is above 200 kB, none above the limit."""
    sizes = parse_distribution("p50=2kB,p99=200kB")
    assert abs(sizes.at(0.5) - 2000) <= 1
    assert abs(sizes.at(0.99) - 200_000) <= 5
    assert sizes.at(0.999999) <= 6 * 1024 * 1024
    assert {parse_distribution("5kB").at(share) for share in (0.01, 0.5, 0.99)} == {5000}


@given(st.text(max_size=10), st.integers(0, 10_000), st.integers(10, 60))
def test_spread_shares_cover_evenly_from_any_start(key: str, first: int, count: int) -> None:
    """However few events are sent, small and large ones are among them as they should be."""
    shares = sorted(quasirandom(key, index) for index in range(first, first + count))
    gaps = [after - before for before, after in pairwise([shares[-1] - 1, *shares])]
    assert max(gaps) < 2.7 / count
    assert all(0 <= share < 1 for share in shares)
