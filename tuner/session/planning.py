"""The steps of a plan: what the function, its account, a build and an earlier sweep contribute."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuner.errors import AwsError, InputError
from tuner.lease.clone import LiveTraffic
from tuner.local import host_architecture
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.lambda_limits import MAX_MEMORY_MB
from tuner.model.request import AUTO_PRIOR, NO_PRIOR
from tuner.observe.kept import observed_prior
from tuner.payloads.vary import varies_batch_size, with_batch_size_in_use
from tuner.pricing.renewal import current_price_book
from tuner.session.architectures import refuse_elsewhere, with_architectures
from tuner.session.inputs import Inputs, OpenTarget, isolation_of_build
from tuner.sweep.earlier import check_same, prior_evidence, resumed, resumed_payloads, what_is_left
from tuner.sweep.estimate import LOOPBACK_PUBLISH_S, PUBLISH_S
from tuner.sweep.limits import ConcurrencyLimits
from tuner.sweep.plan import Basis, new_sweep_id, plan_adaptive, plan_sweep
from tuner.sweep.store import SweepStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.model.function import Build, FunctionConfig
    from tuner.model.plan import PayloadClass, SweepPlan
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.pricing import LambdaPrices


def check_plan(inputs: Inputs, function: FunctionConfig, max_memory_mb: int) -> None:
    """Plan as `plan` will, from what a template says about the function, before an endpoint starts.

    Payloads that only the account has aren't counted. Raises UsageError if nothing is left to
    measure, and for an architecture that can't run here; PriceError for an unknown region.
    """
    refuse_elsewhere(inputs.request, function, host_architecture())
    if not inputs.payloads and inputs.earlier is None:
        return
    prices = current_price_book().lambda_prices(function.region, function.architecture)
    inputs = _resumed(inputs)
    plan_by(inputs, basis_of(inputs, function, prices, max_memory_mb, is_loopback=True), Goal())


def basis_of(
    inputs: Inputs,
    function: FunctionConfig,
    prices: LambdaPrices,
    max_memory_mb: int | None,
    *,
    is_loopback: bool,
) -> Basis:
    """What is known without asking an account again."""
    return Basis(
        function,
        inputs.payloads,
        prices,
        sweep_id=new_sweep_id(datetime.now(UTC)),
        publish_s=LOOPBACK_PUBLISH_S if is_loopback else PUBLISH_S,
        max_memory_mb=max_memory_mb or MAX_MEMORY_MB,
        sizes_mb=inputs.earlier.plan.sizes_mb if inputs.earlier else (),
    )


def plan_by(inputs: Inputs, basis: Basis, goal: Goal) -> SweepPlan:
    """Plan what is asked for; for a resumed sweep, what is left."""
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


def as_measured(
    inputs: Inputs, target: OpenTarget, config: FunctionConfig
) -> tuple[Inputs, tuple[Finding, ...]]:
    """Complete the inputs with what the function, a build and an earlier sweep say."""
    findings = [*target.findings, *_qualified(target.gateway, inputs.function, config)]
    payloads, elsewhere = with_batch_size_in_use(inputs.payloads, _batch_sizes(inputs, target))
    inputs = replace(inputs, payloads=payloads)
    if elsewhere is not None:
        findings.append(elsewhere)
    inputs, told = with_architectures(inputs, target, config)
    findings += told
    if inputs.build is not None:
        findings.append(_fit(inputs.build, config))
        inputs = inputs.isolated(isolation_of_build(inputs.request.safety.isolation))
    if inputs.earlier is not None:
        digest = inputs.earlier.function.code_sha256
        check_same(_to_measure(inputs, config, digest), target.environment, inputs.earlier)
    return _resumed(inputs), tuple(findings)


def _to_measure(inputs: Inputs, config: FunctionConfig, unknown_sha256: str) -> FunctionConfig:
    """The function with the code to measure; an image's digest is known once Lambda has read it."""
    if inputs.build is None:
        return config
    return replace(config, code_sha256=inputs.build.code_sha256 or unknown_sha256)


def prior_of(
    inputs: Inputs, target: OpenTarget, config: FunctionConfig, payloads: Sequence[PayloadClass]
) -> PriorEvidence | None:
    """What the named earlier sweep says about the function; a resumed sweep has its own. Raises
    InputError for one that says nothing, or would count twice.
    """
    earlier = inputs.earlier
    if inputs.prior is None:
        if earlier is not None:
            return None if inputs.request.measure.prior == NO_PRIOR else earlier.prior
        return _observed(inputs, config, payloads)
    prior_id = inputs.prior.plan.sweep_id
    if earlier is not None and prior_id in {earlier.plan.sweep_id, earlier.plan.resumed_from}:
        raise InputError(
            f"`prior` {prior_id} is part of the sweep being resumed, and would count twice: "
            "leave it out"
        )
    return prior_evidence(
        inputs.prior, _to_measure(inputs, config, ""), payloads, target.environment
    )


def _observed(
    inputs: Inputs, config: FunctionConfig, payloads: Sequence[PayloadClass]
) -> PriorEvidence | None:
    """What production says about the function. One that was found by name may be of another
    function with that name, and then says nothing; one that is named raises InputError.
    """
    if inputs.observation is None:
        return None
    names = tuple(each.name for each in payloads)
    try:
        return observed_prior(
            inputs.observation, function=config.name, region=config.region, payloads=names
        )
    except InputError:
        if inputs.request.measure.prior in {None, AUTO_PRIOR}:
            return None
        raise


def _resumed(inputs: Inputs) -> Inputs:
    """Complete the inputs with what the resumed sweep was asked for."""
    if inputs.earlier is None:
        return inputs
    return replace(
        inputs,
        request=resumed(inputs.request, inputs.earlier),
        payloads=resumed_payloads(inputs.payloads, inputs.earlier),
    )


def _batch_sizes(inputs: Inputs, target: OpenTarget) -> tuple[int, ...]:
    """The event sources' batch sizes, if a batch size is varied; none if access is denied."""
    if target.started_here or not varies_batch_size(inputs.payloads):
        return ()
    try:
        return target.gateway.batch_sizes(inputs.function)
    except AwsError:
        return ()


def _fit(build: Build, function: FunctionConfig) -> Finding:
    """Return what to say about measuring a build. Raises InputError for the wrong kind."""
    is_image = build.image_uri is not None
    if is_image != (function.package_type == "Image"):
        kind = "a container image" if function.package_type == "Image" else "a ZIP package"
        raise InputError(f"{function.name} is {kind}: `code` must be one too")
    what = "the image that `code` names"
    if build.code_sha256 is not None:
        what = f"the package of `code` (SHA-256 {build.code_sha256})"
    if build.code_sha256 == function.code_sha256:
        what += ", the code that's deployed"
    return Finding(
        "other_build_measured",
        "info",
        f"Measured {what} in a copy with the function's settings; the deployed code is SHA-256 "
        f"{function.code_sha256}.",
    )


def _qualified(gateway: LambdaGateway, function: str, latest: FunctionConfig) -> Iterator[Finding]:
    """How $LATEST, which is measured, differs from the named version or alias."""
    qualifier = gateway.resolve(function).qualifier
    if qualifier in {None, "$LATEST"}:
        return
    named = gateway.read_function(function)
    if named.code_sha256 != latest.code_sha256:
        yield Finding(
            "other_code_measured",
            "warning",
            f"{qualifier} runs different code from $LATEST, and $LATEST is what was measured: "
            "deploy first, then tune",
        )
    if named.memory_mb != latest.memory_mb:
        yield Finding(
            "other_memory_compared",
            "warning",
            f"{qualifier} has {named.memory_mb} MB, but the comparison is with $LATEST's "
            f"{latest.memory_mb} MB",
        )


def live_traffic_of(inputs: Inputs, target: OpenTarget) -> LiveTraffic:
    """What reaches $LATEST, if that matters; nothing can if the endpoint was started here."""
    if inputs.request.safety.isolation != "auto" or target.started_here:
        return LiveTraffic()
    return target.gateway.live_traffic(inputs.function)


def side_effects_of(
    inputs: Inputs, target: OpenTarget, name: str, state_dir: Path
) -> tuple[str, ...]:
    """What a first sweep may cause; nothing real if the endpoint was started here."""
    if target.started_here or name in SweepStore(state_dir).names():
        return ()
    return target.gateway.side_effects(inputs.function)


def concurrency_limits_of(gateway: LambdaGateway, function: str) -> ConcurrencyLimits:
    """What may run at once, as far as the account says."""
    return ConcurrencyLimits(
        unreserved=gateway.account_settings().unreserved_concurrent_executions,
        reserved=gateway.reserved_concurrency(function),
    )
