"""Turns a sweep, its curve and prices into a recommendation with findings.

`recommend` reads the evidence (`evidence`), estimates duration and cost at every candidate size
(`candidates`, `estimates`), bars what fails or breaks a limit (`constraints`), applies the goal's
rule (`ranking`), judges whether the answer can be stood by (`verdict`), and says what else was seen
(`findings`). All of it is pure: the same sweep and seed give the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.decision.analysis import Analysis, analyse
    from tuner.decision.candidates import candidate_sizes
    from tuner.decision.recommend import recommend

__all__ = ["Analysis", "analyse", "candidate_sizes", "recommend"]


def __getattr__(name: str) -> Any:
    """Hand the public names on lazily: importing this package does not load numpy."""
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    if name in ("Analysis", "analyse"):
        return getattr(import_module("tuner.decision.analysis"), name)
    if name == "candidate_sizes":
        return import_module("tuner.decision.candidates").candidate_sizes
    if name == "recommend":
        # The function, not the module of the same name that the import binds first.
        globals()["recommend"] = import_module("tuner.decision.recommend").recommend
        return globals()["recommend"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
