"""`python -m tuner.local TEMPLATE`: serve until standard input ends; started by `process.py`.

Prints lines of JSON: {"step"} for what takes long, and last the status once it answers, or
{"error", "kind"} where it cannot start.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tuner.errors import TunerError
from tuner.local.execution.runtime.launch import keep_from_others
from tuner.local.local_lambda import LocalLambda

if TYPE_CHECKING:
    from types import FrameType


def main() -> int:
    """Serve a template's functions; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tuner.local", description=__doc__)
    parser.add_argument("template", type=Path)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--environment", action="store_true", help="a line of JSON on stdin")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--build-for", metavar="FUNCTION")
    parser.add_argument("--allow-outside", action="store_true")
    arguments = parser.parse_args()
    parameters = dict(given.split("=", 1) for given in arguments.parameter)
    access_key_id = f"LOCAL{secrets.token_hex(16).upper()}"
    keep_from_others()
    signal.signal(signal.SIGTERM, _leave)
    environment = json.loads(sys.stdin.buffer.readline()) if arguments.environment else {}
    parent = threading.Thread(target=_outlive_no_parent, name="parent", daemon=True)
    parent.start()
    try:
        with LocalLambda.from_template(
            arguments.template,
            port=arguments.port,
            region=arguments.region,
            parameters=parameters,
            environment=environment,
            build=arguments.build,
            build_for=arguments.build_for,
            on_step=lambda step: _say({"step": step}),
            access_key_id=access_key_id,
            allow_outside=arguments.allow_outside,
        ) as server:
            _say({**server.status(), "access_key_id": access_key_id})
            parent.join()
    except BrokenPipeError:  # nobody listens: the parent is gone
        return 1
    except TunerError as error:
        _say({"error": str(error), "kind": type(error).__name__})
        return 1
    return 0


def _say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _outlive_no_parent() -> None:
    """Have the main thread leave as soon as standard input ends, whatever it is busy with."""
    while os.read(0, 4096):  # not through sys.stdin: its lock would be held at the exit
        pass
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Let the `with` block end what was started, once: nothing may cut through its end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
