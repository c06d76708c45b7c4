"""AWS Compute Optimizer's finding beside the advice: whether they agree, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.account import OPTIMIZER_LEAST_INVOCATIONS, OPTIMIZER_MAX_MEMORY_MB
from tuner.model.scan import OptimizerView

if TYPE_CHECKING:
    from tuner.model.account import AccountFunction, OptimizerFinding
    from tuner.model.advice import Advice
    from tuner.model.scan import Agreement

_OPEN: Final = ("sweep", "unknown")


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
