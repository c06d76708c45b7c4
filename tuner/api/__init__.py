"""What the command line and Python call beside the four calls of `tuner.session`, each one screen.

`open_target` opens where a function is; `tune` is the whole main job. `recommend`, `compare` and
`exhibit` answer from saved sweeps, `open_recovery` puts right what a sweep left.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuner.api.answers import recommend
    from tuner.api.comparing import common_goal, compare
    from tuner.api.host_check import check_host
    from tuner.api.page import exhibit
    from tuner.api.recovery import (
        Recovery,
        StrayRecovery,
        find_unfinished,
        open_recovery,
        open_stray,
    )
    from tuner.api.target import connect_to, open_target
    from tuner.api.tuning import TuneOptions, tune

_HOMES: Final = {
    "Recovery": "recovery",
    "StrayRecovery": "recovery",
    "TuneOptions": "tuning",
    "check_host": "host_check",
    "common_goal": "comparing",
    "compare": "comparing",
    "connect_to": "target",
    "exhibit": "page",
    "find_unfinished": "recovery",
    "open_recovery": "recovery",
    "open_stray": "recovery",
    "open_target": "target",
    "recommend": "answers",
    "tune": "tuning",
}

__all__ = [
    "Recovery",
    "StrayRecovery",
    "TuneOptions",
    "check_host",
    "common_goal",
    "compare",
    "connect_to",
    "exhibit",
    "find_unfinished",
    "open_recovery",
    "open_stray",
    "open_target",
    "recommend",
    "tune",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tuner.api.{home}"), name)
