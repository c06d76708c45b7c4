"""What every figure has: its size, colors and type, its headline, and the file it becomes.

One style, whatever the user's own settings are.
"""

from __future__ import annotations

import io
import textwrap
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

FigureFormat = Literal["png", "svg"]
WIDTH_IN: Final = 9.0
HEIGHT_IN: Final = 6.2
DPI: Final = 100
HEADLINE_COLUMNS: Final = 118

# Okabe and Ito's palette ("Color universal design", 2008): told apart by color-blind readers too.
RECOMMENDED: Final = "#D55E00"
NOW: Final = "#0072B2"
OPTION: Final = "#007A5A"
COST: Final = "#8C4F9F"
FAILED: Final = "#A3004F"
INK: Final = "#222222"
CURVE: Final = "#444444"
BAND: Final = "#D9D9D9"
QUIET: Final = "#6E6E6E"
GRID: Final = "#EDEDED"
THRESHOLD: Final = "#B5B5B5"
THREAD: Final = "#C4C4C4"
PAPER: Final = "#FFFFFF"

ORDER_MAP: Final = "viridis"
ORDER_MAP_END: Final = 0.9
"""Early is dark, late is bright; the map's last tenth is too pale on white paper."""

_RC: Final = {
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "font.family": ["DejaVu Sans"],  # the only font that comes with matplotlib
    "font.size": 9,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a `$` in a function's name is a dollar sign
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "svg.fonttype": "path",  # looks the same everywhere
    "svg.hashsalt": "lambda-tuner",  # ids of an SVG are random without one
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's own defaults and this style, whatever a matplotlibrc says; restored afterwards.

    Raises InputError without matplotlib.
    """
    with optional_import("figures need matplotlib", "matplotlib", extra="plot"):
        import matplotlib as mpl  # noqa: PLC0415 - half a second, for figures alone
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)  # type: ignore[arg-type]  # its keys are one Literal of them all
        yield


def order_colors(numbers: Sequence[int], count: int) -> list[tuple[float, float, float, float]]:
    """The color of each invocation number out of `count`, from the dark to the bright end."""
    from matplotlib import colormaps  # noqa: PLC0415 - as above

    colormap = colormaps[ORDER_MAP]
    return [colormap(ORDER_MAP_END * (number - 1) / max(count - 1, 1)) for number in numbers]


def new_figure() -> Figure:
    """An empty figure of the one size; call it within `styled`. It shows itself in a notebook."""
    return _shown_figure()(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI)


@cache
def _shown_figure() -> type[Figure]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy, and an extra

    class ShownFigure(Figure):
        """Matplotlib's figure, with the picture that IPython asks a value for."""

        def _repr_png_(self) -> bytes:
            return render_figure(self, "png")

    return ShownFigure


def render_figure(figure: Figure, format_name: FigureFormat) -> bytes:
    """The figure as a PNG or SVG file: the same figure, the same bytes (no date, fixed ids)."""
    metadata: dict[str, str | None] = {"Software": None}
    if format_name == "svg":
        metadata = {"Date": None, "Creator": "lambda-tuner", "Title": figure.get_suptitle()}
    file = io.BytesIO()
    with styled():
        figure.savefig(file, format=format_name, dpi=DPI, metadata=metadata)
    return file.getvalue()


def wrapped(text: str) -> str:
    """A headline in at most two lines, in characters that the font has."""
    lines = textwrap.wrap(text, HEADLINE_COLUMNS, max_lines=2, placeholder=" …")
    return drawable("\n".join(lines))


def drawable(text: str) -> str:
    """Foreign scripts would be boxes, each with a warning: they become question marks."""
    return "".join(char if ord(char) < 0x250 or char in "–−…→’≤≥▶" else "?" for char in text)


def write_note(figure: Figure, text: str) -> None:
    """What the signs mean, in the lower left corner."""
    figure.text(0.012, 0.012, text, fontsize=7.5, color=QUIET)


def write_at(
    panel: Axes,
    text: str,
    place: tuple[float, float],
    offset_pt: tuple[float, float],
    *,
    coords: str | tuple[str, str] = ("data", "axes fraction"),
    **looks: Any,
) -> Text:
    """Write beside a place in a panel; by default at a value, and at a share of its height."""
    return panel.annotate(
        text, place, xycoords=coords, xytext=offset_pt, textcoords="offset points", **looks
    )


def write_heading(
    figure: Figure, title: str, below: str, *, size: float, below_y: float = 0.943
) -> None:
    """The bold title, in characters that the font has, and the lines below it."""
    place = {"x": 0.012, "y": 0.985, "ha": "left"}
    figure.suptitle(drawable(title), **place, fontsize=size, fontweight="bold")
    figure.text(0.012, below_y, below, va="top", linespacing=1.35)
