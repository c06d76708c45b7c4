"""Logs without a report: what the message says is wrong with them."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run_here

if TYPE_CHECKING:
    from pathlib import Path

_NOISE = random.Random(1).randbytes(3000).hex().encode()
REPORT = (
    b"2026-11-20T10:00:00.000Z REPORT RequestId: 8f5a7c3e-2f4b-4c55-9d3a-000000000001\t"
    b"Duration: 1e308 ms\tBilled Duration: 1 ms\tMemory Size: 512 MB\tMax Memory Used: 9 MB\t\n"
)
WARNING = b'{"timestamp":"2026-11-20T10:00:00Z","level":"WARN","message":"low","requestId":"a"}\n'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the logs have no lines, so check that the export is whole"),
        (gzip.compress(_NOISE)[:900], "/log can't be unpacked to the end (the gzip data ends too"),
        (REPORT, "/log:1 looks like one and can't be read (no readable Duration"),
        (WARNING * 20, "at that log level Lambda may write none"),
        (b"hello\n", "look at whether these are a function's logs"),
    ],
)
@pytest.mark.parametrize("more", [("--overheads",), ("--pathways", "--trigger", "sqs")])
def test_logs_without_a_report_say_why(
    tmp_path: Path, data: bytes, said: str, more: tuple[str, ...]
) -> None:
    """One line: what isn't there, where the cause is if it's seen, and what to do."""
    (tmp_path / "log").write_bytes(data)
    state = str(tmp_path / "state")
    ran = run_here("observe", "fn", "--logs", str(tmp_path / "log"), *more, TUNER_STATE_DIR=state)
    told = one_line(ran)
    assert "there is no REPORT line of fn: " in told
    assert said in told
