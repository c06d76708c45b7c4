"""Commands around a sweep, another build, and going on, as a user asks for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run, run_here
from tests.cli.scripted import at, server, standing, state

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.local import LocalLambda

__all__ = ["server", "state"]
SENTINEL = "s3ntinel-in-a-payload"


@pytest.mark.slow
def test_a_build_is_measured_with_its_commands_and_gone_on_with(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """stdout has the answer alone, the commands' words are on stderr, the digest is the build's, a
    second run needs no payload again, and the function is as before.
    """
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "handler.py").write_text("def handler(event, context): return 1\n")
    before, file = standing(server), tmp_path / "first.jsonl"
    asked = (
        *at(server), "--yes", "--json", "--code", str(tmp_path / "build"), "--max-invocations", "6",
        "--before", "echo made-ready", "--after", "echo cleaned-up",
    )  # fmt: skip
    given = ("--payload", json.dumps({"token": SENTINEL}), "--keep-payloads", "--out", str(file))
    first = run("tune", "hello", *asked, *given, **state)
    assert first.returncode == 0, first.stderr
    answer = json.loads(first.stdout)
    assert first.stderr.index("made-ready") < first.stderr.index("publishing")
    assert first.stderr.rindex("cleaned-up") > first.stderr.index("copy deleted")
    assert answer["function"]["code_sha256"] != before[0]["CodeSha256"]
    assert SENTINEL not in first.stdout + first.stderr
    again = run_here(
        "tune", "--resume", str(file), *at(server), "--yes", "--json", "--max-invocations", "8",
        "--code", str(tmp_path / "build"), "--out", str(tmp_path / "second.jsonl"), **state,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    second = json.loads(again.stdout)
    assert second["function"]["name"] == "hello"
    assert answer["sweep"]["invocation_count"] <= second["sweep"]["invocation_count"] <= 8
    assert standing(server) == before


def test_a_failing_before_changes_nothing(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """One line, exit code 1, no version, no sweep file."""
    before, file = standing(server), tmp_path / "out.jsonl"
    ran = run_here(
        "tune", "hello", *at(server), "--yes", "--before", "false", "--out", str(file), **state
    )
    assert ran.returncode == 1
    assert "the --before command 'false' failed (it ended with status 1)" in ran.stderr
    assert ran.stdout == ""
    assert not file.exists()
    assert standing(server) == before


def test_a_failing_after_still_answers(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """What was measured is told; what is not cleaned is told too, by the exit code as well."""
    ran = run_here(
        "tune", "hello", *at(server), "--yes", "--after", "false", "--out",
        str(tmp_path / "out.jsonl"), **state,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "hello · local" in ran.stdout
    assert "the --after command 'false' failed" in ran.stderr


def test_no_file_and_no_variable_runs_a_command(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """A folder that is entered must not run what lies in it."""
    (tmp_path / "tuner.toml").write_text('before = "touch ran"\n')
    ran = run_here("tune", "hello", *at(server), "--dry-run", cwd=tmp_path, **state)
    assert ran.returncode != 0
    assert "unknown key 'before'" in one_line(ran)
    (tmp_path / "tuner.toml").unlink()
    ran = run_here(
        "tune", "hello", *at(server), "--yes", "--max-invocations", "4", cwd=tmp_path,
        TUNER_BEFORE="touch ran", **state,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert not (tmp_path / "ran").exists()


def test_a_functions_newest_sweep_is_gone_on_with_by_its_name(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """As in every command, a sweep is a file or the function's name."""
    first = run_here("tune", "hello", *at(server), "--yes", "--max-invocations", "4", **state)
    assert first.returncode == 0, first.stderr
    shown = run_here("tune", "--resume", "hello", *at(server), "--dry-run", **state)
    assert shown.returncode == 0, shown.stderr
    assert "Resumes " in shown.stderr
    assert "hello · local" in shown.stderr
