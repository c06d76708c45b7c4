"""What the examples' README shows of the queue worker is what the report prints."""

from __future__ import annotations

import re

from tests.cli.running import ROOT, run_here


def test_the_shown_table_is_the_reports() -> None:
    """Line by line; after a change of the analysis, take the new lines over."""
    readme = (ROOT / "examples" / "README.md").read_text()
    [shown] = [
        block for block in re.findall(r"```\n(.*?)```", readme, re.DOTALL) if "batch_size  " in block
    ]
    printed = run_here("report", "examples/sweeps/queue-worker.jsonl").stdout
    lines = [line for line in shown.splitlines() if line.strip()]
    assert len(lines) > 8
    assert [line for line in lines if line not in printed.splitlines()] == []
