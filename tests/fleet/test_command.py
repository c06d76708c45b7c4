"""`tuner fleet` from plan to report, on a scripted endpoint with real sweeps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.cli.running import run, run_here, variables_for
from tests.fleet.fleets import changed
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.interval import Interval
from tuner.model.verification import Outcome
from tuner.observe.verdicts import keep_outcome
from tuner.sweep.store import load_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = [f"f{number:02}" for number in range(20)]
SIZES_MB = {name: (3008, 2048, 3008)[number % 3] for number, name in enumerate(NAMES)}


def busy_ms(memory_mb: int) -> float:
    return 5 + 100 * 1769 / min(memory_mb, 1769)


@pytest.fixture
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(busy_ms, init_duration_ms=150.0, time_scale=0)
    functions = [FunctionDefinition(name, memory_mb=SIZES_MB[name]) for name in NAMES]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        local.executor = executor  # type: ignore[attr-defined]
        yield local


def at(server: LocalLambda) -> list[str]:
    return ["--endpoint-url", server.endpoint_url, "--region", server.region]


def planned(server: LocalLambda, tmp_path: Path, names: list[str], *options: str) -> Any:
    file = tmp_path / "names.txt"
    file.write_text("# the fleet\n" + "\n".join(names) + "\n")
    return run_here(
        "fleet", "plan", "--functions", str(file), "--payload", "{}", "--out",
        str(tmp_path / "fleet"), *(options or ("--budget-usd", "5")), *at(server),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # fmt: skip


def fleet(tmp_path: Path, *arguments: str, **variables: str) -> Any:
    name, *rest = arguments
    variables["TUNER_STATE_DIR"] = str(tmp_path / "state")
    return run_here("fleet", name, str(tmp_path / "fleet"), *rest, **variables)


def test_a_fleet_from_plan_to_report(server: LocalLambda, tmp_path: Path) -> None:
    """Three functions are planned, swept and reported; each is as it was, and the money spent is
    what its file says.
    """
    plan = planned(server, tmp_path, NAMES[:3])
    assert plan.returncode == 0, plan.stderr
    assert "3 functions to sweep in 1 region" in plan.stdout
    assert changed(server, SIZES_MB) == []
    before = json.loads(fleet(tmp_path, "status", "--json").stdout)
    assert json.loads(fleet(tmp_path, "stop", "--json").stdout) == before
    assert (before["state"], before["pending_count"]) == ("planned", 3)
    ran = fleet(tmp_path, "run", "--yes", "--json")
    assert ran.returncode == 0, ran.stderr
    status = json.loads(ran.stdout)
    assert (status["state"], status["done_count"], status["lease_count"]) == ("done", 3, 0)
    assert changed(server, SIZES_MB) == []
    ran_count = len(server.executor.invocations)  # type: ignore[attr-defined]
    assert status["invocation_count"] == ran_count
    verdicts = {each["name"]: each["verdict"] for each in status["functions"]}
    assert verdicts["f02"] == "resize"  # it has 3008 MB for one thread
    again = fleet(tmp_path, "run", "--yes")
    assert again.returncode == 0
    assert len(server.executor.invocations) == ran_count  # type: ignore[attr-defined]
    report = fleet(tmp_path, "report", "--format", "csv")
    assert len(report.stdout.splitlines()) == 4
    assert ",us-east-1,f02,done," in report.stdout
    page = fleet(tmp_path, "report", "--format", "html")
    assert "3 of 3 functions done" in page.stdout


def test_a_function_that_fails_makes_the_exit_code_1(server: LocalLambda, tmp_path: Path) -> None:
    """A function that was deleted since the plan fails by name; the others are swept."""
    planned(server, tmp_path, NAMES[:2])
    client = boto3.client(
        "lambda", endpoint_url=server.endpoint_url, region_name=server.region,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    client.delete_function(FunctionName=NAMES[0])
    ran = fleet(tmp_path, "run", "--yes")
    assert ran.returncode == 1
    assert "1 of 2 functions done" in ran.stdout
    assert "! f00:" in ran.stdout
    assert changed(server, SIZES_MB) == []


def test_side_effects_are_agreed_to_by_name_when_it_runs(
    server: LocalLambda, tmp_path: Path
) -> None:
    """A function that nobody agreed to is left out, uninvoked; the next run that names it sweeps
    it. A name that isn't planned is refused before anything runs.
    """
    planned(server, tmp_path, NAMES[:2])
    with_side_effects(server, NAMES[0])
    refused = fleet(tmp_path, "run", "--yes", "--allow-side-effects", "other")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("tuner: --allow-side-effects: other isn't among")
    agreed = {"TUNER_ALLOW_SIDE_EFFECTS": "1"}  # to those of one function
    first = json.loads(fleet(tmp_path, "run", "--yes", "--json", **agreed).stdout)
    assert (first["done_count"], first["excluded_count"]) == (1, 1)
    assert "--allow-side-effects f00" in first["functions"][0]["reason"]
    ran = fleet(tmp_path, "run", "--yes", "--allow-side-effects", NAMES[0], "--json")
    assert ran.returncode == 0, ran.stderr
    last = json.loads(ran.stdout)
    assert (last["done_count"], last["excluded_count"]) == (2, 0)
    assert last["invocation_count"] > first["invocation_count"]
    assert changed(server, SIZES_MB) == []


def with_side_effects(server: LocalLambda, name: str) -> None:
    """Have a function's asynchronous events retried."""
    client = boto3.client(
        "lambda", endpoint_url=server.endpoint_url, region_name=server.region,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2)


@pytest.mark.slow
def test_what_failed_is_tried_again_from_anywhere(
    server: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run takes up what failed before, with the payloads' files where they were at the plan, and
    sweeps nothing twice that has an answer.
    """
    (tmp_path / "event.json").write_text('{"n": 1}')
    (tmp_path / "names.txt").write_text("f00\nf01\n")
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    plan = run_here(
        "fleet", "plan", "--functions", "names.txt", "--payload", "event.json", "--out", "fleet",
        "--budget-usd", "5", *at(server), cwd=tmp_path, **state,
    )  # fmt: skip
    assert plan.returncode == 0, plan.stderr
    executor = server.executor  # type: ignore[attr-defined]
    monkeypatch.setattr(
        executor,
        "_failure",
        lambda deployed, _: "error" if deployed.function_name == "f00" else None,
    )
    ran = fleet(tmp_path, "run", "--yes")
    assert (ran.returncode, "1 of 2 functions done" in ran.stdout) == (1, True), ran.stderr
    assert {each.payload for each in executor.invocations} == {b'{"n": 1}'}
    monkeypatch.setattr(executor, "_failure", None)
    before = len(executor.invocations)
    again = fleet(tmp_path, "run", "--yes", "--json")
    assert again.returncode == 0, again.stderr
    assert "1 of 2 functions to sweep" in again.stderr
    status = json.loads(again.stdout)
    assert (status["done_count"], status["failed_count"]) == (2, 0)
    assert status["invocation_count"] == len(executor.invocations) > before
    assert changed(server, SIZES_MB) == []


def test_credentials_of_another_account_touch_no_function(
    server: LocalLambda, tmp_path: Path
) -> None:
    """A function of the name there is another one: it isn't swept, and the account waits."""
    planned(server, tmp_path, NAMES[:2])
    file = tmp_path / "fleet" / "plan.json"
    plan = json.loads(file.read_text())
    for each in plan["items"]:
        each["place"]["account"] = "444455556666"
    file.write_text(json.dumps(plan))
    ran = fleet(tmp_path, "run", "--yes", "--json")
    assert ran.returncode == 1, ran.stderr
    assert "not 444455556666: name a role or a profile" in ran.stderr
    assert json.loads(ran.stdout)["pending_count"] == 2
    assert server.executor.invocations == []  # type: ignore[attr-defined]


def test_a_plan_reads_what_it_will_send(server: LocalLambda, tmp_path: Path) -> None:
    """A payload that can't be read is told at once, not by each function at night."""
    (tmp_path / "names.txt").write_text("f00\n")
    (tmp_path / "fleet.toml").write_text('[functions."f*"]\npayload = ["gone.json"]\n')
    for how in (["--payload", "gone.json"], ["--settings", str(tmp_path / "fleet.toml")]):
        ran = run_here(
            "fleet", "plan", "--functions", str(tmp_path / "names.txt"), "--budget-usd", "5",
            "--out", str(tmp_path / "fleet"), *how, *at(server),
            TUNER_STATE_DIR=str(tmp_path / "state"),
        )  # fmt: skip
        assert ran.returncode == 1
        assert "payload 'gone.json' is neither a file nor JSON" in ran.stderr
        assert not (tmp_path / "fleet").exists()


def test_a_size_that_changed_since_the_plan_is_told(server: LocalLambda, tmp_path: Path) -> None:
    """What a function had when it was swept is what its saving is held against."""
    planned(server, tmp_path, NAMES[:1])
    client = boto3.client(
        "lambda", endpoint_url=server.endpoint_url, region_name=server.region,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    client.update_function_configuration(FunctionName="f00", MemorySize=128)
    ran = fleet(tmp_path, "run", "--yes")
    assert ran.returncode == 0, ran.stderr
    assert "128 → " in ran.stdout
    assert "3008" not in ran.stdout
    [found] = json.loads(fleet(tmp_path, "report", "--json").stdout)["functions"]
    assert found["was_mb"] == 128


def scanned(name: str, timeout_s: float | None) -> dict[str, Any]:
    """A function of a scan that a sweep of a tenth of a thousandth of a dollar is advised for."""
    saving = {"estimate": 1.0, "low": 0.5, "high": 2.0}
    sweep = {"cost_usd": 0.0001, "invocation_count": 14, "saving_usd_per_month": saving}
    return {
        "account": None, "region": "us-east-1", "name": name, "memory_mb": 3008,
        "architecture": "x86_64", "timeout_s": timeout_s, "mean_duration_ms": 100.0,
        "cost_usd_per_month": 5.0,
        "advice": {"verdict": "sweep", "reason": "it may save", "sweep": sweep},
    }  # fmt: skip


def test_amounts_below_a_cent_are_not_written_as_nothing(tmp_path: Path) -> None:
    """What may be saved, and what is agreed to: in the plan, before a run, and in reports."""
    each = scanned("here", 3)
    each["advice"]["sweep"]["saving_usd_per_month"] = {"estimate": 0.0041, "low": 0, "high": 1}
    (tmp_path / "scan.json").write_text(json.dumps({"kind": "scan", "functions": [each]}))
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    plan = run_here(
        *("fleet", "plan", "--scan", "scan.json", "--payload", "{}", "--budget-usd", "0.0031"),
        *("--out", "fleet"), cwd=tmp_path, **state,
    )  # fmt: skip
    assert plan.returncode == 0, plan.stderr
    assert "  0.0041  " in plan.stdout
    ran = run_here("fleet", "run", "fleet", cwd=tmp_path, **state)
    assert "may cost up to $0.0031." in ran.stderr


def test_a_region_without_prices_holds_up_no_other(tmp_path: Path) -> None:
    """Its functions are left out with the reason."""
    functions = [scanned("here", 3), {**scanned("there", 3), "region": "mars-east-1"}]
    scan = tmp_path / "scan.json"
    scan.write_text(json.dumps({"kind": "scan", "functions": functions}))
    ran = run_here(
        "fleet", "plan", "--scan", str(scan), "--payload", "{}", "--budget-usd", "1", "--out",
        str(tmp_path / "fleet"), "--json", TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = {each["name"]: each for each in json.loads(ran.stdout)["functions"]}
    assert (found["here"]["state"], found["there"]["state"]) == ("pending", "excluded")
    assert "no prices of its region" in found["there"]["reason"]


@pytest.mark.slow
@pytest.mark.parametrize("timeout_s", [3, None])
def test_a_scan_leaves_room_for_an_invocation_that_hangs(
    server: LocalLambda, tmp_path: Path, timeout_s: float | None
) -> None:
    """However cheap a sweep is: with its INIT, and with the account's timeout where the scan is of
    logs, which don't have it. Functions that are gone since are left out.
    """
    client = boto3.client(
        "lambda", endpoint_url=server.endpoint_url, region_name=server.region,
        aws_access_key_id="local", aws_secret_access_key="local",
    )  # fmt: skip
    if timeout_s is None:
        client.update_function_configuration(FunctionName="f00", Timeout=600)
    functions = [scanned("f00", timeout_s), scanned("f02", timeout_s), scanned("gone", None)]
    scan = tmp_path / "scan.json"
    scan.write_text(json.dumps({"kind": "scan", "functions": functions}))
    plan = run_here(
        "fleet", "plan", "--scan", str(scan), "--payload", "{}", "--budget-usd", "1", "--out",
        str(tmp_path / "fleet"), *at(server), TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # fmt: skip
    assert plan.returncode == 0, plan.stderr
    assert "gone: no function of that name is in us-east-1 with these" in plan.stdout
    ran = fleet(tmp_path, "run", "--yes", "--json")
    assert ran.returncode == 0, ran.stderr
    verdicts = {each["name"]: each["verdict"] for each in json.loads(ran.stdout)["functions"]}
    assert (verdicts["f00"], verdicts["f02"]) == ("resize", "resize")


def test_what_a_failed_sweep_spent_is_counted(server: LocalLambda, tmp_path: Path) -> None:
    """A function whose every invocation fails counts with what those cost: the budget is of money,
    not of answers.
    """
    server.executor._failure = lambda *_: "error"  # type: ignore[attr-defined]
    planned(server, tmp_path, NAMES[:1])
    ran = fleet(tmp_path, "run", "--yes", "--json")
    assert ran.returncode == 1
    status = json.loads(ran.stdout)
    assert status["failed_count"] == 1
    assert status["invocation_count"] == _ran(server) > 0
    assert status["cost_usd"] > 0


def test_a_budget_is_for_all_together(server: LocalLambda, tmp_path: Path) -> None:
    """Functions that the budget doesn't reach are left out with the reason, and none is touched."""
    plan = planned(server, tmp_path, NAMES[:3], "--budget-usd", "0.0001")
    assert "0 functions to sweep" in plan.stdout
    assert "the budget ends before it" in plan.stdout
    for form in ("text", "json", "csv", "html"):
        report = fleet(tmp_path, "report", "--format", form).stdout
        assert "--budget-usd" in report or form == "text", form
        assert "`budget_usd`" not in report, form
    assert "--budget-usd" in plan.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "nowhere"], "has no fleet: plan one"),
        (["plan", "--out", "x", "--budget-usd", "1"], "say which functions"),
        (["plan", "--out", "x", "--budget-usd", "1", "--scan", "none.json"], "can't be read"),
        (["plan", "--out", "x", "--budget-usd", "1", "--functions", "README.md"], "README.md:3:"),
        (["plan", "--out", "docs", "--budget-usd", "1", "--scan", "SCAN"], "something else in it"),
        (["plan", "--out", "x", "--budget-usd", "1", "--scan", "DEEP"], "isn't a scan"),
        (["run", "nowhere"], "has no fleet"),
        (["report", "README.md"], "README.md is a file: give the folder of a fleet"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Whatever is wrong with a fleet's input: one line with what to do, and nothing is written."""
    scan = tmp_path / "scan.json"
    scan.write_text(json.dumps({"kind": "scan", "functions": []}))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    given = {"SCAN": str(scan), "DEEP": str(tmp_path / "deep.json")}
    ran = run_here("fleet", *[given.get(each, each) for each in arguments])
    assert ran.returncode in {1, 2}
    assert message in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_hours_of_a_plan_that_cannot_be_are_one_line(server: LocalLambda, tmp_path: Path) -> None:
    """Written by hand, or in a time zone that this machine doesn't know."""
    planned(server, tmp_path, NAMES[:1])
    file = tmp_path / "fleet" / "plan.json"
    plan = json.loads(file.read_text())
    plan["windows"] = [{"start": "22:00", "end": "05:00", "zone": "Mars/Olympus", "days": []}]
    file.write_text(json.dumps(plan))
    ran = fleet(tmp_path, "run", "--yes")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "plan.json is damaged ('Mars/Olympus' isn't a time zone" in ran.stderr


def test_without_a_terminal_a_run_needs_agreement(server: LocalLambda, tmp_path: Path) -> None:
    """Nothing is swept before somebody agreed to the cost."""
    planned(server, tmp_path, NAMES[:1])
    ran = fleet(tmp_path, "run")
    assert ran.returncode == 2
    assert "--yes" in ran.stderr
    assert server.executor.invocations == []  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_functions_killed_three_times_are_swept_once(
    server: LocalLambda, tmp_path: Path
) -> None:
    """Killed in the middle three times and run again: every function has one finished sweep, none
    is left changed, the budget holds, and what is recorded is never more than what ran.
    """
    planned(server, tmp_path, NAMES)
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    counts = [0]
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "tuner", "fleet", "run", str(tmp_path / "fleet"), "--yes"],
            env=variables_for(**state), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wanted = counts[-1] + 25
        deadline = time.monotonic() + 90
        while _ran(server) < wanted and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        counts.append(_ran(server))
    assert counts == sorted(set(counts)), "nothing ran before a kill"
    ran = run("fleet", "run", str(tmp_path / "fleet"), "--yes", "--json", timeout_s=300, **state)
    assert ran.returncode == 0, ran.stderr
    status = json.loads(ran.stdout)
    assert (status["done_count"], status["lease_count"]) == (20, 0)
    assert status["cost_usd"] <= status["budget_usd"]
    assert changed(server, SIZES_MB) == []
    assert not list((tmp_path / "state" / "journals").glob("*.jsonl"))
    actions = [
        json.loads(line) for line in (tmp_path / "fleet" / "audit.jsonl").read_text().splitlines()
    ]
    done = [each["item"] for each in actions if each["action"] == "done"]
    assert len(done) == len(set(done)) >= 20 - 3  # a kill may come before the log's line
    assert status["invocation_count"] <= _ran(server)


@pytest.mark.slow
def test_a_killed_run_goes_on_elsewhere(server: LocalLambda, tmp_path: Path) -> None:
    """Without the killed run's state folder and from another place, as another machine or user has
    it: what it left of a function is found in the account and undone, and what it spent counts.
    """
    planned(server, tmp_path, NAMES[:3])
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner", "fleet", "run", "fleet", "--yes"], cwd=tmp_path,
        env=variables_for(TUNER_STATE_DIR=str(tmp_path / "state")),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 90
    while _ran(server) < 6 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed_at = _ran(server)
    assert changed(server, SIZES_MB) != []
    moved = tmp_path / "elsewhere"
    (tmp_path / "fleet").rename(moved)
    ran = run_here("fleet", "run", str(moved), "--yes", "--json",
                   TUNER_STATE_DIR=str(tmp_path / "other"))  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert changed(server, SIZES_MB) == []
    status = json.loads(ran.stdout)
    assert (status["done_count"], status["lease_count"]) == (3, 0)
    assert status["invocation_count"] > killed_at / 2  # but for those that were in flight
    assert all(Path(each["sweep"]).is_relative_to(moved) for each in status["functions"])


def _ran(server: LocalLambda) -> int:
    return len(server.executor.invocations)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_ctrl_c_gives_everything_back(server: LocalLambda, tmp_path: Path) -> None:
    """A stop in the middle leaves no function changed; the next run ends the fleet."""
    planned(server, tmp_path, NAMES[:3])
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner", "fleet", "run", str(tmp_path / "fleet"), "--yes"],
        env=variables_for(**state), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while _ran(server) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "to go on: tuner fleet run" in told
    assert changed(server, SIZES_MB) == []
    assert fleet(tmp_path, "run", "--yes").returncode == 0
    assert changed(server, SIZES_MB) == []


def test_a_fleets_sweeps_are_applied_and_verified(server: LocalLambda, tmp_path: Path) -> None:
    """All sweeps of a fleet go to one `apply`, which writes what is declared here and names what
    isn't; what `verify` has found since is in every form of the report.
    """
    planned(server, tmp_path, ["f00", "f02"])
    state = str(tmp_path / "state")
    assert fleet(tmp_path, "run", "--yes").returncode == 0
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n"
        "      FunctionName: f02\n      MemorySize: 3008\n"
    )
    sweeps = sorted(map(str, (tmp_path / "fleet" / "sweeps").glob("*.jsonl")))
    applied = run_here(
        "apply", *sweeps, "--template", str(template), "--yes", TUNER_STATE_DIR=state
    )
    functions = json.loads(fleet(tmp_path, "report", "--format", "json").stdout)["functions"]
    found = {each["name"]: each for each in functions}
    assert f"MemorySize: {found['f02']['memory_mb']}\n" in template.read_text()
    assert "f00" in applied.stderr
    assert found["f02"]["verification"] is None
    sweep = load_sweep(Path(sweeps[-1]))
    saving = Interval(0.3, 0.25, 0.35)
    keep_outcome(
        tmp_path / "state",
        Outcome(
            sweep.plan.sweep_id, "f02", "us-east-1", 3008, found["f02"]["memory_mb"], "less",
            "before_after", saving, saving, None, Interval(12.0, 10.0, 14.0),
            datetime(2026, 11, 30, tzinfo=UTC),
        ),
    )  # fmt: skip
    assert "1 verified: $12" in fleet(tmp_path, "report").stdout
    assert "30% (25–35%)" in fleet(tmp_path, "report").stdout
    assert ",less,0.3,0.25,0.35,12.0," in fleet(tmp_path, "report", "--format", "csv").stdout
    page = fleet(tmp_path, "report", "--format", "html").stdout
    assert "of 1 that were verified" in page
    functions = json.loads(fleet(tmp_path, "report", "--json").stdout)["functions"]
    assert [each["verification"] for each in functions if each["name"] == "f02"] == ["less"]
