"""`python -m tuner.local TEMPLATE`: serve until standard input ends; started by `child_process`.

The first line of standard input has the options of `LocalLambda.from_template` as JSON. The output
is lines of JSON: {"step"} for each slow step, and finally the status once it answers, or {"error",
"kind"} if it can't start.
"""

from __future__ import annotations

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
    """Serve a template's functions; return the exit code."""
    access_key_id = f"LOCAL{secrets.token_hex(16).upper()}"
    keep_from_others()
    signal.signal(signal.SIGTERM, _leave)
    options = json.loads(sys.stdin.buffer.readline() or b"{}")
    parent = threading.Thread(target=_outlive_no_parent, name="parent", daemon=True)
    parent.start()
    try:
        with LocalLambda.from_template(
            Path(sys.argv[1]),
            on_step=lambda step: _say({"step": step}),
            access_key_id=access_key_id,
            **options,
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
    """Make the main thread leave as soon as standard input ends, whatever it is doing."""
    while os.read(0, 4096):  # not through sys.stdin: its lock would be held at the exit
        pass
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Let the `with` block end what was started, once: nothing may interrupt the cleanup."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
