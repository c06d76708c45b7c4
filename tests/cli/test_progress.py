"""Progress without a terminal is a few plain lines."""

from __future__ import annotations

import io
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from tests.sweeps import made_sweep
from tuner.cli.progress import BarProgress, PlainProgress, progress
from tuner.cli.screen import say
from tuner.model.progress import (
    CleanedUp,
    InvocationFinished,
    ProgressEvent,
    SizeExcluded,
    ThrottleMet,
    VersionPublished,
    WindowClosed,
    WindowOpened,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INVOCATION = made_sweep().invocations[0]
EVENTS: tuple[ProgressEvent, ...] = (
    WindowOpened((128, 256)),
    VersionPublished(128, "1", is_new=True),
    WindowClosed(),
    WindowOpened((512,)),
    WindowClosed(),
    *(InvocationFinished(INVOCATION, count, 40) for count in range(1, 41)),
    ThrottleMet(128, "ConcurrentInvocationLimitExceeded", 0.1),
    ThrottleMet(128, "ConcurrentInvocationLimitExceeded", 0.2),
    SizeExcluded(128, "the function fails (\x1b[31mBad)"),
    CleanedUp(2),
)


def test_plain_lines_are_few_and_whole() -> None:
    """One line for all windows, one for each quarter, one for throttles, exclusions and the end."""
    lines: list[str] = []
    hook = PlainProgress(lines.append)
    for event in EVENTS:
        hook(event)
    assert [line for line in lines if "$LATEST" in line] == lines[:1]
    assert [line for line in lines if "invocations" in line] == [
        f"  {count} of up to 40 invocations" for count in (1, 10, 20, 30, 40)
    ]
    assert sum("throttled" in line for line in lines) == 1
    assert lines[-2].startswith("  128 MB excluded: the function fails")
    assert lines[-1] == "  2 versions deleted, nothing left"


def test_the_bar_takes_every_event() -> None:
    """On a terminal the bar shows the count, and an exclusion stays above it without its markup."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, highlight=False)
    with Progress(TextColumn("{task.description}"), console=console) as bar:
        hook = BarProgress(bar)
        for event in EVENTS:
            hook(event)
        assert bar.tasks[0].completed == 40
    assert "128 MB excluded" in out.getvalue()
    assert "\x1b[31mBad" not in out.getvalue()


@contextmanager
def a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Make stderr a terminal, which is gone once what this yields is called."""
    ours, theirs = os.openpty()
    terminal = os.fdopen(theirs, "w")
    monkeypatch.setattr(sys, "stderr", terminal)
    yield lambda: os.close(ours)
    with suppress(OSError):  # of what it has not taken
        terminal.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_terminal_that_is_gone_ends_no_sweep_that_nohup_keeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer may go to a file: it came to nothing where the bar could not be taken away."""
    monkeypatch.setenv("TERM", "xterm")
    with a_terminal(monkeypatch) as hang_up, progress() as hook:
        assert isinstance(hook, BarProgress)
        hang_up()
        for event in EVENTS:
            hook(event)


def test_what_cannot_be_said_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a bar, too, nothing depends on stderr."""
    with a_terminal(monkeypatch) as hang_up:
        hang_up()
        for event in EVENTS:
            PlainProgress(say)(event)
