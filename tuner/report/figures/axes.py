"""The axes of a figure: their scales, ticks and guide lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.model.lambda_limits import CORE_THRESHOLDS_MB, MAX_MEMORY_MB, MB_PER_VCPU, MIN_MEMORY_MB
from tuner.report.figures import canvas

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from tuner.model.interval import Interval
    from tuner.model.recommendation import ArchitectureCurve
    from tuner.report.figures.marks import SizeMark, Step, StepKind


_MARGIN: Final = 1.07
"""Room left and right of the outermost sizes, as a factor of memory."""
_LOG_FROM_RATIO: Final = 8.0
_LABEL_GAP_PX: Final = 6.0
_LABEL_ROW_PT: Final = 12.0


def draw_memory_axis(axes: Sequence[Axes], sizes_mb: Collection[int]) -> None:
    """Log 2 from the smallest to the largest size, written in MB below the last panel."""
    from matplotlib.ticker import FixedLocator, NullLocator  # noqa: PLC0415 - heavy

    low = min(sizes_mb, default=MIN_MEMORY_MB)
    high = max(sizes_mb, default=MAX_MEMORY_MB)
    powers = [2**power for power in range(5, 15)]
    for panel in axes:
        panel.set_xscale("log", base=2)
        panel.set_xlim(low / _MARGIN, high * _MARGIN)
        panel.xaxis.set_major_locator(FixedLocator(powers))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        panel.tick_params(axis="x", labelbottom=panel is axes[-1])
        panel.grid(visible=True, color=canvas.GRID, linewidth=0.7)
    axes[-1].set_xlabel("memory (MB, log scale)")


def scale_values(panel: Axes, values: Collection[float], *, unit: str) -> None:
    """From zero, or logarithmic if the values are over eight-fold apart.

    Without values (nothing is known) the axis has neither ticks nor a scale.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator  # noqa: PLC0415 - heavy

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
    panel.yaxis.set_major_formatter(lambda value, _: f"{unit}{value:,{digits}}")


def draw_core_thresholds(axes: Sequence[Axes], *, label_above: Axes) -> None:
    """Faint lines where the platform adds another core, their names above one panel."""
    thresholds = [(MB_PER_VCPU, "1 core"), *((mb, str(cores)) for mb, cores in CORE_THRESHOLDS_MB)]
    low, high = label_above.get_xlim()
    seen = [(mb, name) for mb, name in thresholds if low < mb < high]
    for panel in axes:
        for memory_mb, _name in seen:
            panel.axvline(memory_mb, color=canvas.THRESHOLD, linewidth=0.8, zorder=0.5)
    for place, (memory_mb, name) in enumerate(seen):
        last = place == len(seen) - 1 and name.isdigit()
        text = f"{name} cores" if last else name
        canvas.write_at(
            label_above, text, (memory_mb, 1), (0, 2), ha="center", fontsize=7.5, color=canvas.QUIET
        )


def draw_size_marks(axes: Sequence[Axes], marks: Sequence[SizeMark]) -> None:
    """A line through every panel for each notable size, its label above the first."""
    for mark in marks:
        for panel in axes:
            panel.axvline(
                mark.memory_mb, color=mark.color, linestyle=mark.line, linewidth=1.3, zorder=1.5
            )
    labels = []
    for mark in sorted(marks, key=lambda mark: mark.memory_mb):
        text, place = f"{mark.label} {mark.memory_mb} MB", (mark.memory_mb, 1)
        label = canvas.write_at(
            axes[0], text, place, (0, 4), ha="center", color=mark.color, fontweight="bold"
        )
        labels.append(label)
    _keep_apart(labels, axes[0])


def _keep_apart(labels: Sequence[Text], panel: Axes) -> None:
    """Move labels into the panel's width, and up if one would overlap another."""
    panel_box = panel.get_window_extent()
    row_ends: list[float] = []
    for label in labels:
        box = label.get_window_extent()
        shift = max(panel_box.x0 - box.x0, 0) + min(panel_box.x1 - box.x1, 0)
        start, end = box.x0 + shift, box.x1 + shift
        row = next((n for n, taken in enumerate(row_ends) if taken < start), len(row_ends))
        row_ends[row : row + 1] = [end + _LABEL_GAP_PX]
        label.set_position((shift * 72 / panel.figure.dpi, 4 + row * _LABEL_ROW_PT))


_AREA: Final = 34
_FAILED_HEIGHT: Final = 0.06
"""A failure has no duration: it's marked at the bottom of the panel, as a share of its height."""
_TICK_STEPS: Final = tuple(part * 10**power for power in range(9) for part in (1, 2, 5))
_BAND_ALPHA: Final = 0.18
_OTHER_ALPHA: Final = 0.75
_DASHES: Final = {"duration": "-", "cost": (0, (6, 2))}
_COLORS: Final = {"duration": canvas.CURVE, "cost": canvas.COST}
_KEY_ORDER: Final = ("duration", "cost", "band", "warm", "cold", "failed", "set aside")


def cost_axis(panel: Axes) -> Axes:
    """A second axis on the panel's right, in the color of its curve."""
    twin = panel.twinx()
    twin.spines["right"].set_visible(True)
    twin.spines["right"].set_color(canvas.COST)
    twin.tick_params(axis="y", colors=canvas.COST)
    twin.set_ylabel("cost per million", color=canvas.COST)
    return twin


def draw_curve(
    panel: Axes,
    estimates: Mapping[int, Interval],
    marks: Sequence[SizeMark],
    quantity: Literal["duration", "cost"],
) -> None:
    """The estimate and its 90% band over the candidate sizes, and the marks on it."""
    sizes = sorted(estimates)
    if sizes:
        bands = [estimates[size] for size in sizes]
        lows, highs = [each.low for each in bands], [each.high for each in bands]
        color = _COLORS[quantity]
        panel.fill_between(
            sizes, lows, highs, color=color, alpha=_BAND_ALPHA, linewidth=0, zorder=1, label="band"
        )
        panel.plot(
            sizes,
            [each.estimate for each in bands],
            color=color,
            linestyle=_DASHES[quantity],
            linewidth=1.8,
            zorder=2,
            label=quantity,
        )
    for mark in marks:
        if mark.memory_mb in estimates:
            panel.plot(
                [mark.memory_mb],
                [estimates[mark.memory_mb].estimate],
                marker=mark.marker,
                markersize=9,
                markerfacecolor="none",
                markeredgecolor=mark.color,
                markeredgewidth=1.8,
                linestyle="none",
                zorder=4,
                label=f"_{mark.label}",  # an underscore keeps it out of the key
            )


def draw_other_curve(
    panel: Axes, other: ArchitectureCurve, quantity: Literal["duration", "cost"]
) -> None:
    """Another architecture's estimate, paler and without its band; its name is in the key."""
    sizes = [each.memory_mb for each in other.curve]
    name = "duration_ms" if quantity == "duration" else "cost_usd_per_million"
    panel.plot(
        sizes,
        [getattr(each, name).estimate for each in other.curve],
        color=_COLORS[quantity],
        linestyle=":",
        linewidth=1.4,
        alpha=_OTHER_ALPHA,
        zorder=1.9,
        label=f"on {other.architecture}" if quantity == "duration" else "_other",
    )


def draw_samples(panel: Axes, steps: Sequence[Step], values: Sequence[float]) -> None:
    """Warm samples filled, cold starts hollow, failures at the bottom; `values` are the steps'."""
    _scatter(panel, "warm", steps, values)
    _scatter(panel, "cold", steps, values)
    foot = [_FAILED_HEIGHT] * len(steps)
    _scatter(panel, "failed", steps, foot, transform=panel.get_xaxis_transform())


def draw_order(panel: Axes, steps: Sequence[Step]) -> None:
    """Every invocation by its number, the first on top, joined by a thread."""
    count = max(len(steps), 1)
    numbers = [step.number for step in steps]
    panel.plot(
        [step.memory_mb for step in steps],
        numbers,
        color=canvas.THREAD,
        linewidth=0.8,
        zorder=1.8,
        label="_thread",
    )
    for kind in ("warm", "cold", "failed", "set aside"):
        _scatter(panel, kind, steps, numbers)
    panel.set_ylim(count + 0.05 * count + 0.5, 0.5 - 0.05 * count)
    step = next(step for step in _TICK_STEPS if count <= 5 * step)
    panel.set_yticks(sorted({1, *range(step, count + 1, step)}))


def draw_key(panels: Sequence[Axes], *, failures: Sequence[str], payload_count: int) -> None:
    """One key below the panels for everything in them."""
    mixed = payload_count > 1
    words = {
        "duration": "mean duration of the mix" if mixed else "mean duration",
        "cost": "cost per million",
        "band": "90% band",
        "warm": "warm (one payload)" if mixed else "warm",
        "cold": "cold start",
        "failed": f"failed: {', '.join(failures)}",
        "set aside": "set aside",
    }
    found: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    elsewhere = [key for key in found if key.startswith("on ")]
    words |= {key: key for key in elsewhere}
    keys = [key for key in (*_KEY_ORDER, *elsewhere) if key in found]
    panels[0].figure.legend(
        [found[key] for key in keys],
        [words[key] for key in keys],
        loc="lower left",
        bbox_to_anchor=(0.075, 0.0),
        ncols=len(keys),
        handletextpad=0.5,
        columnspacing=1.0 if elsewhere else 1.6,
    )
    text, coords = "color: order of the invocations, dark first", "axes fraction"
    below, color = (0, -26), canvas.QUIET
    canvas.write_at(
        panels[-1], text, (1, 0), below, coords=coords, ha="right", fontsize=8, color=color
    )


def _scatter(
    panel: Axes, kind: StepKind, steps: Sequence[Step], heights: Sequence[float], **more: Any
) -> None:
    """Mark the steps of one kind; colors run from the first to the last of all steps."""
    chosen = [each for each in zip(steps, heights, strict=True) if each[0].kind == kind]
    if not chosen:
        return
    colors = canvas.order_colors([step.number for step, _ in chosen], len(steps))
    looks: dict[StepKind, dict[str, Any]] = {
        "warm": {"c": colors, "edgecolors": canvas.PAPER, "linewidths": 0.5},
        "cold": {"facecolors": "none", "edgecolors": colors, "linewidths": 1.2},
        "failed": {"c": canvas.FAILED, "marker": "x", "linewidths": 2.0},
        "set aside": {"c": canvas.QUIET, "marker": ".", "linewidths": 0},
    }
    panel.scatter(
        [step.memory_mb for step, _ in chosen],
        [height for _, height in chosen],
        s=_AREA,
        label=kind,
        zorder=3,
        **looks[kind],
        **more,
    )
