"""How much memory should an AWS Lambda function have, and should it be on Lambda at all?

`tuner.tune("resize-images", payloads=("event.json",))` measures and answers;
`tuner.recommend("resize-images")` answers again from the saved sweep;
`tuner.break_even("resize-images", "50/s")` compares platforms at 50 requests a second;
`tuner.tune_callable(f, events)` says what a plain Python function would need. Public names load on
first use, so `import tuner` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from tuner.model.presented import present_with

if TYPE_CHECKING:
    from tuner.api.answers import break_even, fit_curve, plot, recommend
    from tuner.api.callables import tune_callable
    from tuner.api.comparing import compare
    from tuner.api.spending import spend
    from tuner.api.tuning import TuneOptions, tune
    from tuner.breakeven.answer import BreakEven
    from tuner.breakeven.terms import Terms
    from tuner.breakeven.traffic import Traffic
    from tuner.errors import TunerError
    from tuner.inference.curve import Curve
    from tuner.model.comparison import Comparison
    from tuner.model.goal import Goal
    from tuner.model.interval import Interval
    from tuner.model.recommendation import Recommendation
    from tuner.model.spend import Spend
    from tuner.model.sweep import Sweep
    from tuner.sweep.store import load_sweep

__version__ = "0.1.0"

_HOMES: Final = {
    "BreakEven": "tuner.breakeven.answer",
    "Comparison": "tuner.model.comparison",
    "Curve": "tuner.inference.curve",
    "Goal": "tuner.model.goal",
    "Interval": "tuner.model.interval",
    "Recommendation": "tuner.model.recommendation",
    "Spend": "tuner.model.spend",
    "Sweep": "tuner.model.sweep",
    "Terms": "tuner.breakeven.terms",
    "Traffic": "tuner.breakeven.traffic",
    "TuneOptions": "tuner.api.tuning",
    "TunerError": "tuner.errors",
    "break_even": "tuner.api.answers",
    "compare": "tuner.api.comparing",
    "fit_curve": "tuner.api.answers",
    "load_sweep": "tuner.sweep.store",
    "plot": "tuner.api.answers",
    "recommend": "tuner.api.answers",
    "spend": "tuner.api.spending",
    "tune": "tuner.api.tuning",
    "tune_callable": "tuner.api.callables",
}

__all__ = [
    "BreakEven",
    "Comparison",
    "Curve",
    "Goal",
    "Interval",
    "Recommendation",
    "Spend",
    "Sweep",
    "Terms",
    "Traffic",
    "TuneOptions",
    "TunerError",
    "__version__",
    "break_even",
    "compare",
    "fit_curve",
    "load_sweep",
    "plot",
    "recommend",
    "spend",
    "tune",
    "tune_callable",
]


present_with(lambda: import_module("tuner.api.presenting"))


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
