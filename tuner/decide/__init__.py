"""Turns a sweep, its curve and prices into a recommendation with findings.

`recommend` reads the evidence (`evidence`), estimates duration and cost at every candidate size
(`candidates`, `estimate`), bars what fails or breaks a limit (`admission`), applies the goal's rule
(`rule`), judges whether the answer can be stood by (`verdict`), and says what else was seen
(`findings`). All of it is pure: the same sweep and seed give the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.decide.candidates import candidate_sizes
    from tuner.decide.recommend import recommend

__all__ = ["candidate_sizes", "recommend"]


def __getattr__(name: str) -> Any:
    """Hand the public names on lazily: importing this package does not load numpy."""
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    if name == "candidate_sizes":
        return import_module("tuner.decide.candidates").candidate_sizes
    if name == "recommend":
        # The function, not the module of the same name that the import binds first.
        globals()["recommend"] = import_module("tuner.decide.recommend").recommend
        return globals()["recommend"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
