"""The SQL that Athena runs: what DuckDB makes of it, against the reader; and its grammar."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.logs.report import format_report, format_report_json
from tuner.model.invocation import PlatformReport
from tuner.model.observation import Window
from tuner.observe.archive_days import archive_evidence, evidence_of
from tuner.observe.folder import ObservationFolder
from tuner.observe.report_sql import days_query

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.scan import DaySums, FunctionEvidence

BEGIN = datetime(2026, 11, 28, 22, tzinfo=UTC)
WINDOW = Window(BEGIN - timedelta(days=1), BEGIN + timedelta(days=3))
ID = "8f5e0b1c-0000-4000-8000-{:012d}"


def report(number: int, **more: Any) -> PlatformReport:
    facts = {
        "request_id": ID.format(number), "duration_ms": 12.34, "billed_duration_ms": 13,
        "memory_size_mb": 512, "max_memory_used_mb": 80, **more,
    }  # fmt: skip
    return PlatformReport(**facts)


def export(folder: Path, stream: str, messages: list[tuple[datetime, str]]) -> None:
    """A stream's file of an export task, every message led by its time."""
    path = folder / "5c6d0b1a-task" / stream.replace("/", "-") / "000000.gz"
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as out:
        for at, message in messages:
            out.write(f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {message}\n")


def delivered(
    path: Path, group: str, stream: str, messages: list[tuple[datetime, str]], spaced: bool
) -> None:
    """Two records of a subscription without a line break between, each in a gzip member."""
    path.parent.mkdir(parents=True, exist_ok=True)
    middle = (len(messages) + 1) // 2
    with path.open("ab") as out:
        for part in (messages[:middle], messages[middle:]):
            record = {
                "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": group,
                "logStream": stream, "subscriptionFilters": ["all"],
                "logEvents": [
                    {"id": str(n), "timestamp": round(at.timestamp() * 1000), "message": message}
                    for n, (at, message) in enumerate(part)
                ],
            }  # fmt: skip
            separators = None if spaced else (",", ":")
            out.write(gzip.compress(json.dumps(record, separators=separators).encode()))


def by_sql(folder: Path) -> tuple[tuple[FunctionEvidence, ...], int]:
    """What the query that Athena runs says, run by DuckDB on the same files' lines."""
    connection = duckdb.connect()
    connection.execute('CREATE TABLE archive (line VARCHAR, "$path" VARCHAR)')
    for path in folder.rglob("*.gz"):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            rows = [(line.rstrip("\n"), f"s3://bucket/{path}") for line in lines]
        connection.executemany("INSERT INTO archive VALUES (?, ?)", rows)
    rows = connection.execute(days_query("archive", WINDOW)).fetchall()
    return evidence_of(rows, region="eu-west-1")


def by_reader(folder: Path, state: Path) -> tuple[tuple[FunctionEvidence, ...], int]:
    store, _ = ObservationFolder(state).read([folder])
    with store:
        return archive_evidence(store, WINDOW, region="eu-west-1")


def sums(evidence: tuple[tuple[FunctionEvidence, ...], int]) -> dict[tuple[Any, ...], Any]:
    """Each function's days, with sums of decimals as they compare."""

    def of(day: DaySums) -> tuple[Any, ...]:
        values = (getattr(day, name) for name in day.__dataclass_fields__)
        return tuple(round(each, 4) if isinstance(each, float) else each for each in values)

    found, unnamed = evidence
    made = {
        (each.function.account, each.function.name, each.function.memory_mb): sorted(
            map(of, each.days or ()), key=str
        )
        for each in found
    }
    return {**made, ("unnamed",): unnamed}


def told() -> list[tuple[datetime, str]]:
    """One of each thing that a log says, in the order in which it would."""
    lines: list[str] = []
    kinds = [
        report(1), report(2, init_duration_ms=345.6), report(3, memory_size_mb=1024),
        report(4, restore_duration_ms=301.5, billed_restore_duration_ms=40.0),
        report(5, status="timeout"), report(6, status="error", error_type="Runtime.OutOfMemory"),
        report(7, status="error", error_type="Runtime.ExitError"),
        report(8, xray_trace_id="1-5759e988-bd862e3fe1be46a994272793"),
    ]  # fmt: skip
    for each in kinds:
        lines += [f"START RequestId: {each.request_id} Version: 7", format_report(each)]
    for number, note in (
        (11, "2026-11-28T22:00:03.003Z {id} Task timed out after 3.00 seconds"),
        (12, "RequestId: {id} Error: Runtime exited with error: signal: killed"),
        (13, "RequestId: {id} Error: Runtime exited with error: exit status 1"),
        (14, '2026-11-28T22:00:03.003Z\t{id}\tERROR\tInvoke Error \t{{"errorType":"TypeError"}}'),
    ):
        lines += [note.format(id=ID.format(number)), format_report(report(number))]
    lines.append(format_report_json(report(21, init_duration_ms=9.5), "2026-11-28T22:10:00.000Z"))
    status = report(22, status="timeout")
    lines.append(format_report_json(status, "2026-11-28T22:10:01.000Z"))
    lines.append(f"printed by the function: {format_report(report(31))}")
    lines.append(json.dumps({"level": "INFO", "got": {"type": "platform.report", "record": {}}}))
    quoted = {"messageType": "DATA_MESSAGE", "logEvents": [{"timestamp": 1, "message":
              format_report(report(32))}]}  # fmt: skip
    lines.append(json.dumps(quoted, separators=(",", ":")))
    return [(BEGIN + timedelta(seconds=90 * n, milliseconds=n), line.split("\n")[0])
            for n, line in enumerate(lines)]  # fmt: skip


@pytest.mark.parametrize("stream", ["2026/11/28/[7]0a1b", "2026/11/28/orders[$LATEST]0a1b"])
def test_an_export_gives_what_its_reader_gives(tmp_path: Path, stream: str) -> None:
    """Every kind of report and of failure, by day, version and size; what a function prints is
    none, and a name comes from the stream or from the folder of Lambda's log group.
    """
    folder = tmp_path / "exported"
    export(folder / "aws" / "lambda" / "orders", stream, told())
    found = sums(by_sql(folder))
    assert found == sums(by_reader(folder, tmp_path))
    days = [day for key, days in found.items() if key != ("unnamed",) for day in days]
    assert sum(day[4] for day in days) == 14
    assert {day[0] for day in days} == {"orders"}


@pytest.mark.parametrize("spaced", [False, True])
def test_what_firehose_delivered_gives_what_its_reader_gives(tmp_path: Path, spaced: bool) -> None:
    """Records that follow each other on one line, with the function's name from the group."""
    folder = tmp_path / "delivered"
    for number, (group, stream) in enumerate([
        ("/aws/lambda/orders", "2026/11/28/[7]0a1b"),
        ("/aws/lambda/us-east-1.edge", "2026/11/28/[2]ff"),
        ("shared", "2026/11/28/bills[$LATEST]0a1b"), ("shared", "2026/11/28/[4]0a1b"),
    ]):  # fmt: skip
        messages = [(at, text.replace("8f5e0b1c", f"8f5e0b{number:02}")) for at, text in told()]
        delivered(folder / "2026/11/28/22/one.gz", group, stream, messages, spaced)
    found = sums(by_sql(folder))
    assert found == sums(by_reader(folder, tmp_path))
    assert {key[1] for key in found if len(key) > 1} == {"orders", "edge", "bills"}
    assert found["unnamed",] == 14


def test_a_copy_counts_once_and_a_retry_counts(tmp_path: Path) -> None:
    """The same archive exported and delivered has every report twice."""
    stream, messages = "2026/11/28/[7]0a1b", told()
    messages.append((BEGIN + timedelta(hours=3), format_report(report(1, duration_ms=11.0))))
    export(tmp_path / "logs" / "aws" / "lambda" / "orders", stream, messages)
    once = sums(by_sql(tmp_path / "logs"))
    export(tmp_path / "logs" / "again" / "aws" / "lambda" / "orders", stream, messages)
    assert sums(by_sql(tmp_path / "logs")) == once == sums(by_reader(tmp_path / "logs", tmp_path))
    assert sum(day[4] for days in once.values() if days for day in days) == 15


def test_an_export_and_a_delivery_are_of_one_function(tmp_path: Path) -> None:
    """An export doesn't say the account and a delivery does: what is in both counts once, and what
    is in one of them is of the same function, as long as only one account has it.
    """
    stream, messages = "2026/11/28/[7]0a1b", told()
    export(tmp_path / "all" / "aws" / "lambda" / "orders", stream, messages)
    once = sums(by_sql(tmp_path / "all"))["", "orders", 512]
    logs = tmp_path / "logs"
    export(logs / "aws" / "lambda" / "orders", stream, messages[:-12])
    delivered(logs / "f.gz", "/aws/lambda/orders", stream, messages[12:], False)
    found = sums(by_sql(logs))
    assert found == sums(by_reader(logs, tmp_path))
    assert found.keys() == {("123456789012", "orders", 512), ("unnamed",)}
    days = found["123456789012", "orders", 512]
    assert [sum(day[at] for day in days) for at in (4, 5, 11, 12, 13)] == [
        sum(day[at] for day in once) for at in (4, 5, 11, 12, 13)
    ]
    other = [(at, text.replace("8f5e0b1c", "8f5e0bff")) for at, text in messages]
    delivered(logs / "g.gz", "/aws/lambda/orders", stream, other, False)
    with gzip.open(logs / "g.gz", "rt") as file:
        text = file.read().replace("123456789012", "210987654321")
    (logs / "g.gz").write_bytes(gzip.compress(text.encode()))
    several = sums(by_sql(logs))
    assert several == sums(by_reader(logs, tmp_path))
    accounts = {key[0] for key in several if len(key) > 1}
    assert accounts == {"", "123456789012", "210987654321"}


def test_folders_say_whose_functions_they_have(tmp_path: Path) -> None:
    """Functions of one name in several accounts and regions that log to one bucket are told apart
    by the folders that are named so; a folder of a time is no account.
    """
    stream, logs = "2026/11/28/[7]0a1b", tmp_path / "logs"
    for number, folder in enumerate((
        "111122223333/eu-west-1", "us-gov-west-1/logs/444455556666", "AWSLogs/777788889999/lambda",
        "202611282200/other",
    )):  # fmt: skip
        messages = [(at, text.replace("8f5e0b1c", f"8f5e0b{number:02}")) for at, text in told()]
        export(logs / folder / "aws" / "lambda" / "orders", stream, messages)
    by = by_sql(logs), by_reader(logs, tmp_path)
    assert sums(by[0]) == sums(by[1])
    for found, _ in by:
        assert sorted((each.function.account, each.function.region) for each in found) == [
            ("", "eu-west-1"), ("111122223333", "eu-west-1"),
            ("444455556666", "us-gov-west-1"), ("777788889999", "eu-west-1"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "figures",
    [
        "\tDuration: x ms\tMemory Size: 128 MB\t",
        "\tDuration: 1.00 ms\tBilled Duration: 2 ms\tMemory Size: 0 MB\t",
        "\tDuration: 1.00 ms\tBilled Duration: 2 ms\tMemory Size: 9999999 MB\t",
        f"\tDuration: 1.00 ms\tBilled Duration: {2**63 - 1} ms\tMemory Size: 128 MB\t",
        f"\tDuration: {'9' * 400}.00 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t",
    ],
)
@pytest.mark.parametrize("is_record", [False, True])
def test_a_report_without_a_number_of_lambdas_has_no_size(
    tmp_path: Path, figures: str, is_record: bool
) -> None:
    """It's counted, so that it can be told, and is in no sum of a size."""
    lines = [
        (BEGIN + timedelta(seconds=each), _written(ID.format(each), figures, is_record))
        for each in (1, 2)
    ]
    export(tmp_path / "aws" / "lambda" / "orders", "2026/11/28/[7]0a1b", lines)
    with gzip.open(next(tmp_path.rglob("*.gz")), "rt") as file:
        connection = duckdb.connect()
        connection.execute('CREATE TABLE archive (line VARCHAR, "$path" VARCHAR)')
        connection.execute(
            "INSERT INTO archive SELECT unnest(?), ?", [file.read().splitlines(), "s3://b"]
        )
    [row] = connection.execute(days_query("archive", WINDOW)).fetchall()
    assert (row[5], row[6]) == (None, 2)


def _written(request_id: str, figures: str, is_record: bool) -> str:
    if not is_record:
        return f"REPORT RequestId: {request_id}{figures}"
    found = re.findall(r"\t(Duration|Billed Duration|Memory Size): ([0-9.]+) (ms|MB)", figures)
    names = {"Duration": "durationMs", "Billed Duration": "billedDurationMs"}
    metrics = ",".join(f'"{names.get(name, "memorySizeMB")}":{value}' for name, value, _ in found)
    return (
        '{"time":"2026-11-28T10:00:00.000Z","type":"platform.report",'
        f'"record":{{"requestId":"{request_id}","metrics":{{{metrics}}}}}}}'
    )


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5 * 86_400).map(lambda second: 1000 * second),
            st.integers(1, 10**7),
            st.sampled_from([128, 512, 10240]),
            st.one_of(st.none(), st.floats(0.01, 9000).map(lambda value: round(value, 2))),
            st.sampled_from([None, "timeout", "error"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_reports_give_the_same_by_both(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[Any, ...]]
) -> None:
    """Whatever they took, wherever a day or the window ends, text or record, packed or exported; to
    the second, by which Athena's times count.
    """
    folder = tmp_path_factory.mktemp("archive")
    messages = []
    for number, (after_ms, hundredths, size, init, status, is_record) in enumerate(drawn):
        at = BEGIN - timedelta(days=1) + timedelta(milliseconds=after_ms)
        each = report(
            number, duration_ms=hundredths / 100, billed_duration_ms=-(-hundredths // 100),
            memory_size_mb=size, init_duration_ms=init, status=status,
        )  # fmt: skip
        time = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
        messages.append((at, format_report_json(each, time) if is_record else format_report(each)))
    half = len(messages) // 2
    if half:
        export(folder / "logs/aws/lambda/a", "2026/11/28/[1]00", messages[:half])
    delivered(folder / "logs/f.gz", "/aws/lambda/b", "2026/11/28/[1]00", messages[half:], False)
    assert sums(by_sql(folder / "logs")) == sums(by_reader(folder / "logs", folder))


@pytest.mark.parametrize("dialect", ["athena", "trino", "duckdb"])
def test_the_query_is_in_the_grammar_of_each_engine(dialect: str) -> None:
    """One statement, the same text for all. It's the grammar alone: no Athena ran it."""
    query = days_query('"default"."tuner_logs_0"', WINDOW)
    parsed = sqlglot.parse(query, dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE)
    assert len(parsed) == 1


def test_the_query_reads_its_table_once() -> None:
    """Athena is paid by the bytes that it scans, and reads a table again wherever its name, or that
    of an expression upon it, stands.
    """
    query = days_query("archive_lines", WINDOW)
    names = ["archive_lines", *re.findall(r"(\w+) AS \(\n", query)]
    for name in names:
        assert len(re.findall(rf"FROM {name}\b", query)) == 1, name
