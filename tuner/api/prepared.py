"""A sweep that is planned and may be run: everything is read, nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tuner.api.batching import with_batch_size_in_use
from tuner.api.builds import fit_build
from tuner.api.prices import current_price_book
from tuner.api.resuming import (
    check_same,
    planned_as_before,
    resumed_request,
    what_is_left,
)
from tuner.api.store import SweepStore, check_writable
from tuner.errors import UsageError
from tuner.lease.reach import Reach, choose_isolation
from tuner.model.finding import Finding
from tuner.model.goal import Goal
from tuner.model.limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.payloads.first import checked_events
from tuner.sweep.adaptive_plan import LEAST_INVOCATIONS, plan_adaptive
from tuner.sweep.estimate import LOOPBACK_PUBLISH_S, PUBLISH_S
from tuner.sweep.hooks import NO_HOOKS, Hooks
from tuner.sweep.limits import LEAVE_CONCURRENCY, ConcurrencyLimits, polite_concurrency
from tuner.sweep.plan import check_measurable, new_sweep_id, plan_sweep
from tuner.sweep.prepared import PreparedSweep
from tuner.sweep.sizes import chosen_sizes
from tuner.sweep.writing import continued_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuner.api.target import Target
    from tuner.aws import LambdaGateway
    from tuner.model.build import Build
    from tuner.model.function import FunctionConfig
    from tuner.model.payload import Payload
    from tuner.model.plan import Isolation, SweepPlan
    from tuner.model.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be measured, and what that may take. None: the tool's own choice."""

    payloads: tuple[Payload, ...]
    min_memory_mb: int | None = None
    max_memory_mb: int | None = None
    memory_sizes_mb: tuple[int, ...] = ()
    """The sizes to choose from, ascending; the current size is added for comparison."""
    exhaustive: bool = False
    """Measure every planned size instead of choosing as it goes."""
    max_invocations: int | None = None
    budget_usd: float | None = None
    concurrency: int | None = None
    leave_concurrency_ratio: float = LEAVE_CONCURRENCY
    """Share of the concurrency there is that live traffic keeps."""
    isolation: Isolation = "auto"
    once_each: bool = False
    """Send no event twice."""
    keep_payloads: bool = False
    """Keep the events that are sent in the sweep file."""
    fail_on: str | None = None
    """A JMESPath expression: a reply for which it is true counts as a function error."""
    hooks: Hooks = NO_HOOKS
    build: Build | None = None
    """Measure this in place of the deployed code, in a copy."""
    earlier: Sweep | None = None
    """A kept sweep to go on from."""
    seed: int = 0
    out: Path | None = None
    """The sweep file; None: a new one in the state folder."""
    force: bool = False
    """Replace the sweep that `out` holds already."""


def prepare(
    target: Target, function: str, request: Request, *, goal: Goal, state_dir: Path
) -> PreparedSweep:
    """Read the function and plan its sweep. Changes nothing but the user's state folder.

    Raises InputError (sizes, limits, a file that cannot be written), PayloadError, PriceError,
    UnknownReachError (isolation auto), AwsError and its kin.
    """
    if request.out is not None:
        continued = continued_in(request.out, request.earlier)
        check_writable(request.out, replace=request.force, continues=continued)
    gateway, book = target.gateway, current_price_book()
    book.lambda_prices(gateway.region, "x86_64")  # an unknown region: say so before asking there
    config = gateway.read_function(gateway.resolve(function).target)
    check_measurable(config)
    request, findings = _as_measured(target, function, request, config)
    reach = _reach(target, request, function)
    isolation = choose_isolation(request.isolation, reach, config.name)
    concurrency, lowered = polite_concurrency(
        _concurrency_limits(gateway, function),
        isolation=isolation,
        asked=request.concurrency,
        leave_ratio=request.leave_concurrency_ratio,
    )
    prices = book.lambda_prices(config.region, config.architecture)
    plan = _plan(
        request,
        goal,
        shown_mb=target.max_memory_mb,
        is_loopback=gateway.is_loopback,
        function=config,
        prices=prices,
        concurrency=concurrency,
        isolation=isolation,
        recent_duration_ms=gateway.recent_duration_ms(function),
    )
    checked = checked_events(request.payloads, plan.max_invocations)
    file = request.out or SweepStore(state_dir).new_file(config.name, plan.sweep_id)
    check_writable(file, replace=request.force, continues=continued_in(file, request.earlier))
    return PreparedSweep(
        config,
        goal,
        plan,
        # The checked ones begin anew at their end, which once_each must not.
        request.payloads if request.once_each else checked,
        prices,
        file,
        environment="local" if gateway.is_loopback else "aws",
        harms_nothing=target.started_here,
        findings=findings if lowered is None else (*findings, lowered),
        reached_by=reach.ways,
        side_effects=_side_effects(target, config.name, function, state_dir),
        hooks=request.hooks,
        build=request.build,
        earlier=request.earlier,
        force=request.force,
    )


def _as_measured(
    target: Target, function: str, request: Request, config: FunctionConfig
) -> tuple[Request, tuple[Finding, ...]]:
    """Complete the request by what the function, a build and an earlier sweep say of it."""
    payloads, batching = with_batch_size_in_use(target, function, request.payloads)
    request = replace(request, payloads=payloads)
    findings = (*target.findings, *_qualified(target.gateway, function, config), *batching)
    if request.build is not None:
        findings = (*findings, fit_build(request.build, config))
        request = replace(request, isolation=isolation_of_build(request.isolation))
    if request.earlier is not None:
        _check_earlier(target, config, request, request.earlier)
        request = resumed_request(request, request.earlier)
    return request, findings


def check_plan(request: Request, function: FunctionConfig, max_memory_mb: int) -> None:
    """Plan as `prepare` will by what a template says of the function, before an endpoint starts.

    Raises UsageError for what leaves nothing to measure, PriceError for an unknown region.
    """
    prices = current_price_book().lambda_prices(function.region, function.architecture)
    if request.earlier is not None:
        request = resumed_request(request, request.earlier)
    _plan(
        request, Goal(), shown_mb=max_memory_mb, is_loopback=True, function=function, prices=prices
    )


def check_event_count(request: Request) -> None:
    """Raise UsageError where no event may be sent twice and there are too few of them."""
    _most_invocations(request)


def _plan(
    request: Request, goal: Goal, *, shown_mb: int | None, is_loopback: bool, **known: Any
) -> SweepPlan:
    """Plan what is asked for, with what is `known` of the function; the rest of an earlier plan.

    `shown_mb` is the largest size that the place can show; None: Lambda's own limit.
    """
    planned: dict[str, Any] = {
        **known,
        "payloads": request.payloads,
        "sweep_id": new_sweep_id(datetime.now(UTC)),
        "seed": request.seed,
        "memory_sizes_mb": _with_current(request.memory_sizes_mb, known["function"].memory_mb),
        "max_invocations": _most_invocations(request),
        "budget_usd": request.budget_usd,
        "publish_s": LOOPBACK_PUBLISH_S if is_loopback else PUBLISH_S,
        **_range(shown_mb or MAX_MEMORY_MB, request),
    }
    if request.earlier is not None:
        planned |= planned_as_before(request.earlier)
    plan = plan_sweep(**planned) if request.exhaustive else plan_adaptive(**planned, goal=goal)
    plan = replace(
        plan,
        once_each=request.once_each,
        keep_payloads=request.keep_payloads,
        fail_on=request.fail_on,
        spends_all=request.max_invocations is not None,
    )
    return plan if request.earlier is None else what_is_left(plan, request.earlier)


def isolation_of_build(isolation: Isolation) -> Isolation:
    """A build is measured in a copy. Raises UsageError where the function itself is wanted."""
    if isolation == "version":
        raise UsageError("--code measures another build in a copy: leave out --isolation version")
    return "clone"


def _check_earlier(
    target: Target, config: FunctionConfig, request: Request, earlier: Sweep
) -> None:
    """Raise InputError unless what is measured now is what was measured then."""
    digest = earlier.function.code_sha256
    if request.build is not None:
        digest = request.build.code_sha256 or digest
        config = replace(config, code_sha256=digest)
    environment = "local" if target.gateway.is_loopback else "aws"
    check_same(config, environment, earlier)


def _most_invocations(request: Request) -> int | None:
    """The user's limit, or how many events there are where none may be sent twice."""
    counts = [payload.event_count for payload in request.payloads]
    known = [count for count in counts if count is not None]
    if not request.once_each or len(known) < len(counts):
        return request.max_invocations
    if sum(known) < LEAST_INVOCATIONS:
        raise UsageError(
            f"--once-each has {sum(known)} events to send, and comparing sizes takes "
            f"{LEAST_INVOCATIONS} at least: record more into a folder, or describe them in a "
            "payload set"
        )
    return min(sum(known), request.max_invocations or sum(known))


def _reach(target: Target, request: Request, function: str) -> Reach:
    """What reaches $LATEST, where that decides; nothing can where the endpoint was started here."""
    if request.isolation != "auto" or target.started_here:
        return Reach()
    return target.gateway.reach(function)


def _side_effects(target: Target, name: str, function: str, state_dir: Path) -> tuple[str, ...]:
    """What a first sweep may cause; nothing real can where the endpoint was started here."""
    if target.started_here or name in SweepStore(state_dir).names():
        return ()
    return target.gateway.side_effects(function)


def _with_current(sizes_mb: tuple[int, ...], current_mb: int) -> tuple[int, ...]:
    """The sizes that the user named and the current one, which a saving is told against."""
    return tuple(sorted({*chosen_sizes(sizes_mb), current_mb})) if sizes_mb else ()


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


def _range(shown_mb: int, request: Request) -> dict[str, Any]:
    """The range of sizes, within what the place can show."""
    asked_mb = max((request.max_memory_mb or 0, *request.memory_sizes_mb))
    if asked_mb > shown_mb:
        raise UsageError(
            f"this host can show no more than {shown_mb} MB (its cores x 1769 MB), "
            f"{asked_mb} MB was asked for: lower --max-memory or --memory-sizes"
        )
    return {
        "min_memory_mb": request.min_memory_mb or MIN_MEMORY_MB,
        "max_memory_mb": request.max_memory_mb or shown_mb,
    }


def _concurrency_limits(gateway: LambdaGateway, function: str) -> ConcurrencyLimits:
    return ConcurrencyLimits(
        unreserved=gateway.account_settings().unreserved_concurrent_executions,
        reserved=gateway.reserved_concurrency(function),
    )
