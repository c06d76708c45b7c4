"""Fits duration over memory, with its uncertainty.

Read `curve` first: `fit_curve` takes warm samples (`sample`) of one payload and returns a `Curve`,
posterior draws of the mean duration at any size. Slow calls are taken out of the samples
(`outliers`), which become size levels with two layers of noise (`variance_components`). A library
of shapes that Lambda's CPU credit allows (`prior`) is weighed by them, with a discrepancy that no
shape has (`kernel`) and an earlier sweep's measurements (`prior_sweep`), and drawn from
(`posterior`); slow calls are put back (`slow_calls`). How single calls scatter around the curve has
its own distribution (`predictive`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.inference.curve import Curve, fit_curve
    from tuner.inference.sample import Sample

__all__ = ["Curve", "Sample", "fit_curve"]

_HOMES = {"Curve": "curve", "Sample": "sample", "fit_curve": "curve"}


def __getattr__(name: str) -> Any:
    """Load public names on first use: importing this package doesn't load numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
