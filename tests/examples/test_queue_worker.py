"""What the examples' README shows of the queue worker is what its saved sweep says."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.running import ROOT, run_here

SWEEP = "examples/sweeps/queue-worker.jsonl"
ROW = re.compile(r"^▶? +(\d+) +(\d+) MB .* (\d+\.\d\d) +\S", re.MULTILINE)


def test_the_shown_answer_is_the_sweeps() -> None:
    """The pairs' costs of a record, and both parts of the verdict."""
    readme = (ROOT / "examples" / "README.md").read_text()
    [shown] = [b for b in re.findall(r"```\n(.*?)```", readme, re.DOTALL) if "batch_size  " in b]
    costs = {(int(value), int(mb)): float(cost) for value, mb, cost in ROW.findall(shown)}
    answer = json.loads(run_here("report", SWEEP, "--json").stdout)
    found = {
        (each["value"], pair["memory_mb"]): pair["cost_usd_per_million_records"]["estimate"]
        for each in answer["variation"]["values"]
        for pair in each["pairs"]
    }
    assert len(costs) >= 5
    for pair in costs:
        assert found[pair] == pytest.approx(costs[pair], rel=0.15), pair
    assert answer["recommendation"]["parameters"] == {"batch_size": 10}
    assert "batch_size 5 → 10: a record is" in shown
    assert "batch_size 5 → 10: a record is" in run_here("report", SWEEP).stdout
