"""Turns what came back into invocations: outcome, cost, environment, whether it's a fair sample.

Lambda doesn't name environments. A cold start is a new one; a warm call can be assigned to a known
one only while the version never had two calls in flight.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tuner.model.host_check import BUSY_LOAD_RATIO
from tuner.model.invocation import Invocation, Outcome
from tuner.sweep import findings
from tuner.sweep.estimate import MAX_INIT_MS
from tuner.sweep.host_speed import HostSpeed
from tuner.sweep.outcome import classify, is_crash, parse_fail_on, reply_class, report_in
from tuner.sweep.sending import number_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.invocation import InvokeReply, PlatformReport
    from tuner.sweep.estimate import Pricing
    from tuner.sweep.recording import Recording
    from tuner.sweep.sending import Call, Done

_OTHER_VERSION: Final = "another version ran"
HIDDEN_INIT: Final = "the init after a crash is inside its duration"


class Judge:
    """Knows the versions, their environments and the prices."""

    def __init__(
        self,
        pricing_of: Callable[[str], Pricing],
        recording: Recording,
        *,
        fail_on: str | None = None,
    ) -> None:
        """`pricing_of` says what an invocation with a payload can cost."""
        self._pricing_of = pricing_of
        self._recording = recording
        self._began_s = recording.began_s
        self._fail_on = None if fail_on is None else parse_fail_on(fail_on)
        self._host_speed = HostSpeed()
        self.environments: dict[str, VersionEnvironments] = {}
        """By version."""

    def replied(self, done: Done[Call], reply: InvokeReply) -> Invocation:
        """Judge a reply; without a REPORT line its cost is the worst case."""
        call, report = done.call, report_in(reply.log_tail)
        if (reply.host_load_ratio or 0.0) >= BUSY_LOAD_RATIO:
            self._recording.find(findings.HOST_BUSY)
        if self._host_speed.has_changed(reply.host_loop_ms):
            self._recording.find(findings.HOST_SPEED_CHANGED)
        pricing = self._pricing_of(call.trial.payload)
        doubt = None if report is None else _doubt(pricing, reply, report)
        if doubt is not None:
            report = None
        outcome, error_type = classify(reply, report, self._fail_on)
        environment, discarded = self.environments[call.version].finish(outcome, error_type, report)
        if report is None:
            self._recording.find(
                findings.REPORT_CUT_OFF if doubt is None else findings.report_untrue(doubt)
            )
            discarded = doubt or discarded
            cost_usd = call.worst_usd
        else:
            cost_usd = pricing.cost_usd(call.trial.memory_mb, report.billed_duration_ms)
        if _is_other_version(call, reply, report):
            self._recording.find(findings.OTHER_VERSION_RAN)
            report, environment, discarded = None, None, _OTHER_VERSION
        return self._invocation(
            call,
            done.started_s,
            reply.client_duration_ms,
            outcome=outcome,
            cost_usd=cost_usd,
            report=report,
            environment=environment,
            error_type=error_type,
            discarded=discarded,
            reply_class=reply_class(reply.payload) if outcome is Outcome.SUCCESS else None,
        )

    def lost(self, call: Call, started_s: float, ended_s: float) -> Invocation:
        """Judge a call that got no reply: it may have run, so it costs the worst case."""
        self.environments[call.version].lose()
        self._recording.find(findings.REPLY_LOST)
        waited_ms = max(0.0, ended_s - started_s) * 1000
        return self._invocation(
            call, started_s, waited_ms, outcome=Outcome.LOST_REPLY, cost_usd=call.worst_usd
        )

    def refused(self, done: Done[Call]) -> Invocation:
        """Judge a call that the service refused: nothing ran."""
        self.environments[done.call.version].withdraw()
        return self._invocation(
            done.call,
            done.started_s,
            max(0.0, done.ended_s - done.started_s) * 1000,
            outcome=Outcome.SERVICE_ERROR,
            cost_usd=0.0,
            error_type=type(done.result).__name__,
        )

    def _invocation(
        self, call: Call, started_s: float, client_duration_ms: float, **judged: Any
    ) -> Invocation:
        return Invocation(
            index=len(self._recording.invocations),
            memory_mb=call.trial.memory_mb,
            version=call.version,
            payload=call.trial.payload,
            started_s=started_s - self._began_s,
            client_duration_ms=client_duration_ms,
            throttle_count=call.throttle_count,
            event_index=call.event_index,
            **judged,
        )


def _doubt(pricing: Pricing, reply: InvokeReply, report: PlatformReport) -> str | None:
    """Say why a report can't belong to this invocation, if it can't."""
    if reply.request_id is not None and report.request_id != reply.request_id:
        return "its REPORT is for another request"
    longest_ms = pricing.function.timeout_s * 1000.0 + 2 * MAX_INIT_MS
    times_ms = (report.duration_ms, report.billed_duration_ms)
    if report.duration_ms <= 0 or max(times_ms) > longest_ms:
        return "its REPORT has an impossible duration"
    if report.billed_duration_ms < math.floor(report.duration_ms):
        return "its REPORT bills less than it lasted"
    return None


class VersionEnvironments:
    """The environments of one published version, as far as they can be known."""

    def __init__(self, version: str, *, is_new: bool) -> None:
        self._version = version
        self._is_traceable = is_new  # an existing version may have live traffic
        self._cold_start_count = 0
        self._crash_count = 0
        self.in_flight_count = 0

    def start(self) -> None:
        """A call to this version starts."""
        self.in_flight_count += 1
        if self.in_flight_count > 1:
            self._is_traceable = False

    def lose(self) -> None:
        """A call ended without a reply: it may still be running."""
        self.in_flight_count -= 1
        self._is_traceable = False

    def withdraw(self) -> None:
        """A call didn't run."""
        self.in_flight_count -= 1

    def finish(
        self, outcome: Outcome, error_type: str | None, report: PlatformReport | None
    ) -> tuple[str | None, str | None]:
        """A call was answered: return its environment's name and why it isn't a fair sample.

        Either may be None.
        """
        self.in_flight_count -= 1
        environment = self._name(report)
        discarded = self._hidden_init(report) if outcome is Outcome.SUCCESS else None
        if is_crash(outcome, error_type):
            self._crash_count += 1
        return environment, discarded

    def _name(self, report: PlatformReport | None) -> str | None:
        if report is None:
            self._is_traceable = False  # it may have been a cold start
            return None
        if report.cold_start:
            self._cold_start_count += 1
        elif not (self._is_traceable and self._cold_start_count):
            return None
        return f"{self._version}/{self._cold_start_count}"

    def _hidden_init(self, report: PlatformReport | None) -> str | None:
        if self._crash_count == 0:
            return None
        if report is not None and report.cold_start:
            # One call at a time: a kept environment would have served this call.
            if self._is_traceable:
                self._crash_count = 0
            return None
        self._crash_count -= 1
        return HIDDEN_INIT


def _is_other_version(call: Call, reply: InvokeReply, report: PlatformReport | None) -> bool:
    if reply.executed_version not in (None, number_of(call.version)):
        return True
    return report is not None and report.memory_size_mb != call.trial.memory_mb
