"""The main job: from a function's name to an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.job import read_job
from tuner.api.prepared import prepare
from tuner.api.saved import analyse
from tuner.api.store import default_state_dir
from tuner.api.target import open_target
from tuner.errors import NotAgreedError
from tuner.model.goal import Goal
from tuner.sweep.io import StopSignal, SweepIO, tell_nobody
from tuner.sweep.run import run as run_sweep

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from pathlib import Path
    from typing import Unpack

    from tuner.api.job import TuneOptions
    from tuner.api.prepared import Request
    from tuner.api.target import Target
    from tuner.breakeven.question import Terms
    from tuner.model.progress import ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.sweep.prepared import PreparedSweep


def tune(
    function: str | None = None,
    *,
    goal: Goal | None = None,
    terms: Terms | None = None,
    state_dir: Path | None = None,
    confirm: Callable[[PreparedSweep], bool] | None = None,
    on_progress: ProgressHook = tell_nobody,
    stop: StopSignal | None = None,
    today: datetime.date | None = None,
    **options: Unpack[TuneOptions],
) -> Recommendation:
    """Measure `function` (a name or an ARN) and say how much memory it should have.

    It really runs the code. `goal` is kept with the sweep; without it a sweep that is gone on from
    has its own. `options` are those of the command `tuner tune`, by the names that
    `tuner.TuneOptions` gives them, such as `payloads`, `region`, `local_template`, `budget_usd`.
    `confirm` sees the plan before anything is changed; without it the call itself agrees, to the
    cost and to side effects. `terms` have the rate of requests that a month is reckoned with.
    `stop` ends the sweep early, with an answer from what was measured. With `today` prices that
    are over 90 days old get a warning.

    Raises NotAgreedError, InputError and its kin, UnknownReachError, PriceError, AwsError and its
    kin, LocalError, HookError, and LeftChangedError if something is left changed.
    """
    folder = state_dir or default_state_dir()
    job = read_job(function, options, state_dir=folder)
    request = job.request
    goal = goal or (request.earlier and request.earlier.goal) or Goal()
    with open_target(
        job.function,
        state_dir=folder,
        concurrency=request.concurrency,
        check=job.check,
        **job.place,
    ) as target:
        request = job.completed(target)
        prepared = prepare(target, job.function, request, goal=goal, state_dir=folder)
        if confirm is not None and not confirm(prepared):
            raise NotAgreedError("the plan was not agreed to: nothing was changed")
        sweep = run(prepared, target, on_progress=on_progress, stop=stop)
    return answer_of(sweep, request, goal=goal, terms=terms, today=today)


def answer_of(
    sweep: Sweep,
    request: Request,
    *,
    goal: Goal,
    terms: Terms | None = None,
    today: datetime.date | None = None,
) -> Recommendation:
    """Answer as the request was asked, platforms included. Raises PriceError and InputError."""
    from tuner.api.breakeven import (  # noqa: PLC0415 - only once there is an answer
        recommend_with_platform,
    )

    analysis = analyse(
        sweep, goal, min_memory_mb=request.min_memory_mb, max_memory_mb=request.max_memory_mb
    )
    return recommend_with_platform(analysis, terms, today=today)


def run(
    prepared: PreparedSweep,
    target: Target,
    *,
    on_progress: ProgressHook = tell_nobody,
    stop: StopSignal | None = None,
) -> Sweep:
    """Carry out a prepared sweep and give the function back. Raises as `tune` does."""
    io = SweepIO(target.gateway, target.state_dir, on_progress, stop or StopSignal())
    return run_sweep(prepared, io)
