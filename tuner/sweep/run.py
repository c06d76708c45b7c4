"""Runs a prepared sweep: leases the function, publishes, invokes, restores, and keeps the file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tuner.decision.policy import Trial
from tuner.decision.policy.fixed import FixedPolicy
from tuner.decision.question import Question
from tuner.errors import PayloadError
from tuner.lease.journal import LeaseTerms
from tuner.lease.lease import open_leases
from tuner.model.invocation import Outcome
from tuner.sweep.loop import SweepLoop
from tuner.sweep.recording import Recording
from tuner.sweep.sending import run_facts
from tuner.sweep.writing import SweepWriter, continued_in

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tuner.decision.policy import Policy
    from tuner.model.invocation import Invocation
    from tuner.model.sweep import Sweep
    from tuner.sweep.io import SweepIO
    from tuner.sweep.prepared import PreparedSweep

_MOST_ATTEMPTS: Final = 2
"""If a function fails now and then, its payload isn't to blame; and a cold first answer says little
if the environment that it opened can give a warm one."""


def run(prepared: PreparedSweep, io: SweepIO, policy: Policy | None = None) -> Sweep:
    """Run a sweep and return what was measured; `policy` replaces the plan's own.

    A stop, a Ctrl-C, a spent budget or a function that fails everywhere end the sweep early:
    `Sweep.end` says which. So does a full disk: what was measured is returned all the same. The
    function is always restored.

    Raises LeftChangedError if the function couldn't be restored, other LeaseErrors, HookError and
    AwsError; the file then has what was measured until then. Raises SweepFileError before anything
    is invoked.
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
            with open_leases(
                prepared.function,
                LeaseTerms(
                    sweep_id=plan.sweep_id,
                    state_dir=io.journal_dir,
                    endpoint_url=io.gateway.endpoint_url,
                    started_at=recording.started_at,
                    isolation="clone" if plan.isolation == "clone" else "version",
                    keep=io.keep_journal,
                ),
                prepared.copies,
                control=io.gateway,
                sleep=io.clock.sleep,
                on_progress=io.on_progress,
                is_urgent=lambda: io.stop.is_urgent,
            ) as leases:
                recording.begin(leases[0].code_sha256)
                end = SweepLoop(prepared, io, leases, chosen, recording).run()
        except BaseException as error:
            recording.break_off(error)
            raise
        recording.find_all(finding for lease in leases for finding in lease.findings)
        return recording.end(end)


def choose_policy(prepared: PreparedSweep) -> Policy:
    """Return what chooses a plan's invocations.

    A payload set's classes are each tried once; with one event, a failure shows at once.
    """
    plan, payloads = prepared.plan, prepared.payloads
    is_fixed = plan.method == "exhaustive"
    policy: Policy = FixedPolicy.of_plan(plan) if is_fixed else _adaptive(prepared)
    if len(payloads) == 1 and payloads[0].events is None:
        return policy
    own = prepared.function.architecture
    return TryFirst(
        policy,
        [each.name for each in payloads],
        prepared.function.memory_mb,
        # The other architecture's package may not run at all; then it's left out.
        may_fail={p.name for p in plan.payloads if p.architecture not in {None, own}},
    )


def _adaptive(prepared: PreparedSweep) -> Policy:
    from tuner.decision.policy.adaptive import AdaptivePolicy  # noqa: PLC0415 - loads numpy
    from tuner.decision.policy.stratified import StratifiedPolicy  # noqa: PLC0415 - as above

    plan, varied = prepared.plan, prepared.plan.varied
    question = Question(
        prepared.goal,
        prepared.function,
        prepared.prices,
        frozenset(plan.sizes_mb),
        prepared.prior,
        prepared.recent_duration_ms,
        None if prepared.other is None else prepared.other.prices,
    )
    if varied is not None and varied.is_setting:
        return StratifiedPolicy(
            question,
            plan.payloads,
            varied,
            seed=plan.seed,
            max_invocations=plan.max_invocations,
            spends_all=plan.spends_all,
        )
    return AdaptivePolicy(
        question,
        {payload.name: payload.weight for payload in plan.payloads},
        seed=plan.seed,
        max_invocations=plan.max_invocations,
        spends_all=plan.spends_all,
    )


class TryFirst:
    """One invocation of each class at the current size, then what another policy chooses.

    They run one after the other, so they share an environment; a class with a cold answer is sent
    once more, because without a warm one it has no curve. The trials count as measurements. Running
    out of memory or time is the size's fault, and is left to the policy.
    """

    def __init__(
        self,
        policy: Policy,
        payload_names: Sequence[str],
        memory_mb: int,
        *,
        may_fail: Collection[str] = (),
    ) -> None:
        self._policy = policy
        self._may_fail = frozenset(may_fail)
        self._names = tuple(payload_names)
        self._memory_mb = memory_mb
        self._waiting = list(self._names)
        self._attempts: Counter[str] = Counter()
        self._is_over = False

    @property
    def planned_count(self) -> int:
        """How many invocations are expected at most."""
        return self._policy.planned_count

    def next_trials(
        self, done: Sequence[Invocation], in_flight: Sequence[Trial], slot_count: int
    ) -> tuple[Trial, ...]:
        """Return the tries, wait for them, then hand over. Raises PayloadError for a class with
        which the function fails.
        """
        if not self._is_over and in_flight:
            return ()
        if not self._waiting and not self._is_over:
            self._judge(done)
        if self._is_over or slot_count <= 0:
            return self._policy.next_trials(done, in_flight, slot_count)
        name = self._waiting.pop(0)
        self._attempts[name] += 1
        return (Trial(self._memory_mb, name),)

    def sizes_worth_publishing(self, trials: Sequence[Trial]) -> tuple[int, ...]:
        """The other policy's."""
        return self._policy.sizes_worth_publishing(trials)

    def account_for(self, earlier: Sequence[Invocation]) -> None:
        """Classes that have succeeded need no try; hand over."""
        good = {each.payload for each in earlier if each.outcome is Outcome.SUCCESS}
        self._names = tuple(name for name in self._names if name not in good)
        self._waiting = list(self._names)
        self._is_over = not self._names
        self._policy.account_for(earlier)

    def exclude(self, memory_mb: int, payload: str | None = None) -> None:
        """Pass it on."""
        self._policy.exclude(memory_mb, payload)

    def _judge(self, done: Sequence[Invocation]) -> None:
        last = {invocation.payload: invocation for invocation in done}
        again = []
        for name in self._names:
            invocation = last.get(name)
            if invocation is None:
                continue
            failed = invocation.outcome is Outcome.FUNCTION_ERROR
            if failed and self._attempts[name] >= _MOST_ATTEMPTS and name not in self._may_fail:
                if any(i.payload == name and i.outcome is Outcome.SUCCESS for i in done):
                    raise PayloadError(
                        f"payload {name!r} succeeded once at {self._memory_mb} MB, and failed when "
                        f"it was sent again ({invocation.error_type}): if the function takes an "
                        "event only once, send a folder or a payload set of many events with "
                        "`once_each=True`"
                    )
                raise PayloadError(
                    f"the function fails with payload {name!r} at {self._memory_mb} MB "
                    f"({invocation.error_type}), so nothing was measured with it: fix the "
                    "payload, or leave the class out"
                )
            if (failed or invocation.cold_start) and self._attempts[name] < _MOST_ATTEMPTS:
                again.append(name)
        self._waiting = again
        self._is_over = not again
