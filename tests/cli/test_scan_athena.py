"""`tuner scan --athena` as a shell runs it: moto at the wire, and its answer DuckDB's.

moto takes statements and runs none: what it answers is what DuckDB makes of the very text that was
sent, on the lines of the objects in the bucket.
"""

from __future__ import annotations

import gzip
import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.aws.moto_process import REGION, client, moto_process
from tests.cli.running import run_here
from tests.cli.test_staleness import keep
from tests.observe.test_report_sql import report
from tuner.logs.report import format_report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
ACCOUNT = "123456789012"
PLACE = ("--regions", REGION, "--days", "3")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        client("s3", url).create_bucket(
            Bucket="logs", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield url


def archive(folder: Path) -> Path:
    """Two functions as Firehose delivers them; one of them would save by another size."""
    for name, size_mb, took_ms in (("resize", 3008, 90.0), ("send", 128, 20.0)):
        events = []
        for number in range(60):
            at = NOW - timedelta(hours=70 - number)
            each = report(
                number, request_id=f"8f5e0b1c-0000-4000-8000-{number:08d}{name:0<4.4}",
                memory_size_mb=size_mb, duration_ms=took_ms + number % 7,
                billed_duration_ms=int(took_ms) + number % 7,
            )  # fmt: skip
            events.append({"id": str(number), "timestamp": round(at.timestamp() * 1000),
                           "message": format_report(each)})  # fmt: skip
        record = {"messageType": "DATA_MESSAGE", "owner": ACCOUNT,
                  "logGroup": f"/aws/lambda/{name}", "logStream": f"{NOW:%Y/%m/%d}/[1]0a",
                  "logEvents": events}  # fmt: skip
        path = folder / f"{NOW:%Y/%m/%d}" / "00" / f"{name}.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(json.dumps(record, separators=(",", ":")).encode()))
    return folder


def upload(url: str, folder: Path) -> None:
    for path in folder.rglob("*.gz"):
        key = f"all/{path.relative_to(folder)}"
        client("s3", url).put_object(Bucket="logs", Key=key, Body=path.read_bytes())


def answer_as_duckdb(url: str, folder: Path, query: str) -> None:
    """Queue what the query gives, as Athena writes it: a head, then text."""
    connection = duckdb.connect()
    table = query.partition('FROM "')[2].partition('"')[0]
    connection.execute(f'CREATE TABLE {table} (line VARCHAR, "$path" VARCHAR)')
    for path in folder.rglob("*.gz"):
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            connection.execute(f"INSERT INTO {table} VALUES (?, ?)", [line, f"s3://logs/{path}"])
    rows = [["_col"] * 21, *connection.execute(query).fetchall()]
    data = [{"Data": [{} if each is None else {"VarCharValue": str(each)} for each in row]}
            for row in rows]  # fmt: skip
    none = {"rows": [], "column_info": []}  # of the statements that make the table
    body = {"account_id": ACCOUNT, "region": REGION,
            "results": [none, none, {"rows": data, "column_info": []}]}  # fmt: skip
    urllib.request.urlopen(
        urllib.request.Request(
            f"{url}/moto-api/static/athena/query-results", json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
    ).close()  # fmt: skip


def statements(url: str) -> list[str]:
    """What was sent, in order."""
    athena = client("athena", url)
    ids = athena.list_query_executions()["QueryExecutionIds"]
    found = [athena.get_query_execution(QueryExecutionId=each)["QueryExecution"] for each in ids]
    return [str(each["Query"]) for each in found]


def functions(printed: str) -> list[dict[str, Any]]:
    """All that doesn't depend on how long was looked at: an archive here has its own length."""
    names = (
        "account", "region", "name", "memory_mb", "invocation_count", "mean_duration_ms",
        "longest_duration_ms", "cold_start_share", "max_memory_used_mb", "error_count",
    )  # fmt: skip
    return [{name: each[name] for name in names} for each in json.loads(printed)["functions"]]


def test_an_archive_in_s3_is_ranked_as_the_same_archive_here(url: str, tmp_path: Path) -> None:
    """Price first, then a table of its parts, the query, and no table any more; figures are
    those of the files, a stale recommendation is told, and nothing is left to resume.
    """
    folder = archive(tmp_path / "all")
    upload(url, folder)
    asked = ("scan", "--athena", "s3://logs/all", "--results", "s3://logs/answers",
             "--endpoint-url", url, *PLACE, "--json")  # fmt: skip
    dry = run_here(*asked, "--dry-run", TUNER_STATE_DIR=str(tmp_path / "dry"))
    assert dry.returncode == 0, dry.stderr
    assert re.search(r"Log queries will scan (about \S+|under 0\.001) GB: \$", dry.stderr)
    price = json.loads(dry.stdout)
    assert price["kind"] == "scan_plan"
    assert price["cost_usd"] == price["query_usd"] + price["metric_usd"] > 0
    assert statements(url) == []
    # The text is the same each time: what it is is known once it was sent.
    empty = run_here(*asked, TUNER_STATE_DIR=str(tmp_path / "first"))
    assert empty.returncode == 1, empty.stdout
    assert "no report in s3://logs/all/ of the last 3 days has a function's name" in empty.stderr
    created, added, query, dropped = statements(url)
    assert created.startswith("CREATE EXTERNAL TABLE IF NOT EXISTS tuner_logs_")
    assert f"LOCATION 's3://logs/all/{NOW:%Y/%m/%d}/'" in added
    table = created.split()[6]
    assert dropped == f"DROP TABLE IF EXISTS {table}"
    answer_as_duckdb(url, folder, query)
    keep(tmp_path / "second", "resize", region=REGION, architecture="arm64")  # at another price
    ran = run_here(*asked, TUNER_STATE_DIR=str(tmp_path / "second"))
    assert ran.returncode == 0, ran.stderr
    local = run_here(
        "scan", "--logs", str(folder), "--regions", REGION, "--json",
        TUNER_STATE_DIR=str(tmp_path / "local"),
    )  # fmt: skip
    assert local.returncode == 0, local.stderr
    assert functions(ran.stdout) == functions(local.stdout)
    assert {each["name"] for each in functions(ran.stdout)} == {"resize", "send"}
    found = {each["name"]: str(each["findings"]) for each in json.loads(ran.stdout)["functions"]}
    assert [name for name, told in found.items() if "recommendation_stale" in told] == ["resize"]
    assert statements(url)[-1] == dropped
    assert not [*(tmp_path / "second" / "scans").glob("*")]


def test_a_scan_that_was_killed_takes_the_answer_that_it_paid_for(url: str, tmp_path: Path) -> None:
    """The journal has the query, and the table that is still to be dropped."""
    folder = archive(tmp_path / "all")
    upload(url, folder)
    asked = ("scan", "--athena", "s3://logs/all", "--results", "s3://logs/answers",
             "--endpoint-url", url, *PLACE, "--json")  # fmt: skip
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    assert run_here(*asked, **state).returncode == 1  # no rows: the journal stays
    sent = statements(url)
    again = run_here(*asked, **state)
    assert "resuming the scan that began at" in again.stderr
    more = statements(url)[len(sent) :]
    assert more
    assert all(each.startswith("DROP TABLE") for each in more)
    assert run_here(*asked, "--restart", **state).returncode == 1
    assert any(each.startswith("WITH") for each in statements(url)[len(sent) + len(more) :])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--athena", "logs"), "--athena is no place in S3"),
        (("--athena", "s3://logs/none"), "s3://logs/none/ has no logs of the last 3 days"),
        (("--athena", "s3://logs/all", "--logs", "x"), "leave out --logs"),
        (("--work-group", "x"), "are for --athena"),
        (("--athena", "s3://no-such-bucket/a"), "NoSuchBucket"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    url: str, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """What, where, and what to do; nothing was sent to Athena."""
    before = statements(url)
    ran = run_here("scan", *options, "--endpoint-url", url, *PLACE, TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode in {1, 2}
    [line] = ran.stderr.strip().splitlines()
    assert said in line
    assert statements(url) == before
