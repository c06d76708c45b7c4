"""`tuner live-check`: what it asks, what it refuses, and what two checks differ in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.live_check import NAME, ROLE, functions, scripted_place
from tests.cli.running import ROOT, run, run_here, variables_for
from tests.live.test_live_check_file import RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.api.live_check.check import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with scripted_place(tmp_path_factory.mktemp("live-check")) as (place, _handle):
        yield place


def at(place: Place) -> tuple[str, ...]:
    return ("--endpoint-url", str(place.gateway.endpoint_url), "--region", "us-east-1")


def test_the_first_step_alone_is_a_table(place: Place) -> None:
    """Every assumption in a line, what wasn't seen, and that nothing was changed."""
    ran = run_here("live-check", *at(place), "--function", "orders")
    assert ran.returncode == 0, ran.stderr
    assert "log format" in ran.stdout
    assert "not seen" in ran.stdout
    assert ran.stdout.rstrip().endswith("Nothing was changed.")
    found = json.loads(run_here("live-check", *at(place), "--json").stdout)
    assert found["kind"] == "live_check"
    assert found["created"] is False


def test_a_file_that_cannot_be_written_loses_no_answer(place: Place) -> None:
    """It's shown first."""
    ran = run_here("live-check", *at(place), "--json", "--out", "/dev/null/x.json")
    assert (ran.returncode, json.loads(ran.stdout)["kind"]) == (1, "live_check")
    assert "/dev/null/x.json can't be written" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--create", NAME, "--role", ROLE), "pass --yes"),
        (("--create", NAME), "give its ARN as --role, or name a --function"),
        (("--create", "orders", "--role", ROLE, "--yes"), "must begin with lambda-tuner-"),
    ],
)
def test_nothing_is_made_unless_it_is_agreed_to_by_name(
    place: Place, arguments: tuple[str, ...], words: str
) -> None:
    """Without a yes, a role or a name of the right kind, one line says what to do."""
    ran = run_here("live-check", *at(place), *arguments)
    assert ran.returncode in (1, 2)
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert functions(place) == ["orders"]


def test_options_that_do_not_fit_are_refused() -> None:
    """--local has an endpoint of its own, and --against compares nothing alone."""
    for arguments in (("--local", "--profile", "x"), ("--against", str(RECORDED))):
        assert run_here("live-check", *arguments).returncode == 2


def altered(tmp_path: Path) -> Path:
    """The recorded run, with a figure, a field and an assumption of another place."""
    document: dict[str, Any] = json.loads(RECORDED.read_text())
    figures = {each["name"]: each for each in document["figures"]}
    figures["old_revision"]["text"] = "ConflictException"
    figures["cpu_share_128_mb"]["number"] *= 1.3
    figures["cpu_share_256_mb"]["number"] *= 1.05
    figures["update_ms"]["number"] *= 20
    document["replies"]["PublishVersion"]["State"] = "Pending"
    del document["replies"]["CreateAlias"]["Description"]
    [stale] = [each for each in document["assumptions"] if each["topic"] == "reads after an update"]
    stale |= {"seen": "after 3 of 8 updates, for up to 20000 ms", "state": "differs"}
    file = tmp_path / "altered.json"
    file.write_text(json.dumps(document))
    return file


def test_a_comparison_shows_what_was_altered_and_nothing_else(tmp_path: Path) -> None:
    """Five alterations are rows; a time, and a share within a tenth, are no difference."""
    compared = ("--compare", str(altered(tmp_path)), "--against", str(RECORDED))
    found = json.loads(run_here("live-check", *compared, "--json").stdout)
    assert {row["what"]: row["state"] for row in found["rows"] if row["state"] != "shown"} == {
        "reads after an update": "differs",
        "old_revision": "differs",
        "cpu_share_128_mb": "differs",
        "PublishVersion: State": "differs",
        "CreateAlias: Description": "only in one",
    }
    assert "update_ms" in {row["what"] for row in found["rows"] if row["state"] == "shown"}
    text = run_here("live-check", *compared).stdout
    assert "4 differ, 1 only seen in one place" in text
    assert "PreconditionFailedException" in text


def test_a_run_is_the_same_as_itself() -> None:
    """Nothing differs from itself, whatever it has."""
    same = ("--compare", str(RECORDED), "--against", str(RECORDED))
    found = json.loads(run_here("live-check", *same, "--json").stdout)
    assert found["differing_count"] == 0
    assert {row["state"] for row in found["rows"]} <= {"shown"}


def test_a_file_of_something_else_is_one_line() -> None:
    """What isn't a check's file is named."""
    sweep = Path("examples/sweeps/mixed.jsonl")
    ran = run_here("live-check", "--compare", str(sweep))
    assert ran.returncode == 1
    assert "mixed.jsonl is not the file of a live check" in ran.stderr


@pytest.mark.slow
def test_what_a_killed_check_left_is_recovered(place: Place, tmp_path: Path) -> None:
    """After a SIGKILL the function is still there, and `tuner recover` deletes it."""
    kept = variables_for(TUNER_STATE_DIR=str(tmp_path))
    command = ("live-check", *at(place), "--create", NAME, "--role", ROLE, "--yes")
    with subprocess.Popen(
        [sys.executable, "-m", "tuner", *command], cwd=ROOT, env=kept,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        assert any("CPU share" in line for line in process.stderr)
        process.kill()
    assert NAME in functions(place)
    ran = run("recover", "--yes", TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert f"{NAME}: delete this function of a live check" in ran.stdout
    assert functions(place) == ["orders"]
