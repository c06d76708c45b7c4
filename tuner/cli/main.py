"""The entry point: runs a command and turns what went wrong into one line and an exit code.

Only what every run needs is imported here: `tuner --version` answers before typer is loaded.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from tuner import __version__

INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
"""128 + SIGPIPE, as a shell would say it of a program without a handler."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    if arguments == ["--version"]:
        sys.stdout.write(f"tuner {__version__}\n")
        return 0
    # The matrices are small: more threads would only spin, on cores that a local run measures.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = _run_app(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has seen enough; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return code


def _run_app(arguments: list[str]) -> int:
    from tuner.cli import app  # noqa: PLC0415 - `--version` is answered without typer
    from tuner.errors import TunerError  # noqa: PLC0415 - as above

    try:
        return app.run(arguments)
    except TunerError as error:
        _say(str(error))
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("TUNER_DEBUG"):
            raise
        _say(f"unexpected {_describe(error)}; TUNER_DEBUG=1 shows the traceback")
        return 1


def _describe(error: Exception) -> str:
    """Type and place. Not the text: nobody knows what a foreign exception quotes."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"


def _say(message: str) -> None:
    from tuner.report.foreign import plain  # noqa: PLC0415 - as above

    sys.stderr.write(f"tuner: {plain(message)}\n")
