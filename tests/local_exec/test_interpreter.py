"""The interpreter that Runtime names runs the function, or it is said which one did."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.local_exec.conftest import open_bench
from tuner.errors import LocalError
from tuner.local.execution.runtime.interpreter import find_interpreter

OWN = f"python3.{sys.version_info.minor}"


def other_python() -> tuple[str, str] | None:
    """Another Python of 3.10 or later that really runs: its minor version and its folder."""
    for minor in (12, 13, 10, 14, 11):
        name = f"python3.{minor}"
        beside = Path(sys.base_prefix).parent.glob(f"3.{minor}*/bin")
        for folder in (*beside, *map(Path, os.environ["PATH"].split(":"))):
            if name != OWN and (folder / name).exists() and folder.name != "shims":
                return name, str(folder)
    return None


def test_own_version_is_run_by_the_tools_own(tmp_path: Path) -> None:
    """The tool's own version needs nothing else and has nothing to say."""
    found = find_interpreter(OWN, tmp_path)
    assert found.executable == sys.executable
    assert found.findings == ()


def test_other_languages_are_refused(tmp_path: Path) -> None:
    """A runtime that is no Python is refused in a line that names it."""
    for runtime in ("nodejs22.x", "provided.al2023", "python", "python3.12; rm"):
        with pytest.raises(LocalError, match="cannot be run locally"):
            find_interpreter(runtime, tmp_path)


def test_a_shim_that_does_not_run_is_substituted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command on PATH that only pretends to be Python is not used, and that is said."""
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="ascii")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = find_interpreter("python3.99", tmp_path / "links")
    assert found.executable == sys.executable
    assert [finding.code for finding in found.findings] == ["runtime_substituted"]
    assert str(shim) in found.findings[0].message


def test_a_missing_version_is_substituted_and_runs(tmp_path: Path) -> None:
    """Without the version on PATH the tool's own runs the function, and the limits say so."""
    bench = open_bench(tmp_path, None)
    try:
        assert bench.executor.runtime_findings("python3.98")[0].code == "runtime_substituted"
        call = bench.call("use_sdk", runtime="python3.98")
        assert call.value == {"key": "local", "python": list(sys.version_info[:2])}
        codes = [finding.code for finding in bench.executor.limits.findings]
        assert "runtime_substituted" in codes
    finally:
        bench.executor.close()


@pytest.mark.skipif(other_python() is None, reason="no other Python on this host")
def test_another_interpreter_runs_with_the_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another Python runs AWS's client with the pure stand-in, and finds boto3."""
    found = other_python()
    assert found is not None
    runtime, folder = found
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    bench = open_bench(tmp_path, None)
    try:
        call = bench.call("use_sdk", runtime=runtime)
        assert call.value == {"key": "local", "python": [3, int(runtime.partition(".")[2])]}
        assert bench.call("echo", {"n": 1}, runtime=runtime).value["event"] == {"n": 1}
        assert bench.call("fail", runtime=runtime).value["errorType"] == "ValueError"
        assert bench.call("app.nothing", runtime=runtime).function_error == "Unhandled"
        assert not bench.executor.runtime_findings(runtime)
    finally:
        bench.executor.close()


def test_links_are_made_once(tmp_path: Path) -> None:
    """Looking twice for another interpreter finds the links that are there."""
    if shutil.which("true") is None:
        pytest.skip("no true")
    command = tmp_path / "python3.97"
    command.symlink_to(shutil.which("true") or "")
    from tuner.local.execution.runtime.interpreter import other_interpreter

    for _ in range(2):
        assert other_interpreter(str(command), "3.97", tmp_path / "links") is None
    names = {path.name for path in (tmp_path / "links" / "sdk").iterdir()}
    assert {"boto3", "botocore", "six.py"} <= names
