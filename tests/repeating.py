"""Measurements on a machine that may be busy: repeated until one holds, a few times at most."""

from __future__ import annotations

import reprlib
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

import pytest

from tuner.local import bare_share

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS: Final = 3
FREE_SHARE: Final = 0.6
"""Of a core, for a loop that nothing limits: with less, others had more than two of two cores."""
_PROBE_CPU_S: Final = 0.1

T = TypeVar("T")


def first_that(
    holds: Callable[[T], bool], measure: Callable[[int], T], *, attempts: int = ATTEMPTS
) -> T:
    """Return the first measurement that holds; `measure` is given the number of the attempt.

    For what other work on the machine blurs, and nothing else: what must hold of every
    measurement is asserted within `measure`, or of what is returned. Where none of them holds,
    raises AssertionError with all that was measured; skips the test where no core was free before
    and after any of them.
    """
    measured: list[T] = []
    free = [bare_share(_PROBE_CPU_S)]
    for number in range(attempts):
        measured.append(measure(number))
        if holds(measured[-1]):
            return measured[-1]
        free.append(bare_share(_PROBE_CPU_S))
    if max(map(min, pairwise(free))) < FREE_SHARE:
        pytest.skip(f"others had the cores all the time; a loop got {[round(x, 2) for x in free]}")
    raise AssertionError(f"none of {attempts} measurements holds: {reprlib.repr(measured)}")
