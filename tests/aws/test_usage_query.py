"""The query that sums up reports, held against the parser of reports, and its rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.aws.usage_query import (
    FIELDS,
    FLAGS,
    RECORD,
    REPORT,
    REPORT_QUERY,
    STREAM,
    day_sums,
    usage_query,
)
from tuner.logs import format_report, format_report_json
from tuner.model.invocation import PlatformReport
from tuner.model.scan import DaySums

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMES = st.floats(0, 900_000).map(lambda it: round(it, 2))
REPORTS = st.builds(
    PlatformReport,
    request_id=st.uuids().map(str),
    duration_ms=TIMES,
    billed_duration_ms=st.integers(0, 900_000),
    memory_size_mb=st.integers(128, 10_240),
    max_memory_used_mb=st.integers(1, 10_240),
    init_duration_ms=st.none() | TIMES,
    restore_duration_ms=st.none(),
    billed_restore_duration_ms=st.none(),
    status=st.sampled_from(("success", "error", "timeout")),
    error_type=st.none() | st.sampled_from(("Runtime.OutOfMemory", "Runtime.ExitError")),
    xray_trace_id=st.none(),
)


def parsed(message: str) -> Mapping[str, float | None]:
    """What the query's patterns take from a message, as Insights would."""
    found: dict[str, float | None] = {}
    for name, pattern, key in FIELDS:
        matches = (re.search(pattern, message), re.search(rf'"{key}":\s*([0-9.]+)', message))
        first = next((each for each in matches if each), None)
        found[name] = None if first is None else float(first[1])
    for name, words in FLAGS:
        found[name] = float(any(word in message for word in words))
    return found


ID = "8f5e0b1c-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("message", "is_asked"),
    [
        ("[ERROR] ValueError: woops\nTraceback (most recent call last):\n", True),
        (f'2026-11-20T10:00:00.000Z\t{ID}\tERROR\tInvoke Error \t{{"errorType":"E"}}\n', True),
        ("woops: java.lang.RuntimeException\njava.lang.RuntimeException: woops\n\tat x\n", True),
        ('Error raised from handler method\n{"errorType":"Function<TypeError>"}\n', True),
        ('2026/11/20 10:00:00 {"errorMessage":"woops","errorType":"errorString"}\n', True),
        (f"2026-11-20T10:00:00.000Z {ID} Task timed out after 3.00 seconds\n", True),
        (f"RequestId: {ID} Error: Runtime exited with error: signal: killed\n", True),
        (f"[ERROR]\t2026-11-20T10:00:00.000Z\t{ID}\ta word\n", False),
        (f"[INFO]\t2026-11-20T10:00:00.000Z\t{ID}\tno Error: x\n", False),
        (f"START RequestId: {ID} Version: 7\n", False),
    ],
)
def test_what_runtimes_log_of_failures_is_asked_for_with_the_reports(
    message: str, is_asked: bool
) -> None:
    """By the patterns of the query: what else a function logs isn't."""
    patterns = re.findall(r"like /((?:\\/|[^/])*)/", REPORT_QUERY)
    assert any(re.search(each, message) for each in patterns) is is_asked


@given(REPORTS)
def test_text_and_json_are_read_as_the_parser_reads_them(report: PlatformReport) -> None:
    """Every field of a report, whichever way it's logged, and what came of the invocation."""
    if report.status != "error":
        report = PlatformReport(
            **{name: getattr(report, name) for name in PlatformReport.__slots__}
            | {"error_type": None}
        )
    record = format_report_json(report, "2026-11-29T12:00:00.000Z")
    for message in (format_report(report), record):
        assert re.search(REPORT, message) or re.search(RECORD, message)
        found = parsed(message)
        assert found["duration"] == report.duration_ms
        assert found["billed"] == report.billed_duration_ms
        assert found["memory"] == report.memory_size_mb
        assert found["used"] == report.max_memory_used_mb
        assert found["init"] == report.init_duration_ms
        assert found["cold"] == (report.init_duration_ms is not None)
        assert found["timeout"] == (report.status == "timeout")
        assert found["failed"] == (report.status != "success")
        assert found["oom"] == (report.error_type == "Runtime.OutOfMemory")


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("2026/11/29/[$LATEST]0123abcd", ("", "$LATEST")),
        ("2026/11/29/[42]0123abcd", ("", "42")),
        ("2026/11/29/resize-images[7]0123abcd", ("resize-images", "7")),
    ],
)
def test_streams_have_the_version_and_newer_ones_the_function(
    stream: str, expected: tuple[str, str]
) -> None:
    """By the name that Lambda gives a stream."""
    found = re.search(STREAM, stream)
    assert found is not None
    assert found.groups() == expected


def test_the_query_names_each_group_once() -> None:
    """Insights refuses a name that is there twice; slashes within a pattern are escaped."""
    names = re.findall(r"\(\?<(\w+)>", usage_query())
    assert len(names) == len(set(names)) == 2 + 2 * len(FIELDS)
    for pattern in re.findall(r"parse @\w+ /(.*)/(?=\n|$)", usage_query()):
        assert not re.search(r"(?<!\\)/", pattern)


def test_rows_become_sums() -> None:
    """Numbers in powers of ten are read, and a shared group's rows go to the stream's function."""
    row = {
        "@log": "123456789012:/aws/lambda/resize", "version": "42", "memory": "5.12E2",
        "day": "2026-11-29 00:00:00.000", "invocations": "1.2E3", "billed_ms": "1.28E8",
        "warms": "1100", "warm_ms": "1000.5", "warm_ms2": "2e3", "colds": "90", "init_ms": "45.5",
        "failures": "10", "timeouts": "3", "ooms": "2", "longest_ms": "29999", "used_mb": "300",
    }  # fmt: skip
    whose = {"/aws/lambda/resize": "resize"}
    unread = {"@log": "123456789012:/aws/lambda/resize", "invocations": "3"}
    first, second = day_sums([row, {**row, "name": "send"}, unread], whose)
    assert first == DaySums(
        "resize", "2026-11-29", "42", 512, 1200, 128_000_000, 1100, 1000.5, 2000.0, 90, 45.5,
        error_count=5, timeout_count=3, oom_count=2, longest_ms=29999.0, max_memory_used_mb=300,
    )  # fmt: skip
    assert second.function == "send"
