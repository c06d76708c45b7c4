"""Runs a command in a terminal of its own and keeps what it writes there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def run_in_terminal(arguments: list[str], *, columns: int, more: Mapping[str, str] = {}) -> str:
    """Output of `tuner ARGUMENTS` on a terminal of so many columns, its escapes in it."""
    ours, theirs = pty.openpty()
    env = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    env |= {"COLUMNS": str(columns), "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **more}
    ran = subprocess.Popen(
        [sys.executable, "-m", "tuner", *arguments], stdin=theirs, stdout=theirs, env=env
    )
    os.close(theirs)
    written = b""
    while piece := _read(ours):
        written += piece
    os.close(ours)
    if ran.wait() != 0:
        raise RuntimeError(f"tuner {' '.join(arguments)}: exit code {ran.returncode}")
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    """What comes next; nothing at its end, which Linux tells by an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
