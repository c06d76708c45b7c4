"""The entry point: runs a command and turns any failure into one line and an exit code.

Imports only what every run needs: `tuner --version` answers before typer is loaded.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from tuner import __version__

FAILED: Final = 1
INTERRUPTED: Final = 130
PIPE_CLOSED: Final = 141
"""128 + SIGPIPE, as a shell reports it."""


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; return its exit code."""
    # The matrices are small: more threads would only spin, on cores that a local run measures.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if not _stand_in_for_closed_streams():
        sys.stderr.write("tuner: stdout is closed, so no answer could be shown: nothing was done\n")
        return FAILED
    try:
        code = 0
        if arguments == ["--version"]:
            sys.stdout.write(f"tuner {__version__}\n")
        else:
            code = _run_app(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough and closed the pipe; nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"tuner: stdout can't be written ({error.strerror})\n")
        return FAILED
    return code


def _stand_in_for_closed_streams() -> bool:
    """Open streams that the shell closed (`2>&-`, `<&-`); False if stdout is closed.

    Python has None for a closed stream, and the next file opened would get its number.
    """
    is_open = sys.stdout is not None
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - open to the end
    if not is_open:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as above
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as above
    return is_open


def _run_app(arguments: list[str]) -> int:
    from tuner.cli import app, exit_status
    from tuner.errors import InputError, TunerError, describe_unexpected

    try:
        return app.run(arguments)
    except TunerError as error:
        exit_status.tell(error, str(error), error.exit_code, arguments)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:
        asks_help = not arguments or bool({"-h", "--help"} & set(arguments))
        if asks_help and isinstance(error, OSError):  # help needs stdout only
            raise
        if os.environ.get("TUNER_DEBUG"):
            raise
        # Looking at a file fails for a name that is too long, or below a folder that is closed.
        if isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror:
            unusable = InputError(f"{error.filename} can't be used: {error.strerror}")
            exit_status.tell(unusable, str(unusable), FAILED, arguments)
            return FAILED
        words = f"{describe_unexpected(error)}; TUNER_DEBUG=1 shows the traceback"
        exit_status.tell(None, words, FAILED, arguments)
        return FAILED
