"""Each runaway on the local Lambda, found from its log; `pytest -s -m slow` shows the answers."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.cli.running import run_here
from tests.local_api.test_child_process import write
from tests.watch.staging import NAMES, SOURCE, TEMPLATE, Place, history, in_threads, write_log
from tuner.local.child_process import start_local_lambda

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
PASSES: Final = 1100
FAILURES: Final = 130
STORM_S: Final = 300.0
STUCK_S: Final = 420.0


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By function: its log, behind eight quiet days that are made where a pattern is needed."""
    folder = tmp_path_factory.mktemp("staged")
    template = write(folder, SOURCE, TEMPLATE)
    began_ms = time.time_ns() // 1_000_000 - 120_000
    with start_local_lambda(template, python=sys.executable, region="us-east-1") as served:
        places = {name: Place.at(served) for name in NAMES}
        in_threads(*(lambda name=name: STAGES[name](places[name]) for name in NAMES))
        time.sleep(2)  # the last lines are on their way
        found = {name: place.events(name) for name, place in places.items()}
    found["call"] += history(8, began_ms)
    found["handle"] += history(8, began_ms, dump=40)
    return {name: write_log(folder / f"{name}.log", events) for name, events in found.items()}


def recurse(place: Place) -> None:
    place.functions.put_function_recursion_config(FunctionName="recurse", RecursiveLoop="Allow")
    url = place.queue("recurse")
    place.sqs.send_message(QueueUrl=url, MessageBody="begin")
    end = time.monotonic() + 600
    passes = iter(range(PASSES))
    place.poll("recurse", url, lambda: next(passes, None) is None or time.monotonic() > end)


def bounded(place: Place) -> None:
    url = place.queue("bounded")
    for _ in range(10):
        place.sqs.send_message(QueueUrl=url, MessageBody="1")
    end = time.monotonic() + 60
    place.poll("bounded", url, lambda: time.monotonic() > end)


def consume(place: Place) -> None:
    url = place.queue("consume", visibility_s=1)
    place.sqs.send_message(QueueUrl=url, MessageBody="{not JSON")
    good = 0
    end = time.monotonic() + FAILURES * 1.3 + 20

    def goes_on() -> bool:
        nonlocal good
        good += 1
        if good % 40 == 0:  # others are read meanwhile
            place.sqs.send_message(QueueUrl=url, MessageBody="{}")
        return time.monotonic() > end

    place.poll("consume", url, goes_on)


def call(place: Place) -> None:
    end = time.monotonic() + STORM_S
    while time.monotonic() < end:
        place.functions.invoke(FunctionName="call", InvocationType="Event", Payload=b"{}")
        time.sleep(1)


def handle(place: Place) -> None:
    url = place.queue("handle", visibility_s=2)
    for _ in range(20):
        place.sqs.send_message(QueueUrl=url, MessageBody="{}")
    end = time.monotonic() + STUCK_S
    place.poll("handle", url, lambda: time.monotonic() > end)


STAGES: Final = {
    "recurse": recurse, "bounded": bounded, "consume": consume, "call": call, "handle": handle,
}  # fmt: skip


def watched(name: str, log: Path) -> dict[str, Any]:
    """The answer; what is printed is shown."""
    words = ("watch", name, "--logs", str(log))
    state = {"TUNER_STATE_DIR": str(log.parent / "state"), "COLUMNS": "100"}
    print(f"\n$ tuner watch {name} --logs {log.name}\n{run_here(*words, **state).stdout}")
    ran = run_here(*words, "--json", **state)
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("recurse", "recursion"),
        ("consume", "poison_message"),
        ("call", "retry_storm"),
        ("handle", "queue_not_draining"),
    ],
)
def test_a_staged_runaway_is_found_from_its_log(
    logs: dict[str, Path], name: str, code: str
) -> None:
    """By its name, as going on, with its price and nothing else beside it."""
    found = watched(name, logs[name])["findings"]
    [alarm] = [each for each in found if each["severity"] != "info"]
    assert (alarm["code"], alarm["until"]) == (code, None)
    assert alarm["usd_per_hour"] > 0


def test_recursion_that_ends_is_none(logs: dict[str, Path]) -> None:
    """Ten chains of twelve pages each, through the same kind of queue."""
    assert watched("bounded", logs["bounded"])["findings"] == []
