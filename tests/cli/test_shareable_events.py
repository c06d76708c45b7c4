"""Shareable test events on the command line, against a scripted endpoint."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Received, Reply, WireServer, refusal
from tests.cli.running import one_line, run_here
from tests.session.asking import planned
from tuner.aws.gateway import LambdaGateway
from tuner.aws.session import open_session
from tuner.payloads import load_payloads
from tuner.session import OpenTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

EVENTS = {"small": {"size": 1}, "large": {"size": 9, "token": "hunter2"}}
FUNCTION = {
    "FunctionName": "resize",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:resize",
    "Runtime": "python3.13",
    "Timeout": 3,
    "MemorySize": 512,
    "CodeSha256": "c29tZSBjb2Rl",
    "Version": "$LATEST",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
}


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


def answers(events: dict[str, Any] | None, batch_sizes: tuple[int, ...] = ()) -> Any:
    """The function, its events and its event sources; everything else is not there."""

    def answer(asked: Received) -> Reply:
        if asked.path.startswith("/v1/registries/") and events is not None:
            examples = {name: {"value": value} for name, value in events.items()}
            content = json.dumps({"components": {"examples": examples}})
            return Reply(200, {"Content": content, "Type": "OpenApi3"})
        if asked.path.startswith("/2015-03-31/event-source-mappings") and batch_sizes:
            mappings = [{"UUID": str(size), "BatchSize": size} for size in batch_sizes]
            return Reply(200, {"EventSourceMappings": mappings})
        if asked.path == "/2015-03-31/functions/resize":
            return Reply(200, {"Configuration": FUNCTION})
        if asked.path.startswith("/v1/registries/"):
            return refusal(404, "NotFoundException")
        return refusal(404, "ResourceNotFoundException")

    return answer


def ran(wire: WireServer, events: dict[str, Any] | None, *arguments: str) -> CompletedProcess[str]:
    wire.answer = answers(events)
    return run_here(*arguments, "--endpoint-url", wire.url)


def tuned(wire: WireServer, tmp_path: Path, events: Any, *more: str) -> CompletedProcess[str]:
    where = ("--isolation", "version", "--dry-run", "--json", "--out", str(tmp_path / "s.jsonl"))
    return ran(wire, events, "tune", "resize", *where, *more)


def test_events_are_listed_and_written(wire: WireServer, tmp_path: Path) -> None:
    """Names and sizes, never contents; with --out a folder that --payload takes."""
    listed = ran(wire, EVENTS, "payload", "events", "resize")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["large", "small"]
    assert "hunter2" not in listed.stdout
    out = tmp_path / "recorded"
    written = ran(wire, EVENTS, "payload", "events", "resize", "--out", str(out), "--json")
    assert json.loads(written.stdout)["events"][1] == {"name": "small", "size_bytes": 10}
    assert json.loads((out / "small.json").read_text()) == EVENTS["small"]
    assert "no shareable test events" in one_line(ran(wire, None, "payload", "events", "resize"))


def test_a_sweep_sends_each_event_as_a_class(wire: WireServer, tmp_path: Path) -> None:
    """All of them, or one by its name."""
    plan = json.loads(tuned(wire, tmp_path, EVENTS, "--payload", "test-events").stdout)["plan"]
    assert [each["name"] for each in plan["payloads"]] == ["large", "small"]
    one = tuned(wire, tmp_path, EVENTS, "--payload", "test-events:small")
    assert [each["name"] for each in json.loads(one.stdout)["plan"]["payloads"]] == ["small"]
    wrong = tuned(wire, tmp_path, EVENTS, "--payload", "test-events:smal")
    assert re.search("'smal'.* large, small", wrong.stderr)
    none = tuned(wire, tmp_path, None, "--payload", "test-events")
    assert "has no shareable test events" in none.stderr


def test_events_are_offered_where_no_payload_is_named(wire: WireServer, tmp_path: Path) -> None:
    """One line; without a terminal nothing is asked and {} is sent."""
    offered = tuned(wire, tmp_path, EVENTS)
    assert "has shareable test events (large, small)" in offered.stderr
    assert "--payload test-events sends them" in offered.stderr
    assert [p["name"] for p in json.loads(offered.stdout)["plan"]["payloads"]] == ["empty"]
    assert "shareable" not in tuned(wire, tmp_path, None).stderr
    assert "shareable" not in tuned(wire, tmp_path, EVENTS, "--payload", "{}").stderr


def test_events_need_a_function() -> None:
    """The payload commands without one say which command has them."""
    said = one_line(run_here("payload", "show", "test-events"))
    assert "`tuner payload events`" in said


@pytest.mark.parametrize(
    ("batch_sizes", "current", "says"),
    [
        ((10,), "10", None),
        ((), "1", None),
        ((7,), "1", "batches of 7,.* with 1\\b.*vary"),
        ((5, 10), "1", "batches of 5 and 10,.* with 1\\b"),
    ],
)
def test_a_varied_batch_size_is_compared_with_that_of_the_event_source(
    wire: WireServer,
    tmp_path: Path,
    batch_sizes: tuple[int, ...],
    current: str,
    says: str | None,
) -> None:
    """What is in use is what the event source mapping says, whatever the payload set says."""
    session = open_session(region="us-east-1", profile=None, endpoint_url=wire.url)
    wire.answer = answers(None, batch_sizes)
    with LambdaGateway(session) as gateway:
        prepared = planned(
            OpenTarget(gateway, tmp_path),
            "resize",
            payloads=load_payloads(["sqs"], vary="batch_size=1,5,10"),
            isolation="version",
            out=tmp_path / "sweep.jsonl",
        )
    assert prepared.plan.varied is not None
    assert prepared.plan.varied.current == current
    found = [f.message for f in prepared.findings if f.code == "other_batch_size_compared"]
    assert len(found) == (says is not None)
    assert all(re.search(says, message) for message in found if says)
