"""`tuner sweeps --stale`, and what comments and scans say of a recommendation that is stale."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.aws.moto_process import REGION, client, make_function, moto_process
from tests.cli.running import one_line, run_here
from tests.observe.archives import Call, write_archive
from tests.sweeps import made_function, save_sweep
from tests.watch.drift_worlds import TRUE_MS, swept
from tuner.aws.log_groups import to_ms

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime.now(UTC)


def keep(
    state: Path, name: str = "made", started_at: str = "2026-03-08T10:00:00Z", **of: str
) -> str:
    """A kept sweep whose costs are at today's prices; its path."""
    sweep = replace(
        swept()[0], started_at=started_at, function=made_function(1024, name=name, **of)
    )
    folder = state / "sweeps" / name
    folder.mkdir(parents=True, exist_ok=True)
    return save_sweep(folder / f"{started_at[:10].replace('-', '')}-100000-abcdef.jsonl", sweep)


def calls(ratio: float, name: str = "made", days: int = 14) -> dict[str, list[Call]]:
    """Thirty invocations a day, some of them slower; after the eighth of March `ratio` as long."""
    found = []
    for number in range(days * 30):
        hour = number * 0.8
        factor = (0.9, 1.0, 1.1)[number % 3] * (ratio if hour >= 8 * 24 else 1.0)
        found.append(Call(hour, round(TRUE_MS * factor)))
    return {name: found}


def sweeps(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_here("sweeps", "--stale", *arguments, TUNER_STATE_DIR=str(state))


def test_a_slower_function_is_listed_with_its_reason(tmp_path: Path) -> None:
    """One of two is stale by the logs of both; what wasn't judged is said."""
    keep(tmp_path)
    keep(tmp_path, "other")
    logs = write_archive(tmp_path / "logs", {**calls(1.5), **calls(1.0, "other")})
    ran = sweeps(tmp_path, "--logs", str(logs))
    assert ran.returncode == 0, ran.stderr
    assert "made, swept 2026-03-08 10:00 (20260308-100000-abcdef): stale" in ran.stdout
    assert "a warm invocation at 1024 MB takes" in ran.stdout
    assert "50% more than" in ran.stdout
    assert "1 of 2 recommendations is stale" in ran.stdout
    assert "Not judged: code of 2" in ran.stdout
    found = json.loads(sweeps(tmp_path, "--logs", str(logs), "--json").stdout)
    assert found["judged_count"] == 2
    [entry] = found["sweeps"]
    assert (entry["function"], entry["stale"], entry["unchecked"]) == ("made", True, ["code"])
    assert [each["code"] for each in entry["stale_reasons"]] == ["duration_moved"]


def test_only_the_newest_sweep_of_a_function_counts(tmp_path: Path) -> None:
    """What a later sweep has seen is no drift since it."""
    keep(tmp_path, started_at="2026-03-02T10:00:00Z")
    keep(tmp_path, started_at="2026-03-10T10:00:00Z")
    logs = write_archive(tmp_path / "logs", calls(1.0, days=20))
    found = json.loads(sweeps(tmp_path, "made", "--logs", str(logs), "--json").stdout)
    assert (found["judged_count"], found["sweeps"]) == (1, [])


def test_without_logs_prices_alone_are_judged(tmp_path: Path) -> None:
    """Nothing is read, and that is said."""
    keep(tmp_path)
    ran = sweeps(tmp_path)
    assert "0 of 1 recommendation is stale" in ran.stdout
    assert "Not judged: code of 1, production of 1." in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--stale", "--prune", "--keep", "1"), "give one"),
        (("--live",), "go with --stale"),
        (("--stale", "--live", "--logs", "x"), "give one of them"),
        (("--stale", "--logs", "/nowhere"), "/nowhere"),
    ],
)
def test_what_does_not_go_together_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """Nothing is listed, and the line names the options."""
    keep(tmp_path)
    ran = run_here("sweeps", *arguments, TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode in {1, 2}
    assert says in one_line(ran)


def test_a_comment_says_that_its_answer_is_stale(tmp_path: Path) -> None:
    """The finding is on the pull request; without logs nothing says so."""
    file = keep(tmp_path)
    logs = write_archive(tmp_path / "slower", calls(1.5))

    def text(*arguments: str) -> str:
        ran = run_here("comment", file, "--dry-run", *arguments, TUNER_STATE_DIR=str(tmp_path))
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.replace("\\", "")

    stale = "This recommendation is stale: a warm invocation at 1024 MB takes"
    assert stale in text("--logs", str(logs))
    assert "stale" not in text()


def test_a_scan_says_which_recommendation_is_stale(tmp_path: Path) -> None:
    """In the table, in JSON and as a remark of the page's row."""
    keep(tmp_path)
    logs = write_archive(tmp_path / "logs", calls(1.5))

    def scan(*arguments: str) -> str:
        ran = run_here("scan", "--logs", str(logs), *arguments, TUNER_STATE_DIR=str(tmp_path))
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    assert "Recommendation stale, 1: made (This recommendation is stale:" in scan()
    [function] = json.loads(scan("--json"))["functions"]
    assert "recommendation_stale" in [each["code"] for each in function["findings"]]
    assert "This recommendation is stale" in scan("--format", "html")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A function in an account whose log has six days, half as long again as the sweep says."""
    with moto_process() as url:
        make_function(url, "made", MemorySize=1024, Timeout=30)
        logs, group = client("logs", url), "/aws/lambda/made"
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        took = TRUE_MS * 1.5
        events = [
            {
                "timestamp": to_ms(NOW - timedelta(hours=number)),
                "message": f"REPORT RequestId: 8f5e0b1c-0000-4000-8000-{number:012}\t"
                f"Duration: {took:.2f} ms\tBilled Duration: {round(took)} ms\t"
                "Memory Size: 1024 MB\tMax Memory Used: 90 MB\t\n",
            }
            for number in range(6 * 24, 0, -1)
        ]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
        yield url


@pytest.mark.slow
def test_an_account_says_what_runs_now(url: str, tmp_path: Path) -> None:
    """Another build by its digest, and durations by its log; a function that is gone is told."""
    swept_at = (NOW - timedelta(days=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
    keep(tmp_path, started_at=swept_at, region=REGION)
    keep(tmp_path, "gone", started_at=swept_at, region=REGION)
    ran = sweeps(tmp_path, "--live", "--endpoint-url", url, "--json")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    [stale], [gone] = found["sweeps"], found["unjudged"]
    reasons = {each["code"] for each in stale["stale_reasons"]}
    assert {"code_changed", "duration_moved"} <= reasons
    assert (gone["function"], gone["stale"]) == ("gone", None)
    assert "gone" in gone["problem"]
