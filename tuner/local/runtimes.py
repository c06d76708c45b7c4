"""Which runtimes can be run locally at all; whether a host has them is another question."""

from __future__ import annotations

import re
from typing import Final

from tuner.errors import LocalError

PYTHON_MINORS: Final = tuple(range(9, 15))
NODE_MAJORS: Final = (18, 20, 22, 24)
RUNNABLE: Final = "python3.9 to python3.14, nodejs18.x to nodejs24.x, provided.al2, provided.al2023"
_PROVIDED: Final = re.compile(r"provided(\.al2(023)?)?")


def check_runtime(runtime: str) -> None:
    """Raise LocalError for a runtime that no host can run locally."""
    python = re.fullmatch(r"python3\.(\d{1,2})", runtime)
    node = re.fullmatch(r"nodejs(\d{1,2})\.x", runtime)
    is_known = (
        (python is not None and int(python[1]) in PYTHON_MINORS)
        or (node is not None and int(node[1]) in NODE_MAJORS)
        or _PROVIDED.fullmatch(runtime) is not None
    )
    if not is_known:
        raise LocalError(
            f"the runtime {runtime} cannot be run locally ({RUNNABLE} can): tune it on AWS"
        )
