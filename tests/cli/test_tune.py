"""`tune` and `report` as a user runs them, against a scripted local endpoint."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run, run_here
from tests.cli.scripted import SIZES, at, client, server, standing, state
from tests.lease.account import a_zip
from tests.scripted_executor import ScriptedExecutor
from tests.sweeps import made_sweep, save_sweep
from tuner.cli.sweeping import RENEWAL_S
from tuner.lease.uninterruptible import LIMIT_S
from tuner.local import FunctionDefinition, LocalLambda
from tuner.sweep.file import read_sweep

if TYPE_CHECKING:
    import subprocess

__all__ = ["server", "state"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The state of `swept`: to be read only."""
    return {"TUNER_STATE_DIR": str(tmp_path_factory.mktemp("swept"))}


@pytest.fixture(scope="module")
def swept(server: LocalLambda, kept: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Every size is tried: by its own choice it stops as soon as a move is sure."""
    return run(
        "tune", "hello", *at(server), "--yes", "--exhaustive", "--memory-sizes", SIZES, **kept
    )


def test_a_sweep_answers_on_stdout_and_tells_its_progress_on_stderr(
    server: LocalLambda, swept: subprocess.CompletedProcess[str]
) -> None:
    """The answer stands alone on stdout; plan and plain progress are on stderr; nothing is left."""
    assert swept.returncode == 0, swept.stderr
    assert swept.stdout.startswith("hello · local · ")
    assert any(word in swept.stdout for word in ("KEEP", "RESIZE", "INCONCLUSIVE"))
    assert re.search(r"ran out of memory at \d+ MB", swept.stdout)
    assert "\x1b" not in swept.stdout + swept.stderr
    assert "Plan: up to" in swept.stderr
    assert "versions deleted, nothing left" in swept.stderr
    assert standing(server)[1] == ["$LATEST"]


def test_the_answer_can_be_had_again_from_the_functions_name(
    swept: subprocess.CompletedProcess[str], kept: dict[str, str]
) -> None:
    """`report NAME` finds the newest sweep and says the same; other formats and goals work too."""
    assert run_here("report", "hello", **kept).stdout == swept.stdout
    document = json.loads(run_here("report", "hello", "--json", **kept).stdout)
    assert document["kind"] == "recommendation"
    assert document["environment"] == "local"
    assert {size["memory_mb"] for size in document["sizes"]} == {128, 256, 512, 1024, 2048}
    assert run_here("report", "hello", "--format", "markdown", **kept).stdout.startswith("**")
    both = run_here("report", "hello", "hello", "--format", "json", "--goal", "speed", **kept)
    assert [json.loads(line)["goal"]["name"] for line in both.stdout.splitlines()] == ["speed"] * 2


def test_json_is_the_only_thing_on_stdout(server: LocalLambda, state: dict[str, str]) -> None:
    """A machine can read stdout whole, and the exit code tells the verdict where asked to."""
    ran = run_here(
        "tune", "hello", *at(server), "--yes", "--json", "--memory-sizes", SIZES,
        "--detailed-exitcode", **state,
    )  # fmt: skip
    verdict = json.loads(ran.stdout)["recommendation"]["verdict"]
    assert ran.returncode == {"keep": 0, "resize": 10, "inconclusive": 12}[verdict]


def test_a_dry_run_ends_with_its_plan(server: LocalLambda, state: dict[str, str]) -> None:
    """Nothing is changed or invoked, and the plan is JSON where that is asked for."""
    before = standing(server)
    ran = run_here("tune", "hello", *at(server), "--dry-run", "--json", **state)
    assert ran.returncode == 0
    plan = json.loads(ran.stdout)
    assert plan["kind"] == "plan"
    assert plan["plan"]["sizes_mb"] == sorted(plan["plan"]["sizes_mb"])
    assert plan["plan"]["estimated_cost_usd"] > 0
    assert plan["price"] is None  # nothing is billed here
    assert run_here("tune", "hello", *at(server), "--dry-run", **state).stdout == ""
    assert standing(server) == before


def test_without_a_yes_nothing_is_changed(server: LocalLambda, state: dict[str, str]) -> None:
    """Without a terminal the plan is shown, and the flag that agrees is named."""
    before = standing(server)
    ran = run_here("tune", "hello", *at(server), **state)
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Plan: up to" in ran.stderr
    assert ran.stderr.splitlines()[-1].startswith("tuner: not a terminal")
    assert "--yes" in ran.stderr.splitlines()[-1]
    assert standing(server) == before


def test_the_environment_may_agree(server: LocalLambda, state: dict[str, str]) -> None:
    """TUNER_YES=1 is a flag of its own, as every option is."""
    ran = run_here(
        "tune", "other", *at(server), TUNER_YES="1", TUNER_MEMORY_SIZES="128,512,1024", **state
    )
    assert ran.returncode == 0, ran.stderr


def test_who_renews_credentials_in_time_is_not_given_up() -> None:
    """Ten minutes were promised, and giving the function back was given up after five."""
    assert RENEWAL_S + 60 <= LIMIT_S


def test_limits_hold(server: LocalLambda, state: dict[str, str], tmp_path: Path) -> None:
    """No more invocations than allowed, and the file goes where it is told to."""
    out = tmp_path / "here" / "sweep.jsonl"
    ran = run_here(
        "tune", "other", *at(server), "--yes", "--max-invocations", "9", "--memory-sizes",
        "128,512,1024", "--json", "--out", str(out), **state,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["sweep"]["invocation_count"] <= 9
    assert json.loads(ran.stdout)["sweep"]["file"] == str(out)
    assert run_here("report", str(out), **state).returncode == 0


def test_the_next_line_gives_the_same_answer_again(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """The sweep keeps its goal and limits; what it does not keep stands in the line."""
    ran = run_here(
        "tune", "hello", *at(server), "--yes", "--memory-sizes", SIZES, "--goal", "speed",
        "--max-cost-per-million", "9", "--percentile", "90", "--rate", "1/s", "--json", **state,
    )  # fmt: skip
    told = json.loads(ran.stdout)
    again = json.loads(run_here("report", "hello", "--rate", "1/s", "--json", **state).stdout)
    assert again["goal"] == told["goal"]
    assert again["goal"]["name"] == "speed"
    assert again["recommendation"] == told["recommendation"]
    other = run_here("report", "hello", "--goal", "cost", "--rate", "1/s", **state)
    words = other.stdout.rpartition(" · saved: tuner ")[2].split()
    assert words == ["report", "hello", "--goal", "cost", "--rate", "1/s"]
    assert run_here(*words, **state).stdout == other.stdout
    # A sweep that is gone on with keeps its goal as well.
    run_here("tune", "--resume", "hello", *at(server), "--yes", **state)
    resumed = json.loads(run_here("report", "hello", "--json", **state).stdout)
    assert resumed["goal"] == told["goal"]


def test_a_sweep_is_read_whose_limits_leave_out_the_current_size(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """The current size is measured all the same: its cost is in the plan, and the saved sweep gives
    the same answer again, within the limits.
    """
    limits = ("--max-memory", "1024")
    asked = ("tune", "hello", *at(server), "--yes", "--json")
    most_usd = [
        json.loads(run_here(*asked, "--max-memory", mb, "--dry-run", **state).stdout)["plan"][
            "max_cost_usd"
        ]
        for mb in ("1024", "2048")
    ]
    assert most_usd[0] == most_usd[1]
    ran = run_here(*asked, *limits, **state)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert {2048} < {each["memory_mb"] for each in told["sizes"]} < {*range(1025), 2048}
    again = run_here("report", "hello", "--json", **state)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["recommendation"] == told["recommendation"]


def test_a_full_disk_costs_no_answer(
    server: LocalLambda, state: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer rests on what was measured, says why it ends there, and the exit code is 1."""
    write, lines = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"invocation"'):
            lines.append(data)
            if len(lines) > 6:
                raise OSError(28, "No space left on device")
        return write(descriptor, data)

    before = standing(server)
    monkeypatch.setattr(os, "write", full)
    ran = run_here(
        "tune", "hello", *at(server), "--yes", "--exhaustive", "--memory-sizes", SIZES,
        "--concurrency", "1", "--out", str(tmp_path / "sweep.jsonl"), **state,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "7 invocations" in ran.stdout
    assert "No space left on device" in " ".join(ran.stdout.split())  # a line may break there
    assert standing(server) == before


def test_another_sweep_is_replaced_by_force_alone(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """Without --force nothing is connected to, and the earlier sweep stays as it was."""
    out = tmp_path / "sweep.jsonl"
    save_sweep(out, made_sweep())
    before = out.read_bytes()
    refused = run_here("tune", "other", "--region", "no", "--yes", "--out", str(out), **state)
    assert refused.returncode == 1
    assert "--force to replace it" in one_line(refused)
    assert out.read_bytes() == before
    ran = run_here(
        "tune", "other", *at(server), "--yes", "--max-invocations", "4", "--out", str(out),
        "--force", **state,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert read_sweep(out).function.name == "other"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope", "--yes"], "no function nope"),
        (["hello", "--yes", "--payload", "nothing.json"], "neither a file nor JSON"),
        (["hello", "--yes", "--payload", '{"a":'], "is not JSON"),
        (["hello", "--yes", "--out", "/dev/null/sweep.jsonl"], "can't be written"),
        (["hello", "--yes", "--out", "README.md"], "isn't a sweep file"),
        (["hello", "--yes", "--region", "eu-wset-1"], "eu-west-1"),
        (["hello", "--yes", "--min-memory", "2048", "--max-memory", "512"], "above"),
        (["hello", "--yes", "--max-invocations", "3"], "--max-invocations"),
        (["hello", "--yes", "--budget-usd", "0.0000001"], "--budget-usd"),
        (["hello", "--yes", "--local", "/nope.yaml"], "leave out --endpoint-url"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    server: LocalLambda, state: dict[str, str], arguments: list[str], words: str
) -> None:
    """What is wrong, where, and what to do; the function stays as it was."""
    before = standing(server)
    ran = run_here("tune", *at(server), *arguments, **state)
    wrong_usage = {"above", "--max-invocations", "--budget-usd", "leave out --endpoint-url"}
    assert ran.returncode == (2 if words in wrong_usage else 1)
    assert words in one_line(ran)
    assert standing(server) == before


def test_a_sweep_of_this_machine_goes_on_with_its_template(state: dict[str, str]) -> None:
    """Without one the line names --local, not the AWS credentials that a local sweep never used."""
    ran = run_here("tune", "--resume", "examples/sweeps/mixed.jsonl", **state)
    assert ran.returncode == 2
    line = one_line(ran)
    assert "was measured on this machine: give its template, too (--local)" in line
    assert "credentials" not in line


def test_an_endpoint_that_does_not_answer_is_told(state: dict[str, str]) -> None:
    """The line names the endpoint and the option."""
    ran = run_here(
        "tune",
        "f",
        "--yes",
        "--region",
        "us-east-1",
        "--endpoint-url",
        "http://127.0.0.1:9",
        **state,
    )
    assert ran.returncode == 1
    assert "--endpoint-url" in one_line(ran)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off"),
        (b"hello\n", "isn't a sweep file"),
        (b'{"record":"sweep","schema_version":99}\n', "version 99"),
        (b'{"record":"sweep","sch', "cut off"),
    ],
)
def test_a_file_that_is_no_sweep_is_told(
    state: dict[str, str], tmp_path: Path, content: bytes, words: str
) -> None:
    """Empty, foreign, newer and torn files each get their line."""
    path = tmp_path / "sweep.jsonl"
    path.write_bytes(content)
    ran = run_here("report", str(path), **state)
    assert ran.returncode == 1
    assert words in one_line(ran)


def test_a_sweep_that_was_cut_off_is_answered_from_and_told(
    swept: subprocess.CompletedProcess[str], kept: dict[str, str], tmp_path: Path
) -> None:
    """What was measured is shown with a finding that it is not all: one answer, exit code 0."""
    assert swept.returncode == 0
    [file] = (Path(kept["TUNER_STATE_DIR"]) / "sweeps" / "hello").iterdir()
    torn = tmp_path / "torn.jsonl"
    torn.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:9])[:-5])
    ran = run_here("report", str(torn), **kept)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("hello · ")
    assert re.search(r"! the sweep was cut off after \d+ invocations", ran.stdout)
    found = json.loads(run_here("report", str(torn), "--json", **kept).stdout)
    assert "sweep_cut_off" in {each["code"] for each in found["findings"]}


def test_a_function_that_always_fails_is_no_success(state: dict[str, str]) -> None:
    """Where nothing could be measured, the findings say why and the exit code is not 0."""
    broken = ScriptedExecutor(50.0, failure=lambda _deployment, _request: "error", time_scale=0)
    with LocalLambda(
        [FunctionDefinition("broken")], executor=broken, emulated_services=False, update_s=0.0
    ) as local:
        ran = run_here("tune", "broken", *at(local), "--yes", "--memory-sizes", SIZES, **state)
        assert ran.returncode == 1
        assert "INCONCLUSIVE" in ran.stdout
        assert "didn't finish" in ran.stderr.splitlines()[-1]
        assert standing(local, "broken")[1] == ["$LATEST"]


def test_a_function_that_live_traffic_reaches_is_only_read(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """Auto takes a copy and says why; not even the function's revision moves."""
    asked = client(server)
    asked.create_function(
        FunctionName="reached",
        Role="arn:aws:iam::123456789012:role/any",
        Runtime="python3.13",
        Handler="handler.handler",
        MemorySize=1024,
        Code={"ZipFile": a_zip()},
    )
    asked.add_permission(
        FunctionName="reached",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
    )
    revision = asked.get_function_configuration(FunctionName="reached")["RevisionId"]
    ran = run_here("tune", "reached", *at(server), "--yes", "--memory-sizes", SIZES, **state)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"\$LATEST \(s3 \(resource policy\)\).* temporary copy", ran.stderr)
    assert "copy deleted, nothing left" in ran.stderr
    assert asked.get_function_configuration(FunctionName="reached")["RevisionId"] == revision
    names = [function["FunctionName"] for function in asked.list_functions()["Functions"]]
    assert not any(name.startswith("lambda-tuner-") for name in names)
    assert ran.stdout.startswith("reached · local · ")
    asked.delete_function(FunctionName="reached")
    asked.close()


def test_side_effects_are_agreed_to_by_a_flag_of_their_own(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """`--yes` is for the cost; a first sweep says what it may cause, and a second does not ask."""
    asked = client(server)
    asked.create_function(
        FunctionName="queued",
        Role="arn:aws:iam::123456789012:role/any",
        Runtime="python3.13",
        Handler="handler.handler",
        MemorySize=1024,
        Code={"ZipFile": a_zip()},
        DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"},
    )
    sweep = ["tune", "queued", *at(server), "--yes", "--memory-sizes", "512,1024"]
    ran = run_here(*sweep, **state)
    assert ran.returncode == 2
    assert "its failed events are kept (sqs)" in ran.stderr
    assert "--allow-side-effects" in ran.stderr
    assert run_here(*sweep, "--allow-side-effects", **state).returncode == 0
    assert run_here(*sweep, **state).returncode == 0
    asked.delete_function(FunctionName="queued")
    asked.close()
