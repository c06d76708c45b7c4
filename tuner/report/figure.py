"""The answer as a picture: duration, cost and the order of the invocations over memory.

Three panels share a log-2 memory axis. The first two show the curve, its 90 % band and the samples;
the third shows which size was invoked when, and so is the key to the samples' colours.
"""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import InputError
from tuner.report import figure_axes, figure_panels
from tuner.report import figure_style as style
from tuner.report.figure_marks import failures_of, size_marks, steps_of
from tuner.report.foreign import plain
from tuner.report.verdict import headline

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

FigureFormat = Literal["png", "svg"]
FORMATS: Final[tuple[FigureFormat, ...]] = ("png", "svg")

_LEFT: Final = 0.085
_RIGHT: Final = 0.985
HEADLINE_COLUMNS: Final = 118
_NAME_LENGTH: Final = 64
"""Lambda's own limit for a function's name."""
_LARGE_TITLE_LENGTH: Final = 64


def draw(recommendation: Recommendation, sweep: Sweep) -> Figure:
    """The figure of one answer and the sweep that it rests on, 900 × 620 px.

    It needs no display and no pyplot. Raises InputError without matplotlib.
    """
    with style.styled():
        figure = new_figure()
        duration, cost, order = figure.subplots(
            3,
            sharex=True,
            gridspec_kw={
                "height_ratios": (10, 8.5, 5),
                "left": _LEFT,
                "right": _RIGHT,
                "top": 0.81,
                "bottom": 0.13,
                "hspace": 0.13,
            },
        )
        _fill((duration, cost, order), recommendation, sweep)
        _write_heading(figure, recommendation)
        figure.align_ylabels([duration, cost, order])
    return figure


def new_figure() -> Figure:
    """An empty figure of the one size; call it within `figure_style.styled`."""
    from tuner.report.figure_shown import ShownFigure  # noqa: PLC0415 - heavy, and an extra

    return ShownFigure(figsize=(style.WIDTH_IN, style.HEIGHT_IN), dpi=style.DPI)


def render(figure: Figure, format_name: FigureFormat) -> bytes:
    """The figure as a PNG or SVG file: the same figure, the same bytes (no date, fixed ids)."""
    metadata: dict[str, str | None] = {"Software": None}
    if format_name == "svg":
        metadata = {"Date": None, "Creator": "lambda-tuner", "Title": figure.get_suptitle()}
    file = io.BytesIO()
    with style.styled():
        figure.savefig(file, format=format_name, dpi=style.DPI, metadata=metadata)
    return file.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write the figure in the format that the file's name ends in, .png or .svg.

    Raises InputError for another ending and where the file cannot be written.
    """
    for format_name in FORMATS:
        if path.suffix.lower() == f".{format_name}":
            _write(render(figure, format_name), path)
            return
    raise InputError(f"{path.name} names no format of a figure: end it in .png or .svg")


def _write(data: bytes, path: Path) -> None:
    """Write a file. Raises InputError where that cannot be done."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def _fill(panels: tuple[Axes, Axes, Axes], recommendation: Recommendation, sweep: Sweep) -> None:
    duration, cost, order = panels
    steps, marks, curve = steps_of(sweep), size_marks(recommendation), recommendation.curve
    sizes = {each.memory_mb for group in (steps, marks, curve) for each in group}
    figure_axes.draw_memory_axis(panels, sizes)
    for panel, band, values, unit in (
        (
            duration,
            {each.memory_mb: each.duration_ms for each in curve},
            [step.duration_ms for step in steps],
            "",
        ),
        (
            cost,
            {each.memory_mb: each.cost_usd_per_million for each in curve},
            [step.cost_usd_per_million for step in steps],
            "$",
        ),
    ):
        figure_panels.draw_curve(panel, band, marks)
        figure_panels.draw_samples(panel, steps, values)
        known = [value for each in band.values() for value in (each.low, each.high)]
        shown = [v for step, v in zip(steps, values, strict=True) if step.has_duration]
        figure_axes.scale_values(panel, [*known, *shown], unit=unit)
    figure_panels.draw_order(order, steps)
    duration.set_ylabel("warm duration (ms)")
    cost.set_ylabel("cost per million")
    order.set_ylabel("invocation")
    figure_axes.draw_core_thresholds(panels, label_above=cost)
    figure_axes.draw_size_marks(panels, marks)
    figure_panels.draw_key(
        panels, failures=failures_of(sweep), payload_count=len(sweep.plan.payloads)
    )


def _write_heading(figure: Figure, recommendation: Recommendation) -> None:
    """Function and verdict; what others named is cut, and is in letters that the font has."""
    function = recommendation.function
    name = plain(function.name)
    name = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
    place = "local" if recommendation.environment == "local" else plain(function.region)
    title = f"{name} · {place} · {function.architecture}"
    figure.suptitle(
        drawable(title),
        x=0.012,
        y=0.985,
        ha="left",
        fontsize=12 if len(title) <= _LARGE_TITLE_LENGTH else 9.5,
        fontweight="bold",
    )
    figure.text(0.012, 0.943, wrapped(headline(recommendation)), va="top", linespacing=1.35)


def wrapped(text: str) -> str:
    """A headline in two lines at most, in letters that the font has."""
    lines = textwrap.wrap(text, HEADLINE_COLUMNS, max_lines=2, placeholder=" …")
    return drawable("\n".join(lines))


def drawable(text: str) -> str:
    """Foreign scripts would be boxes, with a warning for each: they become question marks."""
    return "".join(char if ord(char) < 0x250 or char in "–−…→’≤≥" else "?" for char in text)
