"""Progress without a terminal is a few plain lines."""

from __future__ import annotations

import io

from rich.console import Console
from rich.progress import Progress, TextColumn

from tests.sweeps import made_sweep
from tuner.cli.progress import BarProgress, PlainProgress
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

INVOCATION = made_sweep().invocations[0]
EVENTS: tuple[ProgressEvent, ...] = (
    WindowOpened((128, 256)),
    VersionPublished(128, "1", is_new=True),
    WindowClosed(),
    *(InvocationFinished(INVOCATION, count, 40) for count in range(1, 41)),
    ThrottleMet(128, "ConcurrentInvocationLimitExceeded", 0.1),
    ThrottleMet(128, "ConcurrentInvocationLimitExceeded", 0.2),
    SizeExcluded(128, "the function fails (\x1b[31mBad)"),
    CleanedUp(2),
)


def test_plain_lines_are_few_and_whole() -> None:
    """Windows, a line for each quarter, one for throttles, exclusions and the end."""
    lines: list[str] = []
    hook = PlainProgress(lines.append)
    for event in EVENTS:
        hook(event)
    assert lines[0] == "  publishing 128, 256 MB"
    assert [line for line in lines if "invocations" in line] == [
        f"  {count} of at most 40 invocations" for count in (1, 10, 20, 30, 40)
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
