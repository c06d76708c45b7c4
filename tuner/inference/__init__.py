"""Fits duration over memory, with its uncertainty.

`fit_curve` takes warm samples of one payload and returns a `Curve`: posterior draws of the mean
duration at any size. Samples become size levels with two layers of noise (`noise`), a library of
shapes that Lambda's CPU credit allows is weighed by them (`shapes`, `posterior`), and the curve
hands out draws and means (`curve`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.inference.curve import Curve
    from tuner.inference.fit import fit_curve
    from tuner.inference.sample import Sample

__all__ = ["Curve", "Sample", "fit_curve"]

_HOMES = {"Curve": "curve", "Sample": "sample", "fit_curve": "fit"}


def __getattr__(name: str) -> Any:
    """Hand the public names on lazily: importing this package does not load numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
