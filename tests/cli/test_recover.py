"""What a signal or a kill leaves of a sweep, and `recover`, as a user runs it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import ROOT, one_line, run_here, variables_for
from tests.cli.scripted import SIZES, at, client, server, standing, state
from tests.scripted_executor import ScriptedExecutor
from tuner.cli import sweeping
from tuner.errors import LeftChangedError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.sweep.io import StopSignal

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server", "state"]


def interrupted(
    server: LocalLambda,
    state: dict[str, str],
    *options: str,
    wait_for: str,
    number: signal.Signals,
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a sweep that got a signal after a line of its progress."""
    command = [sys.executable, "-m", "tuner", "tune", "hello", *at(server), "--yes"]
    with subprocess.Popen(
        [*command, "--memory-sizes", SIZES, *options],
        cwd=ROOT,
        env=variables_for(**state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if wait_for in line:
                break
        process.send_signal(number)
        out, rest = process.communicate(timeout=60)
        return process.returncode, out, said + rest


@pytest.mark.parametrize(
    ("wait_for", "number", "answers"),
    [
        ("publishing", signal.SIGINT, False),
        ("1 of up to", signal.SIGINT, False),
        ("publishing", signal.SIGTERM, False),
        ("6 of up to", signal.SIGINT, True),
    ],
)
def test_a_signal_restores_deletes_and_answers_from_what_there_is(
    state: dict[str, str], wait_for: str, number: signal.Signals, answers: bool
) -> None:
    """Exit code 130, the configuration as before, no version left; an answer on stdout once there
    is a warm sample, one line before that.
    """
    slow = ScriptedExecutor(lambda _memory_mb: 300.0, init_duration_ms=50.0)
    functions = [FunctionDefinition("hello", memory_mb=2048)]
    limit = ("--max-invocations", "8") if answers else ()
    with LocalLambda(functions, executor=slow, emulated_services=False, update_s=0.1) as local:
        before = standing(local)
        code, out, said = interrupted(local, state, *limit, wait_for=wait_for, number=number)
        assert code == 130, said
        assert out.startswith("hello · local") if answers else out == ""
        assert "Traceback" not in said
        early, planned = ("", 8) if answers else (", too early for an answer", 40)
        assert re.search(
            rf"interrupted after \d+ of {planned}{early}; to go on, run the same command with "
            "--resume hello$",
            said.strip(),
        )
        assert standing(local) == before
    ran = run_here("recover", **state)
    assert (ran.returncode, ran.stdout) == (0, "Nothing is left of any sweep.\n")


def test_an_interrupted_grid_names_no_limit(state: dict[str, str]) -> None:
    """Its limit on invocations is above what its sizes and repeats take."""
    slow = ScriptedExecutor(lambda _memory_mb: 300.0, init_duration_ms=50.0)
    functions = [FunctionDefinition("hello", memory_mb=2048)]
    with LocalLambda(functions, executor=slow, emulated_services=False, update_s=0.1) as local:
        code, _, said = interrupted(
            local, state, "--exhaustive", wait_for="1 of up to", number=signal.SIGINT
        )
    assert code == 130, said
    assert re.search(r"interrupted after \d+ invocations?(, too early for an answer)?; to go", said)


def test_what_a_killed_sweep_left_is_recovered(state: dict[str, str]) -> None:
    """A sweep that died is refused a second run, shown, and put right once agreed to."""
    slow = ScriptedExecutor(lambda _memory_mb: 1000.0)
    functions = [FunctionDefinition("hello", memory_mb=2048)]
    with LocalLambda(functions, executor=slow, emulated_services=False, update_s=0.3) as local:
        before = standing(local)
        code, _, _ = interrupted(local, state, wait_for="publishing", number=signal.SIGKILL)
        assert code == -signal.SIGKILL
        again = run_here("tune", "hello", *at(local), "--yes", **state)
        assert again.returncode == 4
        assert "tuner recover" in again.stderr.splitlines()[-1]
        shown = run_here("recover", "--dry-run", **state)
        assert shown.returncode == 0
        detailed = run_here("recover", "--dry-run", "--detailed-exitcode", **state)
        assert (detailed.returncode, detailed.stdout) == (10, shown.stdout)
        asked = json.loads(run_here("recover", "--dry-run", "--json", **state).stdout)
        [one] = asked["functions"]
        assert one["actions"] == shown.stdout.splitlines()
        assert (one["function"], one["done"]) == ("hello", False)
        assert one["sweep_id"]
        refused = run_here("recover", **state)
        assert refused.returncode in {0, 4}
        done = run_here("recover", "--yes", **state)
        assert done.returncode == 0, done.stderr
        deadline_s = time.monotonic() + 60
        while standing(local) != before and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert standing(local) == before
        assert run_here("recover", **state).stdout == "Nothing is left of any sweep.\n"
        assert run_here("recover", "--dry-run", "--detailed-exitcode", **state).returncode == 0


def test_a_journal_of_a_local_endpoint_that_is_gone_is_closed(state: dict[str, str]) -> None:
    """What an endpoint of this machine held went with it: there is nothing to restore."""
    slow = ScriptedExecutor(lambda _memory_mb: 1000.0)
    functions = [FunctionDefinition("hello", memory_mb=2048)]
    with LocalLambda(functions, executor=slow, emulated_services=False, update_s=0.3) as local:
        interrupted(local, state, wait_for="publishing", number=signal.SIGKILL)
    ran = run_here("recover", "--yes", **state)
    assert ran.returncode == 0, ran.stderr
    assert "gone" in ran.stdout
    assert run_here("recover", **state).stdout == "Nothing is left of any sweep.\n"


def test_recover_finds_by_name_what_another_machine_left(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """The tag tells the memory, Descriptions tell the versions; no journal is needed."""
    asked = client(server)
    before = standing(server, "other")
    arn = asked.get_function_configuration(FunctionName="other")["FunctionArn"]
    memory_mb = before[0]["MemorySize"]
    asked.tag_resource(Resource=arn, Tags={"lambda-tuner-sweep": f"20260101-x {memory_mb} MB"})
    asked.update_function_configuration(FunctionName="other", MemorySize=1769)
    version = asked.publish_version(
        FunctionName="other", Description="lambda-tuner sweep 20260101-x 1769 MB"
    )["Version"]
    left = standing(server, "other")
    refused = run_here("recover", "--function", "other", "--yes", *at(server), **state)
    assert refused.returncode == 4
    assert "the sweep 20260101-x, of unknown age, may still run" in refused.stdout
    assert "add --take-over 20260101-x" in refused.stdout
    assert standing(server, "other") == left
    named = ["recover", "--function", "other", "--take-over", "20260101-x", *at(server)]
    shown = run_here(*named, "--dry-run", **state)
    assert f"set $LATEST back from 1769 to {memory_mb} MB" in shown.stdout
    assert standing(server, "other") == left
    ran = run_here(*named, "--yes", **state)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.splitlines() == [
        "  $LATEST's memory restored",
        f"  version {version} deleted",
    ]
    assert standing(server, "other") == before
    assert asked.list_tags(Resource=arn)["Tags"] == {}
    again = run_here("recover", "--function", "other", "--yes", *at(server), **state)
    assert "nothing is left of any sweep" in again.stdout
    asked.close()


def test_recover_answers_as_one_json_object(server: LocalLambda, state: dict[str, str]) -> None:
    """With --json stdout is one object: what is to be done, whether it was, and the exit code."""
    asked = client(server)
    before = standing(server, "other")
    asked.publish_version(FunctionName="other", Description="lambda-tuner sweep 20260101-x 1769 MB")
    command = ["recover", "--function", "other", "--json", *at(server)]

    def answered(*more: str) -> tuple[dict[str, Any], dict[str, Any]]:
        ran = run_here(*command, *more, **state)
        found = json.loads(ran.stdout)
        assert found["exit_code"] == ran.returncode
        [one] = found.pop("functions")
        return found, one

    found, one = answered("--yes")
    assert found == {"schema_version": 1, "kind": "recovery", "dry_run": False, "exit_code": 4}
    assert (one["sweep_id"], one["done"], one["others"]) == (None, False, ["20260101-x"])
    known = ("--take-over", "20260101-x")
    found, one = answered(*known, "--dry-run", "--detailed-exitcode")
    assert found == {"schema_version": 1, "kind": "recovery", "dry_run": True, "exit_code": 10}
    [line] = one["actions"]
    assert line.startswith("other: delete version ")
    expected = {"function": "other", "sweep_id": "20260101-x", "actions": [line], "others": []}
    assert one == {**expected, "done": False, "error": None}
    found, one = answered(*known)
    assert found["exit_code"] == 4
    assert "--yes" in one["error"]
    assert answered(*known, "--yes")[1] == {**expected, "done": True, "error": None}
    assert standing(server, "other") == before
    asked.close()


def test_recover_as_json_of_nothing_and_of_a_failure(
    tmp_path: Path, server: LocalLambda, state: dict[str, str]
) -> None:
    """No journal: an empty list. A failure to look is an error object, as of every command."""
    (tmp_path / "tuner.toml").write_text("json = true\n")
    ran = run_here("recover", cwd=tmp_path, **state)
    assert json.loads(ran.stdout)["functions"] == []
    assert ran.returncode == 0
    ran = run_here("recover", "--function", "gone", *at(server), cwd=tmp_path, **state)
    assert json.loads(ran.stdout)["kind"] == "error"
    assert json.loads(ran.stdout)["exit_code"] == ran.returncode == 1


def test_an_answer_that_fails_does_not_hide_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in the answer after a failed restore, exit code 4 is told."""

    def fail(*_: object, **__: object) -> None:
        raise LeftChangedError("left at 256 MB")

    def broken(_sweep: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(sweeping.session, "run", fail)
    monkeypatch.setattr(sweeping, "load_sweep", lambda _file: None)
    prepared: Any = SimpleNamespace(file=None)
    with pytest.raises(LeftChangedError, match="left at 256 MB"):
        sweeping._run(prepared, prepared, StopSignal(), lambda _event: None, answer=broken)


def test_recover_that_cannot_look_claims_nothing_is_left_changed(state: dict[str, str]) -> None:
    """Exit code 4 is for what is known to be left; here it is not even known whether there is."""
    nowhere = ["--region", "us-east-1", "--endpoint-url", "http://127.0.0.1:9"]
    ran = run_here("recover", "--function", "other", "--yes", *nowhere, **state)
    assert ran.returncode == 1
    assert "--endpoint-url" in one_line(ran)
