"""Which systems the local Lambda runs on. Imports nothing that other systems lack."""

from __future__ import annotations

import sys

from tuner.errors import LocalError

SYSTEM = sys.platform


def refuse_other_systems() -> None:
    """Raise LocalError on a system without the processes, signals and files that it needs."""
    if SYSTEM not in ("linux", "darwin"):
        raise LocalError(
            f"the local Lambda runs on Linux and macOS, not on {SYSTEM}: on Windows use WSL 2, or "
            "tune the function on AWS"
        )
