"""Tries each payload class before anything is measured with it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tuner.decision.policy import Trial
from tuner.errors import PayloadError
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.decision.policy import Policy
    from tuner.model.invocation import Invocation

_MOST_ATTEMPTS: Final = 2
"""A function that fails now and then is not its payload's fault; and a cold first answer says
little, where the environment that it opened can give a warm one.
"""


class TryFirst:
    """One invocation of each class at the current size, then what another policy chooses.

    One after the other, so that they share an environment; a class whose answer was cold is sent
    once more, for without a warm one it has no curve. The trials count as measurements. Running
    out of memory or time is the size's fault, and is left to the policy.
    """

    def __init__(self, policy: Policy, payload_names: Sequence[str], memory_mb: int) -> None:
        self._policy = policy
        self._names = tuple(payload_names)
        self._memory_mb = memory_mb
        self._waiting = list(self._names)
        self._attempts: Counter[str] = Counter()
        self._is_over = False

    @property
    def planned_count(self) -> int:
        """How many invocations are foreseen at most."""
        return self._policy.planned_count

    def next_trials(
        self, done: Sequence[Invocation], in_flight: Sequence[Trial], slot_count: int
    ) -> tuple[Trial, ...]:
        """Return the tries, wait for them, then hand on. Raises PayloadError for a class with
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
        """As the other policy thinks."""
        return self._policy.sizes_worth_publishing(trials)

    def account_for(self, earlier: Sequence[Invocation]) -> None:
        """Classes that have succeeded need no try; hand on."""
        good = {each.payload for each in earlier if each.outcome is Outcome.SUCCESS}
        self._names = tuple(name for name in self._names if name not in good)
        self._waiting = list(self._names)
        self._is_over = not self._names
        self._policy.account_for(earlier)

    def exclude(self, memory_mb: int, reason: str, payload: str | None = None) -> None:
        """Hand on."""
        self._policy.exclude(memory_mb, reason, payload)

    def _judge(self, done: Sequence[Invocation]) -> None:
        last = {invocation.payload: invocation for invocation in done}
        again = []
        for name in self._names:
            invocation = last.get(name)
            if invocation is None:
                continue
            failed = invocation.outcome is Outcome.FUNCTION_ERROR
            if failed and self._attempts[name] >= _MOST_ATTEMPTS:
                if any(i.payload == name and i.outcome is Outcome.SUCCESS for i in done):
                    raise PayloadError(
                        f"payload {name!r} succeeded once at {self._memory_mb} MB, and failed when "
                        f"it was sent again ({invocation.error_type}): if the function takes an "
                        "event only once, send a folder or a payload set of many events with "
                        "`once_each=True`"
                    )
                raise PayloadError(
                    f"the function fails with payload {name!r} at {self._memory_mb} MB "
                    f"({invocation.error_type}), so nothing was measured with it: mend the "
                    "payload, or leave the class out"
                )
            if (failed or invocation.cold_start) and self._attempts[name] < _MOST_ATTEMPTS:
                again.append(name)
        self._waiting = again
        self._is_over = not again
