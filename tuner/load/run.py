"""Sends a load: one thread waits for each arrival and hands it on, workers invoke.

The loop is open: an arrival is sent when it's due, whatever is still in flight, and its latency
counts from then. So a stall of the function delays the answers of all that came during it, as it
would for users, and not only the one that met it ("coordinated omission"). What can't be sent
(the limit of requests in flight, the budget, a stop) is counted; nothing is sent twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.errors import AwsError, LostReplyError, ThrottledError
from tuner.lease.function_control import LASTING_ERRORS
from tuner.load.findings import found_in
from tuner.load.guard import LoadGuard, RecursionWatch, stopped
from tuner.load.io import LoadProgress, Request
from tuner.load.result import Answer, LoadResult
from tuner.model.invocation import Outcome
from tuner.sweep import findings as sweep_findings
from tuner.sweep.outcome import classify, report_in
from tuner.sweep.sending import Workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.load.io import LoadIO, Senders
    from tuner.load.phases import Arrival
    from tuner.load.plan import LoadPlan
    from tuner.load.result import LoadEnd
    from tuner.model.finding import Finding
    from tuner.model.invocation import InvokeReply, PlatformReport
    from tuner.model.payload import Payload
    from tuner.sweep.limits import Ledger
    from tuner.sweep.sending import Done

STOP_GRACE_S: Final = 5.0
"""How long requests in flight have when the load is stopped."""
TELL_EVERY_S: Final = 5.0


def send_load(
    plan: LoadPlan,
    ledger: Ledger,
    payloads: Sequence[Payload],
    target: tuple[str, str, int],
    io: LoadIO,
) -> LoadResult:
    """Send the whole load to one version of a function: (name, version, its memory in MB); the
    ledger holds what all sizes may spend together.

    Raises AwsError and PayloadError if nothing was answered before.
    """
    name, version, memory_mb = target
    timeout_s = plan.pricing.function.timeout_s

    def invoke(request: Request) -> InvokeReply:
        return io.gateway.invoke(name, version, request.body, timeout_s=timeout_s)

    with Workers(invoke, io.clock) as workers:
        return LoadLoop(plan, ledger, Events(payloads), memory_mb, senders=workers, io=io).run()


class Events:
    """The next event: classes come by their weights, each class's events in order."""

    def __init__(self, payloads: Sequence[Payload]) -> None:
        self._payloads = payloads
        self._whole = sum(payload.weight for payload in payloads)
        self._taken: Counter[str] = Counter()

    def take(self) -> bytes:
        """Make the next event, of the class that is furthest behind. Raises PayloadError."""
        count = self._taken.total() + 1
        chosen = max(
            self._payloads,
            key=lambda each: each.weight / self._whole * count - self._taken[each.name],
        )
        index = self._taken[chosen.name]
        self._taken[chosen.name] += 1
        return chosen.body_at(index)


class LoadLoop:
    """One load at one size, from its first arrival to its last answer."""

    def __init__(
        self,
        plan: LoadPlan,
        ledger: Ledger,
        events: Events,
        memory_mb: int,
        *,
        senders: Senders,
        io: LoadIO,
    ) -> None:
        self._plan, self._ledger, self._events = plan, ledger, events
        self._memory_mb, self._senders = memory_mb, senders
        self._clock, self._stop, self._on_progress = io.clock, io.stop, io.on_progress
        self._pass_time = io.pass_time
        pricing = plan.pricing
        self._worst_usd = pricing.worst_cost_usd(memory_mb)
        knows = pricing.recent_duration_ms is not None and plan.budget_usd is None
        self._guard = LoadGuard(pricing.expected_cost_usd(memory_mb) if knows else None)
        self._watch = RecursionWatch(io.count_dropped, self._clock(), io.aside)
        self._in_flight: dict[int, Request] = {}
        self._answers: list[Answer] = []
        self._findings: list[Finding] = []
        self._not_sent: Counter[str] = Counter()
        self._end: LoadEnd | None = None
        self._error: Exception | None = None
        self._began_s = self._told_s = 0.0
        self._due_count = 0

    def run(self) -> LoadResult:
        """Send, wait for the answers, and add up."""
        self._stop.notify(self._senders.wake)
        try:
            self._began_s = self._told_s = self._clock()
            for arrival in self._plan.arrivals:
                if not self._send_when_due(arrival):
                    break
            self._wait_for_answers()
        finally:
            self._stop.notify(None)
        if self._error is not None and not self._answers:
            raise self._error
        return self._result()

    def _send_when_due(self, arrival: Arrival) -> bool:
        """Wait until an arrival is due and send it; False if the load is to end."""
        due_s = self._began_s + arrival.due_s
        try:
            body = self._events.take()  # made beforehand: it may take a while
        except Exception as error:
            self._fail(error)
            return False
        self._take_until(due_s)
        if self._is_ended():
            return False
        self._due_count += 1
        most = self._plan.phases[arrival.phase].most_in_flight or self._plan.most_in_flight
        if len(self._in_flight) >= min(most, self._plan.most_in_flight):
            self._not_sent["in flight"] += 1
            return True
        if not self._ledger.can_afford(self._worst_usd):
            self._end = "budget"
            self._find(sweep_findings.BUDGET_REACHED)
            return False
        request = Request(arrival, due_s, body, self._worst_usd, len(self._in_flight) + 1)
        self._ledger.reserve(request.worst_usd)
        self._in_flight[id(request)] = request
        self._senders.start(request)
        return True

    def _take_until(self, due_s: float) -> None:
        """Take answers until a time; what has come is taken even if it's past."""
        while not self._is_ended():
            left_s = due_s - self._clock()
            done = self._senders.next_done(max(0.0, left_s))
            self._take(done)
            if left_s <= 0 and (done is None or len(self._in_flight) < self._plan.most_in_flight):
                return

    def _wait_for_answers(self) -> None:
        """The last ones have the function's own timeout; a stop gives them a moment."""
        stopped_s: float | None = None
        while self._in_flight and not self._stop.is_urgent:
            if stopped_s is None and self._is_ended():
                stopped_s = self._clock()
            if stopped_s is None:
                self._take(self._senders.next_done(TELL_EVERY_S))
                continue
            left_s = stopped_s + STOP_GRACE_S - self._clock()
            if left_s <= 0:
                break
            self._take(self._senders.next_done(left_s))
        for request in tuple(self._in_flight.values()):
            now_s = self._clock()
            self._add(request, request.due_s, now_s, Outcome.LOST_REPLY, cost_usd=request.worst_usd)
            self._find(sweep_findings.REPLY_LOST)

    def _is_ended(self) -> bool:
        if self._stop.is_requested and self._end is None:
            self._end = "interrupted"
        return self._end in {"interrupted", "failed"}

    def _take(self, done: Done[Request] | None) -> None:
        if done is not None and id(done.call) in self._in_flight:
            self._judge(done)
        now_s = self._clock()
        self._stop_for(self._watch.look(now_s))
        answered = len(self._answers)
        self._pass_time(now_s - self._began_s, answered + len(self._in_flight), answered)
        if now_s >= self._told_s + TELL_EVERY_S:
            self._told_s = now_s
            passed_s = now_s - self._began_s
            counts = (self._due_count, len(self._answers), len(self._in_flight))
            self._on_progress(LoadProgress(passed_s, *counts))

    def _judge(self, done: Done[Request]) -> None:
        request, result = done.call, done.result
        if isinstance(result, ThrottledError):
            self._add(request, done.started_s, done.ended_s, None, reason=result.reason)
        elif isinstance(result, LostReplyError):
            self._find(sweep_findings.REPLY_LOST)
            self._count(done, Outcome.LOST_REPLY, request.worst_usd)
        elif isinstance(result, AwsError) and not isinstance(result, LASTING_ERRORS):
            self._count(done, Outcome.SERVICE_ERROR, 0.0, type(result).__name__)
        elif isinstance(result, Exception):
            self._settle(request, 0.0)
            self._fail(result)
        else:
            self._replied(done, result)

    def _replied(self, done: Done[Request], reply: InvokeReply) -> None:
        request, report = done.call, report_in(reply.log_tail)
        if report is not None and reply.request_id not in (None, report.request_id):
            report = None
        outcome, error_type = classify(reply, report)
        pricing, cost_usd = self._plan.pricing, request.worst_usd
        warm_usd = cost_usd
        if report is None:
            self._find(sweep_findings.REPORT_CUT_OFF)
        else:
            cost_usd = pricing.cost_usd(self._memory_mb, report.billed_duration_ms)
            warm_usd = pricing.cost_usd(self._memory_mb, round(report.duration_ms))
        self._stop_for(self._guard.look_at(reply))
        self._count(done, outcome, cost_usd, error_type, report=report, warm_usd=warm_usd)

    def _count(
        self,
        done: Done[Request],
        outcome: Outcome,
        cost_usd: float,
        reason: str | None = None,
        *,
        report: PlatformReport | None = None,
        warm_usd: float = 0.0,
    ) -> None:
        times = (done.started_s, done.ended_s)
        self._add(done.call, *times, outcome, cost_usd=cost_usd, reason=reason, report=report)
        self._stop_for(self._guard.count(outcome, reason, warm_usd))

    def _add(
        self,
        request: Request,
        sent_s: float,
        ended_s: float,
        outcome: Outcome | None,
        *,
        cost_usd: float = 0.0,
        reason: str | None = None,
        report: PlatformReport | None = None,
    ) -> None:
        self._settle(request, cost_usd)
        self._answers.append(
            Answer(
                due_s=request.arrival.due_s,
                sent_s=sent_s - self._began_s,
                ended_s=ended_s - self._began_s,
                phase=request.arrival.phase,
                in_flight_count=request.in_flight_count,
                outcome=outcome,
                cost_usd=cost_usd,
                cold_start=None if report is None else report.cold_start,
                reason=reason,
                duration_ms=None if report is None else report.duration_ms,
            )
        )

    def _settle(self, request: Request, cost_usd: float) -> None:
        del self._in_flight[id(request)]
        self._ledger.settle(request.worst_usd, cost_usd)

    def _find(self, finding: Finding) -> None:
        if finding not in self._findings:
            self._findings.append(finding)

    def _stop_for(self, finding: Finding | None) -> None:
        if finding is not None and self._end is None:
            self._end = "failed"
            self._find(finding)

    def _fail(self, error: Exception) -> None:
        """An error that ends the load: of use only if nothing was answered."""
        self._error = self._error or error
        self._stop_for(stopped(str(error).rstrip(".")))

    def _result(self) -> LoadResult:
        answers = tuple(sorted(self._answers, key=lambda each: each.due_s))
        result = LoadResult(
            function=replace(self._plan.pricing.function, memory_mb=self._memory_mb),
            planned_due_s=tuple(each.due_s for each in self._plan.arrivals),
            answers=answers,
            phases=self._plan.phases,
            end=self._end or "complete",
        )
        found = (*self._findings, *found_in(result, self._not_sent))
        return replace(result, findings=found)
