"""`tuner sweeps`: what is kept, and what may go."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.sweeps import made_function, made_sweep, save_sweep
from tuner.model.prior_evidence import PriorEvidence

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

DAYS = ("01", "05", "09", "13")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Four sweeps of one function, oldest first, and one of another on this machine."""
    for day in DAYS:
        keep(tmp_path, "made", f"2026-11-{day}T10:00:00Z")
    keep(tmp_path, "other", "2026-11-07T10:00:00Z", environment="local")
    return tmp_path


def keep(state: Path, name: str, started_at: str, **changes: Any) -> Path:
    """Put a sweep where `tune` keeps it."""
    sweep = replace(
        made_sweep(), function=made_function(name=name), started_at=started_at, **changes
    )
    folder = state / "sweeps" / name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{started_at[:10].replace('-', '')}-100000-abcdef.jsonl"
    save_sweep(file, sweep)
    return file


def sweeps(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_here("sweeps", *arguments, TUNER_STATE_DIR=str(state), SOURCE_DATE_EPOCH="")


def days(state: Path, *arguments: str) -> list[str]:
    """Function and day of what is listed."""
    ran = sweeps(state, *arguments, "--json")
    assert (ran.returncode, ran.stderr) == (0, "")
    listed = json.loads(ran.stdout)["sweeps"]
    return [f"{each['function']} {each['started_at'][8:10]}" for each in listed]


def left(state: Path) -> list[str]:
    """Function and day of the files that are there."""
    files = sorted((state / "sweeps").rglob("*.jsonl"))
    return [f"{file.parent.name} {file.name[6:8]}" for file in files]


def test_the_newest_comes_first_with_its_verdict(state: Path) -> None:
    """A row has the function, when, where, the verdict, the sizes, and what to call it by."""
    ran = sweeps(state)
    assert (ran.returncode, ran.stderr) == (0, "")
    head, first, *_ = ran.stdout.splitlines()
    assert head.split() == ["function", "when", "(UTC)", "where", "verdict", "MB", "sweep"]
    assert first.split()[:5] == ["made", "2026-11-13", "10:00", "aws", "resize"]
    assert first.split()[-1] == "20261113-100000-abcdef"
    assert str(state / "sweeps") in ran.stdout


def test_the_verdict_is_what_report_says(tmp_path: Path) -> None:
    """Also where production calls the function so rarely that a resize saves too little."""
    seen = PriorEvidence(
        "observed", "2026-01-02T00:00:00Z", "q1", source="observation", rate_per_s=0.001
    )
    file = keep(tmp_path, "made", "2026-11-13T10:00:00Z")
    waiting = made_sweep(lambda memory_mb: 250 + 5 * 1769 / min(memory_mb, 1769))
    save_sweep(file, replace(waiting, prior=seen))
    [listed] = json.loads(sweeps(tmp_path, "--json").stdout)["sweeps"]
    said = json.loads(run_here("report", str(file), "--json").stdout)["recommendation"]
    assert (listed["verdict"], listed["memory_mb"]) == (said["verdict"], said["memory_mb"])
    assert said["verdict"] == "keep"


def test_json_has_one_object_a_sweep(state: Path) -> None:
    """What is listed is there for machines, in full: the file, its bytes and the verdict."""
    found = json.loads(sweeps(state, "--json").stdout)
    assert (found["schema_version"], found["kind"]) == (1, "sweeps")
    first = found["sweeps"][0]
    answer = json.loads(run_here("report", first["file"], "--json").stdout)
    assert first["verdict"] == answer["recommendation"]["verdict"]
    assert first["memory_mb"] == answer["recommendation"]["memory_mb"]
    assert first["current_mb"] == answer["current"]["memory_mb"]
    assert first["size_bytes"] == os.path.getsize(first["file"])  # noqa: PTH202 - as a shell would
    assert (first["live"], first["problem"]) == (False, None)


def test_lists_are_filtered(state: Path) -> None:
    """By function, by where it was measured, and from a day on."""
    assert days(state) == ["made 13", "made 09", "other 07", "made 05", "made 01"]
    assert days(state, "other") == days(state, "--environment", "local") == ["other 07"]
    assert days(state, "made", "--since", "2026-11-09") == ["made 13", "made 09"]
    assert days(state, "nothing") == []
    assert days(state, "--since", "0.5d") == []


def test_a_day_that_is_none_is_a_usage_error(state: Path) -> None:
    """The line says how one is written."""
    ran = sweeps(state, "--since", "yesterday")
    assert ran.returncode == 2
    assert "'yesterday' isn't a day: write 2026-11-01 or 7d" in one_line(ran)


def test_the_newest_of_each_function_are_kept(state: Path) -> None:
    """What is over the number goes, function by function."""
    ran = sweeps(state, "--prune", "--keep", "2", "--yes")
    assert (ran.returncode, ran.stdout) == (0, "Removed 2 sweeps.\n")
    assert left(state) == ["made 09", "made 13", "other 07"]
    assert sweeps(state, "--prune", "--keep", "2", "--yes").stdout == "Nothing to remove.\n"


def test_both_limits_keep_what_either_keeps(state: Path) -> None:
    """Old ones go, but not a function's last; a function's emptied folder goes with them."""
    ran = sweeps(state, "--prune", "--older-than", "0", "--keep", "1", "--yes")
    assert ran.returncode == 0
    assert left(state) == ["made 13", "other 07"]
    sweeps(state, "other", "--prune", "--older-than", "0", "--yes")
    assert not (state / "sweeps" / "other").exists()
    sweeps(state, "--prune", "--older-than", "100000", "--yes")
    assert left(state) == ["made 13"]


def test_nothing_goes_without_an_agreement(state: Path) -> None:
    """Without a terminal the flag must agree; a dry run only shows; limits must be said."""
    before = left(state)
    ran = sweeps(state, "--prune", "--keep", "1")
    assert ran.returncode == 2
    assert [line.split()[:2] for line in ran.stderr.splitlines()[1:3]] == [
        ["made", "2026-11-09"],
        ["made", "2026-11-05"],
    ]
    assert "--yes" in ran.stderr.splitlines()[-1]
    dry = sweeps(state, "--prune", "--keep", "1", "--dry-run")
    assert (dry.returncode, dry.stdout.count("20261")) == (0, 3)
    assert (
        json.loads(sweeps(state, "--prune", "--keep", "1", "--dry-run", "--json").stdout)["removed"]
        is False
    )
    assert "give --keep, --older-than, or both" in one_line(sweeps(state, "--prune", "--yes"))
    assert "go with --prune" in one_line(sweeps(state, "--keep", "1"))
    assert left(state) == before


def test_the_sweep_of_a_journal_is_never_removed(state: Path) -> None:
    """It runs, or tuner recover has yet to put its function right."""
    (state / "journals").mkdir()
    (state / "journals" / "20261101-100000-abcdef.jsonl").touch()
    sweeps(state, "--prune", "--keep", "1", "--yes")
    assert left(state) == ["made 01", "made 13", "other 07"]
    assert "in use" in sweeps(state).stdout


def test_a_sweep_without_an_end_may_still_run(state: Path) -> None:
    """Its file is left alone for a day from when it was last written."""
    file = keep(state, "made", "2026-10-01T10:00:00Z", end=None)
    sweeps(state, "--prune", "--keep", "1", "--yes")
    assert file.exists()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(file, (two_days_ago, two_days_ago))
    sweeps(state, "--prune", "--keep", "1", "--yes")
    assert not file.exists()


def test_a_file_that_cannot_be_read_is_listed_and_goes_by_its_age(state: Path) -> None:
    """It hides no other, is told as what it is, and takes no good sweep's place."""
    broken = state / "sweeps" / "made" / "20261120-100000-abcdef.jsonl"
    broken.write_text("{}\n")
    long_ago = time.time() - 400 * 86_400
    os.utime(broken, (long_ago, long_ago))
    assert "unreadable" in sweeps(state).stdout
    found = json.loads(sweeps(state, "--json").stdout)["sweeps"][-1]
    assert "isn't a sweep file" in found["problem"]
    sweeps(state, "--prune", "--keep", "1", "--yes")
    assert left(state) == ["made 13", "made 20", "other 07"]
    sweeps(state, "--prune", "--keep", "1", "--older-than", "300", "--yes")
    assert left(state) == ["made 13", "other 07"]


def test_without_sweeps_it_says_where_it_looked(tmp_path: Path) -> None:
    """An empty folder is no error."""
    ran = sweeps(tmp_path)
    assert (ran.returncode, ran.stdout) == (
        0,
        f"No such sweep is kept in {tmp_path / 'sweeps'}.\n",
    )


def test_a_listed_sweep_is_named_by_its_id(state: Path) -> None:
    """What the list shows is what other commands take."""
    ran = run_here("report", "20261105-100000-abcdef", "--json", TUNER_STATE_DIR=str(state))
    assert json.loads(ran.stdout)["sweep"]["file"].endswith("20261105-100000-abcdef.jsonl")


def test_a_function_alone_compares_its_last_two_sweeps(state: Path) -> None:
    """The older one is A; one sweep alone cannot be compared."""
    ran = run_here("compare", "made", "--json", TUNER_STATE_DIR=str(state))
    found = json.loads(ran.stdout)
    assert [found[side]["started_at"][8:10] for side in "ab"] == ["09", "13"]
    alone = run_here("compare", "other", TUNER_STATE_DIR=str(state))
    assert alone.returncode == 1
    assert "one sweep of other is kept" in one_line(alone)
