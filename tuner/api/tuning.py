"""The main job: from a function's name to an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuner import __version__
from tuner.api.events import load_for
from tuner.api.prepared import Request, prepare
from tuner.api.prices import current_price_book
from tuner.api.saved import recommend
from tuner.api.store import default_state_dir
from tuner.api.target import open_target
from tuner.errors import NotAgreedError
from tuner.model.goal import Goal
from tuner.payloads import asks_for_test_events, load_payloads
from tuner.sweep.file import SweepWriter
from tuner.sweep.runner import run_sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tuner.api.prepared import PreparedSweep
    from tuner.explore.strategy import Strategy
    from tuner.model.plan import Isolation
    from tuner.model.progress import ProgressEvent, ProgressHook
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices
    from tuner.sweep.stop import StopSignal


def _tell_nobody(event: ProgressEvent) -> None:
    """The hook of a run that nobody watches."""
    del event


def tune(
    function: str,
    *,
    payloads: Sequence[str] = (),
    vary: str | None = None,
    goal: Goal | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    local_template: Path | None = None,
    template_parameters: Mapping[str, str] | None = None,
    build: bool = False,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
    memory_sizes_mb: Sequence[int] = (),
    exhaustive: bool = False,
    max_invocations: int | None = None,
    budget_usd: float | None = None,
    concurrency: int | None = None,
    isolation: Isolation = "auto",
    seed: int = 0,
    out: Path | None = None,
    state_dir: Path | None = None,
    confirm: Callable[[PreparedSweep], bool] | None = None,
    on_progress: ProgressHook = _tell_nobody,
    stop: StopSignal | None = None,
) -> Recommendation:
    """Measure `function` (a name or an ARN) and say how much memory it should have.

    It really runs the code. `confirm` sees the plan before anything is changed; without it the
    call itself agrees. `local_template` starts an endpoint for that SAM template, with values for
    its parameters, and with `build` after pip, npm or make installed what it needs. `stop` ends the
    sweep early, with an answer from what was measured. Raises NotAgreedError, InputError and its
    kin, UnknownReachError, PriceError, AwsError and its kin, LocalError, and LeftChangedError if
    something is left changed.
    """
    options: dict[str, Any] = {"seed": seed, "vary": vary}
    asks = any(map(asks_for_test_events, payloads))
    request = Request(
        payloads=() if asks else load_payloads(payloads, **options),
        min_memory_mb=min_memory_mb,
        max_memory_mb=max_memory_mb,
        memory_sizes_mb=tuple(memory_sizes_mb),
        exhaustive=exhaustive,
        max_invocations=max_invocations,
        budget_usd=budget_usd,
        concurrency=concurrency,
        isolation=isolation,
        seed=seed,
        out=out,
    )
    folder = state_dir or default_state_dir()
    with open_target(
        function,
        state_dir=folder,
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        local_template=local_template,
        template_parameters=template_parameters,
        build=build,
        concurrency=concurrency,
    ) as target:
        goal = goal or Goal()
        if asks:
            loaded = load_for(target, function, payloads, **options)
            request = replace(request, payloads=loaded)
        prepared = prepare(target, function, request, goal=goal, state_dir=folder)
        if confirm is not None and not confirm(prepared):
            raise NotAgreedError("the plan was not agreed to: nothing was changed")
        sweep = run(prepared, on_progress=on_progress, stop=stop)
    return recommend(sweep, goal, min_memory_mb=min_memory_mb, max_memory_mb=max_memory_mb)


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
        SweepWriter(prepared.file, sync=plan.once_each) as writer,
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
        )


def _tried_first(prepared: PreparedSweep, strategy: Strategy) -> Strategy:
    """A payload set's classes are each tried once; one event alone shows at once that it fails."""
    payloads = prepared.payloads
    if len(payloads) == 1 and payloads[0].events is None:
        return strategy
    from tuner.sweep.try_first import TryFirst  # noqa: PLC0415 - only for payload sets

    return TryFirst(strategy, [each.name for each in payloads], prepared.function.memory_mb)


def _strategy(prepared: PreparedSweep, prices: LambdaPrices) -> Strategy:
    """What chooses the invocations of a plan."""
    plan = prepared.plan
    if plan.method == "exhaustive":
        from tuner.explore.fixed import FixedStrategy  # noqa: PLC0415 - only for its method

        return FixedStrategy(
            plan.sizes_mb,
            [payload.name for payload in plan.payloads],
            plan.warmup_count,
            plan.repetition_count,
            plan.seed,
            plan.max_invocations,
        )
    from tuner.explore.adaptive import AdaptiveStrategy  # noqa: PLC0415 - loads scipy
    from tuner.explore.varied import VariedStrategy  # noqa: PLC0415 - as above

    given: dict[str, Any] = {
        "function": prepared.function,
        "goal": prepared.goal,
        "prices": prices,
        "seed": plan.seed,
        "max_invocations": plan.max_invocations,
    }
    varied = plan.varied
    if varied is not None and varied.is_setting:
        return VariedStrategy(plan.sizes_mb, plan.payloads, varied, **given)
    weights = {payload.name: payload.weight for payload in plan.payloads}
    return AdaptiveStrategy(plan.sizes_mb, weights, **given)
