"""`tuner cold`, as a user runs it against an endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import one_line, run_here
from tests.cli.scripted import at, client, standing, state
from tests.docs import json_schema
from tests.scripted_executor import ScriptedExecutor
from tests.sweeps import made_sweep, save_sweep
from tuner.aws import LambdaGateway
from tuner.errors import AccessDeniedError
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.control_plane.api_error import ApiError
from tuner.local.control_plane.not_here import NotHereApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["state"]
KEYS = (
    "schema_version", "kind", "function", "sizes", "share", "options", "slow_imports",
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[LocalLambda]:
    """Answers soon, with true REPORT lines; an INIT takes 300 ms."""
    executor = ScriptedExecutor(40.0, init_duration_ms=300.0, time_scale=0.3)
    functions = [
        FunctionDefinition("hello", memory_mb=1024, runtime="python3.13"),
        FunctionDefinition("fails", memory_mb=1024),
        FunctionDefinition("published", memory_mb=1024),
    ]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield local


def test_fresh_environments_are_measured_and_nothing_is_left(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """Each size has its cold starts, the object has the promised keys and goes to the file too, and
    the function is as before.
    """
    before, file = standing(server), tmp_path / "cold.json"
    ran = run_here(
        *("cold", "hello", *at(server), "--memory-sizes", "512", "--rate", "0.2/min"),
        *("--isolation", "version", "--yes", "--json", "--out", str(file)),
        **state,
    )
    assert ran.returncode == 0, ran.stderr
    json_schema.check(ran.stdout)
    answer = json.loads(ran.stdout)
    assert tuple(answer)[: len(KEYS)] == KEYS
    assert answer == json.loads(file.read_text())
    assert [each["memory_mb"] for each in answer["sizes"]] == [512, 1024]
    assert [each["sample_count"] for each in answer["sizes"]] == [5, 5]
    for each in answer["sizes"]:
        interval = each["init_duration_ms"]
        assert interval["low"] < 300 < interval["high"]
    # Five minutes apart on average: e^(-1), e^(-2) and e^(-3) for 5, 10 and 15 minutes of life.
    assert answer["share"]["estimate"] == pytest.approx(0.135, abs=0.02)
    assert answer["share"]["low"] == pytest.approx(0.050, abs=0.02)
    assert answer["share"]["high"] == pytest.approx(0.368, abs=0.02)
    assert [each["name"] for each in answer["options"]] == ["none", "snapstart", "provisioned"]
    assert all(each["cost_usd_per_month"] > 0 for each in answer["options"])
    assert standing(server) == before


@pytest.mark.parametrize("is_denied", [False, True])
def test_what_is_provisioned_already_is_read(
    state: dict[str, str], monkeypatch: pytest.MonkeyPatch, is_denied: bool
) -> None:
    """Of every version and alias; where that may not be read, none is assumed and that is said."""

    def answer(_control: object, _call: object) -> dict[str, object]:
        if is_denied:
            raise ApiError(403, "AccessDeniedException", "not allowed")
        arn = "arn:aws:lambda:us-east-1:000000000000:function:hello"
        return {
            "ProvisionedConcurrencyConfigs": [
                {"FunctionArn": f"{arn}:live", "RequestedProvisionedConcurrentExecutions": 2},
                {"FunctionArn": f"{arn}:beta", "RequestedProvisionedConcurrentExecutions": 1},
            ]
        }

    monkeypatch.setattr(NotHereApi, "list_provisioned_concurrency_configs", answer)
    executor = ScriptedExecutor(40.0, init_duration_ms=300.0, time_scale=0.1)
    functions = [FunctionDefinition("hello", memory_mb=1024, runtime="python3.13")]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as server:
        ran = run_here(
            *("cold", "hello", *at(server), "--memory-sizes", "1024", "--rate", "0.2/min"),
            *("--isolation", "version", "--yes", "--json"),
            **state,
        )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    said = {each["code"]: each["message"] for each in found["findings"]}
    if is_denied:
        assert "isn't known (access denied" in said["provisioned_unknown"]
        assert found["share"]["estimate"] > 0.1
    else:
        assert said["provisioned_already"].startswith(
            "3 environments are provisioned already (live 2, beta 1)"
        )
        assert found["share"]["estimate"] == 0
        assert [each["environment_count"] for each in found["options"]] == [3, 3]


def test_a_version_that_was_there_is_neither_measured_nor_said_to_be(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """Lambda answers with the owner's version first; its environments may be warm."""
    client(server).publish_version(FunctionName="published")
    asked = ("cold", "published", *at(server), "--memory-sizes", "1024", "--isolation", "version")
    ran = run_here(*asked, "--yes", "--json", **state)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["sizes"][0]["sample_count"] == 5
    assert "version_reused" not in {each["code"] for each in answer["findings"]}


def test_what_was_measured_is_shown_even_if_it_ends_in_an_error(
    server: LocalLambda, state: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function can't be given back: the answer is there, and the exit code says the rest."""
    deleted = LambdaGateway.delete_version

    def refuse(self: LambdaGateway, function: str, version: str) -> None:
        raise AccessDeniedError("not allowed to delete")

    monkeypatch.setattr(LambdaGateway, "delete_version", refuse)
    asked = ("cold", "hello", *at(server), "--memory-sizes", "1024", "--isolation", "version")
    ran = run_here(*asked, "--yes", "--json", **state)
    assert ran.returncode == 4, ran.stderr
    assert json.loads(ran.stdout)["sizes"][0]["sample_count"] == 5
    assert "tuner recover" in ran.stderr
    monkeypatch.setattr(LambdaGateway, "delete_version", deleted)
    recovered = run_here("recover", *at(server), "--yes", **state)
    assert recovered.returncode == 0, recovered.stderr
    assert standing(server)[1] == ["$LATEST"]


def test_the_page_and_the_text_tell_the_same(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """Both name the share; a trace gives it, and without --rate none is made up."""
    trace, page = tmp_path / "requests.csv", tmp_path / "cold.html"
    lines = [f"2026-11-01T{hour:02}:00:00Z" for hour in range(24)]
    trace.write_text("\n".join(["timestamp", *lines]) + "\n")
    ran = run_here(
        *("cold", "hello", *at(server), "--arrivals", str(trace), "--out", str(page)),
        *("--memory-sizes", "1024", "--max-invocations", "14", "--isolation", "clone", "--yes"),
        **state,
    )
    assert ran.returncode == 0, ran.stderr
    assert "100% (90% to 100%) of requests meet one" in ran.stdout.replace("\n", " ")
    assert "100% (90% to 100%)" in page.read_text()
    assert "2 cold starts at each of 1024 MB" in ran.stderr


def test_a_dry_run_shows_the_plan_as_one_object(server: LocalLambda, state: dict[str, str]) -> None:
    """With --json too something is on stdout: what would be measured, and what it may cost."""
    before = standing(server)
    ran = run_here(
        *("cold", "hello", *at(server), "--memory-sizes", "512", "--isolation", "version"),
        *("--dry-run", "--json"),
        **state,
    )
    assert ran.returncode == 0, ran.stderr
    plan = json.loads(ran.stdout)
    assert (plan["kind"], plan["sizes_mb"], plan["isolation"]) == (
        "cold_plan", [512, 1024], "version",
    )  # fmt: skip
    assert plan["invocation_count"] == 2 * plan["sample_count"] + plan["warm_count"]
    assert plan["max_cost_usd"] > 0
    assert standing(server) == before


def test_without_a_rate_no_share_is_made_up(server: LocalLambda, state: dict[str, str]) -> None:
    """What is due without any request is said all the same."""
    ran = run_here(
        *("cold", "hello", *at(server), "--memory-sizes", "1024", "--yes", "--json"), **state
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["share"] is None
    assert all(each["cost_usd_per_month"] is None for each in answer["options"])
    standing_usd = [each["standing_usd_per_month"] for each in answer["options"]]
    assert standing_usd[0] == 0
    assert standing_usd[1] == pytest.approx(0.0000015046 * 730 * 3600)
    assert standing_usd[2] == pytest.approx(0.0000041667 * 730 * 3600)
    assert "traffic_unknown" in {each["code"] for each in answer["findings"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "5/min", "--arrivals", "x.csv"], "--rate or --arrivals, not both"),
        (["--arrivals", "none.csv"], "none.csv can't be read"),
        (["--max-invocations", "9"], "--max-invocations 9 is too few"),
        (["--memory-sizes", "64"], "128 to 10240"),
        (["--out", "none/x.html"], "there is no folder"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    server: LocalLambda, state: dict[str, str], arguments: list[str], words: str
) -> None:
    """Before anything is invoked."""
    ran = run_here("cold", "hello", *at(server), *arguments, "--yes", **state)
    assert ran.returncode in {1, 2}
    assert words in one_line(ran)


def test_where_every_size_fails_the_reasons_are_one_sentence(state: dict[str, str]) -> None:
    """They are joined by semicolons, without a full stop before them."""
    executor = ScriptedExecutor(5.0, time_scale=0, failure=lambda _deployment, _request: "error")
    functions = [FunctionDefinition("fails", memory_mb=1024)]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as server:
        ran = run_here(
            *("cold", "fails", *at(server), "--memory-sizes", "512", "--rate", "2/min"),
            *("--isolation", "version", "--yes"),
            **state,
        )
    assert ran.returncode == 1
    said = ran.stderr.splitlines()[-1]
    assert said.count("the size is excluded and never recommended") == 2
    assert ".;" not in said


def test_a_sweep_is_not_overwritten(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """Nothing is sent, and the file is as before: it cost money to measure."""
    file = tmp_path / "sweep.jsonl"
    save_sweep(file, made_sweep())
    kept = file.read_bytes()
    ran = run_here(*("cold", "hello", *at(server)), "--out", str(file), "--yes", **state)
    assert ran.returncode == 1
    assert f"--out {file} is a sweep file and won't be overwritten" in one_line(ran)
    assert file.read_bytes() == kept
