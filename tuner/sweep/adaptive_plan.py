"""Plans a sweep that chooses its sizes as it goes: what it may take at most."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Final

from tuner.decision import candidate_sizes
from tuner.decision.percentile import samples_needed
from tuner.errors import UsageError
from tuner.model.limits import MAX_MEMORY_MB, MIN_MEMORY_MB
from tuner.model.plan import SweepPlan
from tuner.sweep.estimate import PUBLISH_S, Pricing, within
from tuner.sweep.plan import CONCURRENCY, check_limits, payload_classes
from tuner.sweep.sizes import check_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.payload import Payload
    from tuner.model.plan import Isolation
    from tuner.pricing import LambdaPrices

MOST_INVOCATIONS: Final = 40
"""Where a decision needs more, the answer says so instead of going on."""
MOST_WITHOUT_SLACK: Final = 30
"""Without a slack what is still open here is which of several sizes that cost the same is cheaper
by a per cent: that takes hundreds.
"""
PER_FURTHER_PAYLOAD: Final = 6
"""Each payload has a curve of its own: samples at three sizes, and as many where they matter."""
LEAST_INVOCATIONS: Final = 4
"""Two sizes with a cold and a warm sample each: less cannot carry any comparison."""
_PUBLISHED_AT_MOST: Final = 12


def plan_adaptive(
    *,
    function: FunctionConfig,
    goal: Goal,
    payloads: Sequence[Payload],
    prices: LambdaPrices,
    sweep_id: str,
    seed: int = 0,
    min_memory_mb: int = MIN_MEMORY_MB,
    max_memory_mb: int = MAX_MEMORY_MB,
    memory_sizes_mb: Sequence[int] = (),
    concurrency: int | None = None,
    usual_concurrency: int = CONCURRENCY,
    max_invocations: int | None = None,
    budget_usd: float | None = None,
    isolation: Isolation = "version",
    recent_duration_ms: float | None = None,
    publish_s: float = PUBLISH_S,
) -> SweepPlan:
    """Plan an adaptive sweep among the candidates of a range, or among `memory_sizes_mb`.

    Without `max_invocations` it takes MOST_INVOCATIONS (MOST_WITHOUT_SLACK if the goal has none),
    PER_FURTHER_PAYLOAD more for each payload beyond the first, and for each payload as many more
    as a limit at a percentile needs. Raises UsageError for limits that leave nothing to compare.
    """
    check_limits(concurrency, max_invocations, budget_usd)
    check_range(min_memory_mb, max_memory_mb)
    sizes = tuple(memory_sizes_mb) or candidate_sizes(
        min_memory_mb, max_memory_mb, function.memory_mb
    )
    count = max_invocations or _usual_most(goal, len(payloads))
    pricing = Pricing(function, prices, recent_duration_ms)
    _check_enough(pricing, sizes, count, budget_usd)
    concurrency = concurrency or usual_concurrency
    publishing_s = min(len(sizes), _PUBLISHED_AT_MOST) * publish_s
    cost = count * fmean(map(pricing.expected_cost_usd, sizes))
    max_cost = count * max(map(pricing.worst_cost_usd, sizes))
    each_s = max(map(pricing.expected_duration_ms, sizes)) / 1000
    worst_s = pricing.worst_duration_ms / 1000
    return SweepPlan(
        sweep_id=sweep_id,
        seed=seed,
        sizes_mb=sizes,
        warmup_count=0,
        repetition_count=0,
        payloads=payload_classes(payloads),
        concurrency=concurrency,
        max_invocations=count,
        budget_usd=budget_usd,
        isolation=isolation,
        estimated_invocation_count=count,
        estimated_wall_s=publishing_s + count * each_s / concurrency,
        estimated_cost_usd=within(budget_usd, cost),
        max_wall_s=publishing_s + count * worst_s,
        max_cost_usd=within(budget_usd, max_cost),
        basis="timeout" if recent_duration_ms is None else "recent_duration",
        method="adaptive",
        sizes_named=bool(memory_sizes_mb),
    )


def _usual_most(goal: Goal, payload_count: int) -> int:
    further = PER_FURTHER_PAYLOAD * (payload_count - 1)
    most = MOST_INVOCATIONS if goal.cost_slack_ratio else MOST_WITHOUT_SLACK
    return most + further + _percentile_samples(goal, payload_count)


def _percentile_samples(goal: Goal, payload_count: int) -> int:
    if goal.percentile is None or goal.max_duration_ms is None:
        return 0
    return samples_needed(goal.percentile) * payload_count


def _check_enough(
    pricing: Pricing, sizes: Sequence[int], count: int, budget_usd: float | None
) -> None:
    check_count(count)
    worst_usd = min(map(pricing.worst_cost_usd, sizes))
    if budget_usd is not None and worst_usd > budget_usd:
        raise UsageError(
            f"one invocation at {min(sizes)} MB may cost ${worst_usd:.6f} (if it lasts until the "
            f"timeout of {pricing.function.timeout_s} s), --budget-usd allows ${budget_usd:.6f}: "
            "raise it"
        )


def check_count(count: int) -> None:
    """Raise UsageError for fewer invocations than any comparison takes."""
    if count < LEAST_INVOCATIONS:
        raise UsageError(
            f"--max-invocations {count} cannot compare two sizes: {LEAST_INVOCATIONS} are the least"
        )
