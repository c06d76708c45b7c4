"""`tuner comment`: from sweep files to one comment, or to where else the answer can be seen."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run_here, save
from tests.forge.fake_github import NUMBER, FakeGithub, Refusal, serving
from tests.forge.fake_gitlab import PROJECT, FakeGitlab
from tests.sweeps import made_function
from tuner.model.finding import Finding
from tuner.model.goal import Goal

if TYPE_CHECKING:
    from pathlib import Path


FORK = "Resource not accessible by integration"
BUILD = Finding("other_build_measured", "info", "What was measured is the package of --code.")


def test_the_answer_is_posted_and_renewed(
    github: FakeGithub, job: dict[str, str], tmp_path: Path
) -> None:
    """Two runs leave one comment; the second line on stderr says what was done."""
    name = save(tmp_path / "a.jsonl")
    first = run_here("comment", name, **job)
    assert (first.returncode, first.stdout) == (0, "")
    assert "comment made posted: https://github.test/" in first.stderr
    assert "unchanged" in run_here("comment", name, **job).stderr
    [body] = github.by()
    assert "**RESIZE 3008 → " in body
    assert "code SHA-256 `q1w2e3`" in body
    assert "ghs_secret" not in body + first.stderr


def test_an_older_sweep_does_not_replace_a_newer_one(
    github: FakeGithub, job: dict[str, str], tmp_path: Path
) -> None:
    """The sweeps' own times decide, not the order of the runs."""
    newer = save(tmp_path / "new.jsonl", started_at="2026-02-01T00:00:00Z")
    run_here("comment", newer, **job)
    ran = run_here("comment", save(tmp_path / "old.jsonl"), **job)
    assert "it shows a later sweep" in ran.stderr
    assert "2026-02-01" in github.by()[0]


def test_several_functions_share_a_comment(
    github: FakeGithub, job: dict[str, str], tmp_path: Path
) -> None:
    """Each has its verdict, and the key names both."""
    other = save(tmp_path / "b.jsonl", function=made_function(1024, name="other"))
    ran = run_here("comment", save(tmp_path / "a.jsonl"), other, **job)
    assert "comment made,other posted" in ran.stderr
    [body] = github.by()
    assert body.count("code SHA-256") == 2


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "measured on deployed code"),
        ({"environment": "local"}, "measured locally, not on Lambda"),
        ({"findings": (BUILD,)}, "**RESIZE"),
    ],
)
def test_the_first_line_says_what_was_measured(
    tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    """What was not the change's own build on Lambda is said before anything else."""
    ran = run_here("comment", save(tmp_path / "a.jsonl", **changes), "--dry-run")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[0].startswith(line)


def test_the_goal_is_the_one_that_the_sweep_was_made_for(tmp_path: Path) -> None:
    """Without an option the comment answers for the kept goal; --goal decides otherwise."""
    cost, speed = (save(tmp_path / f"{name}.jsonl", goal=Goal(name)) for name in ("cost", "speed"))
    kept, asked, other = (
        run_here("comment", *arguments, "--dry-run").stdout
        for arguments in ([speed], [cost, "--goal", "speed"], [cost])
    )
    assert "**RESIZE 3008 → 192 MB" in other  # the best by the truth, 128 MB is 0.6 % worse
    assert kept.splitlines()[1:3] == asked.splitlines()[1:3] != other.splitlines()[1:3]


def test_the_functions_on_deployed_code_are_named(tmp_path: Path) -> None:
    """Where only some are, the line names them."""
    build = save(tmp_path / "b.jsonl", function=made_function(name="built"), findings=(BUILD,))
    ran = run_here("comment", save(tmp_path / "a.jsonl"), build, "--dry-run")
    assert ran.stdout.splitlines()[0] == "measured on deployed code: `made`"


def test_a_dry_run_sends_nothing(github: FakeGithub, job: dict[str, str], tmp_path: Path) -> None:
    """The comment is printed, and nobody is asked."""
    ran = run_here("comment", save(tmp_path / "a.jsonl"), "--dry-run", **job)
    assert "**RESIZE" in ran.stdout
    assert github.requests == []


def test_a_local_result_is_not_posted_unless_it_is_allowed(
    github: FakeGithub, job: dict[str, str], tmp_path: Path
) -> None:
    """It goes to the summary; --allow-local posts it with its label."""
    name = save(tmp_path / "a.jsonl", environment="local")
    ran = run_here("comment", name, **job)
    assert ran.returncode == 0
    assert "--allow-local" in ran.stderr
    assert github.requests == []
    run_here("comment", name, "--allow-local", **job)
    assert github.by()[0].startswith("measured locally, not on Lambda\n")


@pytest.mark.parametrize("status", [403, 404])
def test_a_forks_token_writes_the_summary(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, status: int
) -> None:
    """One line explains, and the job goes on unless the comment is required."""
    github.refusals = [Refusal("POST", status, FORK)]
    name = save(tmp_path / "a.jsonl")
    ran = run_here("comment", name, **job)
    assert (ran.returncode, ran.stdout) == (0, "")
    [line] = ran.stderr.splitlines()
    assert "pull-requests: write" in line
    assert "**RESIZE" in (tmp_path / "summary.md").read_text()
    assert run_here("comment", name, "--require-comment", **job).returncode == 1


def test_no_token_and_no_summary_prints_the_answer(job: dict[str, str], tmp_path: Path) -> None:
    """Nothing is lost where nothing can be posted."""
    job |= {"GITHUB_TOKEN": "", "GITHUB_STEP_SUMMARY": ""}
    ran = run_here("comment", save(tmp_path / "a.jsonl"), **job)
    assert "**RESIZE" in ran.stdout
    assert "GITHUB_TOKEN has no token" in ran.stderr
    assert ran.returncode == 0
    required = run_here("comment", str(tmp_path / "a.jsonl"), "--require-comment", **job)
    assert required.returncode == 2
    assert required.stdout == ran.stdout


@pytest.mark.parametrize(("limit", "code"), [("1%", 10), ("99%", 0)])
def test_the_gate_fails_behind_the_comment(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, limit: str, code: int
) -> None:
    """The comment is there in any case; a large saving ends with the resize's exit code."""
    ran = run_here("comment", save(tmp_path / "a.jsonl"), "--fail-if-saving-over", limit, **job)
    assert ran.returncode == code
    assert len(github.by()) == 1


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"pull_request": {"number": NUMBER}}, True),
        ({"workflow_run": {"pull_requests": [{"number": NUMBER}]}}, True),
        ({"workflow_run": {"pull_requests": []}}, False),
        ([], False),
    ],
)
def test_the_number_comes_from_the_event_too(
    github: FakeGithub, job: dict[str, str], tmp_path: Path, event: object, found: bool
) -> None:
    """Where the ref names no pull request; without either the flag is named."""
    (tmp_path / "event.json").write_text(json.dumps(event))
    job |= {"GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    ran = run_here("comment", save(tmp_path / "a.jsonl"), **job)
    assert len(github.by()) == found
    if not found:
        assert "--number" in one_line(ran)
        assert ran.returncode == 2


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--repository", "no slash"), "--repository OWNER/NAME"),
        (("--forge", "gitlab"), "--repository OWNER/NAME (CI_PROJECT_PATH)"),
        (("--api-url", "http://me:pa55word@example.test/api"), "https only"),
        (("--api-url", "http://[me:pa55word"), "https://HOST"),
        (("--api-url", "https://me:pa55word@127.0.0.1:9"), "https://HOST"),
        (("--api-url", "https://pa55word@127.0.0.1:9/api"), "https://HOST"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    job: dict[str, str], tmp_path: Path, flags: tuple[str, ...], words: str
) -> None:
    """The flag is named, a token is never sent in the open, and no password is shown."""
    ran = run_here("comment", save(tmp_path / "a.jsonl"), *flags, **job)
    assert ran.returncode == 2
    assert words in one_line(ran)
    assert "pa55word" not in ran.stderr


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("api-url", "can't be set by a project"),
        ("token-env", "unknown key"),
        ("repository", "unknown key"),
    ],
)
def test_a_folders_settings_do_not_say_who_is_sent_the_token(
    github: FakeGithub,
    job: dict[str, str],
    tmp_path: Path,
    key: str,
    says: str,
) -> None:
    """A change's own tuner.toml is refused where it names another server, token or repository."""
    (tmp_path / "tuner.toml").write_text(f'{key} = "https://mallory.test"\n')
    name = save(tmp_path / "a.jsonl")
    assert says in one_line(run_here("comment", name, cwd=tmp_path, **job))
    assert github.requests == []


def test_a_gitlab_job_comments_on_its_merge_request(tmp_path: Path) -> None:
    """Project, number, server and token come from the job's environment."""
    played = FakeGitlab()
    with serving(played):
        job = {
            "GITLAB_CI": "true",
            "GITLAB_TOKEN": "glpat-secret",
            "CI_PROJECT_PATH": PROJECT,
            "CI_MERGE_REQUEST_IID": str(NUMBER),
            "CI_API_V4_URL": f"{played.url}/api/v4",
        }
        name = save(tmp_path / "a.jsonl")
        ran = run_here("comment", name, **job)
        assert (ran.returncode, ran.stdout) == (0, "")
        assert "comment made posted" in ran.stderr
        assert "unchanged" in run_here("comment", name, **job).stderr
    [body] = played.by()
    assert "**RESIZE" in body


def test_a_digest_tells_whose_build_was_measured(tmp_path: Path) -> None:
    """Deployed code that is the change's own build is not called deployed code; another one is."""
    package = tmp_path / "build.zip"
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("app.py", "def handler(event, context): ...")
    digest = base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode()
    own = save(tmp_path / "a.jsonl", function=made_function(3008, code_sha256=digest))
    other = save(tmp_path / "b.jsonl", findings=(BUILD,))
    code = ("--dry-run", "--code", str(package))
    assert run_here("comment", own, *code).stdout.startswith("**RESIZE")
    first = run_here("comment", other, *code).stdout.splitlines()[0]
    assert first == "measured on a different build from this change's"
    assert run_here("comment", own, "--dry-run").stdout.startswith("measured on deployed code")
