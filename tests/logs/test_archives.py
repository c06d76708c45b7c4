"""Archives in every form: what is read is what was written, whoever packed it."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard

from tests.logs import forms
from tests.logs.forms import Event, Invocation
from tests.logs.reading import INVOCATIONS, JSON, TEXT, expected, measured, read, read_bytes
from tuner.errors import InputError
from tuner.logs.archive import ReadFiles
from tuner.model.observation import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


REPORT = INVOCATIONS[1].text_events()[-1].message


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
