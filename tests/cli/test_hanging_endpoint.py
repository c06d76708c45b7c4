"""Ctrl-C twice ends a command within seconds, whichever of its requests nobody answers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import ROOT, run_here, variables_for
from tests.cli.scripted import SIZES, at, client, standing, state
from tests.scripted_executor import ScriptedExecutor
from tuner.lease import recover as lease_recover
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.http.server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["state"]

WAIT_S = 60
"""Well below what the SDK would wait: three times 30 s for each request."""


class Hanging:
    """A local Lambda; the requests that it is told of hang until they are let go."""

    def __init__(self) -> None:
        self.pattern = "^$"
        self.is_reached, self.is_let_go = threading.Event(), threading.Event()

    def answer(self, real: Any, request: Any) -> Any:
        if re.search(self.pattern, f"{request.method} {request.path}".rstrip("/")):
            self.is_reached.set()
            self.is_let_go.wait(2 * WAIT_S)
        return real(request)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Hanging, LocalLambda]]:
    wire, start = Hanging(), HttpServer.start
    monkeypatch.setattr(
        HttpServer,
        "start",
        lambda server, handle: start(server, lambda request: wire.answer(handle, request)),
    )
    functions = [FunctionDefinition("hello", memory_mb=2048)]
    executor = ScriptedExecutor(10.0, time_scale=0)
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield wire, local
        wire.is_let_go.set()


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=ROOT,
        env=variables_for(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def interrupt_twice(process: subprocess.Popen[str], wire: Hanging) -> tuple[int, str]:
    """Press Ctrl-C twice once the request hangs: exit code and stderr."""
    assert wire.is_reached.wait(WAIT_S)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(1.0)  # a second signal that meets a pending one is no second
    _, said = process.communicate(timeout=WAIT_S)
    assert not wire.is_let_go.is_set()
    assert "Traceback" not in said
    return process.returncode, said


def left(local: LocalLambda) -> list[str]:
    """Copies that stand, and the tag."""
    asked = client(local)
    try:
        names = [each["FunctionName"] for each in asked.list_functions()["Functions"]]
        arn = asked.get_function_configuration(FunctionName="hello")["FunctionArn"]
        return [*names, *asked.list_tags(Resource=arn)["Tags"]]
    finally:
        asked.close()


@pytest.mark.parametrize(
    ("isolation", "pattern"),
    [
        pytest.param("version", "PUT .*/configuration$", marks=pytest.mark.slow),
        pytest.param("version", "POST .*/versions$", marks=pytest.mark.slow),
        pytest.param("version", "POST .*/tags/", marks=pytest.mark.slow),
        pytest.param("clone", "POST .*/functions$", marks=pytest.mark.slow),
    ],
)
def test_a_second_ctrl_c_ends_a_sweep_that_is_opening(
    hanging: tuple[Hanging, LocalLambda],
    state: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    isolation: str,
    pattern: str,
) -> None:
    """Exit code 4 and a journal; when the answer has come after all, `recover` undoes it."""
    wire, local = hanging
    before = standing(local), left(local)
    wire.pattern = pattern
    how = ["--memory-sizes", SIZES, "--isolation", isolation, "--yes"]
    with running("tune", "hello", *at(local), *how, **state) as process:
        code, said = interrupt_twice(process, wire)
    assert code == 4, said
    assert said.splitlines()[-1].endswith("Run: tuner recover")
    wire.is_let_go.set()
    deadline_s = time.monotonic() + 60
    while (standing(local), left(local)) == before and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert (standing(local), left(local)) != before  # what nobody waited for took effect
    monkeypatch.setattr(lease_recover, "LATE_S", 5.0)
    ran = run_here("recover", "--yes", **state)
    assert ran.returncode == 0, ran.stderr
    assert (standing(local), left(local)) == before
    assert run_here("recover", **state).stdout == "Nothing is left of any sweep.\n"


@pytest.mark.parametrize(
    "by_name",
    [pytest.param(False, id="journal"), pytest.param(True, id="name")],
)
@pytest.mark.slow
def test_a_second_ctrl_c_ends_recovering(
    hanging: tuple[Hanging, LocalLambda], state: dict[str, str], by_name: bool
) -> None:
    """By journal and by name: exit code 4, and what is left can be recovered later."""
    wire, local = hanging
    before = standing(local), left(local)
    wire.pattern = "POST .*/invocations$"
    with running("tune", "hello", *at(local), "--memory-sizes", SIZES, "--yes", **state) as process:
        assert wire.is_reached.wait(WAIT_S)
        process.kill()
    wire.is_let_go.set()
    again = ["recover", "--yes"]
    if by_name:
        state = {"TUNER_STATE_DIR": f"{state['TUNER_STATE_DIR']}-of-another-machine"}
        tags = client(local).list_tags(Resource=standing(local)[0]["FunctionArn"])["Tags"]
        sweep_id = tags["lambda-tuner-sweep"].split()[0]
        again += ["--function", "hello", *at(local), "--take-over", sweep_id]
    wire.is_reached.clear()
    wire.is_let_go.clear()
    wire.pattern = "^DELETE "
    with running(*again, **state) as process:
        code, said = interrupt_twice(process, wire)
    assert code == 4, said
    assert "interrupted" in said.splitlines()[-1]
    wire.is_let_go.set()
    ran = run_here(*again, **state)
    assert ran.returncode == 0, ran.stderr
    assert (standing(local), left(local)) == before
