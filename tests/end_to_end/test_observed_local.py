"""`tuner observe` on the log of the local Lambda: real REPORT lines whose truth is known."""

from __future__ import annotations

import base64
import io
import json
import sys
import time
import zipfile
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
import pytest

from tests.cli.running import run_here
from tests.local_api.conftest import CREDENTIALS
from tests.local_api.test_child_process import write
from tuner.local.child_process import start_local_lambda

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE: Final = """
import time

def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    kept = b"x" * (event.get("mb", 0) << 20)
    time.sleep(event.get("s", 0))
    return len(kept)
"""
FUNCTION: Final = """  {name}:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: {name}
      CodeUri: code/
      Handler: app.handler
      Runtime: python3.11
      MemorySize: 512
      Timeout: 5
      LoggingConfig: {{LogFormat: {format}}}
"""
HEAD: Final = "Transform: AWS::Serverless-2016-10-31\nResources:\n"
SUCCESS, FAILURE, TIMEOUT, KILL = {}, {"fail": True}, {"s": 9}, {"mb": 1500}
CALLS: Final = (
    (512, (SUCCESS, SUCCESS, FAILURE, SUCCESS, TIMEOUT, SUCCESS, KILL, SUCCESS)),
    (1024, (SUCCESS, SUCCESS, SUCCESS, KILL, FAILURE, SUCCESS)),
)
COUNT: Final = sum(len(events) for _, events in CALLS)


class Truth(NamedTuple):
    """What the replies of one function said, and its log as the CLI prints it."""

    reports: list[dict[str, float]]
    log: dict[str, Any]


@pytest.fixture(scope="module")
def truths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Truth]]:
    """Both log formats, at two sizes, with errors, timeouts and kills."""
    formats = {"texts": "Text", "records": "JSON"}
    template = HEAD + "".join(FUNCTION.format(name=n, format=f) for n, f in formats.items())
    path = write(tmp_path_factory.mktemp("observed"), SOURCE, template)
    with start_local_lambda(path, python=sys.executable, region="us-east-1") as served:
        keys = {**CREDENTIALS, "aws_access_key_id": served.status.access_key_id}
        place = {"endpoint_url": served.endpoint_url, "region_name": "us-east-1", **keys}
        client, logs = (boto3.client(name, **place) for name in ("lambda", "logs"))
        yield {name: _called(client, logs, name) for name in formats}
        client.close()
        logs.close()


def _called(client: Any, logs: Any, name: str) -> Truth:
    reports = []
    for memory_mb, events in CALLS:
        client.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
        for event in events:
            reply = client.invoke(
                FunctionName=name, Payload=json.dumps(event).encode(), LogType="Tail"
            )
            reply["Payload"].read()
            reports.append(_numbers(base64.b64decode(reply["LogResult"]).decode()))
    end_s = time.monotonic() + 60
    log: dict[str, Any] = {"events": []}
    while _report_count(log) < COUNT and time.monotonic() < end_s:
        log = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")
        del log["ResponseMetadata"]
    return Truth(reports, log)


def _report_count(log: dict[str, Any]) -> int:
    lines = [each["message"] for each in log["events"]]
    return sum(each.startswith("REPORT ") or '"platform.report"' in each for each in lines)


def _numbers(tail: str) -> dict[str, float]:
    """A report by a reading of its own: no other code reads both."""
    last = next(line for line in reversed(tail.splitlines()) if line.strip())
    if last.startswith("{"):
        metrics = json.loads(last)["record"]["metrics"]
        names = ("durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB")
        found = [metrics[name] for name in names]
    else:
        fields = dict(each.split(": ", 1) for each in last.split("\t") if ": " in each)
        names = ("Duration", "Billed Duration", "Memory Size", "Max Memory Used")
        found = [float(fields[name].split()[0]) for name in names]
    return dict(zip(("duration", "billed", "memory", "used"), found, strict=True))


def _archive(folder: Path, form: str, truth: Truth, name: str) -> Path:
    """The log as one of the forms that people have."""
    events = sorted(truth.log["events"], key=lambda each: int(each["timestamp"]))
    if form == "CLI":
        path = folder / "log.json"
        path.write_text(json.dumps(truth.log, indent=2, default=str))
    elif form == "lines":
        path = folder / "log.txt"
        path.write_text("".join(f"{each['message'].rstrip()}\n" for each in events))
    else:
        streams: defaultdict[str, list[str]] = defaultdict(list)
        for each in events:
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(each["timestamp"] / 1000))
            stamp = f"{at}.{each['timestamp'] % 1000:03d}Z"
            streams[each["logStreamName"]].append(f"{stamp} {each['message'].rstrip()}\n")
        path = folder / "log.zip"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for stream, lines in streams.items():
                archive.writestr(f"{name}/{stream.replace('/', '-')}/000000.log", "".join(lines))
        path.write_bytes(packed.getvalue())
    return path


@pytest.mark.slow
@pytest.mark.parametrize("form", ["CLI", "lines", "ZIP"])
@pytest.mark.parametrize("name", ["texts", "records"])
def test_the_local_lambda_s_log_is_observed_as_it_was(
    truths: dict[str, Truth], tmp_path: Path, name: str, form: str
) -> None:
    """Counts, sizes, kills, timeouts, memory and billed GB-seconds are those of the replies."""
    truth = truths[name]
    logs = _archive(tmp_path, form, truth, name)
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    ran = run_here("observe", name, "--logs", str(logs), "--json", **state)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    events = [event for _, each in CALLS for event in each]
    counts = [found[f"{kind}_count"] for kind in ("invocation", "error", "timeout", "oom")]
    assert counts == [COUNT, events.count(FAILURE), events.count(TIMEOUT), events.count(KILL)]
    assert found["unreadable_line_count"] == found["left_out_count"] == 0
    reports = truth.reports
    by_size = Counter(each["memory"] for each in reports)
    assert {r["memory_mb"]: r["invocation_count"] for r in found["by_memory"]} == by_size
    billed = sum(each["memory"] * each["billed"] for each in reports) / 1_024_000
    assert found["billed_gb_seconds"] == pytest.approx(billed, rel=1e-12)
    assert found["max_memory_used_mb"]["max"] == max(each["used"] for each in reports)
    succeeded = [r["duration"] for r, e in zip(reports, events, strict=True) if e == SUCCESS]
    mean = sum(succeeded) / len(succeeded)
    assert found["duration_ms"]["mean"] == pytest.approx(mean, rel=1e-9)
    assert found["function"]["memory_mb"] == CALLS[-1][0]
