"""`tuner comment` beside Terraform and CDK: the size suggested on its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.running import run_here, save
from tests.forge.changed_file import ChangedFile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forge.fake_github import FakeGithub

TERRAFORM = """\
resource "aws_lambda_function" "made" {
  function_name = "made"
  memory_size   = 3008 # MB
}
"""
CDK = """\
import * as lambda from 'aws-cdk-lib/aws-lambda';

new lambda.Function(app, 'Made', {
  functionName: 'made',
  memorySize: 3008,
});
"""
BARE = TERRAFORM.replace("  memory_size   = 3008 # MB\n", "  timeout       = 3\n")


def commented(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, *, name: str, old: str, new: str
) -> tuple[list[dict[str, object]], str]:
    """The remarks and the comment for a repository with this file."""
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(new)
    github.files[name] = ChangedFile(old, new)
    ran = run_here("comment", save(tmp_path / "a.jsonl"), cwd=root, **job)
    assert ran.returncode == 0
    [body] = github.by()
    return github.remarks, body


@pytest.mark.parametrize(
    ("name", "text", "line", "after"),
    [
        ("infra/main.tf", TERRAFORM, 3, "  memory_size   = 192 # MB"),
        ("lib/shop.ts", CDK, 5, "  memorySize: 192,"),
    ],
)
def test_the_size_is_suggested_on_its_line(
    github: FakeGithub,
    job: dict[str, str],
    tmp_path: Path,
    *,
    name: str,
    text: str,
    line: int,
    after: str,
) -> None:
    """Found in the repository without being named."""
    [remark], body = commented(
        github, job, tmp_path, name=name, old=text.replace("3008", "1024"), new=text
    )
    assert (remark["path"], remark["line"]) == (name, line)
    assert f"```suggestion\n{after}\n```" in str(remark["body"])
    assert f"See the suggested change on `{name}`, line {line}." in body


def test_a_size_that_is_not_written_is_shown_as_a_line_more(
    github: FakeGithub, job: dict[str, str], tmp_path: Path
) -> None:
    """The comment shows the line below its neighbor; the sweep's size isn't what is written."""
    github.files.clear()
    _, body = commented(github, job, tmp_path, name="main.tf", old=BARE, new=BARE)
    assert "has 128 MB here, and the function is deployed with 3008 MB" in body


def test_what_cannot_be_changed_says_why(
    github: FakeGithub, job: dict[str, str], tmp_path: Path
) -> None:
    """With file and line, in the comment."""
    text = TERRAFORM.replace("3008 # MB", 'var.sizes["made"]')
    _, body = commented(github, job, tmp_path, name="main.tf", old=text, new=text)
    assert "Not suggested on a line: main.tf:3: memory\\_size is" in body
