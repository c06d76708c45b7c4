"""Makes fresh environments on purpose: every published version has none.

A size is published, and several requests are sent at once, so that each needs an environment of its
own; then it's published again, until there are enough cold starts. Requests go through the loop of
`tuner load`, with its budget and its guards.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.cold.result import InitParts
from tuner.load.phases import Phase
from tuner.load.plan import LoadPlan
from tuner.load.run import send_load
from tuner.model.invocation import Outcome
from tuner.model.lambda_limits import MIN_MEMORY_MB
from tuner.model.record import read_object
from tuner.sweep.findings import size_failed
from tuner.sweep.outcome import UNKNOWN_ERROR, classify, report_in
from tuner.sweep.sending import invoke_for_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.cold.plan import ColdPlan
    from tuner.cold.result import ColdEnd
    from tuner.lease.window import Leased
    from tuner.load.io import LoadIO
    from tuner.load.result import LoadResult
    from tuner.model.finding import Finding
    from tuner.model.invocation import InvokeReply, PlatformReport
    from tuner.model.payload import Payload
    from tuner.sweep.io import Invoker
    from tuner.sweep.limits import Ledger

_MORE_WINDOWS: Final = 3
"""Besides those planned, for requests that met a warm environment or were throttled."""
_STEP_MB: Final = 64
_BURST_S: Final = 0.001
_LEAST_ERRORS: Final = 2
"""Of the handler, more than successes, before a size is given up: one may be chance."""
_OF_LOADS_ONLY: Final = frozenset({"arrivals_late", "arrivals_not_sent", "load_errors"})
"""What isn't of interest here: latency is the platform's own, not this machine's."""
_INIT_TIMEOUT: Final = re.compile(
    r"^INIT_REPORT Init Duration: [0-9.]{1,20} ms[ \t]+Phase: init[ \t]+Status: timeout",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One successful invocation."""

    memory_mb: int
    report: PlatformReport
    parts: InitParts | None = None

    @property
    def init_ms(self) -> float | None:
        """Its INIT or restore; None if it was warm."""
        init_ms, restore_ms = self.report.init_duration_ms, self.report.restore_duration_ms
        return init_ms if restore_ms is None else restore_ms


@dataclass(slots=True)
class Measured:
    """What came of it; filled as it goes."""

    cold: list[Sample] = field(default_factory=list)
    warm: list[Sample] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    """Of the handler, by type: these invocations are no samples."""
    init_timeouts: int = 0
    """INITs that Lambda ended at its limit, and ran again within the invocation."""
    sent_count: int = 0
    cost_usd: float = 0.0
    end: ColdEnd = "complete"
    findings: list[Finding] = field(default_factory=list)

    def cold_at(self, memory_mb: int) -> list[Sample]:
        """The cold ones of a size."""
        return [each for each in self.cold if each.memory_mb == memory_mb]

    def find(self, *findings: Finding) -> None:
        """Add findings, each once."""
        self.findings += [each for each in findings if each not in self.findings]


class Recorder:
    """Passes invocations on, and keeps the replies. Thread-safe."""

    def __init__(self, gateway: Invoker) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._replies: list[InvokeReply] = []

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        """Invoke, and find the REPORT."""
        reply = invoke_for_report(self._gateway, function, version, payload, timeout_s)
        with self._lock:
            self._replies.append(reply)
        return reply

    def find_log(self, function: str, request_id: str) -> str | None:
        """The gateway's."""
        return self._gateway.find_log(function, request_id)

    def count_dropped_as_recursive(self, function: str, since: datetime) -> int | None:
        """The gateway's."""
        return self._gateway.count_dropped_as_recursive(function, since)

    def take(self) -> list[InvokeReply]:
        """The replies since the last call."""
        with self._lock:
            replies, self._replies = self._replies, []
        return replies


class Probe:
    """Measures the plan's sizes through a lease."""

    def __init__(
        self,
        plan: ColdPlan,
        lease: Leased,
        payloads: Sequence[Payload],
        ledger: Ledger,
        io: LoadIO,
        *,
        measured: Measured,
    ) -> None:
        self.measured = measured
        self._plan, self._lease, self._payloads, self._ledger = plan, lease, payloads, ledger
        self._recorder = Recorder(io.gateway)
        self._io = replace(io, gateway=self._recorder)
        self._left_out: set[int] = set()
        self._succeeded: Counter[int] = Counter()
        self._erred: Counter[int] = Counter()
        """By size, errors of the handler."""
        self._last_mb: int | None = None
        """The size that was published last."""

    def run(self) -> None:
        """Publish and invoke until each size has its cold starts. Raises LeaseError and AwsError;
        `measured` has what came until then.
        """
        for _ in range(self._plan.window_count + _MORE_WINDOWS):
            lacking = [mb for mb in self._plan.sizes_mb if self._lacks(mb) > 0]
            if not lacking or self._is_over():
                return
            sizes = self._with_another(lacking)
            publication = self._lease.publish(sizes, lambda: self._io.stop.is_requested)
            if publication.memory_cap_mb is not None:
                self._left_out |= {mb for mb in lacking if mb > publication.memory_cap_mb}
            for each in publication.published:
                if self._is_over():
                    return
                self._last_mb = each.memory_mb
                # A version that was there before may be warm, and live traffic's.
                if each.is_new and each.memory_mb in lacking:
                    self._measure(each.version, each.memory_mb)

    def _with_another(self, lacking: list[int]) -> list[int]:
        """The sizes to publish, none right after itself: Lambda makes no new version then.

        A window publishes the function's own size first, then the others ascending.
        """
        own_mb = self._plan.pricing.function.memory_mb
        if lacking == [own_mb]:
            if self._plan.window_count == 1 and self._last_mb is None:
                return lacking
            step_mb = _STEP_MB if own_mb - _STEP_MB < MIN_MEMORY_MB else -_STEP_MB
            return [own_mb, own_mb + step_mb]
        is_repeated = own_mb not in lacking and min(lacking) == self._last_mb
        return [own_mb, *lacking] if is_repeated else lacking

    def _lacks(self, memory_mb: int) -> int:
        if memory_mb in self._left_out:
            return 0
        return self._plan.samples - len(self.measured.cold_at(memory_mb))

    def _is_over(self) -> bool:
        if self._io.stop.is_requested and self.measured.end == "complete":
            self.measured.end = "interrupted"
        return self.measured.end != "complete"

    def _measure(self, version: str, memory_mb: int) -> None:
        """Cold starts of one new version; at the function's own size warm ones as well."""
        count = min(self._lacks(memory_mb), self._plan.at_once)
        self._send(version, memory_mb, count, "cold")
        if memory_mb != self._plan.pricing.function.memory_mb or memory_mb in self._left_out:
            return
        for _ in range(self._plan.warm_count // self._plan.samples):
            if not self._is_over() and len(self.measured.warm) < self._plan.warm_count:
                self._send(version, memory_mb, count, "warm")

    def _send(
        self, version: str, memory_mb: int, count: int, kind: Literal["cold", "warm"]
    ) -> None:
        """Requests at once; those beyond the plan's count aren't sent."""
        count = min(count, self._ledger.remaining_invocations)
        if count <= 0:
            self._left_out.update(self._plan.sizes_mb)
            return
        plan = LoadPlan(
            (Phase(_BURST_S, count / _BURST_S, count / _BURST_S),),
            (memory_mb,),
            self._plan.pricing,
            budget_usd=self._plan.budget_usd,
        )
        target = (self._lease.function_name, version, memory_mb)
        result = send_load(plan, self._ledger, self._payloads, target, self._io)
        self._take(result, memory_mb, kind)

    def _take(self, result: LoadResult, memory_mb: int, kind: Literal["cold", "warm"]) -> None:
        measured = self.measured
        measured.sent_count += len(result.answers)
        measured.cost_usd += result.cost_usd
        measured.find(*(each for each in result.findings if each.code not in _OF_LOADS_ONLY))
        success_count, failures, has_to_fail = 0, [], False
        for reply in self._recorder.take():
            report = report_in(reply.log_tail)
            outcome, error_type = classify(reply, report)
            if init_timed_out(reply.log_tail):
                measured.init_timeouts += 1
                failures.append("its INIT takes over 10 s")
                has_to_fail = True
            elif outcome is Outcome.SUCCESS and report is not None:
                success_count += 1
                self._add(Sample(memory_mb, report), reply.log_tail, kind)
            if outcome is Outcome.FUNCTION_ERROR:
                self._erred[memory_mb] += 1
                measured.errors[error_type or UNKNOWN_ERROR] += 1
            if outcome is not Outcome.SUCCESS:
                failures.append(_how(outcome, error_type))
                has_to_fail |= outcome is not Outcome.FUNCTION_ERROR
        self._succeeded[memory_mb] += success_count
        errors = self._erred[memory_mb]
        fails = errors >= _LEAST_ERRORS and errors > self._succeeded[memory_mb]
        if failures and not success_count and (has_to_fail or fails):
            self._left_out.add(memory_mb)
            measured.find(size_failed(memory_mb, failures[0]))
        if result.end != "complete" and measured.end == "complete":
            measured.end = result.end

    def _add(self, sample: Sample, log: str, kind: Literal["cold", "warm"]) -> None:
        init_ms = sample.init_ms
        if init_ms is not None:
            self.measured.cold.append(replace(sample, parts=init_parts(log, init_ms)))
        elif kind == "warm":
            self.measured.warm.append(sample)


def _how(outcome: Outcome, error_type: str | None) -> str:
    if outcome is Outcome.OUT_OF_MEMORY:
        return "the function runs out of memory"
    if outcome is Outcome.TIMEOUT:
        return "the function times out"
    return f"the function fails ({error_type})"


def init_parts(log: str, init_ms: float) -> InitParts | None:
    """How an INIT of `init_ms` splits; None where the log doesn't say.

    JSON logs at the system log level DEBUG have `platform.initRuntimeDone` (the runtime has loaded
    the function's code) and `platform.initReport` (extensions are ready too).
    """
    times: dict[str, datetime] = {}
    for record in _records(log):
        at = _time(record.get("time"))
        if at is not None:
            times.setdefault(str(record["type"]), at)
    ready, ended = times.get("platform.initRuntimeDone"), times.get("platform.initReport")
    if ready is None or ended is None:
        return None
    extensions_ms = min(max(0.0, (ended - ready).total_seconds() * 1000), init_ms)
    return InitParts(extensions_ms=extensions_ms, runtime_and_code_ms=init_ms - extensions_ms)


def init_timed_out(log: str) -> bool:
    """Whether Lambda ended an INIT before this invocation: then it ran again, in its Duration.

    Text logs have an INIT_REPORT line for it, JSON logs a `platform.initReport`.
    """
    if _INIT_TIMEOUT.search(log) is not None:
        return True
    told = (each.get("record") for each in _records(log) if each["type"] == "platform.initReport")
    return any(
        isinstance(each, dict)
        and each.get("phase") in (None, "init")
        and each.get("status") == "timeout"
        for each in told
    )


def _records(log: str) -> Iterator[dict[str, Any]]:
    for line in log.splitlines():
        if line.startswith("{") and '"platform.init' in line:
            record = read_object(line)
            if record is not None and str(record.get("type")).startswith("platform.init"):
                yield record


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
