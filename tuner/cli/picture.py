"""Figures and pages on the command line: where they may go, and writing them there."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.cli.commands import measure_command, page_command
from tuner.cli.config import state_dir
from tuner.cli.flags import shown
from tuner.cli.screen import json_text, show_bytes
from tuner.errors import InputError, UsageError
from tuner.sweep.file import holds_sweep
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from matplotlib.figure import Figure

    from tuner.breakeven.answer import BreakEven
    from tuner.model.comparison import Comparison
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.report.page.data import SweepView

FORMATS: Final = ("png", "svg", "html")


def check(format_name: str, out: Path | None, *, json: bool = False, sweep_count: int = 1) -> str:
    """The requested format. Reads nothing yet.

    Raises UsageError if there are two, or if it can't be drawn or shown there. A file name must end
    in its format, so that no sweep is ever overwritten.
    """
    if json and format_name not in {"text", "json"}:
        raise UsageError(f"--json and --format {format_name} contradict each other: give one")
    format_name = "json" if json else format_name
    if format_name not in FORMATS:
        if out is not None:
            raise UsageError(
                f"--out is for --format {', '.join(FORMATS)}: "
                f"send {format_name} to a file with > {out}"
            )
        return format_name
    if sweep_count > 1 and format_name != "html":
        raise UsageError(
            f"a figure shows one sweep, and {sweep_count} were given: draw each, or --format html"
        )
    if out is None and sys.stdout.isatty():
        raise UsageError(f"a terminal can't show {format_name}: give --out FILE.{format_name}")
    if out is not None and out.suffix.lower() != f".{format_name}":
        raise UsageError(f"--out {out} does not end in .{format_name}, as --format says")
    return format_name


def show_figure(
    what: Sweep | Comparison | BreakEven,
    format_name: str,
    out: Path | None,
    answer: Recommendation | None = None,
) -> None:
    """Draw a comparison, a break-even or a sweep with its answer to a file, or to stdout.

    Raises InputError.
    """
    from tuner.api.answers import plot

    drawn = plot(shown(what)) if answer is None else plot(what, shown(answer))
    write_figure(drawn, format_name, out)


def show_page(
    views: Sequence[SweepView],
    out: Path | None,
    *,
    comparison: Comparison | None = None,
    flags: Sequence[str] = (),
) -> None:
    """Write the page to a file, or to stdout; `flags` are the options besides the goal's that led
    to its answers. Raises InputError.
    """
    from tuner.report.page.html import render

    pages = [
        replace(
            each,
            recommendation=shown(each.recommendation),
            break_even=shown(each.break_even),
            no_break_even=shown(each.no_break_even),
            page_command=page_command(each, flags),
            measure_command=measure_command(each, flags),
        )
        for each in (replace(view, source=_name_of(view.source)) for view in views)
    ]
    write(render(pages, comparison=shown(comparison)).encode(), out)


def show_break_even_page(answer: BreakEven, out: Path | None, *, source: str) -> None:
    """Write a break-even's own page to a file, or to stdout. Raises InputError."""
    from tuner.report.page.html import render_break_even

    write(render_break_even(shown(answer), source=_name_of(source)).encode(), out)


def _name_of(source: str) -> str:
    """How whoever reads a page elsewhere may name its sweep: no path of this machine."""
    path = Path(source)
    if not path.is_absolute():
        return source
    if path.is_relative_to(state_dir()):
        return path.stem  # its id
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name)


def refuse_sweep(out: Path) -> None:
    """Raise InputError for a sweep file, which cost money to measure."""
    if out.is_file() and holds_sweep(out):
        raise InputError(f"--out {out} is a sweep file and won't be overwritten: give another file")


def check_out(out_file: Path | None, *, drawn: Collection[str] = ()) -> None:
    """Raise InputError, before anything is sent or paid, for a file that couldn't be written then.

    `drawn` has the endings that take matplotlib.
    """
    if out_file is None:
        return
    if not out_file.absolute().parent.is_dir():
        raise InputError(f"--out {out_file}: there is no folder {out_file.parent}: make it first")
    if os.path.isdir(out_file):  # noqa: PTH112 - no error of a name that is too long
        raise InputError(f"--out {out_file} is a folder: name a file in it")
    if not (os.path.lexists(out_file) or os.access(out_file.absolute().parent, os.W_OK)):
        raise InputError(f"--out {out_file} can't be written: {out_file.parent} is read-only")
    refuse_sweep(out_file)
    if out_file.suffix.lower() in drawn:
        from tuner.report.figures.canvas import styled

        with styled():
            pass


def write_figure(figure: Figure, format_name: str, out: Path | None) -> None:
    """Write a figure to a file, or to stdout. Raises InputError."""
    from tuner.report.figures.canvas import render_figure

    write(render_figure(figure, "svg" if format_name == "svg" else "png"), out)


def write_too(
    document: dict[str, Any], out: Path | None, page: Callable[[], str] | None = None
) -> None:
    """Write an answer's JSON to a file, if one was asked for, or its page if that ends in .html.

    After the answer is shown: a file that can't be written loses nothing. Raises InputError.
    """
    if out is not None:
        is_page = out.suffix.lower() == ".html"
        text = page() if is_page and page is not None else json_text(document)
        write(text.encode(), out)


def write(data: bytes, out: Path | None) -> None:
    """Write to a file in full or not at all, or to stdout. Raises InputError."""
    if out is None:
        show_bytes(data)
        return
    try:
        refuse_sweep(out)
        if out.exists() and not out.is_file():  # /dev/stdout, a pipe
            out.write_bytes(data)
        else:
            write_whole(out, data)
    except OSError as error:
        raise InputError(f"can't write {out}: {error.strerror}") from error
