"""A figure that shows itself in a notebook, without pyplot and without a backend to choose.

Importing this module loads matplotlib.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from tuner.report import figure


class ShownFigure(Figure):
    """Matplotlib's figure, with the picture that IPython asks a value for."""

    def _repr_png_(self) -> bytes:
        return figure.render(self, "png")
