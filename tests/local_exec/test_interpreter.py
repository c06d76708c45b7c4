"""The interpreter that Runtime names runs the function, or it is said which one did."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench
from tuner.errors import LocalError
from tuner.local.execution.runtime import interpreter
from tuner.local.execution.runtime.interpreter import _commands, find_interpreter, other_interpreter
from tuner.local.execution.runtime.program import find_program

if TYPE_CHECKING:
    from pathlib import Path

OWN = f"python3.{sys.version_info.minor}"
ABSENT = "3.14" if sys.version_info.minor != 14 else "3.13"


@functools.cache
def other_pythons() -> list[str]:
    """Every other Python that Lambda has and that this host has, on PATH or beside the tool's."""
    names = (f"python3.{minor}" for minor in range(9, 15))
    return [name for name in names if name != OWN and any(map(is_real, _commands(name[6:])))]


OLDEST, NEWEST = 0, -1
"""They tell most."""
BETWEEN = [pytest.param(place, marks=pytest.mark.slow) for place in range(1, 4)]


def is_real(command: str) -> bool:
    """Whether it is an interpreter: a version manager's shim may refuse to run."""
    return subprocess.run([command, "-c", ""], check=False, capture_output=True).returncode == 0


def test_own_version_is_run_by_the_tools_own(tmp_path: Path) -> None:
    """The tool's own version needs nothing else and has nothing to say."""
    found = find_interpreter(OWN, tmp_path)
    assert found.executable == sys.executable
    assert found.findings == ()


@pytest.mark.parametrize(
    "runtime",
    ["ruby3.4", "java21", "dotnet8", "python", "python3.5", "python3.16", "python2.7", "nodejs5.x",
     "nodejs21.x", "nodejs28.x", "provided.al1", "python3.12; rm"],
)  # fmt: skip
def test_other_runtimes_are_refused(tmp_path: Path, runtime: str) -> None:
    """What Lambda does not run, or not here, is refused in a line that names it and what can be."""
    with pytest.raises(LocalError, match=r"can't be run locally \(python3\.6 to") as refused:
        find_program(runtime, tmp_path)
    assert runtime in str(refused.value)


@pytest.mark.parametrize(
    ("runtime", "ran"), [("python3.6", "3.10.2"), ("python3.8", "3.10.2"), ("python3.15", None)]
)
def test_retired_and_newest_runtimes_run_on_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, ran: str | None
) -> None:
    """Without its own version, the nearest Python that lacks nothing runs it, and that is said."""
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "none" / "here"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for minor, has_sdk in ((9, "false"), (10, "true")):
        command = tmp_path / f"python3.{minor}"
        answer = f'["{command}", [3, {minor}, 2], {has_sdk}, []]'
        command.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="ascii")
        command.chmod(0o755)
    found = find_program(runtime, tmp_path / "links")
    version = ran or ".".join(map(str, sys.version_info[:3]))
    assert found.label == f"python:{'.v'.join(version.rsplit('.', 1))}"
    [said] = found.findings
    assert said.code == "runtime_substituted"
    assert f"{runtime} is not on PATH: Python {version} ran the function instead" in said.message


def test_a_shim_that_does_not_run_is_substituted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command on PATH that only pretends to be Python is not used, and that is said."""
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "none" / "here"))
    shim = tmp_path / f"python{ABSENT}"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="ascii")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_interpreter(f"python{ABSENT}", tmp_path / "links")
    assert found.executable == sys.executable
    assert [finding.code for finding in found.findings] == ["runtime_substituted"]
    assert str(shim) in found.findings[0].message


def test_a_missing_version_is_substituted_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the version on PATH the tool's own runs the function, and the limits say so."""
    monkeypatch.setattr(interpreter, "_commands", lambda _: iter(()))
    bench = open_bench(tmp_path, None)
    try:
        assert bench.executor.runtime_findings(f"python{ABSENT}")[0].code == "runtime_substituted"
        call = bench.call("use_sdk", runtime=f"python{ABSENT}")
        assert call.value == {"key": "local", "python": list(sys.version_info[:2])}
        codes = [finding.code for finding in bench.executor.limits.findings]
        assert "runtime_substituted" in codes
    finally:
        bench.executor.close()


@pytest.mark.slow
@pytest.mark.parametrize("place", [OLDEST, NEWEST, *BETWEEN])
def test_another_interpreter_runs_with_the_stand_in(tmp_path: Path, place: int) -> None:
    """Another Python runs AWS's client with the pure stand-in, and finds boto3 or says so."""
    found = other_pythons()
    if place not in {OLDEST, NEWEST, *range(1, len(found) - 1)} or not found:
        pytest.skip("there is no further Python")
    runtime = found[place]
    bench = open_bench(tmp_path, None)
    try:
        assert bench.call("echo", {"n": 1}, runtime=runtime).value["event"] == {"n": 1}
        assert bench.call("describe", {}, runtime=runtime).value["left_ms"] > 1000
        assert bench.call("fail", runtime=runtime).value["errorType"] == "ValueError"
        assert bench.call("app.nothing", runtime=runtime).function_error == "Unhandled"
        # The stand-in lies below the machine's /tmp: the handler's own can be written all the same.
        assert bench.call("keep_in_tmp", runtime=runtime).function_error is None
        codes = [finding.code for finding in bench.executor.runtime_findings(runtime)]
        if codes:  # this boto3 is too new for it
            assert codes == ["sdk_missing"]
            return
        call = bench.call("use_sdk", runtime=runtime)
        assert call.value == {"key": "local", "python": [3, int(runtime.partition(".")[2])]}
    finally:
        bench.executor.close()


def test_links_are_made_once(tmp_path: Path) -> None:
    """Looking twice for another interpreter finds the links that are there."""
    if shutil.which("true") is None:
        pytest.skip("no true")
    command = tmp_path / "python3.97"
    command.symlink_to(shutil.which("true") or "")
    for _ in range(2):
        assert other_interpreter(str(command), "3.97", tmp_path / "links") is None
    names = {path.name for path in (tmp_path / "links" / "client").iterdir()}
    assert {"awslambdaric", "runtime_client.py"} <= names
