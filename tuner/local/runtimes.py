"""Which runtimes can be run locally at all; whether a host has them is another question."""

from __future__ import annotations

import re
from typing import Final

from tuner.errors import LocalError

PYTHON_MINORS: Final = tuple(range(6, 16))
NODE_RELEASES: Final = ("", "4.3", "6.10", "8.10", *(f"{major}.x" for major in range(10, 27, 2)))
"""What stands after "nodejs": retired runtimes too, which functions of old templates still have."""
RUNNABLE: Final = "python3.6 to python3.15, nodejs to nodejs26.x, provided.al2, provided.al2023"
_PROVIDED: Final = re.compile(r"provided(\.al2(023)?)?")


def check_runtime(runtime: str) -> None:
    """Raise LocalError for a runtime that no host can run locally."""
    python = re.fullmatch(r"python3\.(\d{1,2})", runtime)
    is_known = (
        (python is not None and int(python[1]) in PYTHON_MINORS)
        or (runtime.startswith("nodejs") and runtime.removeprefix("nodejs") in NODE_RELEASES)
        or _PROVIDED.fullmatch(runtime) is not None
    )
    if not is_known:
        raise LocalError(
            f"the runtime {runtime} cannot be run locally ({RUNNABLE} can): tune it on AWS"
        )


def node_major(runtime: str) -> int:
    """Give the Node.js of a known runtime: 20 for "nodejs20.x", 8 for "nodejs8.10"."""
    major = runtime.removeprefix("nodejs").partition(".")[0]
    return int(major or 0)  # "nodejs" alone was 0.10
