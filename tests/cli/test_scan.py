"""`tuner scan` as a shell runs it: its forms, the question of the price, and logs alone."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.aws.known_functions import REGION, Truth
from tests.aws.scripted_account import ScriptedAccount
from tests.aws.wire import WireServer
from tests.cli.running import run_here

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACCOUNT = [
    Truth("resize", memory_mb=2048, daily_count=100_000),
    Truth("=send", daily_count=10),
    Truth("<b>old</b>", daily_count=0),
    Truth("new", has_group=False),
]
LOG = """\
2026-11-0{day}T10:00:0{n}.100Z REPORT RequestId: 8f5e0b1c-0000-4000-8000-0000000{day}000{n}\t\
Duration: 100.00 ms\tBilled Duration: 100 ms\tMemory Size: 512 MB\tMax Memory Used: 80 MB\t
"""


@pytest.fixture
def account() -> ScriptedAccount:
    return ScriptedAccount(ACCOUNT)


@pytest.fixture
def scan(
    account: ScriptedAccount, tmp_path: Path
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    with WireServer() as wire:
        wire.answer = account.answer
        yield lambda *options: run_here(
            *("scan", "--endpoint-url", wire.url, "--regions", REGION, "--days", "1", *options),
            TUNER_STATE_DIR=str(tmp_path),
        )


def test_a_table_with_the_price_before_and_after(
    scan: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Rows on stdout, what is going on on stderr; what else to look at is named."""
    ran = scan()
    assert ran.returncode == 0, ran.stderr
    assert "4 functions · " in ran.stdout
    assert "resize " in ran.stdout
    assert "Not invoked, 1: <b>old</b>" in ran.stdout
    assert "Logs not read, 1: new (it has no log group /aws/lambda/new" in ran.stdout
    assert "The scan cost $" in ran.stdout
    assert "Log queries will scan " in ran.stderr


def test_json_is_the_promised_object_and_top_cuts_it(
    scan: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Held against the schema; the total is of all functions."""
    found = json.loads(scan("--json", "--top", "1", "--sort", "cost").stdout)
    assert [each["name"] for each in found["functions"]] == ["resize"]
    assert found["function_count"] == 4
    assert found["total_cost_usd_per_month"] > found["functions"][0]["cost_usd_per_month"]


def test_csv_has_a_line_for_each_and_no_formula(
    scan: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """A name that a spreadsheet would run is text; what isn't known is empty."""
    rows = [*csv.DictReader(io.StringIO(scan("--format", "csv").stdout))]
    assert [row["name"] for row in rows] == ["resize", "new", "'=send", "<b>old</b>"]
    assert rows[0]["invocation_count"] == "100000"
    assert rows[1]["max_memory_used_mb"] == ""


def test_the_page_holds_every_function_and_no_markup_of_theirs(
    scan: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    """In one file that asks for nothing."""
    page = tmp_path / "account.html"
    assert scan("--format", "html", "--out", str(page)).returncode == 0
    html = page.read_text()
    assert "&lt;b&gt;old&lt;/b&gt;" in html
    assert "<b>old" not in html
    assert "default-src &#39;none&#39;" in html


def test_a_dear_scan_needs_a_yes(
    scan: Callable[..., subprocess.CompletedProcess[str]], account: ScriptedAccount
) -> None:
    """Above the budget and without a terminal it ends before a query, and says which flag it takes.

    Then it goes on with what it has read.
    """
    ran = scan("--budget-usd", "0")
    assert (ran.returncode, "pass --yes" in ran.stderr) == (2, True)
    assert scan("--dry-run").returncode == 0
    assert account.calls["StartQuery"] == 0
    assert scan("--budget-usd", "0", "--yes").returncode == 0
    assert account.calls["ListFunctions"] == 1


def test_metrics_alone_cost_no_query(
    scan: Callable[..., subprocess.CompletedProcess[str]], account: ScriptedAccount
) -> None:
    """Costs are marked as rough, and nothing is advised."""
    ran = scan("--metrics-only")
    assert account.calls["StartQuery"] == account.calls["DescribeLogGroups"] == 0
    assert "~" in ran.stdout


def test_logs_are_scanned_without_aws(tmp_path: Path) -> None:
    """Each function of a folder, over its own window; settings that logs don't have are null."""
    for name, days in (("resize", (1, 2, 3)), ("send", (1,))):
        folder = tmp_path / "logs" / f"2026-11-01-{name}[3]0123456789abcdef"
        folder.mkdir(parents=True)
        lines = [LOG.format(day=day, n=n) for day in days for n in range(3)]
        (folder / "000000.log").write_text("".join(lines))
    ran = run_here(
        *("scan", "--logs", str(tmp_path / "logs"), "--regions", REGION, "--json"),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    counts = {each["name"]: each["invocation_count"] for each in found["functions"]}
    assert counts == {"resize": 9, "send": 3}
    assert found["functions"][0]["timeout_s"] is None
    assert found["scan_cost_usd"] is None


@pytest.mark.parametrize("count", [3, 1])
def test_a_few_minutes_of_logs_give_no_figures_of_a_month(tmp_path: Path, count: int) -> None:
    """Minutes scaled to a month say nothing, and one moment can't be scaled: functions are listed
    with what they did, those first that used the most.
    """
    for name, size_mb in (("resize", 512), ("a", 128)):
        folder = tmp_path / "logs" / f"2026-11-01-{name}[3]0123456789abcdef"
        folder.mkdir(parents=True)
        lines = [LOG.format(day=1, n=n).replace("8f5e", name[0] * 4) for n in range(count)]
        text = "".join(lines).replace("512 MB", f"{size_mb} MB")
        (folder / "000000.log").write_text(text)
    ran = run_here(
        *("scan", "--logs", str(tmp_path / "logs"), "--regions", REGION, "--json"),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [each["name"] for each in found["functions"]] == ["resize", "a"]
    assert {each["cost_usd_per_month"] for each in found["functions"]} == {None}
    assert "short_window" in {each["code"] for each in found["findings"]}


@pytest.mark.parametrize("given", ["", "aws", "aws/lambda", "aws/lambda/send", "aws/lambda/send/t"])
def test_an_export_names_its_functions_from_any_folder_of_it(tmp_path: Path, given: str) -> None:
    """Whichever of its folders is given, also as the one that somebody is in."""
    for name in ("resize", "send"):
        folder = tmp_path / "aws" / "lambda" / name / "t" / "2026-11-01-[3]0123456789abcdef"
        folder.mkdir(parents=True)
        lines = [LOG.format(day=day, n=1).replace("8f5e", name[0] * 4) for day in (1, 3)]
        (folder / "000000").write_text("".join(lines))
    wanted = {"send"} if "send" in given else {"resize", "send"}
    for logs, cwd in ((str(tmp_path / given), tmp_path), (".", tmp_path / given)):
        state = str(tmp_path / "state" / logs.replace("/", "_"))
        ran = run_here("scan", "--logs", logs, "--json", cwd=cwd, TUNER_STATE_DIR=state)
        assert ran.returncode == 0, ran.stderr
        assert {each["name"] for each in json.loads(ran.stdout)["functions"]} == wanted


def test_logs_without_a_report_say_why(tmp_path: Path) -> None:
    """No report at all isn't one without a name; those within a shipper's JSON are told of."""
    record = {"log_group": "/aws/lambda/f", "message": LOG.format(day=1, n=1), "host": "h"}
    (tmp_path / "logs").write_text(json.dumps(record) + "\n")
    ran = run_here("scan", "--logs", str(tmp_path / "logs"), TUNER_STATE_DIR=str(tmp_path / "s"))
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "there is no REPORT line in these logs: 1 line with one in the middle" in ran.stderr


def test_logs_without_times_are_listed(tmp_path: Path) -> None:
    """They have no window, so no figures of a month either."""
    folder = tmp_path / "logs" / "2026-11-01-resize[3]0123456789abcdef"
    folder.mkdir(parents=True)
    lines = [LOG.format(day=1, n=n).partition(" ")[2] for n in range(3)]
    (folder / "000000.log").write_text("".join(lines))
    ran = run_here(
        *("scan", "--logs", str(tmp_path / "logs"), "--regions", REGION, "--json"),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [each["invocation_count"] for each in found["functions"]] == [3]
    assert "no_times" in {each["code"] for each in found["findings"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--regions", "nowhere at all"), "'--regions': 'nowhere at all'"),
        (("--days", "0"), "days"),
        (("--format", "html", "--out", "page.txt"), "does not end in .html"),
        (("--format", "html", "--out", "none/page.html"), "there is no folder none"),
        (("--logs", "gone/"), "gone"),
    ],
)
def test_what_cannot_be_meant_is_one_line(options: tuple[str, ...], words: str) -> None:
    """With the option that it's about, and no traceback."""
    ran = run_here("scan", *options)
    assert ran.returncode in (1, 2)
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
