"""An earlier sweep: resumed, with the same plan minus what is already measured, or as evidence
about a function, as far as that is still the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.decision.evidence import read_evidence
from tuner.decision.policy.fixed import FixedPolicy
from tuner.decision.replies import error_at_current
from tuner.decision.strata import sweep_at
from tuner.errors import InputError
from tuner.lease.restore import differences
from tuner.model.invocation import Outcome
from tuner.model.payload import Payload
from tuner.model.plan import MOST_INVOCATIONS
from tuner.model.prior_evidence import PriorEnvironment, PriorEvidence
from tuner.sweep.file import read_payloads
from tuner.sweep.plan import payload_classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.model.function import FunctionConfig
    from tuner.model.plan import PayloadClass, SweepPlan
    from tuner.model.request import TuneRequest
    from tuner.model.sweep import Sweep

_IRRELEVANT: Final = frozenset(
    ("arn", "description", "ephemeral_storage_mb", "memory_mb", "timeout_s", "version", "CodeSize",
     "DeadLetterConfig", "KMSKeyArn", "LoggingConfig", "Role")
)  # fmt: skip
"""Fields and settings that don't affect durations, or follow from the code."""


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
    of = earlier.function.name
    if of != function.name:
        raise InputError(
            f"{earlier.plan.sweep_id} measured {of}, not {function.name}, so its samples don't "
            "apply: leave out `resume`, or name one of this function's sweeps"
        )
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


def prior_evidence(
    earlier: Sweep,
    function: FunctionConfig,
    payloads: Sequence[PayloadClass],
    environment: str,
) -> PriorEvidence:
    """What a sweep says about `function` with `payloads`, without any earlier sweep that informed
    it: nothing counts twice.

    Raises InputError for a sweep of another function (unless it has the very same code), and for
    one that measured none of these payloads.
    """
    earlier = _on_its_architecture(earlier, function)
    payloads = [p for p in payloads if p.architecture in {None, function.architecture}]
    name, sweep_id = earlier.function.name, earlier.plan.sweep_id
    same_code = earlier.function.code_sha256 == function.code_sha256
    if name != function.name and not same_code:
        raise InputError(
            f"`prior` {sweep_id} is of {name}, which has other code than {function.name}: "
            f"give a sweep of {function.name}, or leave `prior` out"
        )
    matched = _matched(earlier.plan.payloads, payloads)
    weights = {each.name: each.weight for each in earlier.plan.payloads}
    evidence = read_evidence(earlier.invocations, weights)
    why = error_at_current(evidence, earlier.function.memory_mb)
    if why is not None and not (earlier.goal and earlier.goal.allow_different_replies):
        raise InputError(f"`prior` {sweep_id} measured no work: {why}")
    environments = tuple(_environments(evidence, matched))
    if all(each.cold for each in environments):
        raise InputError(
            f"`prior` {sweep_id} has no warm sample of these payloads, so it can't help: "
            "leave it out"
        )
    differs = _differing(earlier, function, environment)
    old = {each.name: each.sha256 for each in earlier.plan.payloads}
    digests = {each.name: each.sha256 for each in payloads}
    return PriorEvidence(
        source_id=sweep_id,
        started_at=earlier.started_at,
        code_sha256=earlier.function.code_sha256,
        differs=differs,
        other_events=tuple(sorted(n for n, was in matched.items() if old[was] != digests[n])),
        killed_mb=None if differs else _killed_mb(evidence),
        environments=environments,
    )


def _on_its_architecture(earlier: Sweep, function: FunctionConfig) -> Sweep:
    """The part of a sweep over architectures that is of the function's."""
    varied = earlier.plan.varied
    if varied is None or not varied.is_architecture:
        return earlier
    known = function.architecture in varied.values
    return sweep_at(earlier, function.architecture if known else varied.current)


def _differing(earlier: Sweep, function: FunctionConfig, environment: str) -> tuple[str, ...]:
    """What has changed since the earlier sweep, or may have."""
    found = differences(earlier.function, function)
    if earlier.function.name != function.name:  # digests of settings are salted with the name
        found = tuple(each for each in found if each not in dict(function.settings))
    extra = [] if environment == earlier.environment else ["environment"]
    if any(each.code == "host_busy" for each in earlier.findings):
        extra.append("host_busy")
    return tuple(sorted({*found, *extra} - _IRRELEVANT))


def _matched(earlier: Sequence[PayloadClass], payloads: Sequence[PayloadClass]) -> dict[str, str]:
    """Which earlier payload informs which payload of this sweep: the one with the same event, else
    with the same name; a single payload informs a single one.
    """
    by_event = {(each.sha256, each.parameters): each.name for each in earlier}
    names = {each.name for each in earlier}
    found = {}
    for each in payloads:
        was = by_event.get((each.sha256, each.parameters))
        if was is None and each.name in names:
            was = each.name
        if was is None and len(payloads) == len(earlier) == 1:
            was = earlier[0].name
        if was is not None:
            found[each.name] = was
    return found


def _environments(evidence: Evidence, matched: Mapping[str, str]) -> Iterator[PriorEnvironment]:
    """The samples of each environment, with payloads named as in this sweep."""
    for name, was in matched.items():
        groups: dict[tuple[int, str, bool], list[float]] = {}
        for sample in evidence.samples[was]:
            key = (sample.memory_mb, sample.environment or "", sample.cold)
            groups.setdefault(key, []).append(sample.duration_ms)
        for (memory_mb, environment, cold), durations_ms in sorted(groups.items()):
            yield PriorEnvironment(name, memory_mb, environment, cold, tuple(durations_ms))


def _killed_mb(evidence: Evidence) -> int | None:
    """The largest size killed for memory below which nothing succeeded."""
    killed = [m for m, counts in evidence.failures.items() if counts[Outcome.OUT_OF_MEMORY]]
    alive = [m for m, count in evidence.success_counts.items() if count]
    return max((m for m in killed if not alive or m < min(alive)), default=None)
