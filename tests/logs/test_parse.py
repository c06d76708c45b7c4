"""REPORT lines as the platform writes them, and what functions print around them."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest

from tuner.errors import ReportLineError
from tuner.logs import parse_report, parse_reports
from tuner.model.invocation import PlatformReport

ID = "8f5a7c3e-2f4b-4c55-9d3a-0b6f1c2d3e4f"
OTHER_ID = "11111111-2222-4333-8444-555555555555"

WARM = (
    f"REPORT RequestId: {ID}\tDuration: 127.10 ms\tBilled Duration: 128 ms\t"
    "Memory Size: 1024 MB\tMax Memory Used: 73 MB\t"
)
WARM_REPORT = PlatformReport(ID, 127.10, 128, 1024, 73)


def record(**changes: Any) -> dict[str, Any]:
    """A whole platform.report record of a warm success."""
    metrics = {
        "durationMs": 127.1,
        "billedDurationMs": 128,
        "memorySizeMB": 1024,
        "maxMemoryUsedMB": 73,
    }
    return {
        "time": "2026-11-20T10:00:00.000Z",
        "type": "platform.report",
        "record": {"requestId": ID, "status": "success", "metrics": metrics, **changes},
    }


def test_a_warm_line_has_its_five_fields() -> None:
    """Nothing is invented beside what the line says."""
    assert parse_report(WARM) == WARM_REPORT
    assert not parse_report(WARM).cold_start


def test_spaces_do_as_well_as_tabs() -> None:
    """Copied lines have lost their tabs."""
    assert parse_report(WARM.replace("\t", " ")) == WARM_REPORT
    assert parse_report(WARM.replace("\t", "   ") + "\r") == WARM_REPORT


def test_a_cold_start_that_timed_out_keeps_its_init_and_status() -> None:
    """Init Duration and Status stand behind the memory."""
    report = parse_report(
        f"REPORT RequestId: {ID}\tDuration: 3000.00 ms\tBilled Duration: 3403 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 73 MB\tInit Duration: 402.04 ms\tStatus: timeout"
    )
    assert report == PlatformReport(
        ID, 3000.0, 3403, 128, 73, init_duration_ms=402.04, status="timeout"
    )
    assert report.cold_start


def test_snapstart_restores_are_read_apart_from_init() -> None:
    """Restore and billed restore are two numbers, and neither is Duration."""
    report = parse_report(
        f"REPORT RequestId: {ID}\tDuration: 127.10 ms\tBilled Duration: 154 ms\t"
        "Memory Size: 512 MB\tMax Memory Used: 90 MB\tRestore Duration: 500.79 ms\t"
        "Billed Restore Duration: 26 ms\t"
    )
    assert (report.duration_ms, report.billed_duration_ms) == (127.10, 154)
    assert (report.restore_duration_ms, report.billed_restore_duration_ms) == (500.79, 26)
    assert report.init_duration_ms is None
    assert report.cold_start


def test_an_error_has_its_type() -> None:
    """A killed runtime says so behind its status."""
    report = parse_report(f"{WARM}Status: error\tError Type: Runtime.ExitError\t")
    assert (report.status, report.error_type) == ("error", "Runtime.ExitError")


def test_an_unknown_status_counts_as_an_error() -> None:
    """What is not known to be a success must not become a sample."""
    assert parse_report(f"{WARM}Status: evicted").status == "error"
    assert parse_report(json.dumps(record(status="failure"))).status == "error"


@pytest.mark.parametrize("between", ["\n", ""])
def test_an_x_ray_line_belongs_to_the_report_before_it(between: str) -> None:
    """The trace id is read from the line behind, or from the same line."""
    xray = "XRAY TraceId: 1-5e34a614-10bdbd5f5f0d6d0c5b6f0a1b\tSegmentId: 07f1\tSampled: true\t\n"
    assert (
        parse_report(WARM + between + xray).xray_trace_id == "1-5e34a614-10bdbd5f5f0d6d0c5b6f0a1b"
    )


def test_init_and_restore_reports_are_no_reports() -> None:
    """INIT_REPORT and RESTORE_REPORT have durations of their own, which are not the handler's."""
    log = (
        "INIT_REPORT Init Duration: 9999.00 ms\tPhase: init\tStatus: timeout\n"
        "RESTORE_REPORT Restore Duration: 400.00 ms\n"
        f"START RequestId: {ID} Version: 7\nEND RequestId: {ID}\n{WARM}\n"
    )
    assert parse_reports(log) == (WARM_REPORT,)
    with pytest.raises(ReportLineError, match="no REPORT line"):
        parse_report("INIT_REPORT Init Duration: 9999.00 ms\tPhase: init\tStatus: error\n")


@pytest.mark.parametrize(
    "line",
    [
        f"2017-03-01T10:00:03.000Z {ID} Task timed out after 3.00 seconds",
        f"{ID} Task timed out after 3.00 seconds",
        "c2d3e4f Task timed out after 3.00 seconds",
        "Task timed out after 3.00 seconds",
    ],
)
def test_an_older_timeout_is_told_by_a_line_of_its_own(line: str) -> None:
    """Without a Status, "Task timed out" in the tail makes it one, the id whole, cut or absent."""
    log = f"{line}\n\nEND RequestId: {ID}\n{WARM.replace('127.10', '3003.17')}\n"
    assert parse_report(log).status == "timeout"


def test_an_older_timeout_may_stand_behind_the_report() -> None:
    """The oldest logs have the line last."""
    line = f"2017-03-01T10:00:03.000Z {ID} Task timed out after 3.00 seconds"
    assert parse_report(f"{WARM}\n{line}\n\n").status == "timeout"


@pytest.mark.parametrize(
    "line",
    [
        f"2017-03-01T10:00:03.000Z {OTHER_ID} Task timed out after 3.00 seconds",
        f"[ERROR]\t2017-03-01T10:00:03.000Z\t{ID}\tTask timed out after 0.10 seconds",
        "worker 4: Task timed out after 0.10 seconds",
        f"worker-1 {ID} Task timed out after 0.10 seconds",
        "Task timed out after 3.00 seconds",
        "Task timed out after 0.1 seconds",
        "Task timed out after 0.10 seconds, trying again",
    ],
)
def test_a_function_may_log_timeouts_of_its_own(line: str) -> None:
    """Another request's, a logger's or a shorter story's timeout is not this invocation's."""
    assert parse_report(f"START\n{line}\n{WARM}\n").status is None


def test_a_later_status_is_not_overruled() -> None:
    """A line with a Status of its own needs no other line."""
    log = f"{ID} Task timed out after 0.10 seconds\n{WARM}Status: success\n"
    assert parse_report(log).status == "success"


def test_the_last_report_wins() -> None:
    """A tail that holds an earlier invocation's end speaks of the latest."""
    log = f"{WARM.replace(ID, OTHER_ID)}\nSTART RequestId: {ID}\n{WARM}\n"
    assert parse_report(log).request_id == ID
    assert [report.request_id for report in parse_reports(log)] == [OTHER_ID, ID]


@pytest.mark.parametrize("before", [True, False])
def test_a_report_in_the_middle_of_a_functions_line_is_not_the_platforms(before: bool) -> None:
    """What a function prints about REPORT lines is text, whole or not, before or behind."""
    fake = WARM.replace("127.10", "1.00").replace("128 ms", "1 ms")
    noise = f"INFO: saw REPORT RequestId: {OTHER_ID}\n  {fake}\n> {fake}\n\t{fake}\n"
    log = f"{noise}{WARM}\n" if before else f"{WARM}\n{noise}"
    assert parse_reports(log) == (WARM_REPORT,)
    assert parse_report(log) == WARM_REPORT


def test_a_broken_imitation_before_the_platforms_line_does_no_harm() -> None:
    """Only the last line is read, however a function's own begins."""
    assert parse_report(f"REPORT RequestId: soon\n{WARM}\n") == WARM_REPORT


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_first_line_that_is_cut_in_the_middle_is_skipped(kept: int) -> None:
    """A tail begins anywhere, in text and in JSON."""
    cut_text, cut_json = WARM[-kept:], json.dumps(record())[-kept:]
    for cut in (cut_text, cut_json):
        assert parse_reports(f"{cut}\n{WARM}\n") == (WARM_REPORT,)
        with pytest.raises(ReportLineError, match="no REPORT line"):
            parse_report(cut)


def test_a_json_record_is_read_whatever_the_order_of_its_keys() -> None:
    """Keys reversed at every level give the same report."""

    def reverse(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: reverse(inner) for key, inner in reversed(value.items())}

    straight, reversed_ = json.dumps(record()), json.dumps(reverse(record()))
    assert straight != reversed_
    assert parse_report(straight) == parse_report(reversed_)
    assert parse_report(straight) == PlatformReport(ID, 127.1, 128, 1024, 73, status="success")


def test_a_json_record_has_every_field_of_the_text() -> None:
    """Init, restore, status, error type and trace id."""
    metrics = {
        "durationMs": 12.5,
        "billedDurationMs": 513,
        "memorySizeMB": 256,
        "maxMemoryUsedMB": 256,
        "initDurationMs": 500.079,
        "restoreDurationMs": 300.5,
        "billedRestoreDurationMs": 53,
    }
    tracing = {
        "spanId": "3ac8",
        "type": "X-Amzn-Trace-Id",
        "value": "Root=1-62e900b2-710d;Parent=9fef;Sampled=1",
    }
    line = json.dumps(
        record(metrics=metrics, status="error", errorType="Runtime.OutOfMemory", tracing=tracing)
    )
    assert parse_report(f"{line}\n") == PlatformReport(
        ID,
        12.5,
        513,
        256,
        256,
        500.079,
        300.5,
        53,
        "error",
        "Runtime.OutOfMemory",
        "1-62e900b2-710d",
    )


def test_other_json_records_are_no_reports() -> None:
    """Functions' own records and the platform's other ones are passed over."""
    others = [
        {"type": "platform.initReport", "record": {"metrics": {"durationMs": 9.0}}},
        {"type": "platform.restoreReport", "record": {"metrics": {"durationMs": 9.0}}},
        {"type": "platform.runtimeDone", "record": record()["record"]},
        {"level": "INFO", "message": WARM, "type": "app"},
        {"message": json.dumps(record())},
        ["platform.report"],
    ]
    log = "\n".join(map(json.dumps, [*others, record(), *others]))
    assert len(parse_reports(log)) == 1
    assert parse_report(log).status == "success"


NEEDED = {
    "Duration": "Duration: 127.10 ms",
    "Billed Duration": "Billed Duration: 128 ms",
    "Memory Size": "Memory Size: 1024 MB",
}


@pytest.mark.parametrize(("name", "field"), NEEDED.items())
def test_a_missing_field_raises_and_names_itself(name: str, field: str) -> None:
    """What a measurement needs is never 0 in place of missing."""
    with pytest.raises(ReportLineError, match=f"request {ID} has no {name}"):
        parse_report(WARM.replace(f"\t{field}", ""))


@pytest.mark.parametrize("key", ["durationMs", "billedDurationMs", "memorySizeMB"])
@pytest.mark.parametrize("value", [None, "12", True, -1, float("nan"), float("inf"), [], 1e300])
def test_a_json_metric_must_be_a_number(key: str, value: object) -> None:
    """Missing, null, text, booleans, negative and endless numbers raise."""
    broken = record()
    broken["record"]["metrics"][key] = value
    with pytest.raises(ReportLineError, match=ID):
        parse_report(json.dumps(broken))
    del broken["record"]["metrics"][key]
    with pytest.raises(ReportLineError, match=ID):
        parse_report(json.dumps(broken))


@pytest.mark.parametrize(
    ("field", "broken"),
    [
        ("Duration: 127.10 ms", "Duration: ms"),
        ("Duration: 127.10 ms", "Duration: -127.10 ms"),
        ("Duration: 127.10 ms", "Duration: nan ms"),
        ("Duration: 127.10 ms", "Duration: 1e3 ms"),
        ("Duration: 127.10 ms", "Duration: 127.10 s"),
        ("Duration: 127.10 ms", "Duration: 127,10 ms"),
        ("Duration: 127.10 ms", "Duration: ١٢٧ ms"),  # other scripts have digits
        ("Billed Duration: 128 ms", "Billed Duration: 128.5 ms"),
        ("Memory Size: 1024 MB", "Memory Size: 1 GB"),
        ("Max Memory Used: 73 MB", "Max Memory Used: lots MB"),
    ],
)
def test_an_unreadable_field_raises(field: str, broken: str) -> None:
    """A number that cannot be one, or in another unit, is an error."""
    with pytest.raises(ReportLineError):
        parse_report(WARM.replace(f"\t{field}", f"\t{broken}"))


def test_a_record_without_what_it_should_hold_raises() -> None:
    """No record, no metrics and no request id are errors, not zeros."""
    for broken in ({}, {"record": None}, {"record": {"requestId": ID}}, {"record": {"metrics": 1}}):
        with pytest.raises(ReportLineError):
            parse_report(json.dumps({"type": "platform.report", **broken}))


def test_a_message_never_repeats_what_a_function_printed() -> None:
    """A line that begins like a report may hold secrets; the error does not."""
    for line in ("REPORT RequestId: hunter2 Duration: hunter2 ms", 'REPORT RequestId: "hunter2"'):
        with pytest.raises(ReportLineError) as caught:
            parse_report(line)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "hello", "{", "null", "REPORT", "REPORT RequestId:"])
def test_a_log_without_a_report_raises(text: str) -> None:
    """There is nothing to measure, and the message says where to look."""
    with pytest.raises(ReportLineError, match="CloudWatch Logs"):
        parse_report(text)


HOSTILE = {
    "brackets": '{"platform.report":' + "[" * 1_000_000,
    "spaces": "REPORT RequestId:" + " " * 1_000_000,
    "fields": f"REPORT RequestId: {ID}" + "\tDuration:  " * 100_000,
    "spaced": WARM + ("Status: x" + " " * 100) * 10_000,
    "timeouts": "Task timed out after 1.00 seconds"
    + " " * 1000
    + "x\n"
    + "1 Task timed out after " * 50_000,
    "records": '{"type":"platform.report"\n' * 40_000,
    "reports": f"{WARM}\n{OTHER_ID} Task timed out after 9.00 seconds\n" * 10_000,
    "digits": WARM.replace("127.10", "1" * 1_000_000),
    "number": '{"type":"platform.report","record":' + "9" * 100_000 + "}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_log_is_read_in_more_than_linear_time(name: str) -> None:
    """A million characters made to be slow take seconds of CPU at most, and only known errors."""
    start_s = time.process_time()
    for parse in (parse_report, parse_reports):
        with contextlib.suppress(ReportLineError):
            parse(HOSTILE[name])
    # Quadratic reading of these would take minutes.
    assert time.process_time() - start_s < 10
