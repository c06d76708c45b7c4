"""Exports of the console as tables, and ZIP archives of logs."""

from __future__ import annotations

import gzip
import io
import os
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.logs import forms
from tests.logs.reading import INVOCATIONS, JSON, TEXT, expected, measured, read, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

SUCCEEDED = tuple(each for each in INVOCATIONS if each.status is None)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_fields_that_a_query_found_are_reports(tmp_path: Path, separator: str) -> None:
    """Memory in bytes is MB; what has no INIT has none; text logs' fields have no status."""
    found = read_bytes(tmp_path, forms.found_fields(SUCCEEDED, separator))
    assert measured(found) == [each for each in expected() if each[-1] == "success"]
    assert {found.origin(row).version for row in found.rows} == {"7"}
    assert found.collector.unreadable_count == 0


def test_fields_of_json_logs_have_the_status(tmp_path: Path) -> None:
    """As the platform's records have it."""
    found = read_bytes(tmp_path, forms.found_fields_json(INVOCATIONS))
    assert measured(found) == expected()


def test_rows_without_a_report_are_none(tmp_path: Path) -> None:
    """Rows of other lines have these fields empty; of functions' own, the names alone count."""
    data = forms.found_fields(SUCCEEDED).decode()
    data += "2026-11-20 10:00:00.000,some-id,,,,,,stream\n"
    assert len(read_bytes(tmp_path, data.encode()).rows) == len(SUCCEEDED)
    own = b"duration,billed\n5.00,6\n"
    assert read_bytes(tmp_path, own).rows == []


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("t,id-1,5.00,,1.28E8,7E7,,s", "no Billed Duration"),
        ("t,id-1,abc,6,1.28E8,7E7,,s", "no readable Duration in ms"),
        ("t,,5.00,6,1.28E8,7E7,,s", "no requestId"),
        ("t,id-1,5.00,6,NaN,7E7,,s", "no readable Memory Size in MB"),
    ],
)
def test_rows_that_are_no_whole_report_are_counted(tmp_path: Path, row: str, why: str) -> None:
    """With the line and why; the rows around them are read."""
    data = forms.found_fields(SUCCEEDED).decode() + row + "\n"
    found = read_bytes(tmp_path, data.encode())
    assert len(found.rows) == len(SUCCEEDED)
    [told] = found.collector.unreadable
    assert (told.line, told.why) == (len(SUCCEEDED) + 2, why)


def test_a_quote_that_never_ends_costs_its_row_alone(tmp_path: Path) -> None:
    """The report in it is counted as unreadable; those behind it are read."""
    lines = forms.console_csv(TEXT).decode()
    report = next(line for line in lines.split("\n") if "REPORT" in line)
    found = read_bytes(tmp_path, lines.replace(report, report[:-9] + '"' + report[-9:], 1).encode())
    assert len(found.rows) == len(INVOCATIONS) - 1
    assert found.collector.unreadable_count == 1


def test_a_table_that_is_cut_off_is_told(tmp_path: Path) -> None:
    """Up to its last whole row it is read."""
    whole = forms.insights_csv(TEXT)
    found = read_bytes(tmp_path, whole[: len(whole) - 150])
    assert measured(found) == expected()[:-1]
    assert [why for _name, why in found.came.torn] == ["a table whose last row is cut off"]


def test_a_wide_row_is_told(tmp_path: Path) -> None:
    """More columns than the header: whatever it was, its report is counted."""
    data = forms.console_csv(TEXT).decode() + '1795168800000,"REPORT RequestId: x\n",more\n'
    [told] = read_bytes(tmp_path, data.encode()).collector.unreadable
    assert told.why == "in a row of 3 columns below 2"


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_files_of_a_zip_archive_are_read_as_in_a_folder(tmp_path: Path, method: int) -> None:
    """Packed in it or not, with their streams by their folders; what is no log is told by name."""
    folder = f"task/{forms.STREAM.replace('/', '-')}"
    files = {
        f"{folder}/000000.gz": gzip.compress(forms.exported(TEXT[:6])),
        f"{folder}/000001": forms.exported(TEXT[6:]),
        "table.csv": forms.insights_csv(JSON[:2]),
        "image.png": b"\x89PNG\0\0",
        ".DS_Store": b"\0\0",
        "__MACOSX/._x": b"\0",
        "within.zip": zipped({"a": b"b"}),
    }
    found = read_bytes(tmp_path, zipped(files, method), "logs.zip")
    assert measured(found)[: len(INVOCATIONS)] == expected()
    assert {found.origin(row).log_stream for row in found.rows} == {forms.STREAM}
    assert dict(found.came.unusable) == {
        f"{tmp_path}/logs.zip/image.png": "not text",
        f"{tmp_path}/logs.zip/within.zip": (
            "a ZIP archive within another file or in a pipe: unpack it first"
        ),
    }


def test_a_damaged_zip_archive_is_told(tmp_path: Path) -> None:
    """Without its list nothing can be read of it; of a damaged file, what comes before."""
    whole = zipped({"a.log": forms.plain(TEXT) * 200, "b.log": forms.plain(TEXT)})
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    middle = whole.index(b"a.log") + 200
    (tmp_path / "worn.zip").write_bytes(whole[:middle] + b"\xff" * 50 + whole[middle + 50 :])
    found = read(tmp_path)
    assert dict(found.came.unusable) == {
        f"{tmp_path}/cut.zip": "a ZIP archive that is damaged or cut off"
    }
    assert [name for name, _why in found.came.torn] == [f"{tmp_path}/worn.zip/a.log"]
    assert len(found.rows) >= len(INVOCATIONS)


def test_what_is_made_to_fill_a_disk_is_refused(tmp_path: Path) -> None:
    """Twenty megabytes of nothing, files over each other, a password: none is unpacked."""
    (tmp_path / "bomb.zip").write_bytes(zipped({"zeros.log": b"0" * 20_000_000}))
    whole = zipped({"a.log": os.urandom(5000).hex().encode(), "b.log": b"b"})
    last = whole.rindex(b"PK\x01\x02") + 20
    size = (9000).to_bytes(4, "little")
    (tmp_path / "over.zip").write_bytes(whole[:last] + size + whole[last + 4 :])
    locked = bytearray(zipped({"a.log": b"x"}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(locked))
    (tmp_path / "plain.log").write_bytes(forms.plain(TEXT))
    found = read(tmp_path)
    assert measured(found, with_times=False) == expected(with_times=False)
    told = {name.rpartition("/")[2]: why for name, why in found.came.unusable}
    assert "times its size: unpack it first" in told["zeros.log"]
    assert told["a.log"] == "packed with a password: unpack it first"
    assert told["over.zip"] == "a ZIP archive whose files overlap: it is damaged"


def test_a_zip_archive_in_a_pipe_is_told(tmp_path: Path) -> None:
    """Its list is at its end, which a pipe doesn't have."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = zipped({"a.log": forms.plain(TEXT)})
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    found = read(pipe)
    writer.join()
    assert ["in a pipe" in why for _name, why in found.came.unusable] == [True]
