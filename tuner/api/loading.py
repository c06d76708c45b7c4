"""A load: plan it, then send it to the function as it is, or to several sizes of it by a lease."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tuner.api.downstream import SETTLE_S, DownstreamLooks, before, judged
from tuner.api.target import lease_at
from tuner.errors import InputError
from tuner.lease.clone import LiveTraffic, choose_isolation
from tuner.load.findings import machine_full, not_taken
from tuner.load.io import LoadIO
from tuner.load.plan import MOST_IN_FLIGHT, LoadPlan
from tuner.load.run import send_load
from tuner.load.watch import MachineWatch, ResourceWatch
from tuner.pricing.renewal import current_price_book
from tuner.session.planning import concurrency_limits_of, live_traffic_of
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import Clock, tell_nobody
from tuner.sweep.limits import Ledger
from tuner.sweep.plan import check_measurable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    from tuner.api.downstream import Around
    from tuner.load.io import LoadProgress
    from tuner.load.limits import Saturation
    from tuner.load.phases import Phase, Spacing
    from tuner.load.result import LoadResult
    from tuner.model.finding import Finding
    from tuner.model.plan import Isolation
    from tuner.model.progress import ProgressHook
    from tuner.session.inputs import Inputs, OpenTarget
    from tuner.sweep.io import StopSignal


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arrivals of a load."""

    phases: tuple[Phase, ...]
    spacing: Spacing = "even"
    seed: int = 0
    not_taken: tuple[str, ...] = ()
    """Names of what an Artillery script has besides phases."""
    looks_downstream: bool = True
    """Whether what is around the function is looked for, and looked at."""
    backlog_count: int | None = None
    """Messages that wait; None: as many as the queue says."""


@dataclass(frozen=True, slots=True)
class PreparedLoad:
    """A load that can be shown, agreed to and sent."""

    plan: LoadPlan
    inputs: Inputs
    isolation: Literal["version", "clone"] | None
    """How several sizes are borrowed; None: the function is invoked as it is."""
    traffic: LiveTraffic
    side_effects: tuple[str, ...]
    findings: tuple[Finding, ...]
    wanted: Wanted
    around: Around | None = None
    """What is around the function; None if it isn't looked for."""
    foreseen: tuple[Finding, ...] = ()
    """What that means for the load, by arithmetic; its result says it again, from what it saw."""

    @property
    def downstream(self) -> tuple[Saturation, ...]:
        """What is behind the function at the load's highest rate, by what is known beforehand."""
        return () if self.around is None else self.around.saturations(self.plan.peak_per_s)


def plan_load(inputs: Inputs, target: OpenTarget, wanted: Wanted) -> PreparedLoad:
    """Read the function and plan; changes nothing. Raises InputError, PriceError,
    UnknownTrafficError and AwsError.
    """
    gateway, request = target.gateway, inputs.request
    sizes = request.measure.memory_sizes_mb
    reference = gateway.resolve(inputs.function)
    config = gateway.read_function(reference.target if sizes else inputs.function)
    isolation, traffic = None, LiveTraffic()
    if sizes:
        check_measurable(config)
        most_mb = target.max_memory_mb
        if most_mb is not None and max(sizes) > most_mb:
            raise InputError(
                f"this machine can run at most {most_mb} MB: give `memory_sizes_mb` within that"
            )
        traffic = live_traffic_of(inputs, target)
        isolation = choose_isolation(request.safety.isolation, traffic, config.name)
    prices = current_price_book().lambda_prices(config.region, config.architecture)
    limits = concurrency_limits_of(gateway, inputs.function)
    kind: Isolation = isolation or "version"
    plan = LoadPlan(
        wanted.phases,
        sizes or (config.memory_mb,),
        Pricing(config, prices, gateway.recent_duration_ms(inputs.function)),
        spacing=wanted.spacing,
        seed=wanted.seed,
        budget_usd=request.budget.budget_usd,
        most_in_flight=request.budget.concurrency or MOST_IN_FLIGHT,
        available_concurrency=limits.of(kind),
        is_reserved=kind != "clone" and limits.reserved is not None,
    )
    if plan.available_concurrency == 0:
        raise InputError(
            "the function's reserved concurrency is 0, so nothing can run: raise it, then load it"
        )
    around = None
    if wanted.looks_downstream:
        with closing(DownstreamLooks(inputs, target, Clock().now, wanted.backlog_count)) as looks:
            around = looks.look_around()
        own = around.found.function
        is_original = isolation != "clone"
        if around.is_local and is_original and own is not None and own.is_reserved:
            plan = replace(plan, available_concurrency=own.concurrency, is_reserved=True)
    return PreparedLoad(
        plan,
        inputs,
        isolation,
        traffic,
        () if target.started_here else gateway.side_effects(inputs.function),
        (*target.findings, *not_taken(wanted.not_taken), *plan.findings()),
        wanted,
        around,
        () if around is None else before(around, plan),
    )


def run_load(
    prepared: PreparedLoad,
    target: OpenTarget,
    *,
    stop: StopSignal,
    on_load: Callable[[LoadProgress], None] = lambda _: None,
    on_settle: Callable[[float], None] = lambda _: None,
    on_progress: ProgressHook = tell_nobody,
) -> Iterator[LoadResult]:
    """Send the load, and give each size's result as it's there; a stop ends it.

    Raises AwsError, PayloadError, LeaseError and LeftChangedError.
    """
    clock = Clock()
    began_at = clock.now()
    plan, payloads = prepared.plan, prepared.inputs.payloads
    ledger = Ledger(budget_usd=plan.budget_usd, max_invocations=plan.planned_count)

    def send(name: str, version: str, memory_mb: int) -> LoadResult:
        watch = ResourceWatch(lambda: None, float("inf"), lambda work: work())  # sees nothing
        if looks is not None and around is not None:
            watch = looks.watch(around, clock.now(), name)
        machine = MachineWatch(_cpu_s if target.environment == "local" else lambda: None)

        def pass_time(at_s: float, sent_count: int, answered_count: int) -> None:
            machine.pass_time(at_s, sent_count, answered_count)
            watch.pass_time(at_s, sent_count, answered_count)

        io = LoadIO(
            target.gateway,
            clock.monotonic_s,
            stop,
            on_load,
            lambda: target.gateway.count_dropped_as_recursive(name, began_at),
            pass_time=pass_time,
        )
        found = send_load(plan, ledger, payloads, (name, version, memory_mb), io)
        told = (*prepared.findings, *machine_full(found, machine), *found.findings)
        found = replace(found, findings=told)
        if looks is None or around is None:
            return found
        _settle(looks, around, clock, stop, on_settle)
        count = len(found.answers)
        watch.look_last(max((each.ended_s for each in found.answers), default=0.0), count, count)
        return judged(found, looks.after(around, watch), plan, watch, payloads)

    with ExitStack() as stack:
        around, looks = prepared.around, None
        if around is not None:
            wanted = prepared.wanted
            looks = DownstreamLooks(prepared.inputs, target, clock.now, wanted.backlog_count)
            stack.callback(looks.close)
        yield from _at_each_size(prepared, target, send, (clock, stop), on_progress)


def _cpu_s() -> tuple[float, float] | None:
    """CPU seconds of all cores of this machine so far: busy, and in all."""
    from tuner.local import read_machine_clock

    clock = read_machine_clock()
    return None if clock is None else (clock.busy_s + clock.steal_s, clock.total_s)


def _settle(
    looks: DownstreamLooks,
    around: Around,
    clock: Clock,
    stop: StopSignal,
    on_settle: Callable[[float], None],
) -> None:
    """Wait until CloudWatch shows the last minute, if there is something to see; a stop ends it."""
    if looks.is_local or not (around.found.behind or around.found.sources):
        return
    on_settle(SETTLE_S)
    left_s = SETTLE_S
    while left_s > 0 and not stop.is_requested:
        clock.sleep(min(1.0, left_s))
        left_s -= 1.0


def _at_each_size(
    prepared: PreparedLoad,
    target: OpenTarget,
    send: Callable[[str, str, int], LoadResult],
    times: tuple[Clock, StopSignal],
    on_progress: ProgressHook,
) -> Iterator[LoadResult]:
    """The function as it is, or each size from a lease."""
    plan = prepared.plan
    clock, stop = times
    if prepared.isolation is None:
        reference = target.gateway.resolve(prepared.inputs.function)
        version = reference.qualifier or "$LATEST"
        yield send(reference.target, version, plan.sizes_mb[0])
        return
    with lease_at(
        target,
        plan.pricing.function,
        prepared.isolation,
        clock=clock,
        stop=stop,
        on_progress=on_progress,
    ) as lease:
        publication = lease.publish(plan.sizes_mb, lambda: stop.is_requested)
        for each in publication.published:
            if stop.is_requested:
                return
            result = send(lease.function_name, each.version, each.memory_mb)
            yield replace(result, findings=(*result.findings, *lease.findings))
            if result.end != "complete":
                return
