"""`tuner apply --live`, as a user runs it: what it refuses, asks, prints and leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import run_here
from tests.cli.scripted import at, client, state
from tests.lease.account import a_zip
from tests.scripted_executor import ScriptedExecutor
from tests.sweeps import made_sweep, mixed_ms, save_sweep
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["state"]

LIVE = ("apply", "--function", "hello", "--memory-size", "512", "--live")


@pytest.fixture
def server() -> Iterator[LocalLambda]:
    """One function at 1,024 MB with a version and the alias `live`."""
    with LocalLambda(
        [FunctionDefinition("hello", memory_mb=1024)],
        executor=ScriptedExecutor(1.0, time_scale=0),
        emulated_services=False,
        update_s=0.0,
    ) as local:
        lambda_ = client(local)
        lambda_.publish_version(FunctionName="hello")
        lambda_.create_alias(FunctionName="hello", Name="live", FunctionVersion="1")
        yield local


def refused(server: LocalLambda, state: dict[str, str], *options: str, code: int = 1) -> str:
    """The one line of a refusal; nothing is changed and nothing left in the state folder."""
    before = standing(server)
    ran = run_here(*LIVE, *options, *at(server), **state)
    assert ran.returncode == code, ran.stderr
    assert ran.stdout == ""
    assert standing(server) == before
    return ran.stderr.splitlines()[-1]


def standing(server: LocalLambda) -> dict[str, Any]:
    lambda_ = client(server)
    versions = lambda_.list_versions_by_function(FunctionName="hello")["Versions"]
    aliases = lambda_.list_aliases(FunctionName="hello")["Aliases"]
    return {
        "versions": [(each["Version"], each["MemorySize"]) for each in versions],
        "aliases": [{**each, "RevisionId": ""} for each in aliases],
    }


def test_an_alias_that_can_not_be_shifted_is_refused(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """Weighted, on $LATEST, several, none, unknown: each with a line that says what to do."""
    lambda_ = client(server)

    def route(version: str, weights: dict[str, float] | None = None) -> None:
        lambda_.update_alias(
            FunctionName="hello",
            Name="live",
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights or {}},
        )

    lambda_.update_function_configuration(FunctionName="hello", Description="next")
    lambda_.publish_version(FunctionName="hello")
    route("1", {"2": 0.25})
    said = refused(server, state)
    assert "is being shifted already (it routes to version 1 and 25% to version 2)" in said
    assert "wait for it to end, or set it to one version" in said
    route("$LATEST")
    said = refused(server, state)
    assert "points at $LATEST" in said
    assert "AutoPublishAlias" in said
    route("2")
    assert "has no alias blue (it has live): check --alias" in refused(
        server, state, "--alias", "blue"
    )
    lambda_.create_alias(FunctionName="hello", Name="green", FunctionVersion="1")
    assert "several aliases (green, live): give --alias" in refused(server, state, code=2)
    for name in ("green", "live"):
        lambda_.delete_alias(FunctionName="hello", Name=name)
    said = refused(server, state)
    assert "has no alias" in said
    assert "or set $LATEST under traffic with --unqualified" in said


def test_what_would_be_rolled_out_too_is_refused(
    server: LocalLambda, state: dict[str, str]
) -> None:
    """$LATEST has a new timeout that the alias's version hasn't; another memory is refused too."""
    assert "hello has 1024 MB now, not 2048 MB as when it was measured" in refused(
        server, state, "--was", "2048"
    )
    client(server).update_function_configuration(FunctionName="hello", Timeout=77)
    said = refused(server, state)
    assert "$LATEST differs from version 1 of the alias live in timeout_s" in said
    assert "deploy it first" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", "50%"), "give --steps as 10%:10m,50%:10m"),
        (("--step-timeout", "soon"), "give --step-timeout as 90s, 10m or 1h"),
        (("--unqualified", "--steps", "50%:1m"), "--unqualified sets $LATEST at once"),
        (("--check",), "--live changes no file"),
        (("--stage", "prod"), "--live changes no file"),
    ],
)
def test_options_that_make_no_sense_are_one_line(
    server: LocalLambda, state: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    """Before anything is asked of AWS."""
    ran = run_here(*LIVE, *options, *at(server), **state)
    assert ran.returncode == 2
    [line] = ran.stderr.splitlines()
    assert said in line


def test_its_options_need_live(state: dict[str, str]) -> None:
    """`--alias` and the others do nothing to a file."""
    ran = run_here(*LIVE[:-1], "--alias", "live", **state)
    assert ran.returncode == 2
    assert "need --live" in ran.stderr


def test_a_size_that_is_there_is_not_rolled_out(server: LocalLambda, state: dict[str, str]) -> None:
    """Exit code 0, and nothing is published."""
    there = ("apply", "--function", "hello", "--memory-size", "1024", "--live", "--unqualified")
    before = standing(server)
    ran = run_here(*there, *at(server), **state)
    assert (ran.returncode, ran.stdout) == (0, "hello has 1024 MB already ($LATEST).\n")
    assert json.loads(run_here(*there, "--json", *at(server), **state).stdout)["steps"] == []
    assert standing(server) == before


def test_without_an_alias_latest_is_set_at_once(server: LocalLambda, state: dict[str, str]) -> None:
    """With a plain warning, and only once agreed to; the alias and its version stay."""
    before = standing(server)
    unasked = run_here(*LIVE, "--unqualified", *at(server), **state)
    assert unasked.returncode == 2
    assert "pass --yes" in unasked.stderr
    assert standing(server) == before
    ran = run_here(*LIVE, "--unqualified", "--yes", "--json", *at(server), **state)
    assert ran.returncode == 0
    assert "The next deployment of your infrastructure code undoes it" in ran.stderr
    told = json.loads(ran.stdout)
    assert (told["state"], told["alias"], told["to_version"]) == ("finished", None, "$LATEST")
    now = standing(server)
    assert now["versions"] == [("$LATEST", 512), ("1", 1024)]
    assert now["aliases"] == before["aliases"]
    assert run_here("recover", **state).stdout == "Nothing is left of any sweep.\n"


def test_a_sweep_says_what_to_roll_out(
    server: LocalLambda, state: dict[str, str], tmp_path: Path
) -> None:
    """Its function and size; what it was measured at must still be deployed; one at a time."""
    sweep = save_sweep(tmp_path / "hello.jsonl", made_sweep(mixed_ms, current_mb=3008))
    name = made_sweep(mixed_ms).function.name
    lambda_ = client(server)
    role = lambda_.get_function_configuration(FunctionName="hello")["Role"]
    ran = run_here("apply", sweep, "--live", *at(server), **state)
    assert ran.returncode == 1
    assert f"no function {name} in" in ran.stderr
    lambda_.create_function(
        FunctionName=name,
        Role=role,
        Runtime="python3.13",
        Handler="app.handler",
        MemorySize=1024,
        Code={"ZipFile": a_zip()},
    )
    ran = run_here("apply", sweep, "--live", "--unqualified", "--yes", *at(server), **state)
    assert ran.returncode == 1
    assert f"{name} has 1024 MB now, not 3008 MB as when it was measured" in ran.stderr
    ran = run_here("apply", sweep, sweep, "--live", *at(server), **state)
    assert ran.returncode == 2
    assert "one function at a time" in ran.stderr


def test_its_policy_is_printed(state: dict[str, str]) -> None:
    """All that a rollout asks for is in it; only the alias and versions can be changed besides."""
    ran = run_here("iam-policy", "hello", "--for", "apply", "--region", "eu-west-1", **state)
    statements = json.loads(ran.stdout)["Statement"]
    by_action = {
        action: statement["Resource"]
        for statement in statements
        for action in [statement["Action"]] * isinstance(statement["Action"], str)
    }
    arn = "arn:aws:lambda:eu-west-1:*:function:hello"
    assert by_action["lambda:UpdateAlias"] == arn
    assert by_action["lambda:DeleteFunction"] == f"{arn}:*"
    assert "lambda:InvokeFunction" not in ran.stdout
    assert run_here("iam-policy", "--for", "apply", **state).returncode == 2
