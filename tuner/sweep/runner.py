"""Runs a planned sweep: lease the function, publish and invoke, give it back, keep the file."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from tuner.lease.lease import LeaseTerms, open_lease
from tuner.model.sweep import Sweep
from tuner.sweep.backoff import Backoff
from tuner.sweep.bodies import Bodies
from tuner.sweep.estimate import Pricing
from tuner.sweep.guard import RunawayGuard
from tuner.sweep.hooks import NO_HOOKS, Hooks
from tuner.sweep.judge import Judge
from tuner.sweep.ledger import Ledger
from tuner.sweep.loop import SweepLoop
from tuner.sweep.recording import Recording
from tuner.sweep.replies import parse_fail_on
from tuner.sweep.sending import Sender
from tuner.sweep.stop import StopSignal
from tuner.sweep.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tuner.decision.policy.policy import Policy
    from tuner.lease.control import FunctionControl
    from tuner.lease.lease import Leased
    from tuner.model.build import Build
    from tuner.model.finding import Finding
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import Goal
    from tuner.model.payload import Payload
    from tuner.model.plan import SweepPlan
    from tuner.model.progress import ProgressEvent, ProgressHook
    from tuner.model.sweep import SweepEnd
    from tuner.pricing import LambdaPrices
    from tuner.sweep.invoker import Invoker
    from tuner.sweep.writing import SweepWriter


def _tell_nobody(event: ProgressEvent) -> None:
    """Take an event and do nothing."""
    del event


def _now() -> datetime:
    return datetime.now(UTC)


def run_sweep(
    plan: SweepPlan,
    *,
    function: FunctionConfig,
    environment: Literal["aws", "local"],
    control: FunctionControl,
    invoker: Invoker,
    strategy: Policy,
    prices: LambdaPrices,
    payloads: Sequence[Payload],
    writer: SweepWriter,
    state_dir: Path,
    tool_version: str,
    endpoint_url: str | None = None,
    findings: Sequence[Finding] = (),
    on_progress: ProgressHook = _tell_nobody,
    stop: StopSignal | None = None,
    backoff: Backoff | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = _now,
    sleep: Callable[[float], None] = time.sleep,
    rng: random.Random | None = None,
    hooks: Hooks = NO_HOOKS,
    earlier: Sweep | None = None,
    build: Build | None = None,
    goal: Goal | None = None,
) -> Sweep:
    """Run `plan` on `function` (as it was read for the plan) and return what was measured.

    `findings` are those known before (of the host); `state_dir` takes the journal and the lock.
    `earlier` is a sweep that this one goes on from: what it measured, spent and took counts as
    this one's. `build` is measured in place of the deployed code (isolation clone only). `goal` is
    kept with the sweep, so that it is answered again as it was.
    A stop, a Ctrl-C, a spent budget or a function that fails everywhere end the sweep early:
    `Sweep.end` says which. So does a file that takes no more (a full disk): what was measured is
    returned all the same. The function is given back in any case.

    Raises LeftChangedError if it could not be given back as it was, other LeaseErrors and
    AwsError; `writer`'s file then holds what was measured until then. And SweepFileError before
    anything is invoked.
    """
    began_s, began_at = clock() - (earlier.wall_s if earlier else 0.0), now()
    stop = stop or StopSignal()
    recording = Recording(
        Sweep(
            plan=plan,
            function=function,
            environment=environment,
            started_at=began_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            tool_version=tool_version,
            findings=tuple(findings),
            goal=goal,
        ),
        writer=writer,
        on_progress=on_progress,
        planned_count=lambda: strategy.planned_count,
        earlier=earlier,
    )
    bodies = Bodies(payloads, once_each=plan.once_each, first_index=_sent_before(earlier))
    if earlier is not None:
        strategy.account_for(earlier.invocations)
    pricing = Pricing(function, prices)
    lease_terms = LeaseTerms(
        sweep_id=plan.sweep_id,
        state_dir=state_dir,
        endpoint_url=endpoint_url,
        started_at=recording.started_at,
        isolation="clone" if plan.isolation == "clone" else "version",
    )

    def measure(lease: Leased) -> SweepEnd:
        recording.begin(lease.code_sha256)
        sender = Sender(invoker, lease.function_name, function.timeout_s, bodies, plan, hooks)
        with Workers(sender.send, clock) as workers:
            stop.notify(workers.wake)
            return SweepLoop(
                sizes_mb=plan.sizes_mb,
                concurrency=plan.concurrency,
                strategy=strategy,
                lease=lease,
                workers=workers,
                ledger=Ledger(budget_usd=plan.budget_usd, max_invocations=plan.max_invocations),
                guard=RunawayGuard(
                    plan,
                    count_dropped=lambda: invoker.count_dropped_as_recursive(
                        lease.function_name, began_at
                    ),
                    began_s=clock(),
                ),
                pricing=pricing,
                recording=recording,
                judge=Judge(
                    pricing,
                    recording,
                    began_s=began_s,
                    fail_on=None if plan.fail_on is None else parse_fail_on(plan.fail_on),
                ),
                bodies=bodies,
                backoff=backoff or Backoff(),
                stop=stop,
                clock=clock,
                rng=rng or random.Random(plan.seed),  # noqa: S311 - jitter, no secret
                values=_varied_values(plan),
            ).run()

    try:
        with open_lease(
            function,
            lease_terms,
            control=control,
            sleep=sleep,
            on_progress=on_progress,
            build=build,
            is_urgent=lambda: stop.is_urgent,
        ) as lease:
            end = measure(lease)
    except BaseException as error:
        recording.break_off(error, clock() - began_s)
        raise
    finally:
        stop.notify(None)
    recording.find_all(lease.findings)
    return recording.end(end, clock() - began_s)


def _varied_values(plan: SweepPlan) -> dict[str, str]:
    """By payload, the value of the parameter that is varied: `batch_size=5`."""
    return {
        each.name: f"{each.variant.parameter}={each.variant.value}"
        for each in plan.payloads
        if each.variant is not None
    }


def _sent_before(earlier: Sweep | None) -> dict[str, int]:
    """How many events of each class were sent, those included that were cut off unrecorded."""
    if earlier is None:
        return {}
    in_flight = earlier.plan.concurrency if earlier.end is None else 0
    sent = {payload.name: in_flight for payload in earlier.plan.payloads}
    for invocation in earlier.invocations:
        index = invocation.event_index or 0
        sent[invocation.payload] = max(sent[invocation.payload], index + 1 + in_flight)
    return sent
