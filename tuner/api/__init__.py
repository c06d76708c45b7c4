"""The compositions that the command line and notebooks call, each one screen.

`open_target` says where the function is, `prepare` reads it and plans, `run` sweeps, `recommend`
answers; `tune` is all of them in a row. `load_sweep` and `recommend` answer again from a file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuner.api.breakeven import recommend_with_platform
    from tuner.api.comparing import common_goal, compare
    from tuner.api.host_check import check_host
    from tuner.api.job import Job, TuneOptions, read_job
    from tuner.api.page import exhibit
    from tuner.api.prepared import Request, prepare
    from tuner.api.recovery import (
        Recovery,
        StrayRecovery,
        find_unfinished,
        open_recovery,
        open_stray,
    )
    from tuner.api.saved import analyse, load_sweep, recommend
    from tuner.api.target import Target, open_target
    from tuner.api.tuning import answer_of, run, tune
    from tuner.sweep.prepared import PreparedSweep

_HOMES: Final = {
    "Job": "job",
    "PreparedSweep": "prepared",
    "Recovery": "recovery",
    "Request": "prepared",
    "StrayRecovery": "recovery",
    "Target": "target",
    "TuneOptions": "job",
    "analyse": "saved",
    "answer_of": "tuning",
    "check_host": "host_check",
    "common_goal": "comparing",
    "compare": "comparing",
    "exhibit": "page",
    "find_unfinished": "recovery",
    "load_sweep": "saved",
    "open_recovery": "recovery",
    "open_stray": "recovery",
    "open_target": "target",
    "prepare": "prepared",
    "read_job": "job",
    "recommend": "saved",
    "recommend_with_platform": "breakeven",
    "run": "tuning",
    "tune": "tuning",
}

__all__ = [
    "Job",
    "PreparedSweep",
    "Recovery",
    "Request",
    "StrayRecovery",
    "Target",
    "TuneOptions",
    "analyse",
    "answer_of",
    "check_host",
    "common_goal",
    "compare",
    "exhibit",
    "find_unfinished",
    "load_sweep",
    "open_recovery",
    "open_stray",
    "open_target",
    "prepare",
    "read_job",
    "recommend",
    "recommend_with_platform",
    "run",
    "tune",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tuner.api.{home}"), name)
