"""The main job: from a function's name to an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner import __version__
from tuner.api.job import read_job
from tuner.api.prepared import prepare
from tuner.api.prices import current_price_book
from tuner.api.resuming import continued_in
from tuner.api.saved import recommend
from tuner.api.store import default_state_dir
from tuner.api.target import open_target
from tuner.errors import NotAgreedError
from tuner.model.goal import Goal
from tuner.sweep.runner import run_sweep
from tuner.sweep.writing import SweepWriter

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from pathlib import Path
    from typing import Unpack

    from tuner.api.job import TuneOptions
    from tuner.api.prepared import PreparedSweep, Request
    from tuner.breakeven.question import Terms
    from tuner.decision.policy.policy import Policy
    from tuner.model.progress import ProgressEvent, ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices
    from tuner.sweep.stop import StopSignal


def _tell_nobody(event: ProgressEvent) -> None:
    """The hook of a run that nobody watches."""
    del event


def tune(
    function: str | None = None,
    *,
    goal: Goal | None = None,
    terms: Terms | None = None,
    state_dir: Path | None = None,
    confirm: Callable[[PreparedSweep], bool] | None = None,
    on_progress: ProgressHook = _tell_nobody,
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
        sweep = run(prepared, on_progress=on_progress, stop=stop)
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
    from tuner.api.breakeven import add_platform  # noqa: PLC0415 - only once there is an answer

    answer = recommend(
        sweep,
        goal,
        min_memory_mb=request.min_memory_mb,
        max_memory_mb=request.max_memory_mb,
        today=today,
    )
    return add_platform(answer, sweep, terms, today=today)


def run(
    prepared: PreparedSweep,
    *,
    on_progress: ProgressHook = _tell_nobody,
    stop: StopSignal | None = None,
) -> Sweep:
    """Carry out a prepared sweep and give the function back. Raises as `tune` does."""
    plan, function, target = prepared.plan, prepared.function, prepared.target
    gateway = target.gateway
    prices = current_price_book().lambda_prices(function.region, function.architecture)
    facts = {"function": function.name, "sweep": plan.sweep_id}
    with (
        SweepWriter(
            prepared.file,
            sync=plan.once_each,
            replace=prepared.force,
            continues=continued_in(prepared.file, prepared.earlier),
        ) as writer,
        prepared.hooks.around_run(facts),
    ):
        return run_sweep(
            plan,
            function=function,
            environment="local" if gateway.is_loopback else "aws",
            control=gateway,
            invoker=gateway,
            strategy=_tried_first(prepared, _strategy(prepared, prices)),
            prices=prices,
            payloads=prepared.payloads,
            writer=writer,
            state_dir=target.state_dir,
            tool_version=__version__,
            endpoint_url=gateway.endpoint_url,
            findings=prepared.findings,
            on_progress=on_progress,
            stop=stop,
            hooks=prepared.hooks,
            earlier=prepared.earlier,
            build=prepared.build,
            goal=prepared.goal,
        )


def _tried_first(prepared: PreparedSweep, strategy: Policy) -> Policy:
    """A payload set's classes are each tried once; one event alone shows at once that it fails."""
    payloads = prepared.payloads
    if len(payloads) == 1 and payloads[0].events is None:
        return strategy
    from tuner.sweep.try_first import TryFirst  # noqa: PLC0415 - only for payload sets

    return TryFirst(strategy, [each.name for each in payloads], prepared.function.memory_mb)


def _strategy(prepared: PreparedSweep, prices: LambdaPrices) -> Policy:
    """What chooses the invocations of a plan."""
    plan = prepared.plan
    if plan.method == "exhaustive":
        from tuner.decision.policy.fixed import FixedPolicy  # noqa: PLC0415 - only for its method

        return FixedPolicy(
            plan.sizes_mb,
            [payload.name for payload in plan.payloads],
            plan.warmup_count,
            plan.repetition_count,
            plan.seed,
            plan.max_invocations,
        )
    from tuner.decision.policy.adaptive import AdaptivePolicy  # noqa: PLC0415 - loads scipy
    from tuner.decision.policy.stratified import StratifiedPolicy  # noqa: PLC0415 - as above

    given: dict[str, Any] = {
        "function": prepared.function,
        "goal": prepared.goal,
        "prices": prices,
        "seed": plan.seed,
        "max_invocations": plan.max_invocations,
        "spends_all": plan.spends_all,
    }
    varied = plan.varied
    if varied is not None and varied.is_setting:
        return StratifiedPolicy(plan.sizes_mb, plan.payloads, varied, **given)
    weights = {payload.name: payload.weight for payload in plan.payloads}
    return AdaptivePolicy(plan.sizes_mb, weights, **given)
