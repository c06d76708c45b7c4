from __future__ import annotations

from dataclasses import replace

import pytest

from tests.sweeps import made_sweep
from tuner.decision.candidates import candidate_sizes, candidates_of
from tuner.errors import InputError, UsageError


def test_candidates_are_sizes_that_a_person_would_write() -> None:
    """Multiples of 64 MB, one vCPU, both sides of each threshold, and the current size."""
    sizes = candidate_sizes(None, None, 1000)
    assert (sizes[0], sizes[-1]) == (128, 10_240)
    assert {1000, 1769, 3008, 3009, 5307, 5308, 7076, 7077, 8845, 8846} <= set(sizes)
    rest = set(sizes) - {1000, 1769, 3009, 5307, 5308, 7076, 7077, 8845, 8846}
    assert all(size % 64 == 0 for size in rest)
    assert list(sizes) == sorted(set(sizes))


def test_limits_hold() -> None:
    """Nothing outside the limits, not even the current size."""
    assert candidate_sizes(200, 400, 1024) == (256, 320, 384)


def test_limits_that_leave_nothing_are_an_error() -> None:
    """Limits between two candidates are told with the flags to widen."""
    with pytest.raises(InputError, match="`min_memory_mb`"):
        candidate_sizes(129, 130, 1024)


def test_limits_that_leave_none_of_the_named_sizes_are_an_error() -> None:
    """Sizes that were named are the only ones; a range without any of them is told, not ignored."""
    sweep = made_sweep(sizes_mb=(256, 1024))
    sweep = replace(sweep, plan=replace(sweep.plan, sizes_named=True))
    assert candidates_of(sweep, max_memory_mb=512) == {256}
    with pytest.raises(UsageError, match=r"\(256, 1024 MB\) lies between 300 and 512 MB"):
        candidates_of(sweep, min_memory_mb=300, max_memory_mb=512)
