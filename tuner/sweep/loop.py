"""The sweep's loop: one thread decides, workers invoke.

Only this thread starts calls and opens publish windows, so no call starts while a window is open.
It waits on one queue; nothing is polled.
"""

from __future__ import annotations

import math
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tuner.decision.policy import Trial
from tuner.errors import AwsError, LostReplyError, ThrottledError
from tuner.lease.function_control import LASTING_ERRORS
from tuner.sweep import findings
from tuner.sweep.guard import Health, LeftOut, RunawayGuard
from tuner.sweep.judge import Judge, VersionEnvironments
from tuner.sweep.limits import Ledger, Slots
from tuner.sweep.sending import Bodies, Call, Sender, SweptFunctions, Workers, sent_before

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tuner.decision.policy import Policy
    from tuner.lease.window import Leased
    from tuner.model.finding import Finding
    from tuner.model.invocation import Invocation
    from tuner.model.sweep import SweepEnd
    from tuner.sweep.io import Invoker, SweepIO
    from tuner.sweep.prepared import PreparedSweep
    from tuner.sweep.recording import Recording
    from tuner.sweep.sending import Done, SweptFunction

STOP_GRACE_S: Final = 5.0
"""How long to wait for calls in flight when the sweep must stop."""


class SweepLoop:
    """Asks the policy, publishes, invokes and records until there is nothing more to do."""

    def __init__(
        self,
        prepared: PreparedSweep,
        io: SweepIO,
        leases: Sequence[Leased],
        policy: Policy,
        recording: Recording,
    ) -> None:
        plan = prepared.plan
        self._sizes_mb = plan.sizes_mb
        self._policy = policy
        self._swept = SweptFunctions(prepared, leases)
        self._recording = recording
        self._stop, self._clock, self._backoff = io.stop, io.clock.monotonic_s, io.backoff
        self._rng = random.Random(plan.seed)  # noqa: S311 - jitter, no secret
        self._slots = Slots(plan.concurrency)
        self._ledger = Ledger(budget_usd=plan.budget_usd, max_invocations=plan.max_invocations)
        self._judge = Judge(
            lambda payload: self._swept.of(payload).pricing, recording, fail_on=plan.fail_on
        )
        self._guard = RunawayGuard(
            plan,
            count_dropped=lambda: _dropped(self._swept, io.gateway, recording.began_at),
            began_s=self._clock(),
            current_mb=prepared.function.memory_mb,
            takes_error_replies=prepared.goal.allow_different_replies,
        )
        sent = sent_before(prepared.earlier)
        self._bodies = Bodies(prepared.payloads, once_each=plan.once_each, first_index=sent)
        sender = Sender(prepared, io.gateway, self._swept, self._bodies)
        self._workers = Workers(sender.send, self._clock)
        self._health = Health()
        self._left_out = LeftOut(plan)
        self._pending: list[Trial] = []
        self._in_flight: list[Call] = []
        self._end: SweepEnd | None = None
        self._is_spent = False
        self._resume()

    def _resume(self) -> None:
        """Account for what an earlier run of this sweep measured."""
        for invocation in self._recording.invocations:
            self._ledger.add_spent(invocation.cost_usd)
            self._look_at_health(invocation)
            self._guard.remember(invocation)
        self._health.forget_streaks()
        if self._recording.memory_cap_mb is not None:
            self._leave_out_above(self._recording.memory_cap_mb)

    def run(self) -> SweepEnd:
        """Run to the end, and say which end it was.

        Raises LeaseError and AwsError, after waiting for calls in flight as it does for a stop;
        what was measured is recorded.
        """
        with self._workers:
            self._stop.notify(self._workers.wake)
            try:
                self._start_calls()
                while self._end is None and self._in_flight:
                    self._take(self._workers.next_done(self._wait_s()))
                    self._start_calls()
            except KeyboardInterrupt:
                self._end = "interrupted"
            finally:
                self._drain()
                self._stop.notify(None)
        if self._end is None and self._health.success_count == 0:
            self._recording.find(findings.NOTHING_SUCCEEDED)
            return "failed"
        return self._end or "complete"

    # Starting

    def _start_calls(self) -> None:
        """Fill the free slots, first with trials whose version is idle; or find the end."""
        if self._stop.is_requested:
            self._end = "interrupted"
        if self._end is not None:
            return
        self._send_due_again()
        self._choose()
        if self._stop.is_requested:  # it may have come during a window
            self._end = "interrupted"
            return
        if self._start_pending(most_a_version=1):
            # More calls in flight for a version would only add cold starts.
            version_count = sum(len(each.versions) for each in self._swept)
            fair_share = math.ceil(self._slots.count / max(1, version_count))
            self._start_pending(most_a_version=fair_share)

    def _choose(self) -> None:
        """Have trials chosen for the free slots.

        If some are for busy versions, others are chosen as well and may go first: a version has one
        call in flight unless that leaves a slot empty.
        """
        free = self._slots.count - len(self._in_flight)
        self._ask(free - len(self._pending))
        while len(self._pending) < self._slots.count + free:
            if not self._ask(free - self._idle_count()):
                return

    def _idle_count(self) -> int:
        """How many pending trials could start with one call in flight per version."""
        versions = {version for trial in self._pending if (version := self._version(trial))}
        return sum(self._judge.environments[each].in_flight_count == 0 for each in versions)

    def _ask(self, count: int) -> bool:
        """Have up to `count` more trials chosen; return whether there were any."""
        count = min(count, self._ledger.remaining_invocations - len(self._pending))
        if count <= 0 or self._is_spent or self._stop.is_requested:
            return False
        on_their_way = [call.trial for call in self._in_flight] + self._pending
        trials = self._policy.next_trials(self._recording.invocations, on_their_way, count)
        self._publish_for(trials)
        self._pending += [
            trial
            for trial in trials
            if self._version(trial) is not None and not self._left_out.has(trial)
        ]
        return bool(trials)

    def _version(self, trial: Trial) -> str | None:
        """The version that a trial is for; None if it has none yet."""
        return self._swept.of(trial.payload).versions.get(trial.memory_mb)

    def _publish_for(self, trials: tuple[Trial, ...]) -> None:
        """Publish sizes that have no version yet, together with those likely to be next."""
        for swept in self._swept:
            own = tuple(each for each in trials if self._swept.of(each.payload) is swept)
            known = swept.versions.keys() | self._left_out.sizes_mb
            if not {trial.memory_mb for trial in own} <= known:
                worth = self._policy.sizes_worth_publishing(own)
                self._publish(swept, {*worth, *(trial.memory_mb for trial in own)} - known)

    def _publish(self, swept: SweptFunction, sizes_mb: set[int]) -> None:
        publication = swept.lease.publish(sorted(sizes_mb), lambda: self._stop.is_requested)
        for entry in publication.published:
            version = swept.named(entry.version)
            swept.versions[entry.memory_mb] = version
            environments = VersionEnvironments(version, is_new=entry.is_new)
            self._judge.environments[version] = environments
        if publication.memory_cap_mb is not None:
            self._recording.cap(publication.memory_cap_mb)
            self._leave_out_above(publication.memory_cap_mb)

    def _leave_out_above(self, cap_mb: int) -> None:
        """Leave out every size that the account doesn't allow."""
        had = {*self._swept.sizes_mb, *(each.memory_mb for each in self._recording.invocations)}
        above = [size for size in self._sizes_mb if size > cap_mb and size not in had]
        reason = f"at most {cap_mb} MB are allowed here, so no larger size is measured"
        self._exclude(above, reason)

    def _start_pending(self, *, most_a_version: int) -> bool:
        """Start pending trials in order; False if the budget doesn't cover the next one."""
        for trial in tuple(self._pending):
            if len(self._in_flight) >= self._slots.count:
                break
            version = self._version(trial)
            assert version is not None
            if self._judge.environments[version].in_flight_count >= most_a_version:
                continue
            worst_usd = self._swept.of(trial.payload).pricing.worst_cost_usd(trial.memory_mb)
            if not self._ledger.can_afford(worst_usd):
                # A call that ends may cost less than its worst case.
                if not self._in_flight:
                    self._end = "budget"
                    self._recording.find(findings.BUDGET_REACHED)
                return False
            event_index = self._bodies.take(trial.payload, version)
            if event_index is None:
                self._is_spent, self._pending = True, []
                self._recording.find(findings.CORPUS_SPENT)
                break
            self._pending.remove(trial)
            self._ledger.reserve(worst_usd)
            self._in_flight.append(Call(trial, version, worst_usd, event_index))
            self._send(self._in_flight[-1])
        return True

    def _send(self, call: Call) -> None:
        call.due_s = None
        self._judge.environments[call.version].start()
        self._workers.start(call)

    # Throttles

    def _send_due_again(self) -> None:
        now_s = self._clock()
        for call in tuple(self._in_flight):
            if call.due_s is not None and call.due_s <= now_s:
                self._send(call)

    def _wait_s(self) -> float | None:
        """Time until the next throttled call is due; None: until something comes back."""
        due_s = min(
            (call.due_s for call in self._in_flight if call.due_s is not None), default=None
        )
        return None if due_s is None else max(0.0, due_s - self._clock())

    def _throttled(self, call: Call, error: ThrottledError) -> None:
        self._judge.environments[call.version].withdraw()
        self._slots.throttled()
        call.throttle_count += 1
        wait_s = self._backoff.wait_s(call.throttle_count, error.asked_wait_s, self._rng)
        self._recording.throttle(call.trial.memory_mb, error.reason, wait_s or 0.0)
        if self._end is not None:
            self._settle(call, 0.0)
        elif wait_s is None:
            self._end = "failed"
            self._recording.find(findings.throttled_out(error.reason, call.throttle_count))
            self._settle(call, 0.0)
        else:
            call.due_s = self._clock() + wait_s

    # Taking back

    def _take(self, done: Done[Call] | None) -> None:
        """Take what came back; None if a throttled call is due, or a stop is requested."""
        if done is None:
            return
        call, result = done.call, done.result
        if isinstance(result, ThrottledError):
            self._throttled(call, result)
        elif isinstance(result, LostReplyError):
            self._record(call, self._judge.lost(call, done.started_s, done.ended_s))
        elif isinstance(result, AwsError) and not isinstance(result, LASTING_ERRORS):
            self._record(call, self._judge.refused(done))
        elif isinstance(result, Exception):
            self._judge.environments[call.version].withdraw()
            self._settle(call, 0.0)
            raise result
        else:
            self._slots.replied()
            self._guard.look_at(result)
            self._record(call, self._judge.replied(done, result))

    def _record(self, call: Call, invocation: Invocation) -> None:
        self._settle(call, invocation.cost_usd)
        if call.body is not None:
            self._recording.keep(invocation.payload, call.event_index, call.body)
        self._recording.finish(invocation)
        if self._recording.is_cut_off:
            self._end = self._end or "failed"
        self._look_at_health(invocation)
        alarm = self._guard.alarm(invocation, self._clock())
        if alarm is not None and self._end is None:
            self._fail(alarm)
        error_type = self._health.common_error(self._swept.sizes_mb)
        if error_type is not None and not self._guard.cannot_load:
            self._fail(findings.function_fails(error_type))
        elif self._health.is_unreachable and not self._stop.is_urgent:
            self._fail(findings.UNREACHABLE)
        elif self._health.is_unmeasurable:
            self._fail(findings.unmeasurable(invocation.discarded))
        if call.after_error is not None:
            raise call.after_error

    def _settle(self, call: Call, cost_usd: float) -> None:
        self._in_flight.remove(call)
        self._ledger.settle(call.worst_usd, cost_usd)

    def _look_at_health(self, invocation: Invocation) -> None:
        """Leave out a size that fails (if a parameter is varied, only with its value), or the other
        architecture, if it fails at any size.
        """
        payload, other = invocation.payload, self._swept.of(invocation.payload).other
        reason = self._health.count(invocation, other)
        if other is not None and self._health.fails_on(other):
            reason = f"on {other} the function fails ({invocation.error_type})"
            sizes = {*self._sizes_mb, invocation.memory_mb}
            self._leave_out(sizes, payload, reason)
            self._recording.find(findings.architecture_fails(other, invocation.error_type))
        elif reason is not None and self._leave_out({invocation.memory_mb}, payload, reason):
            value = self._left_out.value_of(payload)
            self._recording.find(findings.size_failed(invocation.memory_mb, reason, value))

    def _leave_out(self, sizes_mb: set[int], payload: str, reason: str) -> bool:
        """Leave sizes out; return whether any wasn't yet."""
        new = sorted(size for size in sizes_mb if not self._left_out.has(Trial(size, payload)))
        self._exclude(new, reason, payload)
        return bool(new)

    def _exclude(self, sizes_mb: list[int], reason: str, payload: str = "") -> None:
        """Exclude sizes with a payload's value of a varied parameter, if there is one."""
        value = self._left_out.value_of(payload)
        for size in sizes_mb:
            self._left_out.add(size, value)
            self._policy.exclude(size, None if value is None else payload)
        self._pending = [trial for trial in self._pending if not self._left_out.has(trial)]
        if sizes_mb:
            self._recording.exclude(sizes_mb[0], reason)

    def _fail(self, finding: Finding) -> None:
        self._end = self._end or "failed"
        self._recording.find(finding)

    # Ending

    def _drain(self) -> None:
        """Give calls in flight a moment; what doesn't come back counts as spent."""
        if not self._in_flight:
            return
        self._end = self._end or "failed"  # an error is being raised
        for call in tuple(self._in_flight):
            if call.due_s is not None:  # a throttle ran nothing
                self._settle(call, 0.0)
        deadline_s = self._clock() + STOP_GRACE_S
        while self._in_flight and not self._stop.is_urgent:
            left_s = deadline_s - self._clock()
            if left_s <= 0:
                break
            with suppress(*LASTING_ERRORS):
                self._take(self._workers.next_done(left_s))
        for call in tuple(self._in_flight):
            self._record(call, self._judge.lost(call, self._clock(), self._clock()))


def _dropped(swept: SweptFunctions, invoker: Invoker, since: datetime) -> int | None:
    """How many invocations Lambda dropped as recursive; None if that isn't known of any."""
    counts = [invoker.count_dropped_as_recursive(each.lease.function_name, since) for each in swept]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
