"""Watches a load's answers for what must stop it: the runaway guard of a sweep, without sizes.

Errors and throttles under load are what it is to show, so they don't stop it; a function that has
never answered well does.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tuner.errors import AwsError
from tuner.model.finding import Finding
from tuner.model.invocation import Outcome
from tuner.sweep import findings
from tuner.sweep.guard import LOOK_EVERY_S, RECURSION_ERROR, CostGuard, trace_came_back
from tuner.sweep.outcome import import_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.model.invocation import InvokeReply

_FIRST: Final = 20
"""If none of the first answers is a success, more of them would show nothing."""
_UNANSWERED: Final = 50
"""Lost replies in a row: a stall of a second or two loses none, a dead endpoint all."""


class LoadGuard:
    """Looks at every answer. `foreseen_usd` is of a warm invocation; None: there is nothing to
    compare with, or a budget holds.
    """

    def __init__(self, foreseen_usd: float | None) -> None:
        self._cost = CostGuard(foreseen_usd)
        self._success_count = 0
        self._failed_count = 0
        self._unanswered_count = 0

    def look_at(self, reply: InvokeReply) -> Finding | None:
        """Look for a loop of invocations, and for code that can't be loaded."""
        loop = trace_came_back(reply)
        if loop is not None:
            return findings.recursion(loop)
        failure = import_failure(reply)
        return findings.import_fails(failure) if failure and not self._success_count else None

    def count(self, outcome: Outcome, error_type: str | None, warm_usd: float) -> Finding | None:
        """Add an answer, with its cost less any INIT; return why the load must stop."""
        if error_type == RECURSION_ERROR:
            return findings.recursion("Lambda broke a loop of invocations")
        is_unanswered = outcome in (Outcome.LOST_REPLY, Outcome.SERVICE_ERROR)
        self._unanswered_count = self._unanswered_count + 1 if is_unanswered else 0
        self._success_count += outcome is Outcome.SUCCESS
        self._failed_count += outcome is not Outcome.SUCCESS
        is_too_dear = not is_unanswered and self._cost.add(warm_usd)
        if self._unanswered_count >= _UNANSWERED:
            return stopped(f"{_UNANSWERED} requests in a row got no answer")
        if not self._success_count and self._failed_count >= _FIRST:
            return stopped(f"none of the first {_FIRST} requests succeeded ({error_type})")
        return findings.RUNAWAY if is_too_dear else None


def in_thread(work: Callable[[], None]) -> None:
    """Do it aside: a call that takes a second would make requests late."""
    threading.Thread(target=work, name="tuner-load-watch", daemon=True).start()


class RecursionWatch:
    """Asks once a minute whether Lambda has dropped invocations as recursive, aside."""

    def __init__(
        self,
        count_dropped: Callable[[], int | None],
        began_s: float,
        aside: Callable[[Callable[[], None]], None] = in_thread,
    ) -> None:
        self._count_dropped = count_dropped
        self._aside = aside
        self._next_s = began_s + LOOK_EVERY_S
        self._is_asking = False
        self._has_dropped = False

    def look(self, now_s: float) -> Finding | None:
        """Ask if it's time; return what an earlier look found."""
        if now_s >= self._next_s and not self._is_asking:
            self._next_s, self._is_asking = now_s + LOOK_EVERY_S, True
            self._aside(self._ask)
        if self._has_dropped:
            return findings.recursion("Lambda dropped invocations of it as recursive")
        return None

    def _ask(self) -> None:
        with suppress(AwsError):  # without the permission the trace still tells
            self._has_dropped = bool(self._count_dropped())
        self._is_asking = False


def stopped(why: str) -> Finding:
    """The load ended before its phases did."""
    return Finding("load_stopped", "error", f"Stopped: {why}. Check the function's log")
