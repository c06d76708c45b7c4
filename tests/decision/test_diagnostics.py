from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import made_sweep, recommended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.invocation import PlatformReport
    from tuner.model.sweep import Sweep


def codes(sweep: Sweep) -> set[str]:
    found = recommended(sweep)
    return {finding.code for finding in found.findings}


def reported(sweep: Sweep, change: Callable[[int, PlatformReport], PlatformReport]) -> Sweep:
    """Change every report by its invocation's number within its environment."""
    seen: dict[str | None, int] = {}
    invocations = []
    for invocation in sweep.invocations:
        number = seen[invocation.environment] = seen.get(invocation.environment, -1) + 1
        assert invocation.report is not None
        report = change(number, invocation.report)
        invocations.append(dataclasses.replace(invocation, report=report))
    return dataclasses.replace(sweep, invocations=tuple(invocations))


def test_a_plain_function_has_no_such_habits() -> None:
    """Steady memory, quick starts and one mode are not worth a finding."""
    assert not codes(made_sweep()) & {
        "memory_grows",
        "cold_start_dominates",
        "first_call_slow",
        "slow_first_calls",
        "first_calls_unsettled",
        "two_modes",
    }


def test_memory_that_keeps_growing_is_told() -> None:
    """Five megabytes more at every call is a leak; a peak that settles is not."""
    leak = reported(
        made_sweep(), lambda n, r: dataclasses.replace(r, max_memory_used_mb=60 + 5 * n)
    )
    assert "memory_grows" in codes(leak)
    settled = reported(
        made_sweep(), lambda n, r: dataclasses.replace(r, max_memory_used_mb=60 + 5 * min(n, 3))
    )
    assert "memory_grows" not in codes(settled)


def test_an_init_above_the_work_is_told() -> None:
    """180 ms of INIT dominate 20 ms of work."""
    assert "cold_start_dominates" in codes(made_sweep(lambda _: 20.0))


def test_a_slow_first_call_is_told() -> None:
    """A first call of three times the duration is named, INIT apart."""
    slow = reported(
        made_sweep(),
        lambda n, r: dataclasses.replace(
            r,
            duration_ms=r.duration_ms * (3 if n == 0 else 1),
            billed_duration_ms=r.billed_duration_ms + (2 * int(r.duration_ms) if n == 0 else 0),
        ),
    )
    assert "first_call_slow" in codes(slow)


def _slower_at_first(sweep: Sweep, decay: float) -> Sweep:
    """Every call of an environment takes 1 + exp(-n / decay) times as long."""
    return reported(
        sweep,
        lambda n, r: dataclasses.replace(
            r, duration_ms=round(r.duration_ms * (1 + math.exp(-n / decay)), 2)
        ),
    )


def test_slow_first_calls_are_told_and_kept_apart() -> None:
    """Calls that are slower at first are named, and the answer is of later ones."""
    plain = made_sweep(warm_count=9)
    slow = _slower_at_first(plain, decay=1.5)
    assert "slow_first_calls" in codes(slow)
    found, expected = recommended(slow), recommended(plain)
    for size, usual in zip(found.sizes, expected.sizes, strict=True):
        assert size.duration_ms.estimate == pytest.approx(usual.duration_ms.estimate, rel=0.03)


def test_calls_that_have_not_settled_are_told() -> None:
    """Where the last measured call is still much slower than later ones, a warning says so."""
    assert "first_calls_unsettled" in codes(_slower_at_first(made_sweep(warm_count=4), decay=3))


def test_two_modes_are_told() -> None:
    """Every third call at twice the duration makes two modes."""
    twofold = reported(
        made_sweep(warm_count=15),
        lambda n, r: dataclasses.replace(r, duration_ms=r.duration_ms * (2 if n % 3 == 1 else 1)),
    )
    assert "two_modes" in codes(twofold)
