"""The compositions that the command line and notebooks call, each one screen.

`read_inputs` reads what a request names and `open_target` opens where its function is, for the four
calls of `tuner.session`; `tune` is all of them in a row. `load_sweep` and `recommend` answer again
from a file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tuner.api.breakeven import recommend_with_platform
    from tuner.api.comparing import common_goal, compare
    from tuner.api.host_check import check_host
    from tuner.api.inputs import read_inputs, test_event_names, with_payloads
    from tuner.api.page import exhibit
    from tuner.api.recovery import (
        Recovery,
        StrayRecovery,
        find_unfinished,
        open_recovery,
        open_stray,
    )
    from tuner.api.saved import analyse, load_sweep, recommend
    from tuner.api.target import connect_to, open_target
    from tuner.api.tuning import TuneOptions, answer_of, tune

_HOMES: Final = {
    "Recovery": "recovery",
    "StrayRecovery": "recovery",
    "TuneOptions": "tuning",
    "analyse": "saved",
    "answer_of": "tuning",
    "check_host": "host_check",
    "common_goal": "comparing",
    "compare": "comparing",
    "connect_to": "target",
    "exhibit": "page",
    "find_unfinished": "recovery",
    "load_sweep": "saved",
    "open_recovery": "recovery",
    "open_stray": "recovery",
    "open_target": "target",
    "read_inputs": "inputs",
    "recommend": "saved",
    "recommend_with_platform": "breakeven",
    "test_event_names": "inputs",
    "tune": "tuning",
    "with_payloads": "inputs",
}

__all__ = [
    "Recovery",
    "StrayRecovery",
    "TuneOptions",
    "analyse",
    "answer_of",
    "check_host",
    "common_goal",
    "compare",
    "connect_to",
    "exhibit",
    "find_unfinished",
    "load_sweep",
    "open_recovery",
    "open_stray",
    "open_target",
    "read_inputs",
    "recommend",
    "recommend_with_platform",
    "test_event_names",
    "tune",
    "with_payloads",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"tuner.api.{home}"), name)
