"""Goes on from a sweep that was kept: the same plan, less what is measured already."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import InputError
from tuner.lease.standing import differences
from tuner.model.payload import Payload
from tuner.sweep.adaptive_plan import MOST_INVOCATIONS
from tuner.sweep.file import read_payloads
from tuner.sweep.plan import payload_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.prepared import Request
    from tuner.model.function import FunctionConfig
    from tuner.model.plan import SweepPlan
    from tuner.model.sweep import Sweep

_HARMLESS: Final = frozenset(("description",))


def resumed_request(request: Request, earlier: Sweep) -> Request:
    """Complete what is asked for by what the earlier sweep was asked.

    Its sizes, method, seed and payloads hold; limits are the ones given now, or the earlier ones
    where they leave something to do. Raises InputError where its payloads are needed again.
    """
    plan = earlier.plan
    done = len(earlier.invocations)
    usual = _usual_limit(plan, done)
    if request.max_invocations is not None and request.max_invocations <= done:
        raise InputError(
            f"--max-invocations {request.max_invocations} is spent: {plan.sweep_id} made {done}, "
            "and they count: raise it"
        )
    return dataclasses.replace(
        request,
        payloads=_payloads(request.payloads, earlier),
        exhaustive=plan.method == "exhaustive",
        max_invocations=request.max_invocations or usual,
        budget_usd=request.budget_usd or plan.budget_usd,
        seed=plan.seed,
        once_each=request.once_each or plan.once_each,
        keep_payloads=request.keep_payloads or plan.keep_payloads,
        fail_on=request.fail_on or plan.fail_on,
    )


def _usual_limit(plan: SweepPlan, done: int) -> int:
    """The earlier limit, with the warm-ups of new versions; where it is spent, once more."""
    if plan.method == "exhaustive":
        return max(plan.max_invocations, done) + plan.warmup_count * len(plan.sizes_mb)
    return plan.max_invocations if plan.max_invocations > done else done + MOST_INVOCATIONS


def check_same(function: FunctionConfig, environment: str, earlier: Sweep) -> None:
    """Raise InputError unless the function is still the one that was measured."""
    changed = [name for name in differences(earlier.function, function) if name not in _HARMLESS]
    if environment != earlier.environment:
        changed.append("environment")
    if changed:
        raise InputError(
            f"{function.name} is not as {earlier.plan.sweep_id} measured it "
            f"({', '.join(changed)} changed): its samples tell nothing of it. Leave out --resume"
        )


def planned_as_before(earlier: Sweep) -> dict[str, Any]:
    """What the planners take from the earlier plan."""
    plan = earlier.plan
    given: dict[str, Any] = {"memory_sizes_mb": plan.sizes_mb}
    if plan.method == "exhaustive":
        given |= {
            "warmup_count": plan.warmup_count,
            "repetition_count": plan.repetition_count,
        }
    return given


def what_is_left(plan: SweepPlan, earlier: Sweep) -> SweepPlan:
    """Return the plan with estimates of what is still to be made."""
    done = len(earlier.invocations)
    left = max(plan.estimated_invocation_count - done, 1)
    share = left / max(plan.estimated_invocation_count, 1)
    return dataclasses.replace(
        plan,
        sizes_named=earlier.plan.sizes_named,
        estimated_invocation_count=left,
        estimated_cost_usd=plan.estimated_cost_usd * share,
        max_cost_usd=plan.max_cost_usd and plan.max_cost_usd * share,
        estimated_wall_s=plan.estimated_wall_s * share,
        max_wall_s=plan.max_wall_s and plan.max_wall_s * share,
        resumed_from=earlier.plan.sweep_id,
    )


def _payloads(given: Sequence[Payload], earlier: Sweep) -> tuple[Payload, ...]:
    """The payloads given now, if they are the earlier ones; else those that the file keeps."""
    if payload_classes(given) == earlier.plan.payloads:
        return tuple(given)
    classes = earlier.plan.payloads
    kept = read_payloads(Path(earlier.file)) if earlier.file else {}
    found = [
        Payload(
            each.name,
            kept[each.name, 0],
            each.weight,
            record_count=each.record_count,
            variant=each.variant,
        )
        for each in classes
        if (each.name, 0) in kept
    ]
    if payload_classes(found) == classes:
        return tuple(found)
    raise InputError(
        f"the payloads are not those of {earlier.plan.sweep_id} "
        f"({', '.join(each.name for each in classes)}): give the same --payload again "
        "(--keep-payloads keeps them in the sweep file)"
    )
