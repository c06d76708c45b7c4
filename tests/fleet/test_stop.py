"""A stop in the middle of sweeps: within seconds, nothing left, and every change in the log."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.fleet.test_control_calls import NAMES, on_connect, planned
from tests.scripted_executor import ScriptedExecutor
from tuner.api.fleet import run_folder
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

READING = ("Get", "List")


def test_a_stop_waits_for_no_long_invocation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With invocations that would take a quarter of an hour, what `tuner fleet stop` writes ends
    the run within seconds; every function is as before, and the audit log has each changing call
    that was sent.
    """
    sent: Counter[str] = Counter()
    began, end = threading.Event(), threading.Event()

    def hang(_: float) -> None:
        began.set()
        end.wait(900)

    def counting(client: Any) -> None:
        def count(event_name: str = "", **_: Any) -> None:
            sent[event_name.rpartition(".")[2]] += 1

        client.meta.events.register("before-send", count)

    monkeypatch.setattr("tuner.sweep.loop.STOP_GRACE_S", 0.5)
    on_connect(monkeypatch, counting)
    functions = [FunctionDefinition(name, memory_mb=3008, timeout_s=900) for name in NAMES]
    with LocalLambda(
        functions, executor=ScriptedExecutor(500.0, sleep=hang), emulated_services=False,
        update_s=0.0,
    ) as server:  # fmt: skip
        folder = planned(server, tmp_path)

        def ask() -> None:
            began.wait(60)
            asked_at.append(time.monotonic())
            folder.ask_to_stop()

        asked_at: list[float] = []
        asking = threading.Thread(target=ask)
        asking.start()
        status = run_folder(folder, state_dir=tmp_path / "state", concurrency=2)
        took_s = time.monotonic() - asked_at[0]
        asking.join()
        end.set()
    assert took_s < 10
    assert (status.state, status.lease_count, status.count("pending")) == ("stopped", 0, 4)
    assert not list((tmp_path / "state" / "journals").glob("*.jsonl"))
    lines = map(json.loads, (folder.path / "audit.jsonl").read_text().splitlines())
    logged = Counter(each["operation"] for each in lines if each["action"] == "call")
    changing = {name: n for name, n in sent.items() if not name.startswith(READING)}
    assert logged == changing
    assert {"PublishVersion", "DeleteFunction", "UpdateFunctionConfiguration"} <= logged.keys()
