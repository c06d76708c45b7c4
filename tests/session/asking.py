"""Plans for what `tuner.tune` asks, with payloads, builds and earlier sweeps that are at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner import session
from tuner.api.tuning import request_of
from tuner.model.goal import Goal
from tuner.model.payload import Payload
from tuner.session import Inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.model.function import Architecture, Build
    from tuner.model.sweep import Sweep
    from tuner.session import OpenTarget
    from tuner.sweep.prepared import PreparedSweep

EMPTY = (Payload("empty", b"{}"),)


def planned(
    target: OpenTarget,
    function: str = "hello",
    *,
    payloads: Sequence[Payload] = EMPTY,
    build: Build | None = None,
    builds: Sequence[tuple[Architecture, Build]] = (),
    earlier: Sweep | None = None,
    prior: Sweep | None = None,
    asked_prior: str | None = None,
    state_dir: Path | None = None,
    **options: Any,
) -> PreparedSweep:
    """The plan for what `options`, those of `tuner.tune`, ask for."""
    inputs = Inputs(
        request_of(function, {**options, "prior": asked_prior}),  # type: ignore[typeddict-item]
        function,
        tuple(payloads),
        build=build,
        builds=tuple(builds),
        earlier=earlier,
        prior=prior,
    )
    return session.plan(inputs, target, goal=Goal(), state_dir=state_dir or target.state_dir)
