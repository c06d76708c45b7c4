"""`tuner comment` beside a template: the size suggested on its line, or shown as a diff."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run_here, save
from tests.forge.changed_file import ChangedFile
from tests.forge.fake_github import NUMBER, FakeGithub, Refusal
from tests.sweeps import made_sweep, mixed_ms

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
Resources:
  Made:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: made
      MemorySize: 3008  # @team ``` big
"""


@pytest.fixture
def template(github: FakeGithub, tmp_path: Path) -> Path:
    """A template in a repository, whose pull request changes the memory's line."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "infra").mkdir()
    path = tmp_path / "repository" / "infra" / "template.yaml"
    path.write_text(TEMPLATE)
    github.files["infra/template.yaml"] = ChangedFile(TEMPLATE.replace("3008", "1024"), TEMPLATE)
    return path


def test_the_size_is_suggested_on_the_templates_line(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, template: Path
) -> None:
    """The template of the folder is found; five runs leave one suggestion and one comment."""
    names = [
        save(tmp_path / f"{hour}.jsonl", started_at=f"2026-01-01T0{hour}:00:00Z")
        for hour in (2, 0, 4, 1, 3)
    ]
    for name in names:
        assert run_here("comment", name, cwd=template.parent, **job).returncode == 0
    [remark], [body] = github.remarks, github.by()
    assert (remark["path"], remark["line"]) == ("infra/template.yaml", 6)
    assert "````suggestion\n      MemorySize: " in remark["body"]
    assert remark["body"].startswith("**RESIZE 3008 → ")
    assert "measured on deployed code" in remark["body"]
    assert 'measured="2026-01-01T04:00:00Z"' in remark["body"]
    assert "See the suggested change on `infra/template.yaml`, line 6." in body
    assert "```diff" not in body


@pytest.mark.parametrize("status", [None, 403, 422])
def test_a_line_that_takes_no_suggestion_is_shown_as_a_diff(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, template: Path, status: int | None
) -> None:
    """Outside of the diff, without the right, or refused: the comment is posted and shows it."""
    if status is None:
        github.files.clear()
    else:
        github.refusals = [Refusal("POST", status, "no", path=f"/pulls/{NUMBER}/comments")]
    ran = run_here("comment", save(tmp_path / "a.jsonl"), cwd=template.parent, **job)
    assert ran.returncode == 0
    assert ("not suggested" in ran.stderr) == (status is not None)
    [body] = github.by()
    assert "`infra/template.yaml`, line 6:\n\n````diff\n-      MemorySize: 3008  # @team" in body
    assert "\n+      MemorySize: " in body


def test_an_older_sweep_suggests_nothing(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, template: Path
) -> None:
    """A newer answer stands: what contradicts it is not posted."""
    keep = replace(made_sweep(mixed_ms, current_mb=128), started_at="2026-02-01T00:00:00Z")
    run_here("comment", save(tmp_path / "new.jsonl", keep), cwd=template.parent, **job)
    there = [each["body"] for each in github.remarks]
    run_here("comment", save(tmp_path / "old.jsonl"), cwd=template.parent, **job)
    assert [each["body"] for each in github.remarks] == there


def test_a_template_without_the_function_is_said(tmp_path: Path, template: Path) -> None:
    """Where it was named; a folder's own template says nothing then."""
    template.write_text(TEMPLATE.replace("made", "other").replace("Made", "Other"))
    name = save(tmp_path / "a.jsonl")
    ran = run_here("comment", name, "--dry-run", "--template", str(template))
    assert "no function called made in infra/template.yaml" in ran.stdout
    unasked = run_here("comment", name, "--dry-run", cwd=template.parent)
    assert "template" not in unasked.stdout


BRANCHES = """\
Parameters:
  Stage: {Type: String, Default: dev}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Made:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: made
      MemorySize: !If [IsProd, 3008, 512]
"""


def test_the_line_of_another_environment_is_not_changed(tmp_path: Path, template: Path) -> None:
    """A value that is not the measured function's is refused with both, unless a flag picks it."""
    name = save(tmp_path / "a.jsonl")
    asked = ("comment", name, "--dry-run", "--template", str(template))
    template.write_text(BRANCHES)
    ran = run_here(*asked)
    assert re.search(r"has 512 MB here.* 3008 MB", ran.stdout)
    assert "```diff" not in ran.stdout
    assert "-      MemorySize: !If [IsProd, 3008, 512]" in (
        run_here(*asked, "--parameter", "Stage=prod").stdout
    )
    template.write_text(TEMPLATE.replace("3008", "640"))
    assert "has 640 MB here" in run_here(*asked).stdout


def test_a_value_that_something_else_uses_is_left(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, template: Path
) -> None:
    """The function gets a size of its own, which is suggested on its own line."""
    shared = TEMPLATE.replace("MemorySize: 3008", "MemorySize: !Ref Size").replace(
        "Resources:", "Parameters:\n  Size:\n    Type: Number\n    Default: 3008\nResources:"
    )
    shared += "      EphemeralStorage: {Size: !Ref Size}\n"
    template.write_text(shared)
    github.files["infra/template.yaml"] = ChangedFile(
        shared.replace("!Ref Size  #", "1024  #"), shared
    )
    name = save(tmp_path / "a.jsonl")
    assert run_here("comment", name, cwd=template.parent, **job).returncode == 0
    [remark] = github.remarks
    assert "```suggestion\n      MemorySize: 192  # @team" in remark["body"]
