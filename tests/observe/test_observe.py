"""`tuner observe --logs`: the answer, its window, its cost, what is kept, and bad input."""

from __future__ import annotations

import errno
import gzip
import json
import math
import os
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.logs import forms
from tests.logs.forms import Event, Invocation
from tests.observe.archives import MARCH, Call, write_archive
from tuner.api import observing
from tuner.api.reading import FilesRequest
from tuner.api.scanning_logs import scan_logs
from tuner.cli import main
from tuner.logs import parse_report
from tuner.model.observation import Window
from tuner.observe.usage import Span
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from pathlib import Path

DAY_MS = 86_400_000


@pytest.fixture
def observe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """Ask, with a state folder of the test's own; the answer as JSON."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "/nonexistent")  # no prices of the machine's owner
    monkeypatch.setenv("XDG_CONFIG_HOME", "/nonexistent")

    def ask(*arguments: str, function: str = "thumbs") -> dict[str, Any]:
        words = ["observe", function, *arguments, "--json"]
        monkeypatch.setenv("TUNER_STATE_DIR", str(tmp_path / "state"))
        code = main.run(words)
        printed = capsys.readouterr()
        assert code == 0, printed.err or printed.out
        answer: dict[str, Any] = json.loads(printed.out)
        return answer

    return ask


def codes(answer: dict[str, Any]) -> set[str]:
    """Of its findings, but for the age of prices."""
    return {each["code"] for each in answer["findings"]} - {"old_prices"}


def over_days(days: int, *, per_day: int = 4) -> list[Event]:
    """Invocations over days, with sizes and INITs that vary."""
    events = []
    for number in range(days * per_day):
        made = Invocation(
            number * 1440 // per_day,  # minutes
            duration=f"{100 + number}.25",
            billed_ms=101 + number + (300 if number % 5 == 0 else 0),
            memory_mb=1024 if number < days * per_day // 2 else 512,
            init="299.50" if number % 5 == 0 else None,
        )
        events += made.text_events()
    return events


def test_cost_and_gb_seconds_are_the_reference_parsers(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """Every digit: each report by `parse_report`, added up as whole numbers and decimals."""
    events = over_days(10)
    (tmp_path / "logs").write_bytes(forms.exported(events))
    ran = run_here(
        "observe",
        "thumbs",
        "--logs",
        str(tmp_path / "logs"),
        "--json",
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # held against the schema
    answer = json.loads(ran.stdout)
    assert observe("--logs", str(tmp_path / "logs")) == answer
    reports = [parse_report(each.message) for each in events if each.message[:3] == "REP"]
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")
    mb_ms = sum(each.memory_size_mb * each.billed_duration_ms for each in reports)
    cost = sum(
        (Fraction(prices.exact_cost_usd(each.memory_size_mb, each.billed_duration_ms))
         for each in reports),
        Fraction(),
    )  # fmt: skip
    assert answer["invocation_count"] == len(reports) == 40
    assert answer["billed_gb_seconds"] == float(Fraction(mb_ms, 1024 * 1000))
    assert answer["cost_usd"] == float(cost)
    hours = Fraction(events[-1].at_ms - events[0].at_ms, 3_600_000)
    assert answer["cost_usd_per_month"] == pytest.approx(float(cost * 730 / hours), rel=1e-12)
    assert answer["cost_usd_per_million"] == pytest.approx(float(cost / 40 * 10**6), rel=1e-12)
    assert answer["rate_per_s"] == pytest.approx(40 / float(hours) / 3600, rel=1e-12)
    assert answer["window"] == {
        "from": forms.iso(events[0].at_ms), "to": forms.iso(events[-1].at_ms)
    }  # fmt: skip
    assert answer["cold_start_share"] == 8 / 40
    assert answer["init_duration_ms"] == {"mean": 299.5, "p95": 299.5}
    assert [each["memory_mb"] for each in answer["by_memory"]] == [1024, 512]
    assert (answer["function"]["memory_mb"], answer["function"]["name"]) == (512, "thumbs")
    assert answer["ephemeral_storage_cost_usd"] is answer["log_ingestion_cost_usd"] is None
    assert codes(answer) == set()


def test_a_discount_is_off_the_list_price(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """12%, and it is said."""
    (tmp_path / "logs").write_bytes(forms.exported(over_days(2)))
    full = observe("--logs", str(tmp_path / "logs"))
    less = observe("--logs", str(tmp_path / "logs"), "--discount", "12%")
    exact = Decimal(repr(full["cost_usd"])) * Decimal("0.88")
    assert less["cost_usd"] == pytest.approx(float(exact), rel=1e-15)
    assert any("12%" in each for each in less["assumptions"])


@pytest.mark.parametrize("name", ["thumbs:live", "thumbs:7", "123456789012:function:thumbs:7"])
def test_that_a_version_or_alias_is_not_looked_at_alone_is_said(
    observe: Callable[..., dict[str, Any]], tmp_path: Path, name: str
) -> None:
    """An alias isn't in logs, and what a function costs is the cost of all of its versions."""
    (tmp_path / "logs").write_bytes(forms.plain(over_days(2)))
    logs = ("--logs", str(tmp_path / "logs"))
    alone = f"every version counts, not {name.rpartition(':')[2]} alone"
    assert alone in observe(*logs, function=name)["assumptions"]
    assert not any("every version" in each for each in observe(*logs)["assumptions"])


def test_under_a_day_nothing_is_said_of_a_month(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """A few hours are no evidence of a month."""
    for hours, is_known in ((23.9, False), (24, True)):
        last = Event(forms.START_MS - 200 + round(hours * 3_600_000), "END RequestId: x\n")
        (tmp_path / "logs").write_bytes(forms.exported([*Invocation(0).text_events(), last]))
        answer = observe("--logs", str(tmp_path / "logs"))
        assert (answer["cost_usd_per_month"] is not None) == is_known


def test_the_window_is_the_archives_and_can_be_narrowed(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """By ends, which are days or moments, and by days before the last line."""
    logs = tmp_path / "logs"
    logs.write_bytes(forms.exported(over_days(10, per_day=1)))  # at 10:00, from 2026-11-20 on
    whole = observe("--logs", str(logs))
    assert whole["invocation_count"] == 10
    last = observe("--logs", str(logs), "--days", "2")
    assert last["window"]["to"] == whole["window"]["to"]
    assert last["invocation_count"] == 3  # both ends
    day = observe("--logs", str(logs), "--from", "2026-11-22", "--to", "2026-11-22")
    assert day["invocation_count"] == 1
    assert day["window"] == {
        "from": "2026-11-22T00:00:00.000Z", "to": "2026-11-22T23:59:59.999999Z"
    }  # fmt: skip
    assert day["cost_usd_per_month"] is None  # a microsecond short of a day
    some = observe(
        "--logs", str(logs), "--from", "2026-11-21T12:00+02:00", "--to", "2026-11-21T10:00Z"
    )
    assert some["invocation_count"] == 1
    early = observe("--logs", str(logs), "--from", "2020-01-01")
    assert early["window"] == whole["window"]


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=2)), None])
def test_a_window_may_be_of_any_zone(tmp_path: Path, zone: tzinfo | None) -> None:
    """Its ends are moments: a scan takes the same reports as `observe`, and says so in UTC."""
    logs = write_archive(tmp_path / "logs", {"thumbs": [Call(hour, 100) for hour in range(11)]})
    start = MARCH + timedelta(hours=4)
    given = start.astimezone(zone) if zone is not None else start.replace(tzinfo=None)
    request = FilesRequest((logs,), "thumbs", Span(given))
    found = scan_logs(request, state_dir=tmp_path)
    assert [each.invocation_count for each in found.functions] == [7]
    assert found.window == Window(start, MARCH + timedelta(hours=10))
    assert found.window.start is not None
    assert found.window.start.tzinfo is UTC
    assert observing.observe(request, state_dir=tmp_path).window == found.window


def test_bare_lines_are_the_asked_functions_and_named_ones_their_own(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """What is of another function is left out and counted; the same line in both counts once."""
    events = over_days(2)
    bare, named = tmp_path / "a.log", tmp_path / "b.json"
    bare.write_bytes(forms.plain([*events[:12], *Invocation(99).text_events()]))
    named.write_bytes(forms.subscription(events))
    logs = ("--logs", str(bare), "--logs", str(named))
    answer = observe(*logs)
    assert (answer["invocation_count"], answer["left_out_count"]) == (9, 0)
    answer = observe(*logs, function="resize")
    # What both sources have is of the function that one of them names.
    assert (answer["invocation_count"], answer["left_out_count"]) == (1, 8)
    assert codes(answer) == {"other_functions"}


def test_without_times_the_last_line_is_the_latest(
    observe: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Today's size is that of the last report, also where a line before it has the only time."""
    before, behind = (
        forms.plain([event for n in numbers for event in Invocation(n, memory_mb=mb).text_events()])
        for numbers, mb in ((range(40), 512), (range(40, 45), 1024))
    )
    timed_out = f"2026-11-20T10:00:00.000Z {Invocation(50).request_id} Task timed out after 3.00 s"
    between = f"{timed_out}econds\n".encode() + before[: before.index(b"\n", 300) + 1]
    (tmp_path / "a.log").write_bytes(before[len(before) // 2 :] + between + behind)
    answer = observe("--logs", str(tmp_path / "a.log"))
    assert answer["function"]["memory_mb"] == 1024


def test_the_same_question_is_answered_from_what_was_kept(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """And a file that changed is read again; nothing of messages is kept."""
    logs, kept = tmp_path / "logs", tmp_path / "state" / "observations"
    secret = "4111-1111-1111-1111"
    events = Invocation(0, own=(f"card {secret}", f"[ERROR] ValueError: {secret}")).text_events()
    logs.write_bytes(forms.exported(events) + f"REPORT RequestId: {secret}\n".encode())
    first = observe("--logs", str(logs))
    files = {each.name: each.stat().st_mtime_ns for each in kept.iterdir()}
    assert len(files) == 3
    assert observe("--logs", str(logs)) == first
    assert {each.name: each.stat().st_mtime_ns for each in kept.iterdir()} == files
    for each in kept.iterdir():
        assert secret.encode() not in each.read_bytes()
    logs.write_bytes(forms.exported([*events, *Invocation(5).text_events()]))
    assert observe("--logs", str(logs))["invocation_count"] == 2
    assert len(list(kept.iterdir())) == 3
    assert not {each.name for each in kept.iterdir()} & set(files)


def test_a_disk_that_is_full_in_the_end_loses_no_answer(
    tmp_path: Path, observe: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said of the reports has no room beside them: they are read again the next time."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "logs").write_bytes(forms.exported(over_days(2)))
    with monkeypatch.context() as patch:
        patch.setattr("tuner.observe.folder.write_whole", full)
        found = observe("--logs", str(tmp_path / "logs"))
    assert found == observe("--logs", str(tmp_path / "logs"))


def test_a_damaged_state_folder_is_read_anew(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """Whatever happened to what was kept."""
    (tmp_path / "logs").write_bytes(forms.exported(over_days(1)))
    first = observe("--logs", str(tmp_path / "logs"))
    damage = (
        (".json", b"{"), (".parquet", b"PAR1"), (".json", b"[]"), (".answers.json", b"[1"),
        (".answers.json", b'{"x": 1}'),
    )  # fmt: skip
    for suffix, data in damage:
        [kept] = (tmp_path / "state" / "observations").glob(f"*[0-9a-f]{suffix}")
        kept.write_bytes(data)
        assert observe("--logs", str(tmp_path / "logs")) == first


def test_forget_deletes_what_is_kept_of_a_function(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """Named reports, and bare ones that were asked for as its; others stay."""
    events, state = over_days(2), {"TUNER_STATE_DIR": str(tmp_path / "state")}
    (tmp_path / "named").write_bytes(forms.subscription(events))
    (tmp_path / "bare").write_bytes(forms.plain(events))
    other = forms.subscription(events[:4]).replace(b"/thumbs", b"/resize")
    (tmp_path / "both").write_bytes(forms.subscription(events) + other)
    for name in ("named", "bare", "both"):
        observe("--logs", str(tmp_path / name))
    observe("--logs", str(tmp_path / "bare"), function="else")
    ran = run_here("observe", "--forget", "thumbs", "--json", **state)
    assert json.loads(ran.stdout)["count"] >= 16
    [left] = (tmp_path / "state" / "observations").glob("*.parquet")
    from duckdb import connect

    found = connect().execute(f"SELECT DISTINCT function FROM '{left}'").fetchall()
    assert found == [("resize",)]
    assert "Forgot 0" in run_here("observe", "--forget", "thumbs", **state).stderr


def test_prices_are_of_the_region_and_the_architecture(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """By option, by ARN, by the environment, and else us-east-1, which is said."""
    (tmp_path / "logs").write_bytes(forms.exported(over_days(1)))
    logs = ("--logs", str(tmp_path / "logs"))
    usual = observe(*logs)
    assert any("us-east-1" in each for each in usual["assumptions"])
    assert any("x86_64" in each for each in usual["assumptions"])
    arn = "arn:aws:lambda:eu-south-1:123456789012:function:thumbs"
    dear = observe(*logs, function=arn)
    assert dear == {**observe(*logs, "--region", "eu-south-1"), "findings": dear["findings"]}
    assert dear["cost_usd"] > usual["cost_usd"]
    assert observe(*logs, "--architecture", "arm64")["cost_usd"] < usual["cost_usd"]
    ran = run_here(
        "observe", "f", *logs, "--region", "eu-wset-1", TUNER_STATE_DIR=str(tmp_path / "state")
    )
    assert "did you mean eu-west-1" in one_line(ran)


def test_text_says_what_json_says(tmp_path: Path) -> None:
    """Invocations, cost, durations, memory, failures, by memory and version."""
    events = [*over_days(3), *Invocation(7777, status="timeout").text_events()]
    (tmp_path / "logs").write_bytes(forms.exported(events) + b"REPORT RequestId: cut\n")
    ran = run_here(
        "observe", "thumbs", "--logs", str(tmp_path / "logs"), TUNER_STATE_DIR=str(tmp_path / "s")
    )
    assert ran.returncode == 0
    for words in ("13 (", "a month", "a million", "p99", "1024 MB", "1 timeout", "can't be read"):
        assert words in ran.stdout
    assert "cut" not in ran.stdout.replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("data", "arguments", "words"),
    [
        (b"nothing here\n", (), "there is no REPORT line of thumbs"),
        (b"", (), "there is no REPORT line of thumbs"),
        (b"\0\1\2", (), "no file there has logs"),
        (
            forms.subscription(over_days(1)).replace(b"/thumbs", b"/resize"),
            (),
            "the logs are of resize",
        ),
        (forms.exported(over_days(1)), ("--from", "2027-01-01"), "no line is in that window"),
        (forms.exported(over_days(1)), ("--from", "yesterday"), "isn't a time"),
        (forms.exported(over_days(1)), ("--days", "-1"), "--days"),
        (forms.exported(over_days(1)), ("--discount", "100"), "--discount"),
        (forms.plain(over_days(1)), ("--days", "1"), "no line has a time"),
        (gzip.compress(forms.exported(over_days(1)))[:12], (), "there is no REPORT line"),
    ],
    ids=range(10),
)
def test_bad_input_is_one_line(
    tmp_path: Path, data: bytes, arguments: tuple[str, ...], words: str
) -> None:
    """What is wrong, where, what to do; no traceback."""
    (tmp_path / "logs").write_bytes(data)
    ran = run_here(
        "observe", "thumbs", "--logs", str(tmp_path / "logs"), *arguments,
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # fmt: skip
    assert ran.returncode in (1, 2)
    assert words in one_line(ran)


def test_without_logs_or_function_it_says_what_is_missing() -> None:
    """Usage errors."""
    assert run_here("observe").returncode == 2
    assert "FUNCTION" in one_line(run_here("observe"))


def test_two_accounts_are_told_apart_by_an_arn(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """Functions of one name in two accounts are added up, with a warning, unless one is named."""
    events = over_days(2)
    other = forms.subscription(events[12:]).replace(b"123456789012", b"210987654321")
    (tmp_path / "logs").write_bytes(forms.subscription(events[:12]) + other)
    both = observe("--logs", str(tmp_path / "logs"))
    assert (both["invocation_count"], codes(both)) == (8, {"mixed_accounts"})
    assert both["advice"]["verdict"] == "unknown"
    assert "several functions of this name" in both["advice"]["reason"]
    arn = "arn:aws:lambda:us-east-1:210987654321:function:thumbs"
    one = observe("--logs", str(tmp_path / "logs"), function=arn)
    assert (one["invocation_count"], codes(one)) == (4, set())
    assert math.isclose(one["rate_per_s"] * 2, both["rate_per_s"])


def test_an_arns_account_has_its_own_size_and_concurrency(
    tmp_path: Path, observe: Callable[..., dict[str, Any]]
) -> None:
    """Whatever a function of its name in another account had last, and however many ran there."""
    mine = [Invocation(number, memory_mb=512) for number in range(3)]
    several = [Invocation(10 + number, memory_mb=2048, duration="600000.00") for number in range(3)]
    theirs = forms.subscription([event for each in several for event in each.text_events()])
    (tmp_path / "logs").write_bytes(
        forms.subscription([event for each in mine for event in each.text_events()])
        + theirs.replace(b"123456789012", b"210987654321")
    )
    arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbs"
    found = observe("--logs", str(tmp_path / "logs"), function=arn)
    assert (found["function"]["memory_mb"], found["max_concurrency"]) == (512, 1)
