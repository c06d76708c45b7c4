"""The main job in four calls, of the command line and of Python alike.

`plan` reads the function and says what a sweep would do, `run` measures, `analyse` works out what
the measurements tell, `recommend` answers. What they are asked is a `TuneRequest`, read into
`Inputs`; where they work is an `OpenTarget`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuner.errors import AwsError, InputError, UsageError
from tuner.lease.clone import LiveTraffic, choose_isolation
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.lambda_limits import MAX_MEMORY_MB
from tuner.payloads.event_stream import checked_events
from tuner.payloads.vary import varies_batch_size, with_batch_size_in_use
from tuner.pricing.renewal import current_price_book
from tuner.sweep.estimate import LOOPBACK_PUBLISH_S, PUBLISH_S
from tuner.sweep.hooks import NO_HOOKS, Hooks
from tuner.sweep.io import StopSignal, SweepIO, tell_nobody
from tuner.sweep.limits import ConcurrencyLimits, polite_concurrency
from tuner.sweep.plan import Basis, check_measurable, new_sweep_id, plan_adaptive, plan_sweep
from tuner.sweep.prepared import PreparedSweep
from tuner.sweep.resuming import check_same, resumed, resumed_payloads, what_is_left
from tuner.sweep.run import run as run_sweep
from tuner.sweep.store import SweepStore, check_writable
from tuner.sweep.writing import continued_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.model.function import Build, FunctionConfig
    from tuner.model.payload import Payload
    from tuner.model.plan import Isolation, SweepPlan
    from tuner.model.progress import ProgressHook
    from tuner.model.request import TuneRequest
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices


@dataclass(frozen=True, slots=True)
class OpenTarget:
    """An open gateway, and what is to be known of the place behind it."""

    gateway: LambdaGateway
    state_dir: Path
    """Where the journal of a sweep goes."""
    findings: tuple[Finding, ...] = ()
    max_memory_mb: int | None = None
    """The largest size that the place can show; None: Lambda's own limit."""
    started_here: bool = False

    @property
    def beside_the_function(self) -> tuple[str, ...]:
        """What a template has that is here, or is not: it decides what an invocation meets."""
        told = (each for each in self.findings if each.code.startswith("template_resource"))
        return tuple(each.message for each in told)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A request with all that it names, read as far as that needs no connection."""

    request: TuneRequest
    function: str
    payloads: tuple[Payload, ...] = ()
    """Empty where only the account has them."""
    hooks: Hooks = NO_HOOKS
    build: Build | None = None
    earlier: Sweep | None = None
    """The sweep to go on from."""

    def isolated(self, isolation: Isolation) -> Inputs:
        """The same with another isolation."""
        safety = replace(self.request.safety, isolation=isolation)
        return replace(self, request=replace(self.request, safety=safety))


def plan(inputs: Inputs, target: OpenTarget, *, goal: Goal, state_dir: Path) -> PreparedSweep:
    """Read the function and plan its sweep. Changes nothing but the user's state folder.

    Raises InputError (sizes, limits, a file that cannot be written), PayloadError, PriceError,
    UnknownTrafficError (isolation auto), AwsError and its kin.
    """
    check_output(inputs.request, inputs.earlier)
    gateway, book = target.gateway, current_price_book()
    book.lambda_prices(gateway.region, "x86_64")  # an unknown region: say so before asking there
    config = gateway.read_function(gateway.resolve(inputs.function).target)
    check_measurable(config)
    inputs, findings = _as_measured(inputs, target, config)
    request = inputs.request
    traffic = _live_traffic(inputs, target)
    isolation = choose_isolation(request.safety.isolation, traffic, config.name)
    concurrency, lowered = polite_concurrency(
        _concurrency_limits(gateway, inputs.function),
        isolation=isolation,
        asked=request.budget.concurrency,
        leave_ratio=request.budget.leave_concurrency_ratio,
    )
    prices = book.lambda_prices(config.region, config.architecture)
    planned = _plan(
        inputs,
        replace(
            _basis(inputs, config, prices, target.max_memory_mb, is_loopback=gateway.is_loopback),
            isolation=isolation,
            concurrency=concurrency,
            recent_duration_ms=gateway.recent_duration_ms(inputs.function),
        ),
        goal,
    )
    checked = checked_events(inputs.payloads, planned.max_invocations)
    file = request.output.out or SweepStore(state_dir).new_file(config.name, planned.sweep_id)
    continued = continued_in(file, inputs.earlier)
    check_writable(file, replace=request.output.force, continues=continued)
    return PreparedSweep(
        config,
        goal,
        planned,
        # The checked ones begin anew at their end, which once_each must not.
        inputs.payloads if request.safety.once_each else checked,
        prices,
        file,
        environment="local" if gateway.is_loopback else "aws",
        harms_nothing=target.started_here,
        findings=findings if lowered is None else (*findings, lowered),
        reached_by=traffic.sources,
        side_effects=_side_effects(inputs, target, config.name, state_dir),
        hooks=inputs.hooks,
        build=inputs.build,
        earlier=inputs.earlier,
        force=request.output.force,
    )


def run(
    prepared: PreparedSweep,
    target: OpenTarget,
    *,
    on_progress: ProgressHook = tell_nobody,
    stop: StopSignal | None = None,
) -> Sweep:
    """Carry out a prepared sweep and give the function back; raises as `sweep.run`."""
    io = SweepIO(target.gateway, target.state_dir, on_progress, stop or StopSignal())
    return run_sweep(prepared, io)


# Before anything is started


def check_plan(inputs: Inputs, function: FunctionConfig, max_memory_mb: int) -> None:
    """Plan as `plan` will by what a template says of the function, before an endpoint starts.

    Payloads that only the account has are not counted. Raises UsageError for what leaves nothing
    to measure, PriceError for an unknown region.
    """
    if not inputs.payloads and inputs.earlier is None:
        return
    prices = current_price_book().lambda_prices(function.region, function.architecture)
    inputs = _resumed(inputs)
    _plan(inputs, _basis(inputs, function, prices, max_memory_mb, is_loopback=True), Goal())


def check_output(request: TuneRequest, earlier: Sweep | None) -> None:
    """Raise SweepFileError where the named sweep file cannot be written."""
    out, force = request.output.out, request.output.force
    if out is not None:
        check_writable(out, replace=force, continues=continued_in(out, earlier))


def isolation_of_build(isolation: Isolation) -> Isolation:
    """A build is measured in a copy. Raises UsageError where the function itself is wanted."""
    if isolation == "version":
        raise UsageError("--code measures another build in a copy: leave out --isolation version")
    return "clone"


# The steps of a plan


def _basis(
    inputs: Inputs,
    function: FunctionConfig,
    prices: LambdaPrices,
    max_memory_mb: int | None,
    *,
    is_loopback: bool,
) -> Basis:
    return Basis(
        function,
        inputs.payloads,
        prices,
        sweep_id=new_sweep_id(datetime.now(UTC)),
        publish_s=LOOPBACK_PUBLISH_S if is_loopback else PUBLISH_S,
        max_memory_mb=max_memory_mb or MAX_MEMORY_MB,
        sizes_mb=inputs.earlier.plan.sizes_mb if inputs.earlier else (),
    )


def _plan(inputs: Inputs, basis: Basis, goal: Goal) -> SweepPlan:
    """Plan what is asked for; of a sweep that is gone on from, what is left."""
    request, earlier = inputs.request, inputs.earlier
    if not request.measure.exhaustive:
        planned = plan_adaptive(request, basis, goal)
    elif earlier is None:
        planned = plan_sweep(request, basis)
    else:
        was = earlier.plan
        planned = plan_sweep(
            request, basis, warmup_count=was.warmup_count, repetition_count=was.repetition_count
        )
    return planned if earlier is None else what_is_left(planned, earlier)


def _as_measured(
    inputs: Inputs, target: OpenTarget, config: FunctionConfig
) -> tuple[Inputs, tuple[Finding, ...]]:
    """Complete the inputs by what the function, a build and an earlier sweep say of them."""
    findings = [*target.findings, *_qualified(target.gateway, inputs.function, config)]
    payloads, other = with_batch_size_in_use(inputs.payloads, _batch_sizes(inputs, target))
    inputs = replace(inputs, payloads=payloads)
    if other is not None:
        findings.append(other)
    if inputs.build is not None:
        findings.append(_fit(inputs.build, config))
        inputs = inputs.isolated(isolation_of_build(inputs.request.safety.isolation))
    if inputs.earlier is not None:
        measured = config
        if inputs.build is not None:
            digest = inputs.build.code_sha256 or inputs.earlier.function.code_sha256
            measured = replace(config, code_sha256=digest)
        environment = "local" if target.gateway.is_loopback else "aws"
        check_same(measured, environment, inputs.earlier)
    return _resumed(inputs), tuple(findings)


def _resumed(inputs: Inputs) -> Inputs:
    """Complete the inputs by what the sweep that is gone on from was asked."""
    if inputs.earlier is None:
        return inputs
    return replace(
        inputs,
        request=resumed(inputs.request, inputs.earlier),
        payloads=resumed_payloads(inputs.payloads, inputs.earlier),
    )


def _batch_sizes(inputs: Inputs, target: OpenTarget) -> tuple[int, ...]:
    """Those of the event sources, where a batch size is varied; a refusal means none."""
    if target.started_here or not varies_batch_size(inputs.payloads):
        return ()
    try:
        return target.gateway.batch_sizes(inputs.function)
    except AwsError:
        return ()


def _fit(build: Build, function: FunctionConfig) -> Finding:
    """Return what is to be said of measuring a build. Raises InputError for the wrong kind."""
    is_image = build.image_uri is not None
    if is_image != (function.package_type == "Image"):
        kind = "a container image" if function.package_type == "Image" else "a ZIP package"
        raise InputError(f"{function.name} is {kind}: --code must be one too")
    what = "the image that --code names"
    if build.code_sha256 is not None:
        what = f"the package of --code (SHA-256 {build.code_sha256})"
    if build.code_sha256 == function.code_sha256:
        what += ", the very code that is deployed"
    return Finding(
        "other_build_measured",
        "info",
        f"What was measured is {what}, in a copy with the function's settings; deployed is "
        f"SHA-256 {function.code_sha256}.",
    )


def _qualified(gateway: LambdaGateway, function: str, latest: FunctionConfig) -> Iterator[Finding]:
    """What differs between $LATEST, which is measured, and the version or alias that was named."""
    qualifier = gateway.resolve(function).qualifier
    if qualifier in {None, "$LATEST"}:
        return
    named = gateway.read_function(function)
    if named.code_sha256 != latest.code_sha256:
        yield Finding(
            "other_code_measured",
            "warning",
            f"{qualifier} runs other code than $LATEST, and $LATEST is what was measured: "
            "deploy first, then tune",
        )
    if named.memory_mb != latest.memory_mb:
        yield Finding(
            "other_memory_compared",
            "warning",
            f"{qualifier} has {named.memory_mb} MB, but the comparison is with $LATEST's "
            f"{latest.memory_mb} MB",
        )


def _live_traffic(inputs: Inputs, target: OpenTarget) -> LiveTraffic:
    """What reaches $LATEST, where that decides; nothing can where the endpoint was started here."""
    if inputs.request.safety.isolation != "auto" or target.started_here:
        return LiveTraffic()
    return target.gateway.live_traffic(inputs.function)


def _side_effects(
    inputs: Inputs, target: OpenTarget, name: str, state_dir: Path
) -> tuple[str, ...]:
    """What a first sweep may cause; nothing real can where the endpoint was started here."""
    if target.started_here or name in SweepStore(state_dir).names():
        return ()
    return target.gateway.side_effects(inputs.function)


def _concurrency_limits(gateway: LambdaGateway, function: str) -> ConcurrencyLimits:
    return ConcurrencyLimits(
        unreserved=gateway.account_settings().unreserved_concurrent_executions,
        reserved=gateway.reserved_concurrency(function),
    )
