"""Files that cannot be read, of every kind and for every command: one clear line, no traceback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.running import one_line, run_here

if TYPE_CHECKING:
    from pathlib import Path

DIGITS: Final = "9" * 6000
ALIASES: Final = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
NOWHERE: Final = ("--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:9")

TEMPLATES: Final = {
    "filter": '{"a": {{ 1 | nothing }} }',
    "test": "{% if 1 is nothing %}1{% endif %}",
    "function": "{{ nothing() }}",
    "tag": "{% nothing %}",
    "not closed": "{{ ",
    "deep": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "digits": "{{ " + DIGITS + " }}",
    "another file": '{% include "/etc/passwd" %}',
    "an error": "{{ 1 / 0 }}",
}
JSON: Final[dict[str, bytes | str]] = {
    "deep": "[" * 100_000,
    "digits": f'{{"n": {DIGITS}}}',
    "NUL": b'{"a": \0}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "NaN": '{"a": NaN}',
    "empty": "",
}
YAML: Final[dict[str, bytes | str]] = {
    "deep": "a: " + "[" * 3000,
    "digits": f"classes: {{a: {{weight: {DIGITS}}}}}",
    "NUL": b"a: \0",
    "UTF-16": "a: 1".encode("utf-16"),
    "not UTF-8": b"a: \xff\xfe",
    "a list": "[1]",
    "an object of Python": '!!python/object/apply:os.system ["true"]',
    "aliases": ALIASES,
    "itself": "a: &a [*a]",
    "twice": "classes: {}\nclasses: {}",
    "a tag that is not so": "a: !!timestamp noon",
    "a switch that is none": "a: !!bool maybe",
    "a key that is a list": "? [a]\n: b",
    "empty": "",
}
SWEEPS: Final[dict[str, bytes | str]] = {
    **{name: text for name, text in JSON.items() if name != "empty"},
    "deep line": "[" * 100_000 + "\n",
    "digits line": f'{{"record":"sweep","schema_version":{DIGITS}}}\n',
    "a list": "[1]\n",
    "surrogate": '{"record":"\\ud800"}\n',
    "twice": '{"record":"sweep","record":"sweep","schema_version":1}\n',
    "empty": "",
}
PROJECTS: Final[dict[str, bytes | str]] = {
    "tool is no table": "tool = 5",
    "tuner is no table": "[tool]\ntuner = 5",
    "tables": "[[tool.tuner]]\na = 1",
    "digits": f"[tool.tuner]\nseed = {DIGITS}",
    "deep": "[tool.tuner]\na = " + "[" * 5000,
    "twice": "[tool.tuner]\n[tool.tuner]",
    "NUL": b'[tool.tuner]\nregion = "a\0b"',
    "not UTF-8": b'[tool.tuner]\nregion = "\xff"',
    "UTF-16": "[tool.tuner]".encode("utf-16"),
    "surrogate": '[tool.tuner]\nregion = "\\ud800"',
}


def refused(*arguments: str, cwd: Path, quotes: str = "") -> None:
    ran = run_here(*arguments, cwd=cwd, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y")
    assert ran.returncode in (1, 2), ran
    [line] = [line for line in ran.stderr.splitlines() if line.startswith("tuner: ")]
    assert "TUNER_DEBUG" not in line
    assert quotes in line
    assert "Traceback" not in ran.stderr
    assert len(line) < 1000
    assert ran.stdout == ""


def written(path: Path, text: bytes | str) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path.name


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_that_cannot_be_rendered(tmp_path: Path, kind: str) -> None:
    """Showing, checking and tuning with it are refused, and the file is named."""
    name = written(tmp_path / "event.j2", TEMPLATES[kind])
    refused("payload", "show", name, cwd=tmp_path, quotes=name)
    refused("payload", "check", name, cwd=tmp_path, quotes=name)
    refused("tune", "F", "--payload", name, *NOWHERE, cwd=tmp_path, quotes=name)


@pytest.mark.parametrize("kind", JSON)
def test_json_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """As an event, wherever one is taken."""
    name = written(tmp_path / "event.json", JSON[kind])
    refused("payload", "show", name, cwd=tmp_path, quotes=name)
    refused("payload", "check", name, cwd=tmp_path, quotes=name)
    refused("tune", "F", "--payload", name, *NOWHERE, cwd=tmp_path, quotes=name)


@pytest.mark.parametrize("kind", YAML)
def test_yaml_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """As a payload set, and as a template of functions."""
    name = written(tmp_path / "file.yaml", YAML[kind])
    refused("payload", "show", name, cwd=tmp_path, quotes=name)
    refused("tune", "F", "--payload", name, *NOWHERE, cwd=tmp_path, quotes=name)
    refused("tune", "F", "--local", name, "--dry-run", cwd=tmp_path, quotes=name)


@pytest.mark.parametrize("kind", SWEEPS)
def test_a_sweep_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """By every command that takes one."""
    name = written(tmp_path / "sweep.jsonl", SWEEPS[kind])
    refused("report", name, cwd=tmp_path, quotes=name)
    refused("compare", name, name, cwd=tmp_path, quotes=name)
    refused("break-even", name, cwd=tmp_path, quotes=name)
    refused("comment", name, cwd=tmp_path, quotes=name)
    refused("tune", "--resume", name, *NOWHERE, cwd=tmp_path, quotes=name)


@pytest.mark.parametrize(
    "text", ['{\n  "kind": "observation"\n}\n', '{"kind": "scan"}\n', "[1]\n", "null\n", "a,b\n"]
)
def test_another_answer_is_no_sweep(tmp_path: Path, text: str) -> None:
    """It may be JSON, so its lines aren't blamed; what to give is said."""
    name = written(tmp_path / "answer.json", text)
    line = f"tuner: {name} isn't a sweep file: give one that tuner tune saved"
    for command in ("report", "break-even", "verify"):
        refused(command, name, cwd=tmp_path, quotes=line)


@pytest.mark.parametrize("kind", JSON)
def test_an_answer_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """Of a workflow, a scan or a live check, and a saved price list: the line names the file."""
    name = written(tmp_path / "answer.json", JSON[kind])
    plan = ("fleet", "plan", "--budget-usd", "1", "--out", "fleet")
    refused("apply", name, "--check", cwd=tmp_path, quotes=name)
    refused("workflow", name, cwd=tmp_path, quotes=name)
    refused(*plan, "--scan", name, cwd=tmp_path, quotes=name)
    refused("live-check", "--compare", name, cwd=tmp_path, quotes=name)
    refused("prices", "refresh", "--from", name, cwd=tmp_path, quotes=name)


@pytest.mark.parametrize("kind", PROJECTS)
def test_a_projects_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """Every command reads it; the line names it."""
    name = written(tmp_path / "pyproject.toml", PROJECTS[kind])
    refused("tune", "F", *NOWHERE, cwd=tmp_path, quotes="" if kind == "surrogate" else name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """The line names it."""
    (tmp_path / "set.yaml").mkdir()
    (tmp_path / "sweep.jsonl").mkdir()
    for command in ("report", "break-even", "comment"):
        refused(command, "sweep.jsonl", cwd=tmp_path, quotes="sweep.jsonl")
    refused("tune", "F", "--local", "set.yaml", "--dry-run", cwd=tmp_path, quotes="set.yaml")


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "NAME"), ("verify", "NAME"), ("compare", "NAME", "NAME"), ("workflow", "NAME"),
        ("apply", "NAME", "--check"), ("observe", "F", "--logs", "NAME"),
        ("scan", "--logs", ".", "--format", "html", "--out", "NAME"), ("comment", "NAME"),
    ],
)  # fmt: skip
def test_a_name_that_is_too_long_is_no_fault_of_the_program(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Wherever a file is named: the line names it and says what is wrong."""
    name = "n" * 300 + ".html"
    refused(*[name if each == "NAME" else each for each in arguments], cwd=tmp_path, quotes=name)
    ran = run_here(*[name if each == "NAME" else each for each in arguments], cwd=tmp_path)
    assert "File name too long" in ran.stderr


def test_journals_that_cannot_be_listed_are_not_taken_for_none(tmp_path: Path) -> None:
    """Nothing is known then of what was left changed, which isn't to say that nothing was."""
    (tmp_path / "state").write_text("")
    (tmp_path / "journals").write_text("")
    for folder in (tmp_path / "state", tmp_path):
        ran = run_here("recover", "--yes", TUNER_STATE_DIR=str(folder))
        assert (ran.returncode, ran.stdout) == (1, "")
        assert f"{folder / 'journals'} can't be read (Not a directory)" in one_line(ran)


def test_a_damaged_journal_is_told_and_asks_for_recovery(tmp_path: Path) -> None:
    """With its line and what to do, as something that may be left changed; in JSON too."""
    journals = tmp_path / "journals"
    journals.mkdir()
    (journals / "20261129-000000-abcdef.jsonl").write_text("garbage\n")
    state = {"TUNER_STATE_DIR": str(tmp_path)}
    ran = run_here("recover", "--yes", **state)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (4, "", 1)
    assert "20261129-000000-abcdef.jsonl is damaged at line 1" in ran.stderr
    ran = run_here("recover", "--yes", "--json", **state)
    [found] = json.loads(ran.stdout)["functions"]
    assert (ran.returncode, found["sweep_id"]) == (4, "20261129-000000-abcdef")
    assert "is damaged at line 1" in found["error"]
