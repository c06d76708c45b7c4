"""`tuner compare`: from two files to an answer in every format."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run_here
from tests.sweeps import cpu_bound_ms, made_function, made_sweep, save_sweep
from tuner.model.goal import Goal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    slower = made_sweep(lambda mb: 1.2 * cpu_bound_ms(mb), seed=2)
    slower = replace(slower, function=made_function(code_sha256="zz99yy"))
    return save_sweep(tmp_path / "a.jsonl", made_sweep()), save_sweep(tmp_path / "b.jsonl", slower)


@pytest.mark.parametrize(
    ("format_name", "words"),
    [
        ("text", "\nSLOWER: B takes 19% more time"),
        ("markdown", "**SLOWER: B takes 19% more time"),
        ("html", "<strong>SLOWER</strong> B takes 19% more time"),
        ("svg", "<?xml"),
    ],
)
def test_every_format_has_the_answer(files: tuple[str, str], format_name: str, words: str) -> None:
    """All of it goes to stdout, and stderr stays empty."""
    ran = run_here("compare", *files, "--format", format_name)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert words in ran.stdout.replace("\xa0", " ")


def test_json_names_both_files(files: tuple[str, str]) -> None:
    """One object, with the sides as they were given."""
    found = json.loads(run_here("compare", *files, "--json").stdout)
    assert (found["a"]["source"], found["b"]["source"]) == files


def test_two_functions_are_compared_only_where_that_is_meant(tmp_path: Path) -> None:
    """A verdict about two functions is none of a change: the line names both, and the flag."""
    other = replace(made_sweep(seed=2), function=made_function(name="other"))
    files = [
        save_sweep(tmp_path / "a.jsonl", made_sweep()),
        save_sweep(tmp_path / "b.jsonl", other),
    ]
    for format_name in ("text", "html"):
        ran = run_here("compare", *files, "--format", format_name)
        assert ran.returncode == 1
        line = one_line(ran)
        assert "a.jsonl is of made" in line
        assert "b.jsonl of other" in line
        assert "--different-functions" in line
    ran = run_here("compare", *files, "--different-functions")
    assert ran.returncode == 0
    assert "these are two functions: made and other" in ran.stdout


def test_a_file_with_itself_is_called_so(files: tuple[str, str]) -> None:
    """Nothing can be settled about one measurement, and nothing is open either."""
    ran = run_here("compare", files[0], files[0])
    assert ran.returncode == 0
    assert "THE SAME SWEEP" in ran.stdout
    assert "NOT SETTLED" not in ran.stdout


def test_the_goal_is_that_of_the_later_sweep(tmp_path: Path) -> None:
    """Both are read for one goal, the difference is said, and an option decides otherwise."""
    files = [
        save_sweep(tmp_path / name, replace(made_sweep(seed=seed), goal=Goal(goal)))
        for seed, (name, goal) in enumerate((("a.jsonl", "cost"), ("b.jsonl", "speed")), start=1)
    ]
    found = json.loads(run_here("compare", *files, "--json").stdout)
    asked = json.loads(run_here("compare", *files, "--json", "--goal", "speed").stdout)
    assert found == asked
    [said] = [each for each in found["findings"] if each["code"] == "goals_differ"]
    assert said["message"] == "A was tuned for cost, B for speed: both are compared for speed"
    other = json.loads(run_here("compare", *files, "--json", "--goal", "cost").stdout)
    assert other["pairs"] != found["pairs"]


def test_one_file_alone_asks_for_another(files: tuple[str, str]) -> None:
    """It isn't taken for a function's name, which nothing could be tuned by."""
    ran = run_here("compare", files[0])
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{files[0]} is one sweep: give the file of another" in ran.stderr


def test_a_missing_sweep_is_one_line(files: tuple[str, str]) -> None:
    """The line names the file."""
    ran = run_here("compare", files[0], "gone.jsonl")
    assert ran.returncode == 1
    assert "gone.jsonl" in one_line(ran)


def test_a_sweep_and_itself_are_not_compared() -> None:
    """There is nothing to tell but that, and which sweep it is: no table of differences."""
    mixed = "examples/sweeps/mixed.jsonl"
    for more in ((), ("--format", "markdown")):
        ran = run_here("compare", mixed, mixed, *more, COLUMNS="200")
        assert ran.returncode == 0
        assert "THE SAME SWEEP: A and B are one measurement" in ran.stdout
        assert len(ran.stdout.splitlines()) <= 3
        assert "can't tell" not in ran.stdout
