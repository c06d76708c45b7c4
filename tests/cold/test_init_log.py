"""What a log says of an INIT: as AWS documents its records, and as the local Lambda writes them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.cold.probe import init_parts, init_timed_out


def record(kind: str, time: str, **fields: object) -> str:
    return json.dumps({"time": time, "type": kind, "record": fields})


READY = record("platform.initRuntimeDone", "2026-11-30T09:00:00.900Z", status="success")
ENDED = record("platform.initReport", "2026-11-30T09:00:01.100Z", status="success", phase="init")


def test_extensions_are_what_is_waited_for_after_the_runtime() -> None:
    """200 of 1,000 ms."""
    parts = init_parts(f"{READY}\n{ENDED}\nhello\n", 1000.0)
    assert parts is not None
    assert parts.extensions_ms == pytest.approx(200)
    assert parts.runtime_and_code_ms == pytest.approx(800)


@pytest.mark.parametrize("log", ["", READY, ENDED, "REPORT RequestId: r", '{"type": "platform.in'])
def test_a_log_without_both_says_nothing(log: str) -> None:
    """As a text log, or one at another level."""
    assert init_parts(log, 1000.0) is None


@pytest.mark.parametrize(
    ("log", "timed_out"),
    [
        ("INIT_REPORT Init Duration: 10008.30 ms\tPhase: init\tStatus: timeout", True),
        ("INIT_REPORT Init Duration: 5.3 ms\tPhase: init\tStatus: error\tError Type: X", False),
        ("INIT_REPORT Init Duration: 5.3 ms\tPhase: invoke\tStatus: error", False),
        ("said INIT_REPORT Init Duration: 1 ms\tPhase: init\tStatus: timeout", False),
        (record("platform.initReport", "x", status="timeout", phase="init"), True),
        (record("platform.initReport", "x", status="failure", phase="init"), False),
        (record("platform.initReport", "x", status="error", phase="invoke"), False),
        (ENDED, False),
    ],
)
def test_an_init_that_lambda_ended_is_told(log: str, timed_out: bool) -> None:
    """Only an INIT's own, and only the platform's lines; one that failed by itself isn't."""
    assert init_timed_out(log) == timed_out


@given(st.text(), st.sampled_from(["{", "", '{"type": "platform.initReport", "record": ']))
def test_any_log_is_read(text: str, start: str) -> None:
    """Whatever a function prints."""
    init_parts(start + text, 1.0)
    init_timed_out(start + text)
