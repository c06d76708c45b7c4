"""What lines say: reports or a function's own words, times, and what came of a request."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.logs import forms
from tests.logs.forms import Event, Invocation
from tests.logs.reading import INVOCATIONS, JSON, TEXT, expected, measured, read, read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


REPORT = INVOCATIONS[1].text_events()[-1].message
ID = INVOCATIONS[0].request_id
NODE_ERROR = (
    f"2026-11-20T10:00:00.000Z\t{ID}\tERROR\tInvoke Error \t"
    '{"errorType":"TypeError","errorMessage":"a secret"}'
)
JSON_REPORT = INVOCATIONS[1].json_events()[-1].message
assert REPORT.startswith("REPORT")


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"level": "INFO", "message": REPORT, "requestId": "x", "timestamp": "t"}),
        json.dumps({"message": REPORT}),
        json.dumps({"log": json.dumps({"type": "platform.report", "record": {}})}),
        json.dumps({"timestamp": 1_795_168_800_000, "message": REPORT}),
        f"2026-11-20T10:00:00.100Z\t{INVOCATIONS[0].request_id}\tINFO\t{REPORT}",
        f"[INFO]\t2026-11-20T10:00:00.100Z\t{INVOCATIONS[0].request_id}\t{REPORT}",
        f"seen: {REPORT}",
        f'"{REPORT}"',
    ],
)
@pytest.mark.parametrize(
    "form", [forms.plain, forms.exported, forms.tailed, forms.filtered, forms.subscription]
)
def test_a_report_that_a_function_prints_is_not_counted(
    tmp_path: Path, line: str, form: Callable[[Sequence[Event]], bytes]
) -> None:
    """Only a line that begins as the platform's is one, whatever a handler logs around it."""
    sly = Invocation(9, own=(line.replace("\n", " "),))
    found = read_bytes(tmp_path, form(sly.text_events()))
    assert [row[2] for row in found.rows] == [sly.request_id]
    assert found.collector.unreadable_count == 0


@pytest.mark.parametrize(
    "line",
    [
        REPORT.replace("3.25 ms", "3.2"),
        REPORT.replace("Billed Duration", "Billed"),
        REPORT.replace("1024 MB", "lots"),
        REPORT.replace("3.25", "-3.25"),
        REPORT.replace("3.25", "NaN"),
        REPORT.replace("4 ms", "4.5 ms"),
        REPORT[:70],
        "REPORT RequestId: \tDuration: 1.00 ms",
        JSON_REPORT[:90],
        JSON_REPORT.replace('"durationMs":3.25', '"durationMs":true'),
        JSON_REPORT.replace('"requestId"', '"id"'),
    ],
)
@pytest.mark.parametrize("form", [forms.plain, forms.exported, forms.tailed, forms.filtered])
def test_what_looks_like_a_report_and_cannot_be_read_is_counted(
    tmp_path: Path, line: str, form: Callable[[Sequence[Event]], bytes]
) -> None:
    """With where it is, and without what it says; those around it are read."""
    events = [
        *TEXT,
        Event(TEXT[-1].at_ms + 1, line.rstrip("\n") + "\n"),
        *Invocation(8).text_events(),
    ]
    found = read_bytes(tmp_path, form(events))
    assert len(found.rows) == len(INVOCATIONS) + 1
    assert found.collector.unreadable_count == 1
    [where] = found.collector.unreadable
    assert where.source == str(tmp_path / "logs")
    assert "3.2" not in where.why


@pytest.mark.parametrize("begin", ["", "[", '{"Records": ['])
@pytest.mark.parametrize("between", ["", ",\n", "\n"])
def test_reports_in_json_of_another_shape_are_counted_as_quoted(
    tmp_path: Path, begin: str, between: str
) -> None:
    """A shipper's records can't be told from what a function prints: they are told of alone."""
    record = json.dumps({"log_group": "/aws/lambda/f", "message": REPORT, "host": {"a": [1]}})
    if begin:
        between = between if "," in between else ","
    end = {"": "", "[": "]"}.get(begin, "]}")
    found = read_bytes(tmp_path, f"{begin}{between.join([record] * 3)}{end}".encode())
    assert (found.rows, found.collector.quoted_count) == ([], 3)


def test_an_unreadable_line_in_two_files_counts_once(tmp_path: Path) -> None:
    """As a readable one does; the same line twice in one file is two."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(forms.plain(TEXT) + REPORT[:70].encode() + b"\n")
    (tmp_path / "c").write_bytes(REPORT[:70].encode() * 1 + b"\n" + REPORT[:70].encode() + b"\n")
    assert read(tmp_path).collector.unreadable_count == 2


def test_lines_out_of_order_have_their_own_times(tmp_path: Path) -> None:
    """Exports aren't sorted; the window is from the earliest to the latest."""
    found = read_bytes(tmp_path, forms.exported(list(reversed(TEXT))))
    assert sorted(measured(found)) == sorted(expected())
    assert (found.collector.first_us, found.collector.last_us) == (
        TEXT[0].at_ms * 1000,
        TEXT[-1].at_ms * 1000,
    )


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2026-03-29T02:30:00.000+02:00", "2026-03-29T00:30:00"),  # an hour that Berlin skips
        ("2026-10-25T02:30:00.000+01:00", "2026-10-25T01:30:00"),  # the later of two
        ("2026-10-25T02:30:00.000+02:00", "2026-10-25T00:30:00"),
        ("2027-01-01T00:30:00.000+0100", "2026-12-31T23:30:00"),
        ("2026-12-31T23:59:60.000Z", "2027-01-01T00:00:00"),
        ("2028-02-29T12:00:00Z", "2028-02-29T12:00:00"),
        ("2026-11-20 10:00:00,250", "2026-11-20T10:00:00.250000"),
        ("2026/11/20 10:00:00", "2026-11-20T10:00:00"),
        ("1795168800", "2026-11-20T10:00:00"),
        ("1795168800250", "2026-11-20T10:00:00.250000"),
        ("1795168800250999", "2026-11-20T10:00:00.250999"),
    ],
)
def test_times_are_utc(tmp_path: Path, written: str, utc: str) -> None:
    """Zones, leap seconds and ends of years; without a zone it is UTC."""
    found = read_bytes(tmp_path, f"{written} {REPORT}".encode())
    [row] = found.rows
    assert row[3] is not None
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=row[3])
    assert moment.replace(tzinfo=None).isoformat() == utc


def test_dates_that_a_function_prints_are_not_the_window(tmp_path: Path) -> None:
    """Where the platform's lines have times, those written otherwise say nothing of when."""
    old = Invocation(
        0, own=("1999-01-01 00:00:00 an order", "1999-01-01T00:00:00Z", "1234567890 x")
    )
    for form in (forms.exported, forms.tailed, forms.led_by_epoch):
        found = read_bytes(tmp_path, form(old.text_events()).replace(b"\n1999", b"\n1999"))
        assert found.collector.first_us == (old.end_ms - 200) * 1000


def test_reports_without_times_take_the_time_of_their_requests_lines(tmp_path: Path) -> None:
    """What runtimes write before a function's own lines; not what a function writes first."""
    request = INVOCATIONS[0].request_id
    line = f"2026-11-20T10:00:05.000Z\t{request}\tINFO\thello"
    events = Invocation(0, own=("1999-01-01 00:00:00 an order", line)).text_events()
    found = read_bytes(tmp_path, forms.plain(events))
    [row] = found.rows
    assert row[3] == (forms.START_MS + 5_000) * 1000
    assert found.collector.first_us == found.collector.last_us == row[3]


@pytest.mark.parametrize(
    ("before", "outcome", "signature"),
    [
        (
            [f"2026-11-20T10:00:00.000Z {ID} Task timed out after 0.13 seconds"],
            "timeout",
            None,
        ),
        (["Task timed out after 0.12 seconds"], "timeout", None),
        (["I think: Task timed out after 0.13 seconds"], "success", None),
        (["Task timed out after 9.00 seconds"], "success", None),
        (
            [
                f"RequestId: {ID} Error: Runtime exited with error: signal: killed",
                "Runtime.ExitError",
            ],
            "oom",
            "Runtime.ExitError",
        ),
        (
            [
                f"RequestId: {ID} Error: Runtime exited with error: exit status 1",
                "Runtime.ExitError",
            ],
            "error",
            "Runtime.ExitError",
        ),
        (
            ["[ERROR] ValueError: a secret", "Traceback (most recent call last):"],
            "error",
            "ValueError",
        ),
        (["[ERROR] ValueError: a secret"], "success", None),
        (["[ERROR]\t2026-11-20T10:00:00.000Z\tx\tlogged"], "success", None),
        (
            [
                NODE_ERROR,
            ],
            "error",
            "TypeError",
        ),
        (
            [
                "a secret: java.lang.IllegalStateException",
                "java.lang.IllegalStateException: a secret",
                "\tat example.Handler.run(Handler.java:14)",
            ],
            "error",
            "java.lang.IllegalStateException",
        ),
        (
            [
                "Java heap space: java.lang.OutOfMemoryError",
                "java.lang.OutOfMemoryError: Java heap space",
            ],
            "oom",
            "java.lang.OutOfMemoryError",
        ),
        (
            [
                "2026-11-20 10:00:00 ERROR Handler - tried again",
                "java.lang.IllegalStateException: a secret",
                "\tat example.Handler.run(Handler.java:14)",
            ],
            "success",
            None,
        ),
        (
            [
                "tried again after: java.io.IOException",
                "it worked now",
                "java.io.IOException: a secret",
            ],
            "success",
            None,
        ),
        (
            ['2026/11/20 10:00:00 {"errorMessage":"a secret","errorType":"errorString"}'],
            "error",
            "errorString",
        ),
        (['{"errorMessage":"a secret","errorType":"errorString"}'], "success", None),
        (
            [
                "Error raised from handler method",
                "{",
                '  "errorMessage": "a secret",',
                '  "errorType": "Function<TypeError>"',
                "}",
            ],
            "error",
            None,
        ),
    ],
)
def test_lines_before_a_report_say_what_came_of_it(
    tmp_path: Path, before: list[str], outcome: str, signature: str | None
) -> None:
    """Older reports have no status; an error's class is kept, never its message."""
    found = read_bytes(tmp_path, forms.plain(Invocation(0, own=tuple(before)).text_events()))
    [row] = found.rows
    assert (row[11], row[12]) == (outcome, signature)
    assert "secret" not in repr(found.rows)


@pytest.mark.parametrize("form", forms.TIMED, ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    "lines",
    [
        ["woops: java.lang.IllegalStateException", "java.lang.IllegalStateException: woops"],
        ['2026/11/20 10:00:00 {"errorMessage":"woops","errorType":"errorString"}'],
        ["Error raised from handler method", '{"errorMessage":"woops","errorType":"F<T>"}'],
        ["[ERROR] ValueError: woops", "Traceback (most recent call last):", '  File "x", line 1'],
    ],
    ids=["java", "go", "ruby", "python"],
)
def test_a_runtimes_own_error_is_one_in_every_form(
    tmp_path: Path, form: Callable[[Sequence[Event]], bytes], lines: list[str]
) -> None:
    """Its lines are one event, as a runtime writes them."""
    first, *rest = Invocation(0).text_events()
    own = Event(first.at_ms + 10, "\n".join(lines) + "\n", is_platform=False)
    [row] = read_bytes(tmp_path, form([first, own, *rest])).rows
    assert row[11] == "error"


@pytest.mark.parametrize(
    "text",
    [
        "[ERROR] ValueError: woops\nTraceback (most recent call last):\n",
        "Error raised from handler method\n{}\n",
        "a: java.io.IOException\njava.io.IOException: a\n",
    ],
)
def test_without_a_start_line_an_error_is_of_the_next_report(tmp_path: Path, text: str) -> None:
    """As a query for reports and failures returns them; the report after that is a success."""
    reports = [Invocation(each).text_events()[-1] for each in range(2)]
    own = Event(reports[0].at_ms - 10, text, is_platform=False)
    found = read_bytes(tmp_path, forms.filtered([own, *reports])).rows
    assert [row[11] for row in found] == ["error", "success"]


@pytest.mark.parametrize(
    ("fields", "outcome", "signature"),
    [
        ("Status: timeout", "timeout", None),
        ("Status: error\tError Type: Runtime.ExitError", "error", "Runtime.ExitError"),
        ("Status: error\tError Type: Runtime.OutOfMemory", "oom", "Runtime.OutOfMemory"),
        ("Status: failure", "error", None),
        ("Status: success", "success", None),
        ("Status: error\tError Type: what@ever", "error", "unknown"),
    ],
)
def test_a_reports_own_status_counts(
    tmp_path: Path, fields: str, outcome: str, signature: str | None
) -> None:
    """A status that isn't known is an error; an error's class that can't be one is unknown."""
    found = read_bytes(tmp_path, f"{REPORT.rstrip()}\t{fields}\n".encode())
    [row] = found.rows
    assert (row[11], row[12]) == (outcome, signature)


def test_a_restore_is_no_init(tmp_path: Path) -> None:
    """SnapStart: the billed part is in the billed duration already."""
    line = f"{REPORT.rstrip()}\tRestore Duration: 500.79 ms\tBilled Restore Duration: 53 ms\t"
    for text in (line, f"{line}\nXRAY TraceId: 1-5e-ab\tSegmentId: 0\tSampled: true"):
        [row] = read_bytes(tmp_path, text.encode()).rows
        assert row[8:11] == (None, 500.79, 53.0)


def test_lines_of_the_platform_that_are_no_reports_are_none(tmp_path: Path) -> None:
    """INIT_REPORT, RESTORE_REPORT, extensions."""
    lines = [
        "INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:aws:lambda:x",
        "INIT_REPORT Init Duration: 3000.14 ms\tPhase: init\tStatus: timeout",
        "RESTORE_REPORT Restore Duration: 3.14 ms\tStatus: error",
        "EXTENSION\tName: lambda-insights\tState: Ready\tEvents: [INVOKE, SHUTDOWN]",
        "TELEMETRY\tName: x\tState: Subscribed\tTypes: [Platform]",
        '{"time":"2026-11-20T10:00:00.000Z","type":"platform.initReport","record":{"metrics":{}}}',
    ]
    found = read_bytes(tmp_path, "\n".join(lines).encode())
    assert found.rows == []
    assert found.collector.unreadable_count == 0


def test_lambda_insights_has_the_cpu_time_of_requests(tmp_path: Path) -> None:
    """Events of its own group, by request id."""
    event = {"cpu_total_time": 210, "request_id": "r", "function_name": "f", "duration": 300}
    assert read_bytes(tmp_path, json.dumps(event).encode()).collector.cpu_ms == {"r": 210.0}
    wrapped = forms.filtered([Event(forms.START_MS, json.dumps(event))])
    assert read_bytes(tmp_path, wrapped).collector.cpu_ms == {"r": 210.0}


def test_an_init_that_names_its_function_names_the_source(tmp_path: Path) -> None:
    """JSON logs say whose they are when an environment begins."""
    begin = {
        "time": forms.iso(forms.START_MS + 60_000),
        "type": "platform.initStart",
        "record": {"functionName": "resize", "functionVersion": "7"},
    }
    data = forms.plain(JSON[:6]) + json.dumps(begin).encode() + b"\n" + forms.plain(JSON[6:])
    found = read_bytes(tmp_path, data)
    assert {found.origin(row).function for row in found.rows} == {"resize"}


def test_a_name_behind_the_time_is_the_functions(tmp_path: Path) -> None:
    """As `pulumi logs` writes each line; anywhere else such a name makes no report of a line."""
    lines = [
        f"    2026-11-20T11:00:01.250+01:00[            resize-1a2b3c4] {REPORT}",
        f"2026-11-20T11:00:02.250+01:00[send] {REPORT.replace('-', '0', 1)}",
        f"[send] {REPORT}",
        f"2026-11-20T11:00:03.250+01:00 [send] {REPORT}",
    ]
    found = read_bytes(tmp_path, "\n".join(lines).encode())
    assert [found.origin(row).function for row in found.rows] == ["resize-1a2b3c4", "send"]
    assert found.rows[0][3] == 1_795_168_801_250_000
