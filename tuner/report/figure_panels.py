"""What stands in a figure's panels: the curve with its band, the samples, their order, the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tuner.report import figure_style as style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from tuner.model.interval import Interval
    from tuner.report.figure_marks import SizeMark, Step, StepKind

_AREA: Final = 34
_FAILED_HEIGHT: Final = 0.06
"""A failure has no duration: it is marked at the foot of the panel, in shares of its height."""
_TICK_STEPS: Final = tuple(part * 10**power for power in range(9) for part in (1, 2, 5))
_KEY_ORDER: Final = ("curve", "band", "warm", "cold", "failed", "set aside")


def draw_curve(panel: Axes, estimates: Mapping[int, Interval], marks: Sequence[SizeMark]) -> None:
    """The estimate and its 90 % band over the candidate sizes, and the marks that lie on it."""
    sizes = sorted(estimates)
    if sizes:
        panel.fill_between(
            sizes,
            [estimates[size].low for size in sizes],
            [estimates[size].high for size in sizes],
            color=style.BAND,
            linewidth=0,
            zorder=1,
            label="band",
        )
        panel.plot(
            sizes,
            [estimates[size].estimate for size in sizes],
            color=style.CURVE,
            linewidth=1.6,
            zorder=2,
            label="curve",
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


def draw_samples(panel: Axes, steps: Sequence[Step], values: Sequence[float]) -> None:
    """Warm samples filled, cold starts hollow, failures at the foot; `values` are the steps'."""
    for kind in ("warm", "cold"):
        chosen = [(s, v) for s, v in zip(steps, values, strict=True) if s.kind == kind]
        _scatter(panel, kind, [s for s, _ in chosen], [v for _, v in chosen], len(steps))
    failed = [step for step in steps if step.kind == "failed"]
    _scatter(
        panel,
        "failed",
        failed,
        [_FAILED_HEIGHT] * len(failed),
        len(steps),
        transform=panel.get_xaxis_transform(),
    )


def draw_order(panel: Axes, steps: Sequence[Step]) -> None:
    """Every invocation by its number, the first on top, joined by a thread."""
    count = max(len(steps), 1)
    numbers = [step.number for step in steps]
    panel.plot(
        [step.memory_mb for step in steps],
        numbers,
        color=style.THREAD,
        linewidth=0.8,
        zorder=1.8,
        label="_thread",
    )
    for kind in ("warm", "cold", "failed", "set aside"):
        chosen = [step for step in steps if step.kind == kind]
        _scatter(panel, kind, chosen, [step.number for step in chosen], count)
    panel.set_ylim(count + 0.05 * count + 0.5, 0.5 - 0.05 * count)
    step = next(step for step in _TICK_STEPS if count <= 5 * step)
    panel.set_yticks(sorted({1, *range(step, count + 1, step)}))


def draw_key(panels: Sequence[Axes], *, failures: Sequence[str], payload_count: int) -> None:
    """One key below the panels for all that they hold."""
    mixed = payload_count > 1
    words = {
        "curve": "estimated mean of the payloads' mix" if mixed else "estimated mean",
        "band": "90 % band",
        "warm": "warm (one payload)" if mixed else "warm",
        "cold": "cold start",
        "failed": f"failed: {', '.join(failures)}",
        "set aside": "set aside",
    }
    found: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    keys = [key for key in _KEY_ORDER if key in found]
    panels[0].figure.legend(
        [found[key] for key in keys],
        [words[key] for key in keys],
        loc="lower left",
        bbox_to_anchor=(0.075, 0.0),
        ncols=len(keys),
        frameon=False,
        handletextpad=0.5,
        columnspacing=1.6,
    )
    panels[-1].annotate(
        "colour: order of the invocations, dark first",
        (1, 0),
        xycoords="axes fraction",
        xytext=(0, -26),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=style.QUIET,
    )


def _scatter(
    panel: Axes,
    kind: StepKind,
    steps: Sequence[Step],
    heights: Sequence[float],
    count: int,
    **more: Any,
) -> None:
    """Marks of one kind; their colours run from the first to the last of `count` invocations."""
    if not steps:
        return
    colors = style.order_colors([step.number for step in steps], count)
    looks: dict[StepKind, dict[str, Any]] = {
        "warm": {"c": colors, "edgecolors": style.PAPER, "linewidths": 0.5},
        "cold": {"facecolors": "none", "edgecolors": colors, "linewidths": 1.2},
        "failed": {"c": style.FAILED, "marker": "x", "linewidths": 2.0},
        "set aside": {"c": style.QUIET, "marker": ".", "linewidths": 0},
    }
    panel.scatter(
        [step.memory_mb for step in steps],
        heights,
        s=_AREA,
        label=kind,
        zorder=3,
        **looks[kind],
        **more,
    )
