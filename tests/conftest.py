"""What holds for every test, and what a run tells at its end beside passes and failures.

Nothing that the machine's owner keeps is read or written: the home folder is a temporary one, with
what the tuner and the SDK keep below it, and prices are the bundled ones. How many cases the
matrices had is listed. Bytecode is kept, also where the shell says otherwise: the suite starts
hundreds of Pythons, and each would compile the package again. The matrices of the arithmetic are
small: more threads would only spin, on cores that others measure. No example of a property fails
for its time: that is the machine's. The SDK reads its descriptions of the services once a run,
not once a session. Ctrl-C interrupts also where whoever started pytest ignored it (`pytest &` in a
script), since an ignored signal would be inherited by every process under test.
"""

from __future__ import annotations

import collections
import functools
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does

botocore.session.create_loader = functools.cache(botocore.session.create_loader)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_TOOLS: Final = {
    "CARGO_HOME": ".cargo", "MPLCONFIGDIR": ".cache/matplotlib", "NPM_CONFIG_CACHE": ".npm",
    "NPM_CONFIG_USERCONFIG": ".npmrc", "PIP_CONFIG_FILE": ".config/pip/pip.conf",
    "PYENV_ROOT": ".pyenv", "RUSTUP_HOME": ".rustup",
}  # fmt: skip
"""What tools that tests start keep in the real home folder: toolchains, indexes, caches."""

COUNTED = "counted"
"""Name of the property by which a test tells (what, cases, how many of them needed `recover`)."""


@pytest.fixture(scope="session", autouse=True)
def temporary_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder for all tests, and for every process that they start."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in _TOOLS.items():
            kept = Path.home() / name
            if variable not in os.environ and kept.exists():
                patch.setenv(variable, str(kept))
        for variable in os.environ:
            if variable.startswith(("XDG_", "TUNER_")) and variable != "XDG_RUNTIME_DIR":
                patch.delenv(variable)
        patch.setenv("HOME", str(folder))
        patch.setenv("TUNER_STATE_DIR", str(folder / "state"))
        for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
            patch.setenv(f"AWS_{name}", str(folder / ".aws" / name.lower()))
        yield folder


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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say in the last line, after the sums, what was not tested, why and how often."""
    yield
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", ()) if reporter else ()
    reasons = collections.Counter(each.longrepr[2].removeprefix("Skipped: ") for each in skipped)
    if reasons and not hasattr(session.config, "workerinput"):
        said = "; ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
        reporter.write_line(f"skipped: {said}")
