"""`python -m tuner.local TEMPLATE`: serve until standard input ends; started by `process.py`.

Prints one line of JSON: the status once it answers, or {"error", "kind"} where it cannot start.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from tuner.errors import TunerError
from tuner.local.serve import LocalLambda

if TYPE_CHECKING:
    from types import FrameType


def main() -> int:
    """Serve a template's functions; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tuner.local", description=__doc__)
    parser.add_argument("template", type=Path)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--build", action="store_true")
    arguments = parser.parse_args()
    parameters = dict(given.split("=", 1) for given in arguments.parameter)
    signal.signal(signal.SIGTERM, _leave)
    try:
        with LocalLambda.from_template(
            arguments.template,
            port=arguments.port,
            region=arguments.region,
            parameters=parameters,
            build=arguments.build,
        ) as server:
            _say(server.status())
            sys.stdin.buffer.read()
    except TunerError as error:
        _say({"error": str(error), "kind": type(error).__name__})
        return 1
    return 0


def _say(value: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Let the `with` block end what was started."""
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
