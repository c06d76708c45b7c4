"""Which sizes are measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.sweep.sizes import chosen_sizes, sizes_by_priority

THRESHOLD_SIDES = {3008, 3009, 5307, 5308, 7076, 7077, 8845, 8846}
SIZES = st.integers(128, 10_240)


@pytest.mark.parametrize(
    ("max_mb", "current_mb", "sizes"),
    [
        (3008, 128, (128, 256, 384, 512, 768, 1024, 1408, 1769, 3008)),
        (3008, 1000, (128, 256, 384, 512, 768, 1000, 1408, 1769, 3008)),
        (3538, 1024, (128, 256, 512, 1024, 1769, 3008, 3009, 3538)),
        (1769, 512, (128, 192, 256, 384, 512, 768, 1024, 1408, 1769)),
    ],
)
def test_usual_ranges_have_their_sizes(
    max_mb: int, current_mb: int, sizes: tuple[int, ...]
) -> None:
    """Dense below one core, and the core thresholds where they are in range."""
    found = set(sizes_by_priority(128, max_mb, current_mb))
    assert found >= set(sizes)
    assert len(found) <= len(sizes) + 1


@given(SIZES, SIZES, SIZES)
def test_a_range_has_its_ends_the_current_size_and_every_threshold(
    one: int, other: int, current_mb: int
) -> None:
    """Whatever the range: both ends, both sides of each step, one core; and not too many."""
    low, high = sorted((one, other))
    sizes = sizes_by_priority(low, high, current_mb)
    needed = {low, high, *(s for s in {*THRESHOLD_SIDES, 1769, current_mb} if low <= s <= high)}
    assert needed <= set(sizes)
    assert all(low <= size <= high for size in sizes)
    assert len(set(sizes)) == len(sizes) <= 15


def test_the_current_size_comes_first() -> None:
    """Whatever has to be left out, it is not the size to compare with."""
    assert sizes_by_priority(128, 10_240, 700)[:3] == (700, 128, 10_240)


@pytest.mark.parametrize("size", [127, 0, -1, 10_241, 32_768])
def test_sizes_that_lambda_does_not_take_are_refused(size: int) -> None:
    """The message says what Lambda takes."""
    with pytest.raises(InputError, match="128 to 10240 MB"):
        chosen_sizes((size,))
    with pytest.raises(InputError, match="out of range"):
        sizes_by_priority(min(size, 128), max(size, 128), 512)


def test_sizes_out_of_order_are_refused() -> None:
    """Descending or repeated sizes are an error, not something to sort."""
    assert chosen_sizes((128, 1000, 1769)) == (128, 1000, 1769)
    with pytest.raises(InputError, match="512 MB follows 1024 MB"):
        chosen_sizes((1024, 512))
    with pytest.raises(InputError, match="512 MB follows 512 MB"):
        chosen_sizes((512, 512))


def test_a_range_upside_down_is_refused() -> None:
    """The least is above the greatest: that is said."""
    with pytest.raises(InputError, match="above the largest"):
        sizes_by_priority(1024, 512, 512)
