"""A sweep that costs several times what was agreed to stops by itself, and gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sweep.running import codes, serve
from tuner.local.scripted import ScriptedExecutor

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (128, 512, 1769)


@pytest.mark.parametrize(
    ("recent_ms", "budget_usd", "stops"),
    [(20.0, None, True), (1500.0, None, False), (20.0, 1.0, False), (None, None, False)],
)
def test_what_costs_far_more_than_foreseen_is_stopped(
    tmp_path: Path, recent_ms: float | None, budget_usd: float | None, stops: bool
) -> None:
    """Two seconds where 20 ms were foreseen: stopped, unless a budget agrees to it."""
    with serve(tmp_path, ScriptedExecutor(2000.0, time_scale=0)) as place:
        before = place.snapshot()
        plan = place.plan(
            memory_sizes_mb=SIZES,
            repetition_count=5,
            recent_duration_ms=recent_ms,
            budget_usd=budget_usd,
        )
        sweep = place.run(plan)
        assert ("runaway" in codes(sweep)) == stops
        assert sweep.end == ("failed" if stops else "complete")
        assert len(sweep.invocations) < plan.max_invocations if stops else True
        assert place.snapshot() == before
