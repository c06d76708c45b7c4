"""`tuner apply`: what it writes, and when it writes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.aws.wire import Reply, WireServer
from tests.cli.running import one_line, run_here, save
from tests.sweeps import made_sweep, mixed_ms

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
Globals:
  Function: {MemorySize: 3008}
Resources:
  Made:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: made
      Timeout: 3
  Other:
    Type: AWS::Serverless::Function
    Properties: {Timeout: 3}
"""
AFTER = TEMPLATE.replace("      Timeout: 3\n", "      Timeout: 3\n      MemorySize: 192\n", 1)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra").mkdir()
    path = tmp_path / "infra" / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def test_a_sweeps_answer_is_written_where_the_repository_sets_it(
    tmp_path: Path, template: Path
) -> None:
    """Found from the repository's root, shown as a diff, and told with the others left alone."""
    name = save(tmp_path / "a.jsonl")
    ran = run_here("apply", name, "--yes", cwd=tmp_path)
    assert ran.returncode == 0
    assert "+++ b/infra/template.yaml" in ran.stdout
    assert "made now gets 192 MB instead of 3008 MB (infra/template.yaml:8)" in ran.stdout
    assert "Other: unchanged" in ran.stdout
    assert template.read_text() == AFTER
    again = run_here("apply", name, "--check", "--detailed-exitcode", cwd=tmp_path)
    assert again.returncode == 0
    assert again.stdout.splitlines() == [
        "made has 192 MB already (infra/template.yaml:9).",
        (
            "made: 192 MB in the code, 3008 MB deployed, 192 MB recommended: the code is ahead: "
            "deploy it."
        ),
    ]


@pytest.mark.parametrize(
    ("options", "exit_code"),
    [((), 2), (("--check",), 0), (("--check", "--detailed-exitcode"), 10)],
)
def test_nothing_is_written_without_a_yes(
    tmp_path: Path, template: Path, options: tuple[str, ...], exit_code: int
) -> None:
    """Without a terminal it needs --yes; with --check it only shows."""
    asked = ("apply", "--function", "Made", "--memory-size", "192", *options)
    ran = run_here(*asked, cwd=tmp_path)
    assert ran.returncode == exit_code
    assert "+      MemorySize: 192" in ran.stdout + ran.stderr
    assert template.read_text() == TEMPLATE


def test_json_tells_edits_and_refusals_apart(tmp_path: Path, template: Path) -> None:
    """Those that can be served are written; the others have a reason, and the exit code is 1."""
    other = replace(made_sweep(mixed_ms), started_at="2026-01-01T00:00:00Z")
    other = replace(other, function=replace(other.function, name="unknown"))
    names = (save(tmp_path / "a.jsonl"), save(tmp_path / "b.jsonl", other))
    ran = run_here("apply", *names, "--json", "--yes", "--template", str(template), cwd=tmp_path)
    assert ran.returncode == 1
    found = json.loads(ran.stdout)
    [edit], [refused] = found.pop("edits"), found.pop("refused")
    states = [each["state"] for each in found.pop("drift")]
    assert states == ["to_apply", "unknown"]
    assert found == {"schema_version": 1, "kind": "edit", "written": True}
    assert edit == {
        "function": "made",
        "path": str(template),
        "line": 8,
        "column": 17,
        "before": "      Timeout: 3",
        "after": "      Timeout: 3\n      MemorySize: 192",
        "memory_mb": 192,
        "was_mb": 3008,
        "how": "insert",
        "shared_by": ["Other"],
    }
    assert (refused["function"], refused["path"]) == ("unknown", None)
    assert template.read_text() == AFTER


def test_what_is_not_what_was_deployed_is_refused(tmp_path: Path, template: Path) -> None:
    """With file, line, and both sizes."""
    asked = ("apply", "--function", "made", "--memory-size", "192", "--was", "512", "--yes")
    ran = run_here(*asked, "--json", cwd=tmp_path)
    assert ran.returncode == 1
    [refused] = json.loads(ran.stdout)["refused"]
    assert (refused["path"], refused["line"]) == ("infra/template.yaml", 4)
    assert "has 3008 MB here, and the function is deployed with 512 MB" in refused["reason"]
    assert "--stage" in refused["reason"]
    assert template.read_text() == TEMPLATE


@pytest.mark.parametrize(
    "name", ["arn:aws:lambda:eu-west-1:123456789012:function:made:live", "made:live", "made:7"]
)
def test_a_function_may_be_named_by_its_arn(tmp_path: Path, template: Path, name: str) -> None:
    """Or with a version or alias: its code has one memory."""
    ran = run_here("apply", "--function", name, "--memory-size", "192", "--yes", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert template.read_text() == AFTER


@pytest.mark.parametrize(
    "name", ["arn:aws:lambda:eu-west-1:123456789012:function:made:live", "made:live", "made:7"]
)
@pytest.mark.parametrize("command", ["report", "verify", "compare", "break-even", "apply"])
def test_a_sweep_that_is_asked_for_by_an_arn_is_told_its_name(
    tmp_path: Path, command: str, name: str
) -> None:
    """Another sweep of it would be kept by the same name, so tuning again is no help."""
    state = {"TUNER_STATE_DIR": str(tmp_path)}
    line = one_line(run_here(command, name, cwd=tmp_path, **state))
    assert line == f"tuner: sweeps are kept by the function's name, not as {name}: give made"


def test_a_function_that_nothing_declares_is_refused(tmp_path: Path, template: Path) -> None:
    """With what to do, in the flags of the command line."""
    ran = run_here(
        "apply", "--function", "x", "--memory-size", "192", "--check", cwd=template.parent
    )
    assert ran.returncode == 1
    assert "nothing here declares a function called x: name its file or folder (--template)" in (
        ran.stderr
    )


@pytest.mark.parametrize(
    "options",
    [(), ("--function", "f"), ("sweep.jsonl", "--function", "f"), ("--memory-size", "512")],
)
def test_what_to_write_must_be_said(options: tuple[str, ...]) -> None:
    """Sweeps, or a function with its memory: never both, never half."""
    assert run_here("apply", *options).returncode == 2


def test_drift_is_told_against_what_is_deployed_now(tmp_path: Path, template: Path) -> None:
    """Somebody changed the function by hand: the code is neither, and nothing is written."""
    function = {
        "FunctionName": "made",
        "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:made",
        "Runtime": "python3.13",
        "Timeout": 3,
        "MemorySize": 1024,
        "CodeSha256": "c29tZSBjb2Rl",
        "Version": "$LATEST",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
    }
    with WireServer() as server:
        server.answer = lambda _: Reply(200, {"Configuration": function})
        asked = ("apply", save(tmp_path / "a.jsonl"), "--check", "--deployed", "--json")
        where = ("--endpoint-url", server.url, "--region", "us-east-1")
        ran = run_here(*asked, *where, cwd=tmp_path)
    assert ran.returncode == 1
    [drift] = json.loads(ran.stdout)["drift"]
    assert drift == {
        "function": "made",
        "path": "infra/template.yaml",
        "line": 4,
        "code_mb": 3008,
        "deployed_mb": 1024,
        "recommended_mb": 192,
        "state": "changed_outside",
    }
    assert template.read_text() == TEMPLATE
