"""Sweeps that end early: stopped, denied, or with a full disk. The function is given back."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import SIZES, Events, ServedFunction, Watched, serve
from tuner.errors import AccessDeniedError, LeftChangedError, SweepFileError
from tuner.lease.journal import find_unfinished
from tuner.model.finding import Finding
from tuner.model.invocation import Outcome
from tuner.model.progress import InvocationFinished, VersionDeleted, VersionPublished
from tuner.sweep.file import read_sweep
from tuner.sweep.io import StopSignal

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.invocation import InvokeReply


def test_a_denied_invocation_ends_the_sweep_and_gives_back(tmp_path: Path) -> None:
    """Nothing that follows could succeed: the error goes up, nothing is left."""

    class Denied:
        def invoke(self, *_arguments: Any, **_options: Any) -> InvokeReply:
            raise AccessDeniedError("lambda:InvokeFunction is not allowed")

    with serve(tmp_path) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=SIZES)
        with pytest.raises(AccessDeniedError):
            served.run(plan, gateway=Denied())
        assert served.snapshot() == before
    assert read_sweep(served.file(plan)).end == "failed"


def test_a_full_disk_ends_the_sweep_and_gives_back(
    served: ServedFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured is answered from, no more is invoked; the function is as before."""
    before = served.snapshot()
    plan = served.plan(memory_sizes_mb=SIZES)
    write, lines = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"invocation"'):
            lines.append(data)
            if len(lines) == 4:
                write(descriptor, data[:30])
                raise OSError(28, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    sweep = served.run(plan)
    monkeypatch.undo()
    assert served.snapshot() == before
    assert len(sweep.invocations) >= 4
    assert sweep.end == "failed"
    [finding] = sweep.findings
    assert finding.code == "not_saved"
    assert "can't be written (No space left on device)" in finding.message
    saved = read_sweep(served.file(plan))
    assert (len(saved.invocations), saved.end) == (3, None)


def test_a_disk_that_is_full_before_the_first_invocation_ends_it_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is measured yet, so nothing is invoked whose result could not be kept."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if data.startswith(b'{"record":"finding"'):
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    with serve(tmp_path) as served:
        watched = Watched(served.gateway)
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SweepFileError, match="No space left"):
            served.run(gateway=watched, findings=[Finding("known_before", "info", "a host")])
    assert not any(each.startswith("invoke") for each in watched.log)


def test_a_sweep_that_cannot_give_back_keeps_what_it_measured(tmp_path: Path) -> None:
    """Exit code 4 goes up, and the file holds every invocation and the reason."""
    with serve(tmp_path) as served:

        class Sticky:
            def __getattr__(self, name: str) -> Any:
                return getattr(served.gateway, name)

            def delete_version(self, _function: str, _version: str) -> None:
                raise AccessDeniedError("lambda:DeleteFunction is not allowed")

        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=1)
        with pytest.raises(LeftChangedError, match="tuner recover"):
            served.run(plan, gateway=Sticky())
        saved = read_sweep(served.file(plan))
        assert len(saved.invocations) == 6
        assert [finding.code for finding in saved.findings] == ["left_changed"]
        assert len(find_unfinished(served.folder)) == 1


def test_a_stop_while_invoking_gives_back_and_reports_what_there_is(tmp_path: Path) -> None:
    """No call starts after the request; those in flight are waited for."""
    stop = StopSignal()
    events = Events()

    def take(event: Any) -> None:
        events(event)
        if isinstance(event, InvocationFinished) and event.finished_count == 5:
            stop.request()

    with serve(tmp_path, ScriptedExecutor(10.0)) as served:
        before = served.snapshot()
        plan = served.plan(memory_sizes_mb=SIZES, repetition_count=20, concurrency=3)
        sweep = served.run(plan, on_progress=take, stop=stop)
        assert served.snapshot() == before
    assert sweep.end == "interrupted"
    assert 5 <= len(sweep.invocations) <= 7
    assert all(one.outcome is Outcome.SUCCESS for one in sweep.invocations)
    assert read_sweep(served.file(plan)).end == "interrupted"
    assert len(events.of(VersionDeleted)) == 3


MANY = (128, 256, 512, 768, 1024, 1769)
"""More than the calls in a row that count as an unreachable function unless they are abandoned."""


def test_a_second_stop_abandons_what_is_in_flight(tmp_path: Path) -> None:
    """Calls that hang are left behind at once and count as spent; the function is given back."""
    stop, release, started = StopSignal(), threading.Event(), threading.Semaphore(0)

    def hang(_seconds: float) -> None:
        started.release()
        release.wait(30)

    def press() -> None:
        for _ in MANY:
            started.acquire(timeout=30)
        stop.request()
        stop.request()

    with serve(tmp_path, ScriptedExecutor(10.0, sleep=hang)) as served:
        before = served.snapshot()
        pressing = threading.Thread(target=press)
        pressing.start()
        sweep = served.run(served.plan(memory_sizes_mb=MANY), stop=stop)
        pressing.join()
        assert served.snapshot() == before
        release.set()
    assert sweep.end == "interrupted"
    assert [one.outcome for one in sweep.invocations] == [Outcome.LOST_REPLY] * len(MANY)
    assert "unreachable" not in {each.code for each in sweep.findings}
    assert sweep.cost_usd > 0


def test_a_stop_while_publishing_ends_before_the_first_invocation(served: ServedFunction) -> None:
    """The window is shut, what it published is deleted, the sweep is empty."""
    before, stop = served.snapshot(), StopSignal()

    def take(event: Any) -> None:
        if isinstance(event, VersionPublished):
            stop.request()

    sweep = served.run(stop=stop, on_progress=take)
    assert (sweep.end, sweep.invocations) == ("interrupted", ())
    assert served.snapshot() == before


def test_a_ctrl_c_without_handlers_gives_back_as_well(served: ServedFunction) -> None:
    """In a notebook nobody installs handlers: KeyboardInterrupt ends the sweep politely."""
    before = served.snapshot()

    def take(event: Any) -> None:
        if isinstance(event, InvocationFinished) and event.finished_count == 2:
            raise KeyboardInterrupt

    sweep = served.run(on_progress=take)
    assert sweep.end == "interrupted"
    assert 2 <= len(sweep.invocations) <= 5
    assert served.snapshot() == before
