"""Turns a sweep and prices into an analysis, and that into a recommendation with findings.

Read `analysis` first. `analyse` reads the evidence (`evidence`), estimates duration and cost at
every candidate size (`candidates`, `estimates`), bars what fails or breaks a limit (`constraints`),
ranks the sizes under the goal (`ranking`; all of that is a `problem`), weighs a move away from the
current size (`move`), and gives the answer or says what more it needs (`verdict`). `recommend` (in
`recommendation`) reports it, with what else was seen (`findings`, `diagnostics`). An earlier sweep
comes in through `prior`, and `prior_use` says how much it counted. `compare` compares two sweeps.
`policy` chooses the invocations with the same problem. All of it is pure: the same sweep and seed
give the same answer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuner.decision.analysis import Analysis, analyse
    from tuner.decision.candidates import candidate_sizes
    from tuner.decision.recommendation import recommend

_HOMES: Final = {
    "Analysis": "analysis",
    "analyse": "analysis",
    "candidate_sizes": "candidates",
    "recommend": "recommendation",
}

__all__ = ["Analysis", "analyse", "candidate_sizes", "recommend"]


def __getattr__(name: str) -> Any:
    """Load public names on first use: importing this package doesn't load numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
