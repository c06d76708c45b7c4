"""How every figure looks: colours, sizes, type. One style, whatever the user's own settings are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH_IN: Final = 9.0
HEIGHT_IN: Final = 6.2
DPI: Final = 100

# Okabe and Ito's palette ("Color universal design", 2008): told apart by colour-blind readers too.
RECOMMENDED: Final = "#D55E00"
NOW: Final = "#0072B2"
KNEE: Final = "#007A5A"
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
    "font.family": ["DejaVu Sans"],  # the one font that matplotlib brings along
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
    "svg.fonttype": "path",  # looks the same wherever it is shown
    "svg.hashsalt": "lambda-tuner",  # ids of an SVG are random without one
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's own defaults and this style, whatever a matplotlibrc says; then as before.

    Raises InputError without matplotlib.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - half a second, for figures alone
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise InputError(
            "figures need matplotlib, which is not installed: pip install 'lambda-tuner[plot]'"
        ) from None
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)  # type: ignore[arg-type]  # its keys are one Literal of them all
        yield


def order_colors(numbers: Sequence[int], count: int) -> list[tuple[float, float, float, float]]:
    """The colour of each invocation number out of `count`, from the dark to the bright end."""
    from matplotlib import colormaps  # noqa: PLC0415 - as above

    colormap = colormaps[ORDER_MAP]
    return [colormap(ORDER_MAP_END * (number - 1) / max(count - 1, 1)) for number in numbers]
