"""A real process, killed or interrupted: the account is as before, or `recover` makes it so."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import COUNTED
from tests.scripted_executor import ScriptedExecutor
from tests.sweep.running import ServedFunction, serve
from tuner.lease.journal import find_unfinished
from tuner.lease.recover import plan_recovery, recover
from tuner.sweep.file import read_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SWEEP = """
import sys
from pathlib import Path
from tests.sweep.running import ServedFunction
from tuner.aws import connect
from tuner.sweep.io import StopSignal, stop_on_signals

url, folder, isolation = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
stop = StopSignal()
with connect(region="us-east-1", profile=None, endpoint_url=url) as gateway:
    served = ServedFunction(None, gateway, folder)
    plan = served.plan(
        memory_sizes_mb=(128, 256, 512, 1024),
        repetition_count=40,
        sweep_id="the-sweep",
        isolation=isolation,
    )
    with stop_on_signals(stop):
        sweep = served.run(plan, stop=stop)
sys.exit(130 if sweep.end == "interrupted" else 0)
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedFunction]:
    """Updates take a moment here, and invocations 10 ms."""
    with serve(tmp_path, ScriptedExecutor(10.0), update_s=0.05) as served:
        yield served


def records(served: ServedFunction) -> list[str]:
    """Kinds of the journal's records so far."""
    journal = served.folder / "journals" / "the-sweep.jsonl"
    if not journal.exists():
        return []
    return [line.split('"')[3] for line in journal.read_text().splitlines() if '"' in line]


def invoked(served: ServedFunction) -> bool:
    """Whether invocations are saved already."""
    file = served.folder / "the-sweep.jsonl"
    return file.exists() and file.read_bytes().count(b"\n") > 5


MOMENTS: dict[str, Callable[[ServedFunction], bool]] = {
    "publishing": lambda served: records(served).count("publish") >= 2,
    "invoking": invoked,
}


def command(served: ServedFunction, isolation: str = "version") -> list[str]:
    url = str(served.gateway.endpoint_url)
    return [sys.executable, "-c", SWEEP, url, str(served.folder), isolation]


def start_and_signal(served: ServedFunction, moment: str, number: signal.Signals) -> int:
    """Run a sweep in a process of its own and send it a signal at a moment."""
    process = subprocess.Popen(
        command(served),
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not MOMENTS[moment](served):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(number)
        return process.wait(60)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_ends_the_sweep_with_nothing_left(served: ServedFunction, moment: str) -> None:
    """SIGINT while publishing, SIGTERM while invoking: given back, and what was measured saved."""
    before = served.snapshot()
    number = signal.SIGINT if moment == "publishing" else signal.SIGTERM
    assert start_and_signal(served, moment, number) == 130
    assert served.snapshot() == before
    assert find_unfinished(served.folder) == ()
    sweep = read_sweep(served.folder / "the-sweep.jsonl")
    assert sweep.end == "interrupted"
    assert bool(sweep.invocations) == (moment == "invoking")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_sweep_is_recovered(served: ServedFunction, moment: str) -> None:
    """SIGKILL leaves $LATEST or versions behind; recovering puts everything back."""
    before = served.snapshot()
    assert start_and_signal(served, moment, signal.SIGKILL) == -signal.SIGKILL
    assert served.snapshot() != before
    [journal] = find_unfinished(served.folder)
    url = served.gateway.endpoint_url
    plan = plan_recovery(journal, served.gateway, endpoint_url=url)
    assert not plan.is_empty
    recover(
        plan,
        served.gateway,
        state_dir=served.folder,
        sleep=time.sleep,
        on_progress=lambda _event: None,
        endpoint_url=url,
    )
    assert served.snapshot() == before
    assert find_unfinished(served.folder) == ()


def account_of(served: ServedFunction) -> dict[str, Any]:
    """Everything in the account: the function's versions and tags, and all functions' names."""
    client: Any = served.gateway._control.client
    arn = served.gateway.read_function(served.function).arn
    return {
        "versions": served.snapshot(),
        "tags": client.list_tags(Resource=arn)["Tags"],
        "functions": [each["FunctionName"] for each in client.list_functions()["Functions"]],
    }


def kill_once(
    served: ServedFunction, number: signal.Signals, isolation: str, after_s: float
) -> bool:
    """Signal a sweep so long after it had begun, then recover as `tuner recover` does.

    Return whether there was something to recover.
    """
    before = account_of(served)
    process = subprocess.Popen(
        command(served, isolation), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not (served.folder / "locks").exists() and process.poll() is None:
            time.sleep(0.002)
        time.sleep(after_s)
        process.send_signal(number)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    case = f"{number.name} after {after_s:.3f} s, {isolation}, exit code {code}"
    if number is not signal.SIGKILL:
        assert account_of(served) == before, case
    url = served.gateway.endpoint_url
    unfinished = find_unfinished(served.folder)
    for journal in unfinished:
        recover(
            plan_recovery(journal, served.gateway, endpoint_url=url),
            served.gateway,
            state_dir=served.folder,
            sleep=time.sleep,
            on_progress=lambda _event: None,
            endpoint_url=url,
        )
    assert account_of(served) == before, case
    shutil.rmtree(served.folder / "locks", ignore_errors=True)
    return bool(unfinished)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(4))
def test_a_hundred_kills_at_random_moments_are_survived(
    served: ServedFunction, part: int, record_property: Callable[[str, Any], None]
) -> None:
    """SIGINT, SIGTERM and SIGKILL in turn, against both isolations, all from one seed."""
    rng = random.Random(20261123 + part)
    signals, recovered = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM), 0
    for number in range(25):
        signal_number, isolation = signals[number % 3], ("version", "clone")[number % 2]
        recovered += kill_once(served, signal_number, isolation, rng.uniform(0, 1.5))
    record_property(COUNTED, (f"kills of a real process, part {part + 1}", 25, recovered))
