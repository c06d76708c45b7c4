"""Measurements on a machine that may be busy: repeated until one holds, a few times at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS: Final = 3

T = TypeVar("T")


def first_that(
    holds: Callable[[T], bool], measure: Callable[[int], T], *, attempts: int = ATTEMPTS
) -> T:
    """Return the first measurement that holds; `measure` is given the number of the attempt.

    For what other work on the machine blurs, and nothing else: what must hold of every
    measurement is asserted within `measure`, or of what is returned. Raises AssertionError with
    all that was measured where none of them holds.
    """
    measured: list[T] = []
    for number in range(attempts):
        measured.append(measure(number))
        if holds(measured[-1]):
            return measured[-1]
    raise AssertionError(f"none of {attempts} measurements holds: {measured}")
