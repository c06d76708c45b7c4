"""The endpoint tells whoever invokes what other processes had of its machine meanwhile."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.local_api.conftest import make_client
from tuner.aws import connect
from tuner.local import FunctionDefinition, LocalLambda
from tuner.local.machine_load import HostLoad, MachineClock, tree_cpu_s

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import time
def handler(event, context):
    end = time.process_time() + event["cpu_s"]
    while time.process_time() < end:
        pass
"""


def test_others_are_told_from_the_endpoint_s_own() -> None:
    """CPU time of the endpoint and its handlers is none of others'; steal is."""
    clocks = [
        MachineClock(0.0, 0.0, 0.0, 0.0),
        MachineClock(2.0, 1.5, 0.1, 0.0),
        MachineClock(2.1, 1.6, 0.1, 0.0),
        MachineClock(3.1, 1.6, 0.1, 0.0),
    ]
    own = iter([0.0, 0.4, 0.4, 0.4])
    load = HostLoad(lambda: clocks.pop(0), lambda: next(own))
    load.begin()
    assert load.end() == pytest.approx((1.5 + 0.1 - 0.4) / 2.0)
    load.begin()
    assert load.end() == 0.0


def test_where_nothing_can_be_read_nothing_is_told() -> None:
    """Without /proc/stat, as on macOS, there is no figure."""
    load = HostLoad(lambda: None, lambda: 0.0)
    load.begin()
    assert load.end() is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells a process's CPU time")
def test_a_tree_s_time_counts_its_children() -> None:
    """A child's CPU time counts while it runs."""
    spin = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ntime.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert tree_cpu_s(child.pid) >= 0.28
        child.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/stat tells the machine's time")
def test_every_caller_is_told(tmp_path: Path) -> None:
    """A reply says it in a header, which the gateway reads."""
    (tmp_path / "app.py").write_text(SOURCE)
    function = FunctionDefinition("busy", tmp_path, "app.handler", "python3.11", memory_mb=1024)
    with (
        LocalLambda([function], emulated_services=False) as server,
        closing(make_client(server)) as client,
        connect(region="us-east-1", profile=None, endpoint_url=server.endpoint_url) as gateway,
    ):
        for _ in range(3):
            reply = client.invoke(FunctionName="busy", Payload=b'{"cpu_s": 0.3}')
        headers = reply["ResponseMetadata"]["HTTPHeaders"]
        assert 0 <= float(headers["x-tuner-host-load"]) <= 1
        assert 0 < float(headers["x-tuner-host-loop-ms"]) < 1000
        told = gateway.invoke(
            gateway.resolve("busy").target, "$LATEST", b'{"cpu_s": 0.1}', timeout_s=5
        )
        assert told.host_load_ratio is not None
        assert told.host_loop_ms is not None
        assert told.host_loop_ms > 0
