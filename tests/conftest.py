"""What holds for every test, and what a run tells at its end beside passes and failures.

Nothing that the machine's owner keeps is read: prices are the bundled ones. How many cases the
matrices had is listed. Bytecode is kept, also where the shell says otherwise: the suite starts
hundreds of Pythons, and each would compile the package again. The matrices of the arithmetic are
small: more threads would only spin, on cores that others measure. No example of a property fails
for its time: that is the machine's. The SDK reads its descriptions of the services once a run,
not once a session.
"""

from __future__ import annotations

import functools
import os
import sys
from typing import Any

import botocore.session
import hypothesis

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
os.environ["XDG_DATA_HOME"] = "/nonexistent"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does

botocore.session.create_loader = functools.cache(botocore.session.create_loader)

COUNTED = "counted"
"""Name of the property by which a test tells (what, cases, how many of them needed `recover`)."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List what was counted, and the sum."""
    counted = [
        value
        for report in terminalreporter.stats.get("passed", ())
        if report.when == "call"
        for name, value in report.user_properties
        if name == COUNTED
    ]
    if not counted:
        return
    terminalreporter.section("cases survived")
    for what, cases, recovered in sorted(counted):
        terminalreporter.write_line(f"{cases:6} {what} ({recovered} put right by recover)")
    terminalreporter.write_line(f"{sum(cases for _, cases, _ in counted):6} in all")
