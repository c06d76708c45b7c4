"""Figures on the command line: where one may go, and its way there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tuner.errors import InputError
from tuner.report import figure

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.report.figure import FigureFormat


def check(format_name: str, out: Path | None, *, sweep_count: int) -> FigureFormat | None:
    """The figure's format; None for a format that is text. Nothing is read yet.

    Raises InputError for what cannot be drawn or shown there. A file must end as its format
    does: so no figure is ever written over a sweep.
    """
    figure_format: FigureFormat | None = next((f for f in figure.FORMATS if f == format_name), None)
    if figure_format is None:
        if out is not None:
            raise InputError(
                f"--out is for --format png or svg: send {format_name} to a file with > {out}"
            )
        return None
    if sweep_count > 1:
        raise InputError(f"a figure shows one sweep, and {sweep_count} were given: draw each")
    if out is None and sys.stdout.isatty():
        raise InputError(f"a terminal cannot show {format_name}: give --out FILE.{format_name}")
    if out is not None and out.suffix.lower() != f".{format_name}":
        raise InputError(f"--out {out} does not end in .{format_name}, as --format says")
    return figure_format


def show(
    recommendation: Recommendation, sweep: Sweep, format_name: FigureFormat, out: Path | None
) -> None:
    """Draw one answer to a file, or to stdout. Raises InputError."""
    drawn = figure.draw(recommendation, sweep)
    if out is not None:
        figure.save(drawn, out)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(figure.render(drawn, format_name))
    sys.stdout.buffer.flush()
