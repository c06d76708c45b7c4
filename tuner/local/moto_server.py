"""The emulated services' own process: moto behind a Unix socket, logs through standard input.

Started by `EmulatedServices` as `python -m tuner.local.moto_server SOCKET ACCOUNT REGION`. Every
line of standard input is a batch of log events as JSON; its end ends this process, so it never
outlives its parent, however that ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Final

from moto.logs.models import LogsBackend, logs_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from tuner.local.emulated_services import READY

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

PREPARED: Final = ("s3", "sqs", "dynamodb", "logs")
"""Prepared before the first call, so that no handler waits for moto's imports."""
_RECURSION_LIMIT: Final = 100_000
"""moto runs a map of a state machine by recursion, item by item: at the usual 1,000 it hangs."""


def main() -> None:
    """Serve until standard input ends."""
    socket_path, account_id, region = sys.argv[1:4]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to end
    sys.setrecursionlimit(_RECURSION_LIMIT)
    server = _make_server(socket_path)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    logs: LogsBackend = logs_backends[account_id][region]
    sys.stdout.write(READY)
    sys.stdout.flush()
    for line in sys.stdin.buffer:
        batch = json.loads(line)
        try:
            keep(logs, batch["group"], batch["stream"], batch["events"])
        except Exception:  # such as a group that was deleted at that moment: the others go on
            traceback.print_exc()
    os._exit(0)  # threads that still answer have nobody to answer to


class _Handler(MotoRequestHandler):
    """Keeps connections alive, without logging."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Write nothing for each request."""


def _make_server(socket_path: str) -> BaseWSGIServer:
    app = DomainDispatcherApplication(create_backend_app)
    for service in PREPARED:
        app.app_instances[service] = create_backend_app(service)
    return make_server(f"unix://{socket_path}", 0, app, threaded=True, request_handler=_Handler)


def keep(logs: LogsBackend, group: str, stream: str, events: list[dict[str, Any]]) -> None:
    """Put log events where CloudWatch Logs' readers find them, without a request.

    They must be in order, and aren't if the clock was set back in between.
    """
    logs.ensure_log_group(group)
    logs.ensure_log_stream(group, stream)
    logs.put_log_events(group, stream, sorted(events, key=lambda event: event["timestamp"]))


if __name__ == "__main__":
    main()
