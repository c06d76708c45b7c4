"""The axes of a figure: their scales, ticks and guide lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.lambda_limits import CORE_THRESHOLDS_MB, MAX_MEMORY_MB, MB_PER_VCPU, MIN_MEMORY_MB
from tuner.report import figure_style as style

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from tuner.report.figure_marks import SizeMark

_MARGIN: Final = 1.07
"""Room left and right of the outermost sizes, as a factor of memory."""
_LOG_FROM_RATIO: Final = 8.0
_LABEL_GAP_PX: Final = 6.0
_LABEL_ROW_PT: Final = 12.0


def draw_memory_axis(axes: Sequence[Axes], sizes_mb: Collection[int]) -> None:
    """Log 2 from the smallest to the largest size, written in MB below the last panel."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: PLC0415 - heavy

    low = min(sizes_mb, default=MIN_MEMORY_MB)
    high = max(sizes_mb, default=MAX_MEMORY_MB)
    powers = [2**power for power in range(5, 15)]
    for panel in axes:
        panel.set_xscale("log", base=2)
        panel.set_xlim(low / _MARGIN, high * _MARGIN)
        panel.xaxis.set_major_locator(FixedLocator(powers))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
        panel.tick_params(axis="x", labelbottom=panel is axes[-1])
        panel.grid(visible=True, color=style.GRID, linewidth=0.7)
    axes[-1].set_xlabel("memory (MB, log scale)")


def scale_values(panel: Axes, values: Collection[float], *, unit: str) -> None:
    """From zero, or logarithmic where the values are over eight-fold apart.

    Without values (nothing is known) the axis has neither ticks nor a scale.
    """
    from matplotlib.ticker import (  # noqa: PLC0415 - heavy
        FuncFormatter,
        LogLocator,
        MaxNLocator,
        NullLocator,
    )

    known = [value for value in values if value > 0]
    if not known:
        panel.set_yticks([])
        return
    low, high = min(known), max(known)
    if high / low > _LOG_FROM_RATIO:
        panel.set_yscale("log")
        panel.set_ylim(low / 1.25, high * 1.25)
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_minor_locator(NullLocator())
    else:
        panel.set_ylim(0, high * 1.08)
        panel.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    digits = ".2f" if unit == "$" and high < 5 else ".10g"
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{unit}{value:,{digits}}"))


def draw_core_thresholds(axes: Sequence[Axes], *, label_above: Axes) -> None:
    """Faint lines where the platform gives another core, their names above one panel."""
    thresholds = [(MB_PER_VCPU, "1 vCPU"), *((mb, str(cores)) for mb, cores in CORE_THRESHOLDS_MB)]
    low, high = label_above.get_xlim()
    seen = [(mb, name) for mb, name in thresholds if low < mb < high]
    for panel in axes:
        for memory_mb, _name in seen:
            panel.axvline(memory_mb, color=style.THRESHOLD, linewidth=0.8, zorder=0.5)
    for place, (memory_mb, name) in enumerate(seen):
        last = place == len(seen) - 1 and name.isdigit()
        label_above.annotate(
            f"{name} cores" if last else name,
            (memory_mb, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=style.QUIET,
        )


def draw_size_marks(axes: Sequence[Axes], marks: Sequence[SizeMark]) -> None:
    """A line through every panel for each size that stands out, its label above the first."""
    for mark in marks:
        for panel in axes:
            panel.axvline(
                mark.memory_mb, color=mark.color, linestyle=mark.line, linewidth=1.3, zorder=1.5
            )
    labels = [
        axes[0].annotate(
            f"{mark.label} {mark.memory_mb} MB",
            (mark.memory_mb, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=mark.color,
            fontweight="bold",
        )
        for mark in sorted(marks, key=lambda mark: mark.memory_mb)
    ]
    _keep_apart(labels, axes[0])


def _keep_apart(labels: Sequence[Text], panel: Axes) -> None:
    """Move labels into the panel's width, and up where one would lie on another."""
    panel_box = panel.get_window_extent()
    row_ends: list[float] = []
    for label in labels:
        box = label.get_window_extent()
        shift = max(panel_box.x0 - box.x0, 0) + min(panel_box.x1 - box.x1, 0)
        start, end = box.x0 + shift, box.x1 + shift
        row = next((n for n, taken in enumerate(row_ends) if taken < start), len(row_ends))
        row_ends[row : row + 1] = [end + _LABEL_GAP_PX]
        label.set_position((shift * 72 / panel.figure.dpi, 4 + row * _LABEL_ROW_PT))
