"""Starts AWS's Python client as Lambda's own bootstrap does: search paths first, variables after.

Its arguments are where layers and the client are, PYTHONPATH for the function's own processes, and
LC_CTYPE as on Lambda. Python 3.6 and later; it imports nothing of the tool.
"""

import os
import sys


def main() -> None:
    """Set up paths and variables, then serve events until the process ends."""
    searched, for_children, locale = sys.argv[1:4]
    own = [path for path in os.environ.get("PYTHONPATH", "").split(":") if path]
    here = __file__.rpartition("/")[0]  # in which no handler is to look
    task, rest = [os.environ["LAMBDA_TASK_ROOT"]], [path for path in sys.path if path != here]
    sys.path[:] = task + rest[: len(own)] + searched.split(":") * bool(searched) + rest[len(own) :]
    os.environ.setdefault("PYTHONPATH", for_children)
    # Where the host lacks en_US.UTF-8, Python has set it, as it does on Amazon Linux 2023 alone.
    if locale:
        os.environ["LC_CTYPE"] = locale
    else:
        os.environ.pop("LC_CTYPE", None)
    # Log entries of several lines are frames: in the same pipe, so that all stays in order.
    os.environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(os.dup(1))
    sys.argv[1:] = [os.environ["_HANDLER"]]

    from awslambdaric.__main__ import main as serve  # noqa: PLC0415 (its place is known only now)

    serve(sys.argv)


if __name__ == "__main__":  # multiprocessing imports it again
    main()
