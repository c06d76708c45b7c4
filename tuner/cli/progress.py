"""Shows on stderr how a sweep goes: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tuner.cli.flags import with_flags
from tuner.cli.screen import say, takes_color
from tuner.model.interval import counted
from tuner.model.progress import (
    CallFailed,
    CleanedUp,
    CopyDeleted,
    CopyMade,
    InvocationFinished,
    ProgressEvent,
    SizeExcluded,
    ThrottleMet,
    VersionDeleted,
    WindowClosed,
    WindowOpened,
)
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress, TaskID

    from tuner.model.progress import ProgressHook

PLAIN_STEP: Final = 0.25
"""A plain line after each quarter of the invocations."""


@contextmanager
def progress() -> Iterator[ProgressHook]:
    """Yield the hook that suits stderr."""
    if not sys.stderr.isatty():
        yield PlainProgress(say)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, no_color=not takes_color(sys.stderr))
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=console, transient=True)
    bar.start()
    try:
        yield BarProgress(bar)
    finally:
        with suppress(OSError):  # the terminal is gone, but the answer may still go to a file
            bar.stop()


def tell_recovery(event: ProgressEvent) -> None:
    """A line for each thing restored: `recover` has no invocations, so deletions are its work."""
    match event:
        case VersionDeleted():
            say(f"  version {event.version} deleted")
        case CallFailed():
            say(f"  {describe(event)}")
        case CopyDeleted():
            say(f"  copy {event.name} deleted")
        case WindowClosed():
            say("  $LATEST's memory restored")


class PlainProgress:
    """One line for each thing that matters, and only a few for the invocations."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._told = 0.0
        self._throttled = False
        self._published = False

    def __call__(self, event: ProgressEvent) -> None:
        """Handle one event."""
        if isinstance(event, InvocationFinished):
            self._finished(event)
        elif isinstance(event, WindowOpened):
            if not self._published:
                self._write("  publishing test versions; $LATEST is restored after each batch")
            self._published = True
        elif isinstance(event, ThrottleMet):
            if not self._throttled:
                self._write(f"  throttled ({event.reason or 'no reason given'}); retrying")
            self._throttled = True
        elif (line := describe(event)) is not None:
            self._write(f"  {line}")

    def _finished(self, event: InvocationFinished) -> None:
        share = event.finished_count / max(event.planned_count, 1)
        if share >= self._told + PLAIN_STEP or event.finished_count == 1:
            self._told = share - share % PLAIN_STEP
            self._write(f"  {event.finished_count} of up to {event.planned_count} invocations")


class BarProgress:
    """A bar for the invocations, with the current step before it."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task("starting", total=None)

    def __call__(self, event: ProgressEvent) -> None:
        """Handle one event."""
        if isinstance(event, InvocationFinished):
            self._bar.update(
                self._task,
                description="invoking",
                completed=event.finished_count,
                total=event.planned_count,
            )
        elif isinstance(event, ThrottleMet):
            self._bar.update(self._task, description="throttled")
        elif isinstance(event, WindowOpened):
            self._bar.update(self._task, description="publishing test versions")
        elif isinstance(event, WindowClosed):
            self._bar.update(self._task, description="invoking")
        elif isinstance(event, (SizeExcluded, CallFailed)):
            with suppress(OSError):  # as in `progress`
                self._bar.console.print(f"  {describe(event)}", markup=False)
        elif isinstance(event, (CopyMade, CopyDeleted, CleanedUp)):
            self._bar.update(self._task, description=str(describe(event)))


def describe(event: ProgressEvent) -> str | None:
    """What an event means, or None if it isn't worth a line."""
    line = None
    match event:
        case SizeExcluded():
            line = plain(f"{event.memory_mb} MB excluded: {event.reason}")
        case CallFailed():
            line = plain(f"failed, retried if that may help: {event.reason}")
        case CopyMade():
            line = plain(f"measuring a temporary copy: {event.name}")
        case CopyDeleted():
            line = "copy deleted, nothing left"
        case CleanedUp():
            line = f"{counted(event.deleted_count, 'version')} deleted, nothing left"
    return line and with_flags(line)
