"""Plans a sweep: sizes, repetitions and limits as data, before anything is asked of an account."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from tuner.errors import InputError, UsageError
from tuner.model.limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.model.plan import PayloadClass, SweepPlan
from tuner.sweep.estimate import PUBLISH_S, Pricing, expected_wall_s, within, worst_wall_s
from tuner.sweep.sizes import chosen_sizes, sizes_by_priority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tuner.model.function import FunctionConfig
    from tuner.model.payload import Payload
    from tuner.model.plan import Isolation
    from tuner.pricing import LambdaPrices

WARM_COUNT: Final = 5
"""Warm samples a size, where the limits allow."""
CONCURRENCY: Final = 8
"""New accounts often have a concurrency of 10: this leaves a share of it for live traffic."""
_USUAL_INVOCATIONS: Final = 60
_LEAST_SIZE_COUNT: Final = 3
_MAX_CONCURRENCY: Final = 1_000
_UNMEASURABLE: Final = {
    "CapacityProviderConfig": "it runs on Lambda Managed Instances, whose price is the instances'",
    "DurableConfig": "it is durable, and what an execution takes is no single invocation's",
    "TenancyConfig": "it is isolated by tenant, and a sweep's invocations name no tenant",
}
"""Settings of a function by which its invocations tell nothing of its memory size, and why."""


def new_sweep_id(now: datetime) -> str:
    """Return an id that sorts by time and that no other sweep has."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def plan_sweep(
    *,
    function: FunctionConfig,
    payloads: Sequence[Payload],
    prices: LambdaPrices,
    sweep_id: str,
    seed: int = 0,
    min_memory_mb: int = MIN_MEMORY_MB,
    max_memory_mb: int = MAX_MEMORY_MB,
    memory_sizes_mb: Sequence[int] = (),
    warmup_count: int = 1,
    repetition_count: int | None = None,
    concurrency: int | None = None,
    usual_concurrency: int = CONCURRENCY,
    max_invocations: int | None = None,
    budget_usd: float | None = None,
    isolation: Isolation = "version",
    recent_duration_ms: float | None = None,
    publish_s: float = PUBLISH_S,
) -> SweepPlan:
    """Plan an exhaustive sweep of `function` over a range, or over exactly `memory_sizes_mb`.

    `repetition_count` None: five, fewer where that makes more than about 60 invocations.
    `concurrency` None: one call at a time for each size, `usual_concurrency` at most. Limits
    that are tighter reduce repetitions first, then sizes (never those that the user named).
    `recent_duration_ms` is the mean duration at the current size, if it is known; `publish_s` is
    what publishing a size takes (next to nothing on an endpoint of this machine). Raises
    InputError for sizes out of range or order, and for limits that cannot give every size one
    warm sample.
    """
    check_repetitions(warmup_count, repetition_count)
    check_limits(concurrency, max_invocations, budget_usd)
    pricing = Pricing(function, prices, recent_duration_ms)
    limits = _Limits(pricing, warmup_count, len(payloads), max_invocations, budget_usd)
    if memory_sizes_mb:
        sizes = chosen_sizes(memory_sizes_mb)
    else:
        wanted = sizes_by_priority(min_memory_mb, max_memory_mb, function.memory_mb)
        sizes = limits.reduced(wanted)
    repetitions = limits.repetitions(sizes, repetition_count)
    concurrency = concurrency or max(1, min(usual_concurrency, len(sizes)))
    per_size = warmup_count + repetitions * len(payloads)
    count = per_size * len(sizes)
    cost = per_size * sum(map(pricing.expected_cost_usd, sizes))
    max_cost = per_size * sum(map(pricing.worst_cost_usd, sizes))
    estimated_wall_s, max_wall_s = (
        wall_s(
            pricing,
            sizes,
            invocations_per_size=per_size,
            concurrency=concurrency,
            publish_s=publish_s,
        )
        for wall_s in (expected_wall_s, worst_wall_s)
    )
    return SweepPlan(
        sweep_id=sweep_id,
        seed=seed,
        sizes_mb=sizes,
        warmup_count=warmup_count,
        repetition_count=repetitions,
        payloads=payload_classes(payloads),
        concurrency=concurrency,
        max_invocations=count if max_invocations is None else max_invocations,
        budget_usd=budget_usd,
        isolation=isolation,
        estimated_invocation_count=count,
        estimated_wall_s=estimated_wall_s,
        estimated_cost_usd=within(budget_usd, cost),
        max_wall_s=max_wall_s,
        max_cost_usd=within(budget_usd, max_cost),
        basis="timeout" if recent_duration_ms is None else "recent_duration",
        sizes_named=bool(memory_sizes_mb),
    )


def payload_classes(payloads: Sequence[Payload]) -> tuple[PayloadClass, ...]:
    """Return the payloads as a plan knows them: without their bodies."""
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


class _Limits:
    """How many sizes and repetitions the invocations and the money allow."""

    def __init__(
        self,
        pricing: Pricing,
        warmup_count: int,
        payload_count: int,
        max_invocations: int | None,
        budget_usd: float | None,
    ) -> None:
        self._pricing = pricing
        self._warmup_count = warmup_count
        self._payload_count = payload_count
        self._max_invocations = max_invocations
        self._budget_usd = budget_usd

    def reduced(self, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """Return as many of the wanted sizes (by priority) as can each get a warm sample."""
        for count in range(len(wanted), min(_LEAST_SIZE_COUNT, len(wanted)) - 1, -1):
            sizes = tuple(sorted(wanted[:count]))
            if self._allows(sizes, 1):
                break
        return sizes

    def repetitions(self, sizes: tuple[int, ...], wanted: int | None) -> int:
        """Return the repetitions that the limits allow at these sizes. Raises UsageError."""
        most = self._usual_repetitions(len(sizes)) if wanted is None else wanted
        for repetitions in range(most, 0, -1):
            if self._allows(sizes, repetitions):
                return repetitions
        raise UsageError(self._refusal(sizes))

    def _usual_repetitions(self, size_count: int) -> int:
        for repetitions in range(WARM_COUNT, 1, -1):
            if size_count * self._per_size(repetitions) <= _USUAL_INVOCATIONS:
                return repetitions
        return 1

    def _per_size(self, repetitions: int) -> int:
        return self._warmup_count + repetitions * self._payload_count

    def _allows(self, sizes: tuple[int, ...], repetitions: int) -> bool:
        needed = self._per_size(repetitions) * len(sizes)
        if self._max_invocations is not None and needed > self._max_invocations:
            return False
        return self._budget_usd is None or self._needed_usd(sizes, repetitions) <= self._budget_usd

    def _needed_usd(self, sizes: tuple[int, ...], repetitions: int) -> float:
        """Return the least budget: the last call at the dearest size must fit with its worst case.

        What the calls before it cost is counted only where a mean duration is known: without one
        they may cost next to nothing, and the budget is kept call by call.
        """
        worst = max(map(self._pricing.worst_cost_usd, sizes))
        if self._pricing.recent_duration_ms is None:
            return worst
        expected = sum(map(self._pricing.expected_cost_usd, sizes)) * self._per_size(repetitions)
        return expected + worst - max(map(self._pricing.expected_cost_usd, sizes))

    def _refusal(self, sizes: tuple[int, ...]) -> str:
        needed = self._per_size(1) * len(sizes)
        what = f"{len(sizes)} sizes ({', '.join(map(str, sizes))} MB) with one warm sample each"
        if self._max_invocations is not None and needed > self._max_invocations:
            return (
                f"{what} need {needed} invocations, --max-invocations allows "
                f"{self._max_invocations}: raise it or name fewer --memory-sizes"
            )
        return (
            f"{what} need a budget of ${self._needed_usd(sizes, 1):.6f} (an invocation may last "
            f"until its timeout of {self._pricing.function.timeout_s} s), --budget-usd allows "
            f"${self._budget_usd:.6f}: raise it or name fewer or smaller --memory-sizes"
        )


def check_repetitions(warmup_count: int, repetition_count: int | None) -> None:
    """Raise UsageError for counts that measure nothing."""
    if warmup_count < 0 or (repetition_count is not None and repetition_count < 1):
        raise UsageError("a sweep needs at least one repetition, and no fewer than 0 warm-ups")


def check_measurable(function: FunctionConfig) -> None:
    """Raise InputError for a function whose invocations tell nothing of its memory size."""
    settings = dict(function.settings)
    for name, why in _UNMEASURABLE.items():
        if name in settings:
            raise InputError(
                f"{function.name} cannot be tuned: {why} ({name}). Nothing was changed; tune a "
                "function with the same code that has no such setting"
            )
    if not function.log_has_reports:
        raise InputError(
            f"{function.name} cannot be tuned: its log has no REPORT records (JSON at "
            "SystemLogLevel WARN). Set INFO: aws lambda update-function-configuration "
            f"--function-name {function.name} --logging-config LogFormat=JSON,SystemLogLevel=INFO"
        )


def check_limits(
    concurrency: int | None, max_invocations: int | None, budget_usd: float | None
) -> None:
    """Raise UsageError for limits that leave nothing."""
    if concurrency is not None and not 1 <= concurrency <= _MAX_CONCURRENCY:
        raise UsageError(f"--concurrency {concurrency} is out of range: 1 to {_MAX_CONCURRENCY}")
    if max_invocations is not None and max_invocations < 1:
        raise UsageError(f"--max-invocations {max_invocations} leaves nothing to measure")
    if budget_usd is not None and not 0 < budget_usd < float("inf"):
        raise UsageError(f"--budget-usd {budget_usd} is not an amount above 0")
