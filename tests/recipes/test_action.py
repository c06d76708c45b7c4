"""The GitHub Action and the example workflows: read as GitHub reads them, their steps run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.running import ROOT, run, save, variables_for
from tests.forge.fake_github import NUMBER, REPOSITORY, serving

pytestmark = pytest.mark.slow

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOWS = sorted((ROOT / "examples" / "ci").glob("github-*.yml"))
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def step(name: str) -> dict[str, Any]:
    [found] = [each for each in ACTION["runs"]["steps"] if each["name"] == name]
    return found


def run_step(
    name: str, folder: Path, given: dict[str, str], **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a step's script as GitHub does: bash, failing at once, inputs through its env alone."""
    values = {
        f"inputs.{key}": str(each.get("default", "")) for key, each in ACTION["inputs"].items()
    }
    values |= {f"inputs.{key}": text for key, text in given.items()}
    values["steps.tune.outputs.sweep"] = ""
    env = {
        key: EXPRESSION.sub(lambda found: values[found[1]], text)
        for key, text in step(name)["env"].items()
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)["run"]],
        cwd=folder,
        env=variables_for(PATH=path, **env, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_inputs_never_stand_in_a_script() -> None:
    """An expression in a script would be read as commands; env holds them all."""
    for each in ACTION["runs"]["steps"]:
        assert "${{" not in each["run"]
        assert each["shell"] == "bash"
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            assert not any("${{" in each.get("run", "") for each in job["steps"])


def test_every_input_is_used_and_every_used_one_is_there() -> None:
    """What a step or an example names is an input, and no input does nothing."""
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            for each in job["steps"]:
                if "lambda-tuner@" in each.get("uses", ""):
                    assert set(each["with"]) <= set(ACTION["inputs"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_has_only_the_permissions_of_its_part(path: Path) -> None:
    """What runs a fork's code may write nothing; what may comment checks nothing out."""
    workflow = yaml.safe_load(path.read_text())
    written = {name for name, right in workflow["permissions"].items() if right == "write"}
    [job] = workflow["jobs"].values()
    uses = " ".join(each.get("uses", "") for each in job["steps"])
    allowed = {
        "github-pull-request": {"id-token", "pull-requests"},
        "github-fork-measure": set(),
        "github-fork-comment": {"pull-requests"},
    }
    assert written == allowed[path.stem]
    assert ("actions/checkout" in uses) == (path.stem != "github-fork-comment")
    for each in job["steps"]:
        subprocess.run(["bash", "-n", "-c", each.get("run", "")], check=True)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_example_pins_its_actions_and_measures_the_head(path: Path) -> None:
    """A tag may move; what is measured and suggested on is the pull request's own commit."""
    [job] = yaml.safe_load(path.read_text())["jobs"].values()
    for each in job["steps"]:
        used = each.get("uses", "")
        assert not used or re.fullmatch(r"[\w-]+/[\w-]+@([0-9a-f]{40}|COMMIT)", used)
        if used.startswith("actions/checkout@"):
            assert each["with"] == {
                "ref": "${{ github.event.pull_request.head.sha }}",
                "persist-credentials": False,
            }


def test_the_fork_workflows_name_each_other() -> None:
    """The second is started by the first and fetches what it left."""
    first, second = (
        yaml.safe_load((ROOT / f"examples/ci/github-fork-{part}.yml").read_text())
        for part in ("measure", "comment")
    )
    # YAML 1.1 reads the key `on` as true.
    assert second[True]["workflow_run"]["workflows"] == [first["name"]]
    left = [
        each["with"]["name"] for each in first["jobs"]["measure"]["steps"] if "upload" in str(each)
    ]
    taken = [
        each["with"]["name"]
        for each in second["jobs"]["comment"]["steps"]
        if "download" in str(each)
    ]
    assert left == taken


def test_the_workflow_keeps_its_own_python(tmp_path: Path) -> None:
    """The step puts `tuner` on the path, and nothing else of its environment."""
    commands, temp, added = tmp_path / "commands", tmp_path / "temp", tmp_path / "path"
    commands.mkdir()
    temp.mkdir()
    python = commands / "python3"
    python.write_text(
        '#!/bin/sh\nmkdir -p "$3/bin"\n'
        'for each in python pip tuner; do printf "#!/bin/sh\\n" > "$3/bin/$each"; done\n'
        'chmod +x "$3"/bin/*\n'
    )
    python.chmod(0o755)
    ran = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step("Install")["run"]],
        env={
            "PATH": f"{commands}:{os.environ['PATH']}",
            "RUNNER_TEMP": str(temp),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_PATH": str(added),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    [folder] = added.read_text().splitlines()
    assert [each.name for each in Path(folder).iterdir()] == ["tuner"]
    assert subprocess.run([f"{folder}/tuner"], check=False).returncode == 0


def test_a_line_break_in_a_file_name_adds_no_output(tmp_path: Path) -> None:
    """What is written to GITHUB_OUTPUT is one line; the step ends before it measures anything."""
    output = tmp_path / "output"
    given = {"function": "cpu-bound", "out": "a.jsonl\nother=1"}
    ran = run_step("Measure", tmp_path, given, GITHUB_OUTPUT=str(output))
    assert ran.returncode == 2
    assert ran.stderr.startswith("out: a file's name has no line break")
    assert not output.exists()


def test_the_measuring_step_passes_on_what_it_is_given(tmp_path: Path) -> None:
    """Inputs with spaces, quotes and commands in them stay one argument each."""
    payload = '{"name": "$(touch gone) `touch gone` it\'s"}'
    given = {
        "function": "cpu-bound",
        "payload": payload,
        "tune-arguments": f"--local={ROOT}/examples/template.yaml\n--dry-run\n",
    }
    output = tmp_path / "output"
    ran = run_step("Measure", tmp_path, given, GITHUB_OUTPUT=str(output))
    assert ran.returncode == 0, ran.stderr
    assert "cpu-bound" in ran.stdout + ran.stderr
    assert output.read_text() == "sweep=tuner-sweep.jsonl\n"
    assert not (tmp_path / "gone").exists()


def test_the_commenting_step_posts(tmp_path: Path) -> None:
    """Its sweeps, key and number reach GitHub; further arguments do too."""
    save(tmp_path / "a b.jsonl")
    save(tmp_path / "c.jsonl")
    with serving() as github:
        given = {
            "token": "ghs_secret",
            "sweeps": "a b.jsonl\nc.jsonl",
            "key": "two; touch gone",
            "number": str(NUMBER),
            "comment-arguments": "--fail-if-saving-over=1%",
        }
        ran = run_step(
            "Comment", tmp_path, given, GITHUB_API_URL=github.url, GITHUB_REPOSITORY=REPOSITORY
        )
        [body] = github.by()
    assert ran.returncode == 10, ran.stderr
    assert body.count("**RESIZE") == 2
    assert 'key="two%3B%20touch%20gone"' in body
    assert not (tmp_path / "gone").exists()


def test_the_gitlab_job_gives_commands_as_they_are(tmp_path: Path) -> None:
    """No fork's code runs; its lines are shell, the tuner takes its arguments, and its token file
    is for its owner.
    """
    [job] = yaml.safe_load((ROOT / "examples/ci/gitlab-merge-request.yml").read_text()).values()
    [rule] = job["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID" in rule["if"]
    for line in (*job["before_script"], *job["script"]):
        subprocess.run(["bash", "-n", "-c", line], check=True)
    token_file = tmp_path / "new" / "token"
    ran = subprocess.run(
        ["bash", "-ec", "\n".join(job["before_script"][:2])],
        env={
            "PATH": os.environ["PATH"],
            "AWS_ID_TOKEN": "a.b",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file),
        },
        check=False,
    )
    assert ran.returncode == 0
    assert token_file.read_text() == "a.b"
    assert token_file.stat().st_mode & 0o077 == 0
    save(tmp_path / "tuner-sweep.jsonl")
    tuner = shlex.split(job["script"][1])
    found = run(*tuner[1:], "--dry-run", cwd=tmp_path)
    assert "**RESIZE" in found.stdout
