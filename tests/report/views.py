"""Views for the page, from the example's sweep and from sweeps made by formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.sweeps import cpu_bound_ms, made_sweep
from tuner import load_sweep
from tuner.api.answers import view
from tuner.breakeven.terms import Terms
from tuner.breakeven.traffic import traffic_of_rate
from tuner.model.plan import PayloadClass
from tuner.session import analyse

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep
    from tuner.report.page.data import SweepView

MIXED: Final = Path(__file__).parents[2] / "examples" / "sweeps" / "mixed.jsonl"


def mixed(rate_per_s: float | None = 50.0) -> SweepView:
    """The example's sweep, with platforms compared."""
    return shown(load_sweep(MIXED), rate_per_s=rate_per_s)


def shown(sweep: Sweep, rate_per_s: float | None = None) -> SweepView:
    """A sweep with all its answers."""
    terms = Terms(traffic=traffic_of_rate(rate_per_s))
    return view(analyse(sweep), source=sweep.function.name, terms=terms)


def large_sweep() -> Sweep:
    """540 invocations at ten sizes, of two payloads of which one takes twice as long."""
    sweep = made_sweep(warm_count=50)
    slow = made_sweep(lambda size: 2 * cpu_bound_ms(size), warm_count=2, seed=2)
    count = len(sweep.invocations)
    invocations = [replace(i, payload="large", index=count + i.index) for i in slow.invocations]
    classes = (PayloadClass("empty", 3.0, 2, "0" * 64), PayloadClass("large", 1.0, 900, "1" * 64))
    return replace(
        sweep,
        plan=replace(sweep.plan, payloads=classes),
        invocations=(*sweep.invocations, *invocations),
    )
