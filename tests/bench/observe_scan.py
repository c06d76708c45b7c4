"""A scan of 5,000 functions, at an endpoint with AWS's page sizes and limits: pace, memory, resume.

The command runs as a shell runs it, against an account in a process of its own. The endpoint's
address is no loopback one (0.0.0.0 leads to this machine as well), so that the pace is the one that
AWS would see. The scan is killed once, some way into its queries, and goes on. About eight minutes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.aws.known_functions import REGION, large_account

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT: Final = int(os.environ.get("TUNER_BENCH_FUNCTIONS", "5000"))
MOST_MB: Final = 1000
MOST_A_SECOND: Final = 10
KILL_AFTER_QUERIES: Final = 10
Row = tuple[str, str, str, bool]


def rows() -> Iterator[Row]:
    """Pace, memory, and what going on after a kill asked again."""
    with _account() as url, tempfile.TemporaryDirectory() as folder:
        first = _start(url, Path(folder), "first")
        while _stats(url)["calls"].get("StartQuery", 0) < min(KILL_AFTER_QUERIES, COUNT // 100):
            assert first.poll() is None, Path(folder, "first.err").read_text()
            time.sleep(0.2)
        first.send_signal(signal.SIGKILL)
        first.wait()
        started_at = time.monotonic()
        second = _start(url, Path(folder), "second")
        _, status, usage = os.wait4(second.pid, 0)
        took_s = time.monotonic() - started_at
        assert status == 0, Path(folder, "second.err").read_text()
        answer = json.loads(Path(folder, "second.out").read_text())
        stats = _stats(url)
    calls = stats["calls"]
    truth = large_account(COUNT)
    groups = sum(each.daily_count > 0 for each in truth)
    queries, pages = -(-groups // 50), -(-COUNT // 50)
    most = stats["most_a_second"]
    again = calls["StartQuery"] - queries, calls["ListFunctions"] - pages
    found = len(answer["functions"])
    yield (
        f"scan of {COUNT:,} functions: calls a second, most",
        f"under {MOST_A_SECOND}",
        f"{most}; {stats['call_count']:,} calls, {sum(stats['refused'].values())} throttled",
        most < MOST_A_SECOND,
    )
    peak_mb = usage.ru_maxrss / 1024
    yield ("its memory", f"under {MOST_MB} MB", f"{peak_mb:.0f} MB", peak_mb < MOST_MB)
    yield (
        "killed at its queries and run again: asked twice",
        "nothing but what was on its way",
        f"{again[0]} queries, {again[1]} pages of functions; {found:,} functions, {took_s:.0f} s",
        again == (0, 0) and found == COUNT,
    )


def _start(url: str, folder: Path, name: str) -> subprocess.Popen[bytes]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "AWS_ENDPOINT_URL": url.replace("127.0.0.1", "0.0.0.0"),
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TUNER_STATE_DIR": str(folder / "state"),
        "NO_PROXY": "*",
    }
    command = [sys.executable, "-m", "tuner", "scan", "--regions", REGION, "--json", "--yes"]
    with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.err").open("wb") as err:
        return subprocess.Popen(command, env=environment, stdout=out, stderr=err)


@contextmanager
def _account() -> Iterator[str]:
    """Serve the account; it ends when its standard input does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.aws.scripted_account", str(COUNT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()


def _stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/stats") as answer:
        found: dict[str, Any] = json.load(answer)
        return found
