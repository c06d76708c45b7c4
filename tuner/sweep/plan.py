"""Plans a sweep: sizes, repetitions and limits as data, before an account is asked for anything.

`plan_adaptive` says how much a sweep that chooses its sizes as it goes may take, `plan_sweep` how
much one that measures every size takes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from tuner.decision.candidates import candidate_sizes, named_within
from tuner.decision.percentile import samples_needed
from tuner.errors import InputError, UsageError
from tuner.model.function import Architecture
from tuner.model.lambda_limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.model.plan import MOST_INVOCATIONS, PayloadClass, SweepPlan
from tuner.sweep.estimate import (
    PUBLISH_S,
    Pricing,
    estimate_adaptive,
    estimate_exhaustive,
    within,
)
from tuner.sweep.limits import CONCURRENCY
from tuner.sweep.sizes import SizeLimits, check_range, chosen_sizes, sizes_by_priority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.payload import Payload
    from tuner.model.plan import Isolation, Method
    from tuner.model.request import TuneRequest
    from tuner.pricing import LambdaPrices
    from tuner.sweep.estimate import Estimate

PER_FURTHER_PAYLOAD: Final = 6
"""Each payload has its own curve: samples at three sizes, and as many where they matter."""
LEAST_INVOCATIONS: Final = 4
"""Two sizes with a cold and a warm sample each: fewer can't support a comparison."""
ARCHITECTURES: Final[tuple[Architecture, ...]] = get_args(Architecture)
_MAX_CONCURRENCY: Final = 1_000
_UNMEASURABLE: Final = {
    "CapacityProviderConfig": "it runs on Lambda Managed Instances, whose price is the instances'",
    "DurableConfig": "it is durable, so an execution isn't a single invocation",
    "TenancyConfig": "it is isolated by tenant, and a sweep's invocations name no tenant",
}
"""Function settings that make invocations useless for choosing a memory size, and why."""


def new_sweep_id(now: datetime) -> str:
    """Return a unique id that sorts by time."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known about a function when its sweep is planned."""

    function: FunctionConfig
    payloads: tuple[Payload, ...]
    prices: LambdaPrices
    sweep_id: str
    isolation: Isolation = "version"
    concurrency: int = CONCURRENCY
    recent_duration_ms: float | None = None
    """The mean duration at the current size, if known."""
    publish_s: float = PUBLISH_S
    """How long publishing a size takes: next to nothing on a local endpoint."""
    max_memory_mb: int = MAX_MEMORY_MB
    """The largest size that the place can emulate."""
    sizes_mb: tuple[int, ...] = ()
    """The sizes of the resumed sweep: exactly these, whatever is asked for."""

    @property
    def pricing(self) -> Pricing:
        """What one invocation can cost."""
        return Pricing(self.function, self.prices, self.recent_duration_ms)


def plan_sweep(
    request: TuneRequest,
    basis: Basis,
    *,
    warmup_count: int = 1,
    repetition_count: int | None = None,
) -> SweepPlan:
    """Plan an exhaustive sweep over a range, or over the named sizes and the current one.

    `repetition_count` None: five, or fewer if that makes more than about 60 invocations. Tighter
    limits reduce repetitions first, then sizes (never those the user named). Raises UsageError for
    sizes out of range or order, and for limits that can't give every size a warm sample.
    """
    if warmup_count < 0 or (repetition_count is not None and repetition_count < 1):
        raise UsageError("a sweep needs at least one repetition, and no fewer than 0 warm-ups")
    check_budget(request)
    most = most_invocations(request, basis.payloads)
    limits = SizeLimits(
        basis.pricing, warmup_count, len(basis.payloads), most, request.budget.budget_usd
    )
    min_mb, max_mb = _range(request, basis)
    sizes = _named_sizes(request, basis, with_current=True) or limits.reduced(
        sizes_by_priority(min_mb, max_mb, basis.function.memory_mb)
    )
    repetitions = limits.repetitions(sizes, repetition_count)
    estimate = estimate_exhaustive(
        basis.pricing,
        sizes,
        per_size=warmup_count + repetitions * len(basis.payloads),
        concurrency=basis.concurrency,
        publish_s=basis.publish_s,
    )
    return _plan(
        request,
        basis,
        sizes,
        estimate,
        method="exhaustive",
        max_invocations=estimate.invocation_count if most is None else most,
        warmup_count=warmup_count,
        repetition_count=repetitions,
    )


def plan_adaptive(request: TuneRequest, basis: Basis, goal: Goal) -> SweepPlan:
    """Plan an adaptive sweep over the candidates in a range, or over the named sizes.

    Without a limit on invocations it takes MOST_INVOCATIONS, PER_FURTHER_PAYLOAD more for each
    payload beyond the first, and for each payload as many more as a limit at a percentile needs.
    Raises UsageError for limits that leave nothing to compare.
    """
    check_budget(request)
    min_mb, max_mb = _range(request, basis)
    check_range(min_mb, max_mb)
    sizes = _named_sizes(request, basis, with_current=False) or candidate_sizes(
        min_mb, max_mb, basis.function.memory_mb
    )
    most = most_invocations(request, basis.payloads) or _usual_most(goal, len(basis.payloads))
    check_count(most)
    _check_affordable(basis.pricing, sizes, request.budget.budget_usd)
    estimate = estimate_adaptive(
        basis.pricing,
        sorted({*sizes, basis.function.memory_mb}),  # measured even if the limits exclude it
        invocation_count=most,
        concurrency=basis.concurrency,
        publish_s=basis.publish_s,
    )
    return _plan(request, basis, sizes, estimate, method="adaptive", max_invocations=most)


def _plan(
    request: TuneRequest,
    basis: Basis,
    sizes_mb: tuple[int, ...],
    estimate: Estimate,
    *,
    method: Method,
    max_invocations: int,
    warmup_count: int = 0,
    repetition_count: int = 0,
) -> SweepPlan:
    budget_usd = request.budget.budget_usd
    return SweepPlan(
        sweep_id=basis.sweep_id,
        seed=request.measure.seed,
        sizes_mb=sizes_mb,
        warmup_count=warmup_count,
        repetition_count=repetition_count,
        payloads=payload_classes(basis.payloads),
        concurrency=basis.concurrency,
        max_invocations=max_invocations,
        budget_usd=budget_usd,
        isolation=basis.isolation,
        estimated_invocation_count=estimate.invocation_count,
        estimated_wall_s=estimate.wall_s,
        estimated_cost_usd=within(budget_usd, estimate.cost_usd),
        max_wall_s=estimate.max_wall_s,
        max_cost_usd=within(budget_usd, estimate.max_cost_usd),
        basis="timeout" if basis.recent_duration_ms is None else "recent_duration",
        method=method,
        spends_all=request.budget.max_invocations is not None,
        sizes_named=bool(request.measure.memory_sizes_mb),
        once_each=request.safety.once_each,
        keep_payloads=request.output.keep_payloads,
        fail_on=request.measure.fail_on,
    )


def payload_classes(payloads: Sequence[Payload]) -> tuple[PayloadClass, ...]:
    """Return the payloads as a plan has them: without their bodies."""
    return tuple(
        PayloadClass(
            payload.name,
            payload.weight,
            len(payload.body),
            payload.sha256,
            payload.record_count,
            payload.variant,
        )
        for payload in payloads
    )


def most_invocations(request: TuneRequest, payloads: Sequence[Payload]) -> int | None:
    """The user's limit, or the number of events if none may be sent twice.

    Raises UsageError if these are too few.
    """
    asked = request.budget.max_invocations
    counts = [payload.event_count for payload in payloads]
    known = [count for count in counts if count is not None]
    if not request.safety.once_each or len(known) < len(counts):
        return asked
    if sum(known) < LEAST_INVOCATIONS:
        raise UsageError(
            f"`once_each=True` has {sum(known)} events to send, but comparing sizes takes at least "
            f"{LEAST_INVOCATIONS}: record more into a folder, or describe them in a payload set"
        )
    return min(sum(known), asked or sum(known))


def _range(request: TuneRequest, basis: Basis) -> tuple[int, int]:
    """The range of sizes, within what the place can emulate. Raises UsageError."""
    asked, shown_mb = request.measure, basis.max_memory_mb
    asked_mb = max((asked.max_memory_mb or 0, *asked.memory_sizes_mb))
    if asked_mb > shown_mb:
        raise UsageError(
            f"this host can emulate at most {shown_mb} MB (its cores x 1769 MB), but {asked_mb} MB "
            "was asked for: lower `max_memory_mb` or `memory_sizes_mb`"
        )
    return asked.min_memory_mb or MIN_MEMORY_MB, asked.max_memory_mb or shown_mb


def _named_sizes(request: TuneRequest, basis: Basis, *, with_current: bool) -> tuple[int, ...]:
    """The sizes that the user named and the current one, which savings are measured against, as far
    as they are within the limits; for a resumed sweep, its own.

    `with_current`: include the current size whatever the limits. An adaptive sweep measures it
    anyway, and treats the planned sizes as the possible answers. Raises UsageError if the range has
    none.
    """
    asked, current_mb = request.measure, basis.function.memory_mb
    if not basis.sizes_mb and not asked.memory_sizes_mb:
        return ()
    sizes = basis.sizes_mb or tuple(sorted({*chosen_sizes(asked.memory_sizes_mb), current_mb}))
    within = named_within(sizes, asked.min_memory_mb, asked.max_memory_mb)
    if basis.sizes_mb:
        return sizes
    return tuple(sorted({*within, current_mb})) if with_current else within


def _usual_most(goal: Goal, payload_count: int) -> int:
    most = MOST_INVOCATIONS + PER_FURTHER_PAYLOAD * (payload_count - 1)
    if goal.percentile is None or goal.max_duration_ms is None:
        return most
    return most + samples_needed(goal.percentile) * payload_count


def check_measurable(function: FunctionConfig) -> None:
    """Raise InputError for a function whose invocations say nothing about its memory size."""
    settings = dict(function.settings)
    for name, why in _UNMEASURABLE.items():
        if name in settings:
            raise InputError(
                f"{function.name} can't be tuned: {why} ({name}). Nothing was changed; tune a "
                "function with the same code that has no such setting"
            )
    if not function.log_has_reports:
        raise InputError(
            f"{function.name} can't be tuned: its log has no REPORT records (JSON at "
            "SystemLogLevel WARN). Set INFO: aws lambda update-function-configuration "
            f"--function-name {function.name} --logging-config LogFormat=JSON,SystemLogLevel=INFO"
        )


def check_budget(request: TuneRequest) -> None:
    """Raise UsageError for limits that leave nothing to measure."""
    budget = request.budget
    concurrency, most, budget_usd = budget.concurrency, budget.max_invocations, budget.budget_usd
    if concurrency is not None and not 1 <= concurrency <= _MAX_CONCURRENCY:
        raise UsageError(f"`concurrency` {concurrency} is out of range: 1 to {_MAX_CONCURRENCY}")
    if most is not None and most < 1:
        raise UsageError(f"`max_invocations` {most} leaves nothing to measure")
    if budget_usd is not None and not 0 < budget_usd < float("inf"):
        raise UsageError(f"`budget_usd` {budget_usd} is not an amount above 0")


def check_count(count: int) -> None:
    """Raise UsageError for fewer invocations than a comparison takes."""
    if count < LEAST_INVOCATIONS:
        raise UsageError(
            f"`max_invocations` {count} can't compare two sizes: give {LEAST_INVOCATIONS} or more"
        )


def _check_affordable(pricing: Pricing, sizes: Sequence[int], budget_usd: float | None) -> None:
    worst_usd = min(map(pricing.worst_cost_usd, sizes))
    if budget_usd is not None and worst_usd > budget_usd:
        raise UsageError(
            f"one invocation at {min(sizes)} MB may cost ${worst_usd:.6f} (if it lasts until the "
            f"timeout of {pricing.function.timeout_s} s), but `budget_usd` allows only "
            f"${budget_usd:.6f}: raise it"
        )


def check_architectures(request: TuneRequest) -> None:
    """Raise UsageError for architectures that don't exist, and for wishes that don't go with
    comparing two.
    """
    measure = request.measure
    named = (*measure.architectures, *(kind for kind, _ in measure.code_by_architecture))
    for each in named:
        if each not in ARCHITECTURES:
            raise UsageError(f"{each!r} isn't an architecture: {' or '.join(ARCHITECTURES)}")
    if unused := {kind for kind, _ in measure.code_by_architecture} - {*measure.architectures}:
        [kind] = sorted(unused)[:1]
        raise UsageError(
            f"`code` has a build for {kind}, which isn't measured: name it in `architectures` too"
        )
    if not measure.architectures:
        return
    if measure.vary is not None:
        raise UsageError("`architectures` and `vary` are two questions: ask one after the other")
    if request.safety.once_each:
        raise UsageError(
            "`once_each` sends no event twice, and `architectures` sends the same ones to each: "
            "leave one of them out"
        )
    if request.safety.isolation == "version":
        raise UsageError("`architectures` measures each in a copy: leave out `isolation=version`")
