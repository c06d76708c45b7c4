"""A fleet's control calls at the wire: how fast they go, and how many it takes to give back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse

from tests.scripted_executor import ScriptedExecutor
from tuner.api import fleet as api
from tuner.api.fleet import FleetRequest, plan_fleet, run_folder
from tuner.aws.control_plane import LEAST_INTERVAL_S, RateLimiter
from tuner.fleet.loop import MOST_LEASES
from tuner.fleet.queue import FleetQueue
from tuner.local import FunctionDefinition, LocalLambda
from tuner.sweep.io import Clock, StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.fleet.folder import FleetFolder

NAMES = [f"f{number}" for number in range(4)]
CALLS_OF_A_MINUTE = 60 / LEAST_INTERVAL_S


@pytest.fixture
def server() -> Iterator[LocalLambda]:
    executor = ScriptedExecutor(
        lambda memory_mb: 5 + 100 * 1769 / min(memory_mb, 1769),
        init_duration_ms=150.0,
        time_scale=0,
    )
    functions = [FunctionDefinition(name, memory_mb=3008) for name in NAMES]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        local.executor = executor  # type: ignore[attr-defined]
        yield local


def planned(server: LocalLambda, folder: Path) -> FleetFolder:
    names = folder / "names.txt"
    names.write_text("\n".join(NAMES))
    request = FleetRequest(
        5.0, folder / "fleet", functions=names, payloads=("{}",),
        endpoint_url=server.endpoint_url, region=server.region,
    )  # fmt: skip
    return plan_fleet(request, now=Clock().now(), working_dir=folder)[0]


def on_connect(monkeypatch: pytest.MonkeyPatch, told: Callable[[Any], None]) -> None:
    """Tell of the client that sends a place's control calls."""
    connect = api._connect

    def connected(*given: Any) -> Any:
        gateway = connect(*given)
        told(gateway._control.client)
        return gateway

    monkeypatch.setattr(api, "_connect", connected)


@dataclass
class Turns:
    """A clock that only waiting moves on: a thread's next request is at the end of its wait."""

    now_s: float = 0.0
    _own: threading.local = field(default_factory=threading.local)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clock(self) -> float:
        with self._lock:
            self._own.at_s = self.now_s
        return float(self._own.at_s)

    def sleep(self, seconds: float) -> None:
        self._own.at_s += seconds
        with self._lock:
            self.now_s = max(self.now_s, self._own.at_s)

    @property
    def own_s(self) -> float:
        return float(self._own.at_s)


@dataclass
class Account:
    """Throttles as AWS does: 15 control calls a second, GetFunction apart."""

    turns: Turns
    sent: deque[float] = field(default_factory=deque)
    throttled_count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before_send(self, event_name: str = "", **_: Any) -> AWSResponse | None:
        if event_name.endswith(".GetFunction"):
            return None
        now_s = self.turns.own_s
        with self._lock:
            if sum(now_s - 1 < at <= now_s for at in self.sent) < 15:
                self.sent.append(now_s)
                return None
            self.throttled_count += 1
        return AWSResponse(
            "", 429, {"x-amzn-ErrorType": "TooManyRequestsException", "retry-after": "0"}, _Body()
        )


class _Body:
    def stream(self) -> Iterator[bytes]:
        yield b'{"Reason": "CallerRateLimitExceeded", "message": "Rate exceeded"}'


@pytest.mark.slow
def test_control_calls_of_sweeps_at_once_meet_no_throttle(
    server: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four sweeps at once share one limit of their account and region: where no time passes but
    by waiting for it, an account that allows 15 calls a second throttles none.
    """
    turns = Turns()
    account = Account(turns)

    def limited(client: Any) -> None:
        RateLimiter(clock=turns.clock, sleep=turns.sleep).attach(client)
        client.meta.events.register("before-send", account.before_send)

    on_connect(monkeypatch, limited)
    status = run_folder(planned(server, tmp_path), state_dir=tmp_path / "state", concurrency=4)
    assert status.count("done") == 4
    assert account.throttled_count == 0
    times = sorted(account.sent)
    assert len(times) > 100
    assert max(sum(at <= each < at + 1 for each in times) for at in times) <= 10


def test_as_many_as_may_be_leased_are_given_back_within_a_minute(
    server: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped when all its versions are there, a function is given back by so few control calls
    that the most that a place may lease are all restored within a minute.
    """
    stop = StopSignal()
    calls: Counter[str] = Counter()

    def counting(client: Any) -> None:
        def count(event_name: str = "", **_: Any) -> None:
            if stop.is_requested and not event_name.endswith(".GetFunction"):
                calls[event_name.rpartition(".")[2]] += 1

        client.meta.events.register("before-send", count)

    on_connect(monkeypatch, counting)
    invoke = server.executor.invoke  # type: ignore[attr-defined]

    def stopping(*given: Any, **named: Any) -> Any:
        stop.request()
        return invoke(*given, **named)

    monkeypatch.setattr(server.executor, "invoke", stopping)  # type: ignore[attr-defined]
    status = run_folder(
        planned(server, tmp_path), state_dir=tmp_path / "state", concurrency=1, stop=stop
    )
    assert (status.lease_count, status.count("pending")) == (0, 4)
    assert calls["DeleteFunction"] >= 3
    versions = calls["DeleteFunction"]
    with_six = sum(calls.values()) + 2 * max(6 - versions, 0)  # each has one look at the aliases
    assert with_six * MOST_LEASES <= CALLS_OF_A_MINUTE


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_a_kill_left_is_restored_within_a_minute(
    server: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when all its versions are there, a function is put right by so few control calls that
    the most that a place may lease are all restored within a minute.
    """
    folder = planned(server, tmp_path)
    state = {**os.environ, "TUNER_STATE_DIR": str(tmp_path / "state")}
    run = [sys.executable, "-m", "tuner", "fleet", "run", str(folder.path), "--yes"]
    process = subprocess.Popen(
        [*run, "--concurrency", "1"],
        env=state,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not server.executor.invocations and process.poll() is None:  # type: ignore[attr-defined]
        time.sleep(0.005)
    process.kill()
    process.wait()
    calls: Counter[str] = Counter()

    def counting(client: Any) -> None:
        def count(event_name: str = "", **_: Any) -> None:
            if not event_name.endswith(".GetFunction"):
                calls[event_name.rpartition(".")[2]] += 1

        client.meta.events.register("before-send", count)

    on_connect(monkeypatch, counting)
    monkeypatch.setattr(FleetQueue, "claim", lambda *_, **__: None)
    status = run_folder(folder, state_dir=tmp_path / "state")
    assert status.lease_count == 0
    assert calls["DeleteFunction"] >= 1
    with_six = sum(calls.values()) + 2 * max(6 - calls["DeleteFunction"], 0)
    assert with_six * MOST_LEASES <= CALLS_OF_A_MINUTE
