"""Turns what came back into invocations: outcome, cost, environment, fitness as a sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from tuner.errors import ReportLineError
from tuner.logs import parse_report
from tuner.model.host_check import BUSY_LOAD_RATIO
from tuner.model.invocation import Invocation, Outcome
from tuner.sweep import findings
from tuner.sweep.environments import VersionEnvironments
from tuner.sweep.estimate import MAX_INIT_MS
from tuner.sweep.outcome import classify, parse_fail_on, reply_class

if TYPE_CHECKING:
    from tuner.model.invocation import InvokeReply, PlatformReport
    from tuner.sweep.estimate import Pricing
    from tuner.sweep.recording import Recording
    from tuner.sweep.sending import Call, Done

_OTHER_VERSION: Final = "another version ran"


class Judge:
    """Knows the versions, their environments and the prices."""

    def __init__(
        self,
        pricing: Pricing,
        recording: Recording,
        *,
        fail_on: str | None = None,
    ) -> None:
        self._pricing = pricing
        self._recording = recording
        self._began_s = recording.began_s
        self._fail_on = None if fail_on is None else parse_fail_on(fail_on)
        self._environments: dict[str, VersionEnvironments] = {}

    def add_version(self, version: str, *, is_new: bool) -> None:
        """Invocations of this version are going to come."""
        self._environments[version] = VersionEnvironments(version, is_new=is_new)

    def in_flight_count(self, version: str) -> int:
        """How many calls of a version are in flight."""
        return self._environments[version].in_flight_count

    def start(self, call: Call) -> None:
        """A call goes out."""
        self._environments[call.version].start()

    def withdraw(self, call: Call) -> None:
        """A call ran nothing."""
        self._environments[call.version].withdraw()

    def replied(self, done: Done, reply: InvokeReply) -> Invocation:
        """Judge a reply; without a REPORT line its cost is the worst case."""
        call, report = done.call, _report(reply)
        if (reply.host_load_ratio or 0.0) >= BUSY_LOAD_RATIO:
            self._recording.find(findings.host_busy())
        doubt = None if report is None else self._doubt(reply, report)
        if doubt is not None:
            report = None
        outcome, error_type = classify(reply, report, self._fail_on)
        environment, discarded = self._environments[call.version].finish(
            outcome, error_type, report
        )
        if report is None:
            self._recording.find(
                findings.report_cut_off() if doubt is None else findings.report_untrue(doubt)
            )
            discarded = doubt or discarded
            cost_usd = call.worst_usd
        else:
            cost_usd = self._pricing.cost_usd(call.trial.memory_mb, report.billed_duration_ms)
        if _is_other_version(call, reply, report):
            self._recording.find(findings.other_version_ran())
            report, environment, discarded = None, None, _OTHER_VERSION
        return Invocation(
            index=len(self._recording.invocations),
            memory_mb=call.trial.memory_mb,
            version=call.version,
            payload=call.trial.payload,
            started_s=done.started_s - self._began_s,
            client_duration_ms=reply.client_duration_ms,
            outcome=outcome,
            cost_usd=cost_usd,
            report=report,
            environment=environment,
            throttle_count=call.throttle_count,
            error_type=error_type,
            discarded=discarded,
            event_index=call.event_index,
            reply_class=reply_class(reply.payload) if outcome is Outcome.SUCCESS else None,
        )

    def _doubt(self, reply: InvokeReply, report: PlatformReport) -> str | None:
        """Say why a report cannot be of this invocation, if it cannot."""
        if reply.request_id is not None and report.request_id != reply.request_id:
            return "its REPORT is of another request"
        longest_ms = self._pricing.function.timeout_s * 1000.0 + 2 * MAX_INIT_MS
        times_ms = (report.duration_ms, report.billed_duration_ms)
        if report.duration_ms <= 0 or max(times_ms) > longest_ms:
            return "its REPORT has a duration that cannot be"
        if report.billed_duration_ms < math.floor(report.duration_ms):
            return "its REPORT bills less than it lasted"
        return None

    def lost(self, call: Call, started_s: float, ended_s: float) -> Invocation:
        """Judge a call that got no reply: it may have run, so it costs the worst case."""
        self._environments[call.version].lose()
        self._recording.find(findings.reply_lost())
        return self._unanswered(
            call, started_s, ended_s, outcome=Outcome.LOST_REPLY, cost_usd=call.worst_usd
        )

    def refused(self, done: Done) -> Invocation:
        """Judge a call that the service refused: it ran nothing."""
        self._environments[done.call.version].withdraw()
        return self._unanswered(
            done.call,
            done.started_s,
            done.ended_s,
            outcome=Outcome.SERVICE_ERROR,
            cost_usd=0.0,
            error_type=type(done.result).__name__,
        )

    def _unanswered(
        self,
        call: Call,
        started_s: float,
        ended_s: float,
        *,
        outcome: Outcome,
        cost_usd: float,
        error_type: str | None = None,
    ) -> Invocation:
        return Invocation(
            index=len(self._recording.invocations),
            memory_mb=call.trial.memory_mb,
            version=call.version,
            payload=call.trial.payload,
            started_s=started_s - self._began_s,
            client_duration_ms=max(0.0, ended_s - started_s) * 1000,
            outcome=outcome,
            cost_usd=cost_usd,
            throttle_count=call.throttle_count,
            error_type=error_type,
            event_index=call.event_index,
        )


def _report(reply: InvokeReply) -> PlatformReport | None:
    """Read the REPORT line, unless it was pushed out of the tail."""
    try:
        return parse_report(reply.log_tail)
    except ReportLineError:
        return None


def _is_other_version(call: Call, reply: InvokeReply, report: PlatformReport | None) -> bool:
    if reply.executed_version not in (None, call.version):
        return True
    return report is not None and report.memory_size_mb != call.trial.memory_mb
