"""What a scan says of each function, from its `FunctionEvidence`, and how functions are ranked.

A function whose logs weren't read is priced by CloudWatch's durations, and says so. AWS Compute
Optimizer's finding stands beside the advice: whether they agree, and why not.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.account import OPTIMIZER_LEAST_INVOCATIONS, OPTIMIZER_MAX_MEMORY_MB
from tuner.model.advice import Advice, Situation
from tuner.model.finding import Finding
from tuner.model.interval import counted, percent
from tuner.model.lambda_limits import SECONDS_PER_MONTH
from tuner.model.scan import IdleProvisioned, OptimizerView, ScannedFunction
from tuner.observe.advice import LEAST_MONTH_S, advise
from tuner.observe.archive_days import observed_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tuner.model.account import AccountFunction, FunctionMetrics, OptimizerFinding
    from tuner.model.advice import ObservedSize
    from tuner.model.scan import Agreement, DaySums, FunctionEvidence
    from tuner.pricing import LambdaPrices

    Advise = Callable[[AccountFunction, tuple[ObservedSize, ...], LambdaPrices, float], Advice]
    """Of a function, what was seen of its sizes, its prices, and the window's seconds."""

SortKey = Literal["saving", "value", "cost"]
NO_REPORT: Final = "its log has no report of the window"
NEAR_RATIO: Final = 0.9
"""Of a limit: whatever is this close becomes a finding."""
USUAL_MAX_TIMEOUT_S: Final = 900
_OPEN: Final = ("sweep", "unknown")
IDLE_UTILIZATION_RATIO: Final = 0.5
"""Provisioned environments that are used less become a finding, with what the rest costs."""


def scan_function(
    evidence: FunctionEvidence,
    *,
    window_s: float,
    prices: LambdaPrices | None,
    judge: Advise | None,
    asked_optimizer: bool,
) -> ScannedFunction:
    """Sum up, price and judge one function.

    `window_s` is how long its logs or metrics go back. `prices` is None where the region has none;
    then there's no cost and no advice.
    """
    function, days, metrics = evidence.function, evidence.days, evidence.metrics
    count = _count(evidence)
    sizes = observed_sizes(
        days or (),
        memory_mb=function.memory_mb,
        digests=dict(evidence.digests),
        processor_ms=dict(evidence.processor_ms),
    )
    advice = _nothing_advised(evidence, prices, count)
    if advice is None and judge is not None and prices is not None:
        advice = judge(function, sizes, prices, window_s)
    cost = None if prices is None else _cost_usd(evidence, prices)
    now = [each for each in days or () if each.memory_mb == function.memory_mb]
    seen = ScannedFunction(
        function=function,
        invocation_count=count,
        cost_usd_per_month=None
        if cost is None or window_s < LEAST_MONTH_S
        else float(cost) * SECONDS_PER_MONTH / window_s,
        cost_basis=None if count is None else "metrics" if days is None else "reports",
        mean_ms=_mean_ms(sizes, metrics),
        longest_ms=max((each.longest_ms for each in days or ()), default=None),
        cold_start_share=sum(each.cold_count for each in sizes) / count if days and count else None,
        max_memory_used_mb=max((each.max_memory_used_mb or 0 for each in now), default=0) or None,
        error_count=_sum(days, "error_count", None if metrics is None else metrics.error_count),
        timeout_count=_sum(days, "timeout_count", None),
        oom_count=_sum(days, "oom_count", None),
        throttle_count=None if metrics is None else metrics.throttle_count,
        advice=advice,
        optimizer=compare_with_optimizer(function, count, evidence.optimizer, advice)
        if asked_optimizer
        else None,
        provisioned=_idle_provisioned(evidence, prices),
        findings=(),
    )
    return replace(seen, findings=tuple(_findings(seen, evidence, window_s)))


def _mean_ms(sizes: Sequence[ObservedSize], metrics: FunctionMetrics | None) -> float | None:
    """Of warm successes; without one, of all invocations that CloudWatch counts."""
    warm = sum(each.warm_count for each in sizes)
    if warm:
        return sum((each.mean_ms or 0.0) * each.warm_count for each in sizes) / warm
    if metrics is None or not metrics.invocation_count:
        return None
    return metrics.duration_ms_sum / metrics.invocation_count


def advise_function(
    function: AccountFunction,
    sizes: tuple[ObservedSize, ...],
    prices: LambdaPrices,
    window_s: float,
) -> Advice:
    """Judge a function of an account or an archive by its sizes in production."""
    situation = Situation(
        function.memory_mb, window_s, function.timeout_s, function.ephemeral_storage_mb
    )
    return advise(sizes, situation, prices)


def _nothing_advised(
    evidence: FunctionEvidence, prices: LambdaPrices | None, count: int | None
) -> Advice | None:
    """`unknown` if there is nothing to judge by; None otherwise."""
    if evidence.unread is not None or evidence.days is None:
        is_silent = (evidence.unread or "").startswith(NO_REPORT)
        reason = NO_REPORT if is_silent else "its logs weren't read"
    elif not count:
        reason = "it wasn't invoked"
    elif prices is None:
        reason = "no price is known for its region"
    else:
        return None
    return Advice("unknown", None, None, None, reason)


def rank(functions: Iterable[ScannedFunction], by: SortKey) -> tuple[ScannedFunction, ...]:
    """Sort by what would be saved, by what a sweep is worth, or by cost, the most first.

    Ties go by cost, then by how much ran at how much memory, then by name.
    """

    def key(each: ScannedFunction) -> tuple[float, ...]:
        cost = each.cost_usd_per_month or 0.0
        first = {
            "saving": each.saving_usd_per_month,
            "value": each.value_per_dollar or 0.0,
            "cost": cost,
        }[by]
        used = (each.invocation_count or 0) * (each.mean_ms or 0.0) * each.function.memory_mb
        return (-first, -each.saving_usd_per_month, -cost, -used)

    return tuple(
        sorted(functions, key=lambda each: (*key(each), each.function.region, each.function.name))
    )


def _count(evidence: FunctionEvidence) -> int | None:
    if evidence.days is not None:
        return sum(each.invocation_count for each in evidence.days)
    return None if evidence.metrics is None else evidence.metrics.invocation_count


def _cost_usd(evidence: FunctionEvidence, prices: LambdaPrices) -> Decimal | None:
    """What the window cost at list price: requests and billed (or, by metrics, used) time."""
    if evidence.days is not None:
        requests = sum(each.invocation_count for each in evidence.days)
        by_size: dict[int, int] = {}
        for each in evidence.days:
            by_size[each.memory_mb] = by_size.get(each.memory_mb, 0) + each.billed_ms_sum
        durations = (
            prices.exact_cost_usd(size, billed_ms) - prices.request_price_usd
            for size, billed_ms in by_size.items()
        )
        return requests * prices.request_price_usd + sum(durations, Decimal())
    if evidence.metrics is None:
        return None
    used_ms = round(evidence.metrics.duration_ms_sum)
    duration = prices.exact_cost_usd(evidence.function.memory_mb, used_ms)
    return (evidence.metrics.invocation_count - 1) * prices.request_price_usd + duration


def _sum(days: Sequence[DaySums] | None, name: str, otherwise: int | None) -> int | None:
    return otherwise if days is None else sum(getattr(each, name) for each in days)


def _idle_provisioned(
    evidence: FunctionEvidence, prices: LambdaPrices | None
) -> tuple[IdleProvisioned, ...]:
    if prices is None:
        return ()
    gb = evidence.function.memory_mb / 1024
    idle_usd = float(prices.provisioned_idle_price_usd_per_gb_second) * SECONDS_PER_MONTH * gb
    return tuple(
        IdleProvisioned(qualifier, count, used or 0.0, count * (1 - (used or 0.0)) * idle_usd)
        for qualifier, count, used in evidence.provisioned
        if count
    )


def _findings(
    seen: ScannedFunction, evidence: FunctionEvidence, window_s: float
) -> Iterable[Finding]:
    function = seen.function
    days = window_s / 86_400
    if seen.invocation_count == 0:
        yield Finding("function_idle", "info", f"it wasn't invoked in {days:.0f} days")
    for each in seen.provisioned:
        used = each.mean_utilization_ratio
        if used < IDLE_UTILIZATION_RATIO:
            yield Finding(
                "provisioned_idle",
                "warning",
                f"{counted(each.allocated_count, 'provisioned environment')} of {each.qualifier} "
                f"{'is' if each.allocated_count == 1 else 'are'} in use "
                f"{percent(used) if used else 'none'} of the time: the rest costs about "
                f"${each.idle_usd_per_month:,.2f} a month",
            )
    yield from _limit_findings(seen)
    if function.memory_mb > OPTIMIZER_MAX_MEMORY_MB:
        yield Finding(
            "above_optimizer_limit",
            "info",
            f"its {function.memory_mb} MB are above the {OPTIMIZER_MAX_MEMORY_MB:,} MB at which "
            "Compute Optimizer ends",
        )
    if evidence.unread is not None:
        yield Finding("logs_not_read", "warning", evidence.unread)


def _limit_findings(seen: ScannedFunction) -> Iterable[Finding]:
    """Durations close to the timeout, memory close to its size, a timeout close to the largest."""
    function, timeout_s = seen.function, seen.function.timeout_s
    longest_s = None if seen.longest_ms is None else seen.longest_ms / 1000
    if seen.timeout_count:
        allowed = "" if timeout_s is None else f" of {timeout_s} s"
        yield Finding(
            "close_to_timeout",
            "warning",
            f"{counted(f'{seen.timeout_count:,}', 'invocation')} ended at the timeout{allowed}",
        )
    elif timeout_s is not None and longest_s is not None and longest_s >= NEAR_RATIO * timeout_s:
        yield Finding(
            "close_to_timeout",
            "warning",
            f"the longest invocation took {longest_s:.1f} s, and {timeout_s} s are allowed",
        )
    if (
        timeout_s is not None
        and timeout_s >= NEAR_RATIO * USUAL_MAX_TIMEOUT_S
        and longest_s is not None
        and longest_s < timeout_s / 10
    ):
        yield Finding(
            "timeout_near_maximum",
            "warning",
            f"its timeout is {timeout_s} s and its longest invocation took {longest_s:.1f} s: one "
            "that hangs is billed until then",
        )
    used = seen.max_memory_used_mb
    if used is not None and used >= NEAR_RATIO * function.memory_mb:
        yield Finding(
            "memory_nearly_full",
            "warning",
            f"{used} of its {function.memory_mb} MB were used: a smaller size won't fit, and "
            "larger events may not fit",
        )


def compare_with_optimizer(
    function: AccountFunction,
    invocation_count: int | None,
    finding: OptimizerFinding | None,
    advice: Advice | None,
) -> OptimizerView:
    """Put both beside each other. `finding` is None where it says nothing of the function."""
    if finding is None or finding.finding == "Unavailable":
        return OptimizerView(finding, *_without_finding(function, invocation_count, finding))
    theirs = finding.recommended_mb if finding.finding == "NotOptimized" else function.memory_mb
    if theirs is None:
        return OptimizerView(finding, "open", "Compute Optimizer names no size")
    if advice is None or advice.verdict in _OPEN:
        return OptimizerView(finding, "open", _what_is_open(function, theirs, advice))
    ours = advice.memory_mb if advice.verdict == "resize" else function.memory_mb
    if ours is None:
        return OptimizerView(finding, "open", "nothing is advised")
    now = function.memory_mb
    if (ours > now) == (theirs > now) and (ours < now) == (theirs < now):
        same = ours in (theirs, now)
        why = "both say so" if same else f"same direction: {theirs} MB there, {ours} MB here"
        return OptimizerView(finding, "agree", why)
    return OptimizerView(finding, "disagree", _why_not(finding, now, ours, theirs))


def _without_finding(
    function: AccountFunction, invocation_count: int | None, finding: OptimizerFinding | None
) -> tuple[Agreement, str]:
    if function.memory_mb > OPTIMIZER_MAX_MEMORY_MB:
        return "blind", f"it looks at no function above {OPTIMIZER_MAX_MEMORY_MB:,} MB"
    if invocation_count is not None and invocation_count < OPTIMIZER_LEAST_INVOCATIONS:
        return "blind", f"it looks at no function with under {OPTIMIZER_LEAST_INVOCATIONS} calls"
    reasons = ", ".join(finding.reason_codes) if finding is not None else ""
    return "open", f"it has no finding ({reasons})" if reasons else "it has no finding"


def _what_is_open(function: AccountFunction, theirs: int, advice: Advice | None) -> str:
    said = f"it says {'keep' if theirs == function.memory_mb else f'{theirs} MB'}"
    if advice is None or advice.verdict == "unknown":
        return f"{said}; production's logs can't tell"
    return f"{said}; a sweep would tell"


def _why_not(finding: OptimizerFinding, now: int, ours: int, theirs: int) -> str:
    """It weighs utilization of memory and CPU, not what other sizes cost."""
    if "MemoryUnderprovisioned" in finding.reason_codes and ours <= now:
        return f"it says {theirs} MB for speed; no larger size is cheaper"
    if "MemoryOverprovisioned" in finding.reason_codes and ours >= now:
        return f"it says {theirs} MB since memory is unused; CPU comes with memory, and is used"
    if theirs == now:
        return f"its utilization looks right to it; durations say {ours} MB"
    return f"it says {theirs} MB by utilization; durations say {ours} MB"
