"""Runs a prepared sweep: lease the function, publish and invoke, give it back, keep the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.lease.journal import LeaseTerms
from tuner.lease.lease import open_lease
from tuner.sweep.loop import SweepLoop
from tuner.sweep.recording import Recording
from tuner.sweep.sending import run_facts
from tuner.sweep.writing import SweepWriter, continued_in

if TYPE_CHECKING:
    from tuner.decision.policy import Policy
    from tuner.model.sweep import Sweep
    from tuner.sweep.io import SweepIO
    from tuner.sweep.prepared import PreparedSweep


def run(prepared: PreparedSweep, io: SweepIO, policy: Policy | None = None) -> Sweep:
    """Run a sweep and return what was measured; `policy` stands in for the plan's own.

    A stop, a Ctrl-C, a spent budget or a function that fails everywhere end the sweep early:
    `Sweep.end` says which. So does a file that takes no more (a full disk): what was measured is
    returned all the same. The function is given back in any case.

    Raises LeftChangedError if it could not be given back as it was, other LeaseErrors, HookError
    and AwsError; the file then holds what was measured until then. And SweepFileError before
    anything is invoked.
    """
    plan = prepared.plan
    with (
        SweepWriter(
            prepared.file,
            sync=plan.once_each,
            replace=prepared.force,
            continues=continued_in(prepared.file, prepared.earlier),
        ) as writer,
        prepared.hooks.around_run(run_facts(plan, prepared.function.name)),
    ):
        chosen = policy or choose_policy(prepared)
        if prepared.earlier is not None:
            chosen.account_for(prepared.earlier.invocations)
        recording = Recording(prepared, io, writer, planned_count=lambda: chosen.planned_count)
        try:
            with open_lease(
                prepared.function,
                LeaseTerms(
                    sweep_id=plan.sweep_id,
                    state_dir=io.journal_dir,
                    endpoint_url=io.gateway.endpoint_url,
                    started_at=recording.started_at,
                    isolation="clone" if plan.isolation == "clone" else "version",
                ),
                control=io.gateway,
                sleep=io.clock.sleep,
                on_progress=io.on_progress,
                build=prepared.build,
                is_urgent=lambda: io.stop.is_urgent,
            ) as lease:
                recording.begin(lease.code_sha256)
                end = SweepLoop(prepared, io, lease, chosen, recording).run()
        except BaseException as error:
            recording.break_off(error)
            raise
        recording.find_all(lease.findings)
        return recording.end(end)


def choose_policy(prepared: PreparedSweep) -> Policy:
    """Return what chooses the invocations of a plan.

    A payload set's classes are each tried once; one event alone shows at once that it fails.
    """
    policy = _fixed(prepared) if prepared.plan.method == "exhaustive" else _adaptive(prepared)
    payloads = prepared.payloads
    if len(payloads) == 1 and payloads[0].events is None:
        return policy
    from tuner.sweep.try_first import TryFirst  # noqa: PLC0415 - only for payload sets

    return TryFirst(policy, [each.name for each in payloads], prepared.function.memory_mb)


def _fixed(prepared: PreparedSweep) -> Policy:
    from tuner.decision.policy.fixed import FixedPolicy  # noqa: PLC0415 - only for its method

    plan = prepared.plan
    return FixedPolicy(
        plan.sizes_mb,
        [payload.name for payload in plan.payloads],
        plan.warmup_count,
        plan.repetition_count,
        plan.seed,
        plan.max_invocations,
    )


def _adaptive(prepared: PreparedSweep) -> Policy:
    from tuner.decision.policy.adaptive import AdaptivePolicy  # noqa: PLC0415 - loads scipy
    from tuner.decision.policy.stratified import StratifiedPolicy  # noqa: PLC0415 - as above

    plan, varied = prepared.plan, prepared.plan.varied
    if varied is not None and varied.is_setting:
        return StratifiedPolicy(
            plan.sizes_mb,
            plan.payloads,
            varied,
            function=prepared.function,
            goal=prepared.goal,
            prices=prepared.prices,
            seed=plan.seed,
            max_invocations=plan.max_invocations,
            spends_all=plan.spends_all,
            prior=prepared.prior,
            recent_duration_ms=prepared.recent_duration_ms,
        )
    return AdaptivePolicy(
        plan.sizes_mb,
        {payload.name: payload.weight for payload in plan.payloads},
        function=prepared.function,
        goal=prepared.goal,
        prices=prepared.prices,
        seed=plan.seed,
        max_invocations=plan.max_invocations,
        spends_all=plan.spends_all,
        prior=prepared.prior,
        recent_duration_ms=prepared.recent_duration_ms,
    )
