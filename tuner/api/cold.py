"""A function's cold starts: plan, measure by a lease, time the imports here, and answer.

When its requests come is a rate, a file, its logs, or what CloudWatch counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuner.api.target import lease_at
from tuner.cold.analysis import ImportsFound, analyse
from tuner.cold.arrivals import (
    Arrivals,
    arrivals_of_loads,
    arrivals_of_times,
)
from tuner.cold.arrivals_file import read_arrivals
from tuner.cold.findings import imports_unknown, provisioned_already, provisioned_unknown
from tuner.cold.imports import package_sizes, read_times, timed_package
from tuner.cold.plan import plan_cold
from tuner.cold.probe import Measured, Probe
from tuner.errors import AwsError, InputError, LeaseError, TunerError, UsageError
from tuner.lease.clone import LiveTraffic, choose_isolation
from tuner.load.io import LoadIO
from tuner.model.function import Build
from tuner.pricing.renewal import current_price_book
from tuner.session.planning import concurrency_limits_of, live_traffic_of
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import Clock, tell_nobody
from tuner.sweep.limits import Ledger, polite_concurrency
from tuner.sweep.outcome import report_in
from tuner.sweep.plan import check_measurable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Literal

    from tuner.cold.imports import ImportTimes
    from tuner.cold.plan import ColdPlan
    from tuner.cold.result import ColdStarts
    from tuner.lease.window import Leased
    from tuner.model.finding import Finding
    from tuner.model.progress import ProgressHook
    from tuner.session.inputs import Inputs, OpenTarget
    from tuner.sweep.io import StopSignal

_TIMED: Final = ("python", "nodejs")
DAYS: Final = 7
"""Of CloudWatch's counts by the minute: a week has a season's every day."""
_TIMES: Final = """
    SELECT epoch(logged_at)
               - (duration_ms + coalesce(init_duration_ms, restore_duration_ms, 0)) / 1000,
           duration_ms,
           coalesce(init_duration_ms, restore_duration_ms) IS NOT NULL
    FROM reports
    WHERE (function = ? OR function IS NULL) AND logged_at IS NOT NULL
    ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class PreparedCold:
    """What can be shown, agreed to and measured."""

    plan: ColdPlan
    inputs: Inputs
    isolation: Literal["version", "clone"]
    traffic: LiveTraffic
    arrivals: Arrivals | None
    side_effects: tuple[str, ...]
    findings: tuple[Finding, ...]
    ready_count: int = 0
    """Environments that are provisioned already."""


def plan_cold_starts(
    inputs: Inputs,
    target: OpenTarget,
    *,
    rate_per_s: float | None,
    arrivals: Path | None,
    state_dir: Path,
    now: datetime,
) -> PreparedCold:
    """Read the function and its traffic, and plan; changes nothing.

    Raises UsageError, InputError, PriceError, UnknownTrafficError and AwsError.
    """
    gateway, request = target.gateway, inputs.request
    given = given_arrivals(rate_per_s, arrivals, inputs.function, state_dir)
    config = gateway.read_function(gateway.resolve(inputs.function).target)
    check_measurable(config)
    live = live_traffic_of(inputs, target)
    isolation = choose_isolation(request.safety.isolation, live, config.name)
    prices = current_price_book().lambda_prices(config.region, config.architecture)
    at_once, lowered = polite_concurrency(
        concurrency_limits_of(gateway, inputs.function),
        isolation=isolation,
        asked=request.budget.concurrency,
        leave_ratio=request.budget.leave_concurrency_ratio,
    )
    pricing = Pricing(config, prices, gateway.recent_duration_ms(inputs.function))
    plan = plan_cold(
        pricing,
        request.measure,
        # Here environments share the cores: several at once would make each other slow.
        at_once=1 if target.started_here else at_once,
        most_mb=target.max_memory_mb,
        max_invocations=request.budget.max_invocations,
        budget_usd=request.budget.budget_usd,
        is_timed=target.started_here and (config.runtime or "").startswith(_TIMED),
    )
    ready_count, of_ready = _provisioned(target, config.name)
    return PreparedCold(
        plan,
        inputs,
        isolation,
        live,
        given or observed_arrivals(target, config.name, now),
        () if target.started_here else gateway.side_effects(inputs.function),
        (*target.findings, *((lowered,) if lowered else ()), *of_ready),
        ready_count,
    )


def _provisioned(target: OpenTarget, name: str) -> tuple[int, tuple[Finding, ...]]:
    """How many environments are provisioned for its versions and aliases, and what to say of it."""
    from tuner.aws.function_list import provisioned_counts
    from tuner.aws.services import Services

    try:
        with Services(target.gateway.session, purpose="scan") as services:
            counts = provisioned_counts(services, name)
    except AwsError as error:
        return 0, (provisioned_unknown(error),)
    return sum(count for _, count in counts), tuple(provisioned_already(counts))


def measure_cold_starts(
    prepared: PreparedCold,
    target: OpenTarget,
    *,
    stop: StopSignal,
    on_progress: ProgressHook = tell_nobody,
    on_answer: Callable[[ColdStarts], None] = lambda _: None,
) -> ColdStarts:
    """Measure, give the function back, and answer; a stop ends it with what was measured.

    Raises InputError if no cold start could be measured, AwsError, PayloadError, LeaseError and
    LeftChangedError; `on_answer` then has the answer from what was measured before, if any was.
    """
    measuring = _Measuring(prepared, target, stop, Clock(), on_progress)
    answer, error = measuring.answer()
    on_answer(answer)
    if error is not None:
        raise error
    return answer


@dataclass(frozen=True, slots=True)
class _Measuring:
    """What a measurement needs from beginning to end."""

    prepared: PreparedCold
    target: OpenTarget
    stop: StopSignal
    clock: Clock
    on_progress: ProgressHook

    def answer(self) -> tuple[ColdStarts, TunerError | None]:
        """Measure the function, then its imports; and what ended that early."""
        prepared, plan = self.prepared, self.prepared.plan
        measured, of_lease, error = self._probe()
        if error is not None and not measured.cold:
            raise error
        if not measured.cold:
            told = (each.message for each in measured.findings if each.severity != "info")
            why = "; ".join(each.rstrip(".") for each in told)
            raise InputError(
                f"no cold start of {plan.pricing.function.name} could be measured"
                + (f": {why}" if why else ": check its log, or allow more invocations")
            )
        imports = self._imports() if error is None else ImportsFound({})
        # A version that was there before isn't invoked here: it may be warm.
        of_lease = tuple(each for each in of_lease if each.code != "version_reused")
        findings = (*prepared.findings, *of_lease)
        ready = prepared.ready_count
        answer = analyse(plan, measured, prepared.arrivals, imports, findings, ready_count=ready)
        return answer, error

    def _probe(self) -> tuple[Measured, tuple[Finding, ...], TunerError | None]:
        """The cold starts, what the lease has to say, and what ended it early."""
        prepared, plan, gateway = self.prepared, self.prepared.plan, self.target.gateway
        began_at = self.clock.now()
        ledger = Ledger(
            budget_usd=plan.budget_usd, max_invocations=plan.most_invocations - plan.timed_count
        )
        measured, of_lease = Measured(), []
        try:
            with self._lease(prepared.isolation) as lease:
                of_lease = lease.findings
                io = LoadIO(
                    gateway,
                    self.clock.monotonic_s,
                    self.stop,
                    count_dropped=lambda: gateway.count_dropped_as_recursive(
                        lease.function_name, began_at
                    ),
                )
                Probe(plan, lease, prepared.inputs.payloads, ledger, io, measured=measured).run()
        except TunerError as error:
            measured.end = "failed"
            return measured, tuple(of_lease), error
        return measured, tuple(of_lease), None

    def _lease(
        self, isolation: Literal["version", "clone"], build: Build | None = None
    ) -> AbstractContextManager[Leased]:
        return lease_at(
            self.target,
            self.prepared.plan.pricing.function,
            isolation,
            clock=self.clock,
            stop=self.stop,
            on_progress=self.on_progress,
            build=build,
        )

    def _is_stopped(self) -> bool:
        return self.stop.is_requested

    def _imports(self) -> ImportsFound:
        """Have a temporary copy on this machine's Lambda time its imports."""
        plan, gateway = self.prepared.plan, self.target.gateway
        function = plan.pricing.function
        if not self.target.started_here:
            return _untimed("run it with `local_template` to have them timed on this machine")
        found = gateway.read_package(function.name)
        if found is None:
            return _untimed("a container image has no package")
        package, handler = found
        sizes = package_sizes(package)
        timed = timed_package(package, handler, function.runtime) if plan.is_timed else None
        if timed is None:
            return _untimed(
                f"only Python and Node.js source can be timed, and {handler} of "
                f"{function.runtime or 'the image'} isn't that",
                sizes,
            )
        try:
            times, sent_count = self._timed(Build(package=timed))
        except (AwsError, LeaseError) as error:  # what is left here ends with the endpoint
            return _untimed(str(error).rstrip("."), sizes)
        if not times and not self._is_stopped():
            return _untimed("the copy that times them failed", sizes)
        return ImportsFound(times, sizes, sent_count=sent_count)

    def _timed(self, build: Build) -> tuple[dict[int, ImportTimes], int]:
        """One invocation at each measured size, and how many there were. Raises AwsError and
        LeaseError.
        """
        plan, gateway = self.prepared.plan, self.target.gateway
        timeout_s = plan.pricing.function.timeout_s
        times: dict[int, ImportTimes] = {}
        sent_count = 0
        if self._is_stopped():
            return times, sent_count
        with self._lease("clone", build) as lease:
            for each in lease.publish(plan.sizes_mb, self._is_stopped).published:
                if self._is_stopped():
                    break
                name, sent_count = lease.function_name, sent_count + 1
                reply = gateway.invoke(name, each.version, b"{}", timeout_s=timeout_s)
                report = report_in(reply.log_tail)
                init_ms = None if report is None else report.init_duration_ms
                if reply.function_error is None and (read := read_times(reply.payload, init_ms)):
                    times[each.memory_mb] = read
        return times, sent_count


def _untimed(why: str, package_bytes: tuple[int, int] | None = None) -> ImportsFound:
    return ImportsFound({}, package_bytes, (imports_unknown(why),))


def given_arrivals(
    rate_per_s: float | None, file: Path | None, function: str, state_dir: Path
) -> Arrivals | None:
    """The arrivals that were asked for; None: none were. Raises UsageError and InputError."""
    if file is None:
        return None if rate_per_s is None else Arrivals(rate_per_s)
    if rate_per_s is not None:
        raise UsageError("give `rate_per_s` or `arrivals`, not both")
    is_table = file.suffix.lower() == ".csv"
    return read_arrivals(file) if is_table else _logged(file, function, state_dir)


def observed_arrivals(target: OpenTarget, function: str, now: datetime) -> Arrivals | None:
    """What CloudWatch counted in the last week; None on this machine, if nothing ran, or if it
    can't be read.
    """
    gateway = target.gateway
    if gateway.is_loopback:
        return None
    start = now.replace(second=0, microsecond=0) - timedelta(days=DAYS)
    try:
        loads = gateway.minute_loads(function, start=start, days=DAYS)
        return arrivals_of_loads(loads, start, DAYS, f"CloudWatch, {DAYS} days by the minute")
    except (AwsError, InputError):
        return None


def _logged(file: Path, function: str, state_dir: Path) -> Arrivals:
    """The times in a file or folder of logs. Raises InputError."""
    from tuner.api.observing import files_logs
    from tuner.api.reading import FilesRequest

    with files_logs(FilesRequest((file,), function), state_dir=state_dir) as logs:
        rows = logs.store.connection.execute(_TIMES, [logs.function]).fetchall()
    if not rows:
        raise InputError(f"{file} has no REPORT line of {function} with a time: check `arrivals`")
    arrivals = arrivals_of_times(
        [float(at_s) for at_s, _, _ in rows],
        [float(ms) for _, ms, _ in rows],
        began_at=datetime.fromtimestamp(float(rows[0][0]), UTC),
        source=file.name,
    )
    return replace(arrivals, cold_count=sum(bool(is_cold) for _, _, is_cold in rows))
