"""`tuner load`, as a user runs it against an endpoint."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import ROOT, one_line, run_here, variables_for
from tests.cli.scripted import at, cpu_bound_ms, standing, state
from tests.docs import json_schema
from tests.scripted_executor import ScriptedExecutor
from tests.sweeps import made_sweep, save_sweep
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["state"]
KEYS = (
    "schema_version", "kind", "function", "planned_count", "invocation_count", "error_count",
    "throttle_count", "late_count", "cold_start_share", "max_concurrency", "throughput_per_s",
    "latency_ms", "cost_usd", "phases", "downstream", "findings",
)  # fmt: skip


@pytest.fixture(scope="module")
def invoked() -> threading.Event:
    return threading.Event()


@pytest.fixture(scope="module")
def server(invoked: threading.Event) -> Iterator[LocalLambda]:
    """Answers at once, with true REPORT lines; tells when it's invoked."""

    def tell(_deployment: Any, _request: Any) -> None:
        invoked.set()

    executor = ScriptedExecutor(cpu_bound_ms, init_duration_ms=150.0, failure=tell, time_scale=0)
    functions = [FunctionDefinition("hello", memory_mb=2048), FunctionDefinition("other")]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield local


def test_a_load_is_sent_to_the_function_as_it_is(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """Every arrival is sent once, the object has the promised keys and goes to the file too, and
    the function is as before.
    """
    before, file = standing(server), tmp_path / "load.json"
    ran = run_here(
        *("load", "hello", *at(server), "--phase", "0.5s:20/s"),
        *("--phase", "0.5s:20/s..60/s", "--yes", "--json", "--out", str(file)),
        **state,
    )
    assert ran.returncode == 0, ran.stderr
    json_schema.check(ran.stdout)
    answer = json.loads(ran.stdout)
    assert tuple(answer) == KEYS
    assert answer == json.loads(file.read_text())
    assert answer["planned_count"] == answer["invocation_count"] == 30
    assert answer["error_count"] == answer["throttle_count"] == 0
    assert [each["invocation_count"] for each in answer["phases"]] == [10, 20]
    assert answer["function"]["memory_mb"] == 2048
    assert answer["cost_usd"] > 0
    assert standing(server) == before
    assert "Load: 30 requests in 1.0 s, up to 60 requests/s" in ran.stderr
    assert "at most $" in ran.stderr


def test_several_sizes_are_loaded_one_after_the_other_and_nothing_is_left(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """Each size answers as itself, an object a line, and no version is left."""
    before = standing(server)
    ran = run_here(
        *("load", "hello", *at(server), "--phase", "0.3s:20/s", "--memory-sizes", "256,1024"),
        *("--isolation", "version", "--yes", "--json"),
        **state,
    )
    assert ran.returncode == 0, ran.stderr
    for line in ran.stdout.splitlines():
        json_schema.check(line)
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [each["function"]["memory_mb"] for each in answers] == [256, 1024]
    assert [each["invocation_count"] for each in answers] == [6, 6]
    assert standing(server) == before


def test_an_artillery_script_is_sent_and_what_it_holds_besides_is_named(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """The text has the table over time, and says that the scenarios aren't taken."""
    script = tmp_path / "load.yml"
    script.write_text(
        "config: {target: x, phases: [{duration: 1, arrivalCount: 5}]}\nscenarios: []\n"
    )
    ran = run_here("load", "hello", *at(server), "--artillery", str(script), "--yes", **state)
    assert ran.returncode == 0, ran.stderr
    assert "LOAD: 5 of 5 requests sent" in ran.stdout
    assert "not scenarios, config.target: give events with --payload" in ran.stdout.replace(
        "\n", " "
    )
    assert "in flight" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--phase 60s:20/s"),
        (["--phase", "60s:20/s", "--artillery", "x.yml"], "or by --artillery"),
        (["--phase", "60s"], "give --phase as 60s:20/s"),
        (["--phase", "60s:20/s", "--payload", "none.json"], "none.json"),
        (["--phase", "1s:5/s", "--memory-sizes", "64"], "128 to 10240"),
        (["--artillery", "none.yml"], "--artillery 'none.yml' can't be read"),
    ],
)
def test_what_makes_no_sense_is_one_line(arguments: list[str], words: str) -> None:
    """Before anything is connected to."""
    ran = run_here("load", "hello", *arguments)
    assert ran.returncode in {1, 2}
    assert words in one_line(ran)


def test_nothing_is_sent_without_agreement(
    server: LocalLambda, state: dict[str, str], invoked: threading.Event
) -> None:
    """Without a terminal it names the flag; --dry-run shows the plan alone. What is set for sweeps
    doesn't make it a load of several sizes.
    """
    invoked.clear()
    asked = ("load", "hello", *at(server), "--phase", "1s:20/s")
    ran = run_here(*asked, **state)
    assert ran.returncode == 2
    assert "pass --yes" in ran.stderr
    of_sweeps = {"TUNER_MEMORY_SIZES": "256,512", "TUNER_CONCURRENCY": "1"}
    shown = run_here(*asked, "--dry-run", **state, **of_sweeps)
    assert shown.returncode == 0
    assert "Load: 20 requests in 1.0 s" in shown.stderr
    assert not invoked.is_set()


def test_ctrl_c_ends_it_with_an_answer_of_what_was_sent(
    server: LocalLambda, state: dict[str, str], invoked: threading.Event
) -> None:
    """Exit code 130, one JSON object, and what wasn't sent is counted."""
    invoked.clear()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "tuner", "load", "hello", *at(server)),
            *("--phase", "60s:20/s", "--yes", "--json"),
        ],
        cwd=ROOT,
        env=variables_for(**state),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert invoked.wait(60)
        running.send_signal(signal.SIGINT)
        out, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    json_schema.check(out)
    answer = json.loads(out)
    assert answer["planned_count"] == 1200
    assert 0 < answer["invocation_count"] < 1200
    assert [each["code"] for each in answer["findings"]][-1:] == ["arrivals_not_sent"]
    assert "of 1,200 requests" in told


def test_the_policy_for_a_load_allows_to_invoke_the_function_itself() -> None:
    """What only several sizes need may be left out, by its name."""
    ran = run_here("iam-policy", "hello", "--for", "load")
    statements = json.loads(ran.stdout)["Statement"]
    arn = "arn:aws:lambda:*:*:function:hello"
    assert {
        "Sid": "InvokeTheFunctionAsItIs",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": [arn, f"{arn}:*"],
    } in statements
    needed = {each["Sid"] for each in statements if not each["Sid"].startswith("Optional")}
    assert needed == {
        "InvokeTheFunctionAsItIs",
        "ReadConcurrencyLimits",
        "ReadFunctionAndVersions",
        "ReadReservedConcurrency",
    }


def test_a_sweep_is_not_overwritten(
    server: LocalLambda, state: dict[str, str], tmp_path: Path, invoked: threading.Event
) -> None:
    """Nothing is sent, and the file is as before: it cost money to measure."""
    invoked.clear()
    file = tmp_path / "sweep.jsonl"
    save_sweep(file, made_sweep())
    kept = file.read_bytes()
    ran = run_here(
        *("load", "hello", *at(server), "--phase", "1s:5/s"), "--out", str(file), "--yes", **state
    )
    assert ran.returncode == 1
    assert f"--out {file} is a sweep file and won't be overwritten" in one_line(ran)
    assert file.read_bytes() == kept
    assert not invoked.is_set()
