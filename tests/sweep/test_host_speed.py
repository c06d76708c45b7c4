"""The speed of the machine behind a local endpoint, by the loops around its invocations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuner.sweep.host_speed import HostSpeed


def _has_changed(loops_ms: list[float | None]) -> bool:
    speed = HostSpeed()
    return [speed.has_changed(each) for each in loops_ms][-1]


@given(st.floats(0.01, 10.0), st.lists(st.floats(1.0, 1.24), min_size=40, max_size=40))
def test_a_steady_machine_has_not_changed(loop_ms: float, ratios: list[float]) -> None:
    """Loops that scatter by less than a quarter, with one of any five far slower, tell nothing."""
    slow = (9 if number % 5 == 3 else 1 for number in range(40))
    assert not _has_changed([loop_ms * ratio * n for ratio, n in zip(ratios, slow, strict=True)])


@given(st.floats(0.01, 10.0), st.floats(1.26, 9.0), st.booleans())
def test_a_machine_that_changes_for_good_is_found(
    loop_ms: float, ratio: float, becomes_faster: bool
) -> None:
    """Slower or faster by a quarter from some invocation on is found within five of them, and stays
    found.
    """
    before, after = (loop_ms * ratio, loop_ms) if becomes_faster else (loop_ms, loop_ms * ratio)
    assert not _has_changed([before] * 6)
    assert _has_changed([before] * 5 + [after] * 5)
    assert _has_changed([before] * 5 + [after] * 5 + [before] * 20)


def test_lambda_tells_nothing() -> None:
    """Replies without the figure, as all of Lambda's are, never say that a machine has changed."""
    assert not _has_changed([None] * 40)
    assert not _has_changed([None, 0.1] * 8)
