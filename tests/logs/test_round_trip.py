"""What is formatted is read back as it was."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import ReportLineError
from tuner.logs import format_report, format_report_json, parse_report, parse_reports
from tuner.model.invocation import PlatformReport

TIME = "2026-11-20T10:00:00.000Z"

times_ms = st.one_of(
    st.integers(0, 1_000_000_000).map(lambda hundredths: hundredths / 100),
    st.floats(1e-9, 1e9),
)
optional_times_ms = st.none() | times_ms
reports = st.builds(
    PlatformReport,
    request_id=st.uuids().map(str),
    duration_ms=times_ms,
    billed_duration_ms=st.integers(0, 10_000_000),
    memory_size_mb=st.integers(128, 32_768),
    max_memory_used_mb=st.none() | st.integers(0, 32_768),
    init_duration_ms=optional_times_ms,
    restore_duration_ms=optional_times_ms,
    billed_restore_duration_ms=optional_times_ms,
    status=st.sampled_from([None, "success", "error", "timeout"]),
    error_type=st.none()
    | st.sampled_from(["Runtime.ExitError", "Runtime.OutOfMemory", "KeyError"]),
    xray_trace_id=st.none() | st.just("1-5e34a614-10bdbd5f5f0d6d0c5b6f0a1b"),
)
noise = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=60).filter(
    lambda line: not line.startswith(("REPORT ", "XRAY ", "{")) and "Task timed out" not in line
)


@settings(deadline=None)
@given(reports)
def test_text_is_read_back_as_it_was(report: PlatformReport) -> None:
    """Every field survives, to the last digit."""
    assert parse_report(format_report(report)) == report


@settings(deadline=None)
@given(reports)
def test_json_is_read_back_as_it_was(report: PlatformReport) -> None:
    """Every field survives, on one line."""
    line = format_report_json(report, TIME)
    assert "\n" not in line
    assert parse_report(line) == report


@settings(deadline=None)
@given(st.lists(st.tuples(noise, reports, st.booleans()), max_size=4), noise)
def test_reports_are_found_among_whatever_a_function_prints(
    entries: list[tuple[str, PlatformReport, bool]], last: str
) -> None:
    """Text and JSON reports come out in order, and nothing else does."""
    lines: list[str] = []
    for before, report, as_json in entries:
        lines += [before, format_report_json(report, TIME) if as_json else format_report(report)]
    log = "\n".join([*lines, last])
    assert parse_reports(log) == tuple(report for _, report, _ in entries)
    if entries:
        assert parse_report(log) == entries[-1][1]


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_a_report_or_the_one_error(text: str) -> None:
    """No input breaks the parser in another way."""
    for log in (text, f"REPORT RequestId: 1 {text}", f'{{"type":"platform.report",{text}'):
        with contextlib.suppress(ReportLineError):
            parse_report(log)


@settings(deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=4))
def test_any_record_gives_a_report_or_the_one_error(value: object) -> None:
    """A platform.report of the wrong shape raises ReportLineError alone."""
    for shape in (value, {"requestId": "1", "metrics": value, "tracing": value, "status": value}):
        with pytest.raises(ReportLineError):
            parse_report(json.dumps({"type": "platform.report", "record": shape}))


def test_a_line_looks_as_lambda_writes_it() -> None:
    """Two decimals for times, none for what is billed, tabs between and behind."""
    report = PlatformReport(
        "8f5a7c3e",
        127.1,
        154,
        512,
        73,
        restore_duration_ms=500.79,
        billed_restore_duration_ms=26.0,
        status="timeout",
        xray_trace_id="1-5e34a614-10bd",
    )
    assert format_report(report) == (
        "REPORT RequestId: 8f5a7c3e\tDuration: 127.10 ms\tBilled Duration: 154 ms\t"
        "Memory Size: 512 MB\tMax Memory Used: 73 MB\tRestore Duration: 500.79 ms\t"
        "Billed Restore Duration: 26 ms\tStatus: timeout\t\nXRAY TraceId: 1-5e34a614-10bd\t"
    )


def test_a_record_looks_as_lambda_writes_it() -> None:
    """The keys are those of the platform's event schema."""
    report = PlatformReport(
        "8f5a7c3e", 12.5, 413, 128, 73, init_duration_ms=400.04, status="success"
    )
    assert json.loads(format_report_json(report, TIME)) == {
        "time": TIME,
        "type": "platform.report",
        "record": {
            "requestId": "8f5a7c3e",
            "metrics": {
                "durationMs": 12.5,
                "billedDurationMs": 413,
                "memorySizeMB": 128,
                "maxMemoryUsedMB": 73,
                "initDurationMs": 400.04,
            },
            "status": "success",
        },
    }
