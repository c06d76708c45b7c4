"""What functions may print, and files may hold: values of other kinds, and numbers without end."""

from __future__ import annotations

import random
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.logs.reading import read, read_bytes
from tuner.errors import ReportLineError
from tuner.logs import parse_report
from tuner.logs.log_sizes import read_log_sizes
from tuner.model.observation import Window

if TYPE_CHECKING:
    from pathlib import Path

ID = "8f5e0b1c-0000-4000-8000-000000000000"
REPORT = (
    f"REPORT RequestId: {ID}\tDuration: {{}} ms\tBilled Duration: {{}} ms\tMemory Size: {{}} MB\t"
    "Max Memory Used: 64 MB\t"
)
GOOD = REPORT.format("1.00", 2, 128)
RECORD = '{"time":"2026-11-29T10:00:00.000Z","type":"%s","record":{"requestId":"a","metrics":%s}}'
MANY = "1" * 400
FIELDS = '[{"field": "@message", "value": "%s"}, {"field": "@ptr", "value": "x"}]'


@pytest.mark.parametrize(
    "text",
    [
        f'{{"a": {"1" * 5000}}}',
        f'{{"cpu_total_time": {MANY}, "request_id": "a"}}',
        '{"_aws": {"CloudWatchMetrics": [{"Dimensions": [1], "Metrics": [{"Name": "a"}]}]}}',
        '{"_aws": {"CloudWatchMetrics": [{"Dimensions": [[]], "Metrics": 5}]}}',
        RECORD % ("platform.runtimeDone", '{"durationMs": []}'),
        RECORD % ("platform.runtimeDone", f'{{"durationMs": {MANY}}}'),
        RECORD % ("platform.report", f'{{"durationMs": {MANY}}}'),
        '{"time": 1e999, "type": "platform.report", "record": {}}',
        '{"time": NaN, "type": "platform.report", "record": {}}',
    ],
)
def test_a_line_of_other_values_costs_no_other_line(tmp_path: Path, text: str) -> None:
    """The report below it is read, and everything is weighed."""
    found = read_bytes(tmp_path, f"{text}\n{GOOD}\n".encode())
    assert [row[2] for row in found.rows] == [ID]
    assert read_log_sizes([tmp_path], "f", Window()).report_count >= 1


@pytest.mark.parametrize(
    "text",
    [
        '{"events": [{"timestamp": 1e999, "message": "%s"}]}',
        '{"events": [{"timestamp": NaN, "message": "%s"}]}',
        '[{"@duration": ' + MANY + ', "@timestamp": "x"}, {"@message": "%s", "@ptr": "x"}]',
        f'[[{{"field": "a", "value": "b"}}, 5], {FIELDS}]',
        f'[[{{"field": ["a"], "value": "b"}}], {FIELDS}]',
    ],
)
def test_a_record_of_other_values_costs_no_other_record(tmp_path: Path, text: str) -> None:
    """What wraps messages may hold anything beside them."""
    found = read_bytes(tmp_path, (text % GOOD.replace("\t", "\\t")).encode())
    assert [row[2] for row in found.rows] == [ID]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (REPORT.format("1.00", 2, 999999999999999), "no readable Memory Size in MB"),
        (REPORT.format("1.00", 999999999999999, 128), "no readable Billed Duration in ms"),
        (REPORT.format("99999999999.00", 2, 128), "no readable Duration in ms"),
        (REPORT.format("1.00", 2, 0), "a Memory Size of 0"),
        (
            RECORD
            % ("platform.report", '{"durationMs":1,"billedDurationMs":2,"memorySizeMB":1000000}'),
            "no readable Memory Size in MB",
        ),
    ],
)
def test_figures_that_lambda_never_has_are_no_report(tmp_path: Path, line: str, why: str) -> None:
    """Sums over them would overflow: the line counts as unreadable, and says why."""
    with pytest.raises(ReportLineError, match=why):
        parse_report(line)
    found = read_bytes(tmp_path, f"{line}\n{GOOD}\n".encode())
    assert [row[6] for row in found.rows] == [128]
    assert [each.why for each in found.collector.unreadable] == [why]


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_of_any_packing_is_torn(tmp_path: Path, packing: int) -> None:
    """What its decompressor raises is told of the file, not of the tool."""
    file, rng = tmp_path / "logs.zip", random.Random(3)
    text = "".join(f"{rng.random()}\n" for _ in range(5000))
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr("a.log", text)
    data = bytearray(file.read_bytes())
    for at in range(len(data) // 3, len(data) // 2):
        data[at] = rng.randrange(256)
    file.write_bytes(data)
    [(name, why)] = read(file).came.torn
    assert name.endswith("a.log")
    assert "damaged" in why
