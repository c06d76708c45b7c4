"""`tuner workflow` as a user runs it, and `tuner apply` of its answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.sweeps import cpu_bound_ms, mixed_ms, save_sweep
from tests.workflow.functions import definition, saved, sweep_of, task
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workflow")
    saved(folder, "cpu", cpu_bound_ms, seed=1)
    saved(folder, "mixed", mixed_ms, seed=2)
    both = definition("A", A=task("cpu", Next="B"), B=task("mixed"))
    (folder / "both.asl.json").write_text(both)
    loop = definition("A", A=task("cpu", Next="B"), B=task("mixed", Next="A"))
    (folder / "loop.asl.json").write_text(loop)
    never = definition("F", F={"Type": "Fail"}, A=task("cpu"))
    (folder / "never.asl.json").write_text(never)
    body = json.loads(definition("A", A=task("cpu")))
    each = definition("M", M={"Type": "Map", "ItemProcessor": body, "End": True})
    (folder / "map.asl.json").write_text(each)
    (folder / "folder.json").mkdir()
    return folder


def answer_of(folder: Path, *arguments: str) -> dict[str, Any]:
    ran = run_here("workflow", *arguments, "--fleet", ".", "--json", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_the_cheapest_sizes_within_a_duration(folder: Path) -> None:
    """The p95 is within the limit, and a longer limit costs less."""
    short = answer_of(folder, "both.asl.json", "--max-duration", "450ms")
    long = answer_of(folder, "both.asl.json", "--max-duration", "1s")
    for found, limit_ms in ((short, 450), (long, 1000)):
        assert found["target"]["is_met"]
        assert found["p95_ms"]["estimate"] <= limit_ms
        assert [each["name"] for each in found["functions"]] == ["cpu", "mixed"]
        assert found["sensitivity"][0]["usd_per_million_per_ms"] > 0
    cost = [each["cost_usd_per_million"]["estimate"] for each in (short, long)]
    assert cost[0] > cost[1]


def test_the_fastest_sizes_within_a_cost(folder: Path) -> None:
    """The cost is within the limit, and more money buys time."""
    less, more = (
        answer_of(folder, "both.asl.json", "--max-cost-per-million", cost) for cost in ("10", "14")
    )
    assert less["cost_usd_per_million"]["estimate"] <= 10
    assert more["cost_usd_per_million"]["estimate"] <= 14
    assert more["p95_ms"]["estimate"] < less["p95_ms"]["estimate"]


def test_a_target_out_of_reach_is_said(folder: Path) -> None:
    """The nearest sizes are shown, with a finding and an exit code for scripts."""
    arguments = ("workflow", "both.asl.json", "--fleet", ".", "--max-duration", "50ms")
    ran = run_here(*arguments, "--detailed-exitcode", cwd=folder)
    assert ran.returncode == 12
    assert "OUT OF REACH" in ran.stdout
    assert "no sizes reach p95 within 50 ms" in " ".join(ran.stdout.split())


def test_the_answer_is_applied_to_all_functions(folder: Path) -> None:
    """`tuner apply` takes the answer's file and writes every size."""
    (folder / "template.yaml").write_text(
        "Resources:\n"
        + "".join(
            f"  {name}:\n    Type: AWS::Serverless::Function\n    Properties:\n"
            f"      FunctionName: {name}\n      MemorySize: 1024\n"
            for name in ("cpu", "mixed")
        )
    )
    found = answer_of(folder, "both.asl.json", "--max-duration", "1s", "--out", "answer.json")
    ran = run_here("apply", "answer.json", "--template", "template.yaml", "--yes", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    written = (folder / "template.yaml").read_text()
    for each in found["functions"]:
        assert each["memory_mb"] != 1024
        assert f"FunctionName: {each['name']}\n      MemorySize: {each['memory_mb']}\n" in written


def test_sweeps_of_a_busy_machine_are_said_and_not_applied(tmp_path: Path) -> None:
    """How far off its durations are isn't known, as in the answer about a single function."""
    busy = Finding("host_busy", "warning", "this machine was busy")
    save_sweep(tmp_path / "cpu.jsonl", replace(sweep_of("cpu", cpu_bound_ms), findings=(busy,)))
    (tmp_path / "one.asl.json").write_text(definition("A", A=task("cpu")))
    found = answer_of(tmp_path, "one.asl.json", "--max-duration", "1s", "--out", "answer.json")
    told = [each["message"] for each in found["findings"] if each["code"] == "workflow_host_busy"]
    assert ["while cpu was swept" in each for each in told] == [True]
    ran = run_here("apply", "answer.json", "--yes", cwd=tmp_path)
    assert "rests on sweeps of a busy machine" in one_line(ran)


def sized(memory_mb: int) -> str:
    function = {"name": "f", "memory_mb": memory_mb, "was_mb": 512}
    return json.dumps({"kind": "workflow", "schema_version": 1, "functions": [function]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "isn't an answer of tuner workflow"),
        ("[1", "isn't an answer of tuner workflow"),
        (sized(memory_mb=20_480), "isn't an answer of tuner workflow"),
        (sized(memory_mb=-512), "isn't an answer of tuner workflow"),
        ('{"kind": "workflow", "schema_version": 1, "functions": [], "target": [1]}',
         "isn't an answer of tuner workflow"),
        ('{"kind": "workflow", "schema_version": 1, "functions": [], "target": {"is_met": false}}',
         "doesn't meet its target"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_not_applied(tmp_path: Path, text: str, said: str) -> None:
    """One line says what is wrong with the file."""
    (tmp_path / "answer.json").write_text(text)
    assert said in one_line(run_here("apply", "answer.json", "--yes", cwd=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere.asl.json",), "nowhere.asl.json"),
        (("both.asl.json", "--sweep", "x=y.jsonl"), "--sweep: both doesn't call x, but cpu, mixed"),
        (("both.asl.json", "--choice", "A=B:1"), "--choice: the workflow has no such state A"),
        (("both.asl.json", "--items", "A=many"), "'--items': 'many' isn't a count of items"),
        (("both.asl.json", "--choice", "A=B:-1"), "'--choice': '-1' is out of range"),
        (("both.asl.json", "--error-rate", "A=150%"), "'--error-rate': '150%' is out of range"),
        (("both.asl.json", "--state-time", "A=x"), "'--state-time': 'x' isn't a duration"),
        (("both.asl.json", "--out", "a.png"), "ends in neither .html nor .json"),
        (("both.asl.json", "--out", "folder.json"), "folder.json is a folder: name a file in it"),
        (("both.asl.json", "--out", "none/a.json"), "there is no folder none: make it first"),
        (("both.asl.json", "--calls", "Q=cpu"), "--calls: the workflow has no such task Q: there"),
        ((".",), "there is no file .: a definition, template or TOML file is needed"),
        (("cpu.jsonl",), "cpu.jsonl:"),
        (("arn:aws:states:nonsense",), "isn't a state machine's ARN: arn:aws:states:REGION"),
        (("arn:aws:states:x", "--template", "t.yaml"), "it calls: leave out --template"),
        (("both.asl.json", "--executions", "5"), "has no history, and --executions says how much"),
        (("loop.asl.json",), "no execution ends within 1,000 states: they lead back"),
        (("both.asl.json", "--state-machine", "M"), "are of a template: give that as --template"),
        (("both.asl.json", "--parameter", "M=1"), "are of a template: give that as --template"),
        (("never.asl.json",), "no execution of never calls a function"),
        (("map.asl.json", "--items", "M=0"), "no execution of map calls a function"),
    ],
)
def test_a_mistake_is_one_line(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    """What is wrong is named, and nothing is answered."""
    ran = run_here("workflow", *arguments, "--fleet", ".", cwd=folder)
    assert said in one_line(ran)


def test_functions_without_a_sweep_are_all_named(folder: Path, tmp_path: Path) -> None:
    """One run says everything that has to be swept."""
    ran = run_here("workflow", str(folder / "both.asl.json"), cwd=tmp_path)
    assert "there is no sweep of cpu, mixed: run tuner tune for each" in one_line(ran)


def test_a_file_that_cannot_be_written_loses_no_answer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It's shown first."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tuner.cli.picture.write_whole", full)
    ran = run_here("workflow", "both.asl.json", "--fleet", ".", "--out", "full.json", cwd=folder)
    assert ran.returncode == 1
    assert "can't write full.json: No space left on device" in ran.stderr
    assert "cpu" in ran.stdout


@pytest.mark.slow
def test_the_page_has_the_answer(folder: Path) -> None:
    """One file, with every function's size."""
    found = answer_of(folder, "both.asl.json", "--max-duration", "1s", "--out", "page.html")
    page = (folder / "page.html").read_text()
    for each in found["functions"]:
        assert f"→ {each['memory_mb']} MB" in page


def test_a_function_without_a_choice_is_said(folder: Path, tmp_path: Path) -> None:
    """One size is kept, an early end is said, and another function's sweep is taken and named."""
    swept = replace(sweep_of("one", cpu_bound_ms, sizes_mb=(1024,)), end="interrupted")
    save_sweep(tmp_path / "one.jsonl", swept)
    source = str(folder / "both.asl.json")
    sweeps = ("--sweep", "cpu=one.jsonl", "--sweep", f"mixed={folder / 'mixed.jsonl'}")
    ran = run_here("workflow", source, *sweeps, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    said = " ".join(ran.stdout.split())
    assert "cpu (1024 MB) has no other size to choose from" in said
    assert "the sweep of cpu ended early" in said
    assert "cpu has the sweep of one" in ran.stderr
    assert "mixed has the sweep" not in ran.stderr
