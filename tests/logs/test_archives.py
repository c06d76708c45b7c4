"""Archives in every form: what is read is what was written, whoever packed it."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
import zstandard

from tests.logs import forms
from tests.logs.forms import Event, Invocation
from tuner.errors import InputError
from tuner.logs.archive import ReadFiles, read_files
from tuner.logs.collector import Collector
from tuner.logs.files import find_files
from tuner.model.observation import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tuner.logs.collector import ReportRow


class Found(NamedTuple):
    """What was read of an archive."""

    rows: list[ReportRow]
    collector: Collector
    came: ReadFiles

    def origin(self, row: ReportRow) -> Origin:
        """Where a row is from."""
        return {number: each for each, number in self.collector.origins.items()}[row[0]]


def read(*paths: Path) -> Found:
    """Read an archive."""
    rows: list[ReportRow] = []
    collector = Collector(rows.extend)
    came = read_files(find_files(paths), collector)
    return Found(rows, collector, came)


def read_bytes(folder: Path, data: bytes, name: str = "logs") -> Found:
    """Read a file of these bytes."""
    (folder / name).write_bytes(data)
    return read(folder / name)


INVOCATIONS = (
    Invocation(0, "127.10", 528, 1024, init="400.04", own=("hello", '{"message": "a"}')),
    Invocation(1, "3.25", 4, 1024, own=("[ERROR]\tnothing",)),
    Invocation(2, "3000.00", 3000, 512, status="timeout"),
    Invocation(3, "99.99", 100, 512, status="error"),
    Invocation(4, "7.00", 7, 512, own=("x" * 500,)),
)
TEXT = [event for each in INVOCATIONS for event in each.text_events()]
JSON = [event for each in INVOCATIONS for event in each.json_events()]


def expected(*, with_times: bool = True) -> list[tuple[object, ...]]:
    """What must be read of each."""
    return [
        (
            each.request_id,
            each.end_ms * 1000 if with_times else None,
            float(each.duration),
            each.billed_ms,
            each.memory_mb,
            73,
            float(each.init) if each.init else None,
            {"timeout": "timeout", "error": "error"}.get(each.status or "", "success"),
        )
        for each in INVOCATIONS
    ]


def measured(found: Found, *, with_times: bool = True) -> list[tuple[object, ...]]:
    """The same of what was read."""
    return [(row[2], row[3] if with_times else None, *row[4:9], row[11]) for row in found.rows]


@pytest.mark.parametrize("events", [TEXT, JSON], ids=["text", "JSON"])
@pytest.mark.parametrize("form", forms.TIMED, ids=lambda it: it.__name__)
@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstd"]
)
def test_every_form_with_times_says_the_same(
    tmp_path: Path,
    form: Callable[[Sequence[Event]], bytes],
    events: list[Event],
    pack: Callable[[bytes], bytes],
) -> None:
    """Each report is there once with its numbers, its time in UTC and its version; nothing else."""
    found = read_bytes(tmp_path, pack(form(events)))
    if form is forms.tailed_short:  # whole seconds
        assert measured(found, with_times=False) == expected(with_times=False)
    else:
        assert measured(found) == expected()
        assert found.collector.first_us == events[0].at_ms * 1000
        assert found.collector.last_us == events[-1].at_ms * 1000
    assert {found.origin(row).version for row in found.rows} == {"7"}
    assert (found.collector.unreadable_count, found.collector.quoted_count) == (0, 0)
    assert found.came == ReadFiles(read=[str(tmp_path / "logs")])


@pytest.mark.parametrize("form", forms.UNTIMED, ids=lambda it: it.__name__)
def test_messages_without_times_are_read(
    tmp_path: Path, form: Callable[[Sequence[Event]], bytes]
) -> None:
    """What has no time has none."""
    found = read_bytes(tmp_path, form(TEXT))
    assert [row[3] for row in found.rows] == [None] * len(INVOCATIONS)
    assert measured(found, with_times=False) == expected(with_times=False)
    assert found.collector.first_us is None


def test_a_json_log_of_its_own_has_the_platforms_times(tmp_path: Path) -> None:
    """Records have a time each."""
    found = read_bytes(tmp_path, forms.plain(JSON))
    assert measured(found) == expected()


@pytest.mark.parametrize(
    "form", [forms.subscription, forms.firehose, forms.insights_results], ids=lambda it: it.__name__
)
def test_what_names_its_function_is_of_it(
    tmp_path: Path, form: Callable[[Sequence[Event]], bytes]
) -> None:
    """Group, stream and account are told apart."""
    found = read_bytes(tmp_path, form(TEXT))
    assert {found.origin(row) for row in found.rows} == {
        Origin(str(tmp_path / "logs"), "thumbs", "7", forms.STREAM, "123456789012")
    }


# --- Hostile archives ---

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


def test_an_unreadable_line_in_two_files_counts_once(tmp_path: Path) -> None:
    """As a readable one does; the same line twice in one file is two."""
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(forms.plain(TEXT) + REPORT[:70].encode() + b"\n")
    (tmp_path / "c").write_bytes(REPORT[:70].encode() * 1 + b"\n" + REPORT[:70].encode() + b"\n")
    assert read(tmp_path).collector.unreadable_count == 2


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("form", [forms.plain, forms.exported, forms.filtered, forms.subscription])
def test_of_a_torn_file_what_comes_before_is_read(
    tmp_path: Path, form: Callable[[Sequence[Event]], bytes], cut: float
) -> None:
    """gzip and zstd, cut anywhere: reports before the cut are whole, and the file is told."""
    many = [event for number in range(400) for event in Invocation(number).text_events()]
    whole = form(many)
    for name, packed in (("a.gz", gzip.compress(whole, 1)), ("b.zst", zstandard.compress(whole))):
        found = read_bytes(tmp_path, packed[: int(len(packed) * cut)], name)
        assert [name for name, _why in found.came.torn] == [str(tmp_path / name)]
        assert found.collector.unreadable_count <= 1
        if name == "a.gz":
            got = len(found.rows)
            assert 400 * cut * 0.5 < got < 400
            assert [row[2] for row in found.rows] == [Invocation(n).request_id for n in range(got)]


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    """Bytes that are no gzip behind a good beginning."""
    data = zlib.compress(forms.plain(TEXT) * 300, 1, wbits=31)
    found = read_bytes(tmp_path, data[: len(data) // 2] + b"\xff" * 200 + data[len(data) // 2 :])
    assert found.rows
    assert len(found.came.torn) == 1


def test_gzip_members_with_padding_between_are_one_file(tmp_path: Path) -> None:
    """Firehose writes members, and tapes pad with zeros."""
    packed = gzip.compress(forms.plain(TEXT[:6])) + gzip.compress(forms.plain(TEXT[6:]))
    found = read_bytes(tmp_path, packed + b"\0" * 512)
    assert measured(found, with_times=False) == expected(with_times=False)
    assert found.came.torn == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("form", [forms.plain, forms.exported, forms.tailed, forms.filtered])
def test_marks_encodings_and_line_ends_change_nothing(
    tmp_path: Path, form: Callable[[Sequence[Event]], bytes], encoding: str, end: str
) -> None:
    """As editors and shells on other systems save them."""
    text = form(TEXT).decode().replace("\n", end)
    found = read_bytes(tmp_path, text.encode(encoding))
    assert measured(found, with_times=False) == expected(with_times=False)
    assert found.collector.unreadable_count == 0


def test_files_that_are_no_logs_are_told(tmp_path: Path) -> None:
    """Binary, packed otherwise, empty: the logs beside them are read."""
    (tmp_path / "logs.txt").write_bytes(forms.exported(TEXT))
    (tmp_path / "empty.log").write_bytes(b"")
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "aws-logs-write-test").write_text("Permission Check Successful")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "old.zip").write_bytes(b"PK\x03\x04....")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 100)
    (tmp_path / ".hidden").write_bytes(forms.plain(TEXT))
    found = read(tmp_path)
    assert measured(found) == expected()
    named = {name.rpartition("/")[2]: why for name, why in found.came.unusable}
    assert named == {
        "image.png": "not text",
        "noise.bin": "not text",
        "old.zip": "a ZIP archive that is damaged or cut off",
    }


def test_a_folder_of_an_export_names_streams(tmp_path: Path) -> None:
    """Slashes became dashes; files of one stream are of one stream; links lead round in circles."""
    stream = tmp_path / "task-1" / forms.STREAM.replace("/", "-")
    stream.mkdir(parents=True)
    (stream / "000000.gz").write_bytes(gzip.compress(forms.exported(TEXT[:6])))
    (stream / "000001.gz").write_bytes(gzip.compress(forms.exported(TEXT[6:])))
    (stream / "again").symlink_to(stream / "000000.gz")
    (stream / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "task-1" / "round").symlink_to(tmp_path)
    found = read(tmp_path)
    assert measured(found) == expected()
    assert {found.origin(row).log_stream for row in found.rows} == {forms.STREAM}
    assert {found.origin(row).function for row in found.rows} == {None}


def test_a_stream_of_a_shared_group_names_its_function(tmp_path: Path) -> None:
    """Streams of a group of one's own have the function's name in them."""
    stream = "2026/11/20/resize-images[$LATEST]0123456789abcdef0123456789abcdef"
    data = forms.tailed(TEXT).replace(forms.STREAM.encode(), stream.encode())
    found = read_bytes(tmp_path, data)
    origins = {found.origin(row) for row in found.rows}
    assert {(each.function, each.version) for each in origins} == {("resize-images", "$LATEST")}


def test_lines_of_many_megabytes_are_passed_over(tmp_path: Path) -> None:
    """10 MB of one line are read past; 40 MB too, and counted."""
    long = forms.plain(TEXT[:6]) + b"y" * 10_000_000 + b"\n" + forms.plain(TEXT[6:])
    found = read_bytes(tmp_path, long)
    assert measured(found, with_times=False) == expected(with_times=False)
    assert found.came.too_long_count == 0
    longer = forms.plain(TEXT[:6]) + b"{" * 40_000_000 + b"\n" + forms.plain(TEXT[6:])
    found = read_bytes(tmp_path, longer)
    assert measured(found, with_times=False) == expected(with_times=False)
    assert found.came.too_long_count == 1


def test_a_long_answer_is_read_piece_by_piece(tmp_path: Path) -> None:
    """Some megabytes of JSON, whose values end within pieces of what is read."""
    many = [
        event
        for number in range(3_000)
        for event in Invocation(number, own=("z" * 300,)).text_events()
    ]
    for form in (forms.filtered, forms.subscription, forms.pairs_of_json):
        found = read_bytes(tmp_path, form(many))
        assert [row[2] for row in found.rows] == [Invocation(n).request_id for n in range(3_000)]


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


def test_what_is_not_there_or_empty_is_one_line(tmp_path: Path) -> None:
    """What is wrong, where, and what to do."""
    with pytest.raises(InputError, match="gone does not exist"):
        read(tmp_path / "gone")
    with pytest.raises(InputError, match="no file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("group", "function"),
    [
        ("/aws/lambda/thumbs", "thumbs"),
        ("/aws/lambda/us-east-1.thumbs", "thumbs"),
        ("/my/shared/group", None),
        ("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/thumbs:*", "thumbs"),
    ],
)
def test_a_log_group_names_its_function(tmp_path: Path, group: str, function: str | None) -> None:
    """Lambda's own groups do, at the edge too; a group of one's own names none."""
    event = {"timestamp": forms.START_MS, "message": REPORT, "logGroupName": group}
    found = read_bytes(tmp_path, json.dumps([event]).encode())
    [row] = found.rows
    assert found.origin(row).function == function


@pytest.mark.parametrize("form", [forms.filtered, forms.subscription, forms.subscription_lines])
def test_json_that_is_cut_off_is_told(
    tmp_path: Path, form: Callable[[Sequence[Event]], bytes]
) -> None:
    """What comes before is read."""
    whole = form(TEXT)
    found = read_bytes(tmp_path, whole[: len(whole) * 2 // 3])
    assert 0 < len(found.rows) < len(INVOCATIONS)
    [(_name, why)] = found.came.torn
    assert why == "JSON that is cut off or damaged"


def test_of_damaged_json_the_rest_is_read(tmp_path: Path) -> None:
    """One event, or one record a line, of many."""
    data = forms.filtered(TEXT)
    at = data.index(b'"timestamp"', len(data) // 2)
    found = read_bytes(tmp_path, data[:at] + b'"timestamp' + data[at + 11 :])
    assert len(found.rows) >= len(INVOCATIONS) - 1
    assert len(found.came.torn) == 1
    lines = forms.subscription_lines(TEXT).split(b"\n")
    damaged = next(number for number, line in enumerate(lines) if b"REPORT" in line)
    lines[damaged] = lines[damaged].replace(b'"owner":', b'"owner')
    found = read_bytes(tmp_path, b"\n".join(lines))
    missing = len(INVOCATIONS) - len(found.rows)
    assert missing == found.collector.unreadable_count == lines[damaged].count(b"REPORT")
