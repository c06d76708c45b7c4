"""S3, SQS, DynamoDB, CloudWatch Logs, IAM and the rest: moto, in a process of its own.

It shares nothing with the process that keeps the clock, so that a busy neighbour does not lengthen
an invocation. It listens on a Unix socket in a private folder; only this endpoint reaches it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from tuner.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.local.execution.invocation_log import LogEvent

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 5.0
READY: Final = "ready\n"
"""What the process prints when it answers."""
_NEEDED: Final = ("moto", "flask", "flask_cors")


def not_installed() -> str | None:
    """Say what the neighbours lack here and how to get it; None if nothing."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    return (
        f"{', '.join(missing)} is not installed, which S3, SQS, DynamoDB and logs need: "
        "pip install 'lambda-tuner[local]'"
    )


class Neighbours:
    """The neighbours' process. Begins to start at once; `wait_ready` before the first request.

    What it needs must be there: see `not_installed`.
    """

    def __init__(self, folder: Path, *, account_id: str, region: str) -> None:
        self.socket_path = folder / "neighbours.sock"
        self._log_path = folder / "neighbours.log"
        self._lock = threading.Lock()
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "tuner.local.neighbours.moto_server",
                    str(self.socket_path),
                    account_id,
                    region,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(folder),
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def wait_ready(self) -> None:
        """Wait until requests are answered; raises LocalError if the process ends instead."""
        assert self._process.stdout is not None
        timer = threading.Timer(START_TIMEOUT_S, self._process.kill)
        timer.daemon = True
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if line.decode() != READY:
            raise LocalError(f"the neighbours (moto) did not start: {self._last_words()}")

    def keep_log(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Send log lines to CloudWatch Logs; where nobody listens any more, they are dropped."""
        batch = {
            "group": group,
            "stream": stream,
            "events": [{"timestamp": e.timestamp_ms, "message": e.message} for e in events],
        }
        line = json.dumps(batch, separators=(",", ":")).encode() + b"\n"
        pipe = self._process.stdin
        with self._lock, contextlib.suppress(OSError, ValueError):
            assert pipe is not None
            pipe.write(line)
            pipe.flush()

    def close(self) -> None:
        """End the process: its standard input ends, and it is killed if it does not obey."""
        with self._lock, contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _last_words(self) -> str:
        lines = self._log_path.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the caller's: no credentials, no configuration of AWS or moto."""
    return {
        "PYTHONPATH": ":".join(part for part in sys.path if part),
        "PYTHONUTF8": "1",
        "TMPDIR": str(folder),
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
    }
