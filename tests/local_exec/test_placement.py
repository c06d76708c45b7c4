"""On a host with more cores than the code may see, environments are spread over them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.local.execution.cores import CorePlacement

if TYPE_CHECKING:
    from tests.local_exec.conftest import Bench


def test_environments_are_spread() -> None:
    """Two full cores each, two environments share no core of four."""
    board = CorePlacement((0, 1, 2, 3))
    with board.placed(2, 2.0) as one, board.placed(2, 2.0) as other:
        assert not set(one) & set(other)
        assert len(one) == len(other) == 2


def test_a_place_is_kept_while_it_is_as_good_as_any() -> None:
    """An environment comes back to its cores, unless others are freer."""
    board = CorePlacement((0, 1, 2, 3))
    with board.placed(2, 1.0, (2, 3)) as kept:
        assert kept == (2, 3)
        with board.placed(2, 1.0, (2, 3)) as moved:
            assert moved == (0, 1)


def test_no_binding_where_all_cores_may_be_seen() -> None:
    """Without a restriction nothing is bound, nor where the host's cores are unknown."""
    with CorePlacement((0, 1)).placed(2, 1.0) as cpus, CorePlacement(()).placed(2, 1.0) as unknown:
        assert cpus == unknown == ()


@given(st.lists(st.tuples(st.integers(1, 6), st.floats(0.05, 2.0)), max_size=10))
def test_load_is_given_back(wishes: list[tuple[int, float]]) -> None:
    """When all have left, every core is as free as before."""
    board = CorePlacement((0, 1, 2, 3))
    for count, share in wishes:
        with board.placed(count, share), board.placed(count, share):
            pass
    with board.placed(1, 1.0, (3,)) as cpus:
        assert cpus == (3,)


def test_code_sees_its_cores_and_moves(any_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that may see one core of more sees one, and is moved with all its threads."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one core: nowhere to move")
    monkeypatch.setattr("tuner.local.execution.environment.visible_core_count", lambda memory_mb: 1)
    first = any_bench.call("where", {}, 512).value
    assert len(first) == 1
    board = any_bench.executor._placement
    with board.placed(1, 1.0, tuple(first)):
        assert any_bench.call("where", {}, 512).value != first
