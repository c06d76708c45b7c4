"""A wrapper script starts a managed runtime, as AWS_LAMBDA_EXEC_WRAPPER says."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.conftest import open_bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local_exec.conftest import Bench

SCRIPT = '#!/bin/sh\nexport GIVEN="by $(basename "$0")" ARGUMENTS=$#\nexec "$@"\n'
PYTHON = "import os\ndef handler(event, _):\n    return [os.environ.get('GIVEN'), event]\n"
NODE = "exports.handler = async (event) => [process.env.GIVEN, event];\n"
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on PATH")


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One executor for all: every test has environments of its own."""
    opened = open_bench(tmp_path_factory.mktemp("bench"), None)
    yield opened
    opened.executor.close()


def package(folder: Path) -> Path:
    folder.mkdir()
    (folder / "app.py").write_text(PYTHON)
    (folder / "app.js").write_text(NODE)
    (folder / "wrap").write_text(SCRIPT)
    (folder / "wrap").chmod(0o755)
    return folder


@pytest.mark.parametrize("runtime", ["python3.11", pytest.param("nodejs20.x", marks=needs_node)])
@pytest.mark.parametrize("place", ["/var/task", "/opt"])
def test_a_wrapper_starts_the_runtime(
    shared_bench: Bench, tmp_path: Path, runtime: str, place: str
) -> None:
    """A script of the package or of a layer gets the runtime's command line and may change it."""
    code = package(tmp_path / "code")
    call = shared_bench.call(
        "app.handler",
        {"n": 1},
        runtime=runtime,
        deployment_id=str(tmp_path),
        code_dir=code,
        opt_dir=package(tmp_path / "layer"),
        environment=(("AWS_LAMBDA_EXEC_WRAPPER", f"{place}/wrap"),),
    )
    assert call.value == ["by wrap", {"n": 1}]
    assert call.report.init_duration_ms is not None


@pytest.mark.parametrize(
    ("wrapper", "status", "said"),
    [
        ("/idontexist", 127, "/idontexist: does not exist\n"),
        ("/var/task/app.py", 126, "app.py: is not an executable\n"),
    ],
)
def test_a_wrapper_that_cannot_run_ends_the_runtime(
    shared_bench: Bench, tmp_path: Path, wrapper: str, status: int, said: str
) -> None:
    """What is missing or not executable is the shell's exit status, and the log names it."""
    call = shared_bench.call(
        "app.handler",
        deployment_id=str(tmp_path),
        code_dir=package(tmp_path / "code"),
        environment=(("AWS_LAMBDA_EXEC_WRAPPER", wrapper),),
    )
    assert call.value["errorType"] == "Runtime.ExitError"
    assert call.value["errorMessage"].endswith(f"exited with error: exit status {status}")
    assert call.log.count(said) == 2


def test_an_os_only_runtime_has_no_wrapper(shared_bench: Bench, tmp_path: Path) -> None:
    """The variable is left to the function's own bootstrap."""
    code = package(tmp_path / "code")
    (code / "bootstrap").write_text('#!/bin/sh\necho "$AWS_LAMBDA_EXEC_WRAPPER"; exit 3\n')
    (code / "bootstrap").chmod(0o755)
    call = shared_bench.call(
        "any.handler",
        runtime="provided.al2023",
        deployment_id=str(tmp_path),
        code_dir=code,
        environment=(("AWS_LAMBDA_EXEC_WRAPPER", "/idontexist"),),
    )
    assert call.value["errorMessage"].endswith("exit status 3")
    assert "/idontexist\n" in call.log
