"""What may be measured again, and what may not."""

from __future__ import annotations

import pytest

from tests import repeating
from tests.repeating import first_that


@pytest.mark.parametrize(("free", "outcome"), [(1.0, "fails"), (0.3, "is skipped")])
def test_a_measurement_that_never_holds_fails_where_a_core_was_free(
    monkeypatch: pytest.MonkeyPatch, free: float, outcome: str
) -> None:
    """Three attempts, no more; a machine that others have for themselves shows nothing."""
    monkeypatch.setattr(repeating, "bare_share", lambda _cpu_s: free)
    tried: list[int] = []
    kinds = {"fails": AssertionError, "is skipped": pytest.skip.Exception}
    with pytest.raises(kinds[outcome]):
        first_that(lambda _: False, tried.append)
    assert tried == [0, 1, 2]


def test_the_first_measurement_that_holds_is_taken() -> None:
    """And what must hold of each is not measured again."""
    assert first_that(lambda number: number == 1, lambda number: number) == 1

    def never_true(_number: int) -> int:
        raise AssertionError("a wrong answer")

    with pytest.raises(AssertionError, match="a wrong answer"):
        first_that(lambda _: True, never_true)
