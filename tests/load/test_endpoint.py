"""Loads over HTTP, with real threads and a real clock."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import run
from tests.load.endpoint import endpoint


@pytest.mark.slow
def test_a_stalling_endpoint_shows_an_open_systems_latency() -> None:
    """50/s for 4 s, and the endpoint answers nothing from 1 s to 3 s after the first request: of
    200, about the 100 that came meanwhile waited evenly from 2 s down to 0. So p50 is still a plain
    answer's or just above, p95 is the 11th longest wait, 1.8 s, and p99 the 3rd, 1.96 s.
    """
    with endpoint(0.02, (1.0, 3.0)) as url:
        ran = run(
            *("load", "hello", "--endpoint-url", url, "--phase", "4s:50/s", "--yes", "--json"),
            *("--allow-side-effects",),
        )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["invocation_count"] == answer["planned_count"] == 200
    latency = answer["latency_ms"]
    assert latency["p50"] < 300
    assert latency["p95"] == pytest.approx(1820, abs=150)
    assert latency["p99"] == pytest.approx(1980, abs=150)
    assert latency["max"] == pytest.approx(2020, abs=150)
