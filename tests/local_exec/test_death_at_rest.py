"""A runtime that died at rest fails no call, no event is run twice, and no time is negative."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.local_exec.test_environments import eventually, is_alive
from tuner.local.execution.cpu import group_files
from tuner.local.execution.cpu.choose import choose_control
from tuner.local.execution.runtime import runtime_api
from tuner.local.execution.runtime.process import SupervisorLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_exec.conftest import Bench

CODE = """
import os, socket
def run(event, context):
    with socket.create_connection(("127.0.0.1", event["port"])) as witness:
        witness.sendall(b"%d" % os.getpid())
    if event.get("dies"):
        os._exit(3)
    return os.getpid()
"""


class Witness:
    """Hears of every event that a handler was given."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.port = listener.getsockname()[1]

    def seen(self) -> list[int]:
        """The processes that had one since the last look."""
        pids = []
        self._listener.settimeout(0.1)
        while True:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                return pids
            with connection:
                pids.append(int(connection.makefile().read()))


@pytest.fixture
def witness() -> Iterator[Witness]:
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield Witness(listener)


@pytest.fixture
def code_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "main.py").write_text(CODE)
    return folder


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def kill_at_rest(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    for group in (path for top in choose_control().group_dirs for path in top.glob("tuner-run-*")):
        if pid in group_files.members(str(group)):
            group_files.thaw(str(group))
    assert eventually(lambda: not is_alive(pid))


def durations_of(log: str) -> list[float]:
    return [float(text) for text in re.findall(r"Duration: (\S+) ms", log)]


def starts_of(log: str) -> int:
    return len(re.findall(r"^START RequestId", log, re.MULTILINE))


def test_a_death_that_is_noticed_late_fails_no_call(
    bench: Bench, code_dir: Path, witness: Witness
) -> None:
    """A runtime killed at rest, whose supervisor has yet to tell, is replaced within the call."""
    event = {"port": witness.port}
    pid = bench.call("main.run", event, code_dir=code_dir).value
    assert witness.seen() == [pid]
    supervisor = parent_of(pid)
    os.kill(supervisor, signal.SIGSTOP)
    kill_at_rest(pid)
    release = threading.Timer(0.3, os.kill, (supervisor, signal.SIGCONT))
    release.start()
    again = bench.call("main.run", event, code_dir=code_dir)
    release.join()
    assert again.function_error is None
    assert witness.seen() == [again.value] != [pid]
    assert starts_of(again.log) == 1
    assert again.report.init_duration_ms is None
    assert again.report.duration_ms > 20  # it holds the init


@pytest.mark.parametrize("exit_is_before", [True, False])
def test_only_what_died_before_its_event_is_given_it_again(
    any_bench: Bench,
    code_dir: Path,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
    exit_is_before: bool,
) -> None:
    """An exit stamped before the event went out starts the runtime anew, once; another never."""
    event = {"port": witness.port}
    pid = any_bench.call("main.run", event, code_dir=code_dir).value
    assert witness.seen() == [pid]
    if exit_is_before:
        stamp_exits(monkeypatch, time.monotonic_ns())
    call = any_bench.call("main.run", event | {"dies": 1}, code_dir=code_dir)
    assert call.value["errorType"] == "Runtime.ExitError"
    seen = witness.seen()
    assert seen[0] == pid
    assert len(seen) == (2 if exit_is_before else 1)
    assert starts_of(call.log) == 1
    assert min(durations_of(call.log)) > 0


def stamp_exits(monkeypatch: pytest.MonkeyPatch, at_ns: int) -> None:
    """Have every supervisor say that its runtime ended at this time."""
    said = SupervisorLink.receive

    def receive(link: SupervisorLink) -> list[str] | None:
        lines = said(link)
        return lines and [re.sub(r"^(exit \S+) \d+$", rf"\1 {at_ns}", line) for line in lines]

    monkeypatch.setattr(SupervisorLink, "receive", receive)


def test_no_init_takes_less_than_no_time(any_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a runtime ends in its init, before it began by its stamp, no line is negative."""
    stamp_exits(monkeypatch, 1)
    call = any_bench.call("broken_start.handler")
    assert call.value["errorType"] == "Runtime.ExitError"
    times = durations_of(call.log)
    assert len(times) == 4  # two INIT_REPORTs, Duration and Billed Duration
    assert min(times) > 0


def test_a_wall_clock_that_is_set_makes_no_time_negative(
    any_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the wall clock, which the kernel stamps with, is set forward, no duration is below 0."""
    clocks = runtime_api._both_clocks_ns

    def set_forward() -> tuple[int, int]:
        monotonic_ns, real_ns = clocks()
        return monotonic_ns, real_ns + 990_000_000

    monkeypatch.setattr(runtime_api, "_both_clocks_ns", set_forward)
    for _ in range(2):
        call = any_bench.call("echo")
        assert call.function_error is None
        assert min(durations_of(call.log)) > 0
