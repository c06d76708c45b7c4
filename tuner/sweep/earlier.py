"""Resumes a kept sweep: the same plan, minus what is already measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.decision.policy.fixed import FixedPolicy
from tuner.errors import InputError
from tuner.lease.restore import differences
from tuner.model.payload import Payload
from tuner.model.plan import MOST_INVOCATIONS
from tuner.sweep.file import read_payloads
from tuner.sweep.plan import payload_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.function import FunctionConfig
    from tuner.model.plan import SweepPlan
    from tuner.model.request import TuneRequest
    from tuner.model.sweep import Sweep


def resumed(request: TuneRequest, earlier: Sweep) -> TuneRequest:
    """Complete the request with the earlier sweep's.

    Its sizes, method and seed hold; limits are the ones given now, or the earlier ones if they
    leave something to do. Raises InputError for a limit that is used up.
    """
    plan, done = earlier.plan, len(earlier.invocations)
    measure, budget, most = request.measure, request.budget, request.budget.max_invocations
    if most is not None and most <= done:
        raise InputError(
            f"`max_invocations` {most} is used up: {plan.sweep_id} made {done}, and they count: "
            "raise it"
        )
    return replace(
        request,
        measure=replace(
            measure,
            exhaustive=plan.method == "exhaustive",
            seed=plan.seed,
            fail_on=measure.fail_on or plan.fail_on,
        ),
        budget=replace(
            budget,
            max_invocations=most or _usual_limit(plan, done),
            budget_usd=budget.budget_usd or plan.budget_usd,
        ),
        safety=replace(request.safety, once_each=request.safety.once_each or plan.once_each),
        output=replace(
            request.output, keep_payloads=request.output.keep_payloads or plan.keep_payloads
        ),
    )


def _usual_limit(plan: SweepPlan, done: int) -> int:
    """The earlier limit, plus the warm-ups of new versions; if it's used up, once more."""
    if plan.method == "exhaustive":
        return max(plan.max_invocations, done) + plan.warmup_count * len(plan.sizes_mb)
    return plan.max_invocations if plan.max_invocations > done else done + MOST_INVOCATIONS


def check_same(function: FunctionConfig, environment: str, earlier: Sweep) -> None:
    """Raise InputError unless the function is the one that was measured."""
    changed = [name for name in differences(earlier.function, function) if name != "description"]
    if environment != earlier.environment:
        changed.append("environment")
    if changed:
        raise InputError(
            f"{function.name} has changed since {earlier.plan.sweep_id} measured it "
            f"({', '.join(changed)}), so the earlier samples don't apply: leave out `resume`"
        )


def what_is_left(plan: SweepPlan, earlier: Sweep) -> SweepPlan:
    """Return the plan with estimates for the rest: if every size is measured, with the warm-ups of
    the versions that are published again.
    """
    left = max(_count_left(plan, earlier), 1)
    share = left / max(plan.estimated_invocation_count, 1)
    was, most = earlier.plan, plan.max_invocations
    given_now = most != _usual_limit(was, len(earlier.invocations))
    return replace(
        plan,
        sizes_named=was.sizes_named,
        # A limit is spent where it was given, then or now; not where it's the usual one.
        spends_all=given_now or (was.spends_all and most == was.max_invocations),
        estimated_invocation_count=left,
        estimated_cost_usd=plan.estimated_cost_usd * share,
        max_cost_usd=plan.max_cost_usd and plan.max_cost_usd * share,
        estimated_wall_s=plan.estimated_wall_s * share,
        max_wall_s=plan.max_wall_s and plan.max_wall_s * share,
        resumed_from=was.sweep_id,
    )


def _count_left(plan: SweepPlan, earlier: Sweep) -> int:
    done = len(earlier.invocations)
    if plan.method != "exhaustive":
        return plan.estimated_invocation_count - done
    policy = FixedPolicy.of_plan(plan)
    policy.account_for(earlier.invocations)
    return policy.planned_count - done


def resumed_payloads(given: Sequence[Payload], earlier: Sweep) -> tuple[Payload, ...]:
    """The payloads given now, if they are the earlier ones; otherwise those kept in the file.

    Raises InputError if they have to be given again.
    """
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
        f"the payloads differ from those of {earlier.plan.sweep_id} "
        f"({', '.join(each.name for each in classes)}): give the same `payloads` again "
        "(`keep_payloads=True` keeps them in the sweep file)"
    )
