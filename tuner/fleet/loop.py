"""Works a fleet's queue off: so many sweeps at once, under one budget, until nothing is left.

A function that fails, or an account that can't be reached, stops nobody else. Whatever ends the
process leaves the queue as it was: the next run first undoes what interrupted sweeps left, and goes
on with what they had measured.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from tuner.errors import (
    AwsError,
    CredentialsError,
    EndpointError,
    FleetError,
    LeftChangedError,
    NotAgreedError,
    TunerError,
    describe_unexpected,
)
from tuner.fleet.queue import place_key
from tuner.fleet.windows import is_open, seconds_until_open

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tuner.fleet.folder import AuditLog
    from tuner.fleet.queue import Claim, FleetQueue, Outcome
    from tuner.model.fleet import FleetItem, FleetPlace, FleetProgress, RunWindow
    from tuner.sweep.io import Clock, StopSignal

MOST_LEASES: Final = 20
"""Of one place at once. Giving a function back takes at most 26 control calls (after a kill, with
six versions), of which a place takes nine a second: these are all restored within a minute."""
_LOOK_S: Final = 0.5
"""How often a running fleet looks whether it's to stop, or may start again."""
_MOST_PLACE_FAILURES: Final = 3
"""Items of one place in a row that its credentials or its endpoint fail: then the place waits for
another run."""

_BUDGET_ENDS: Final = (
    "what is left of the budget doesn't cover what it may spend: plan it again (`budget_usd`)"
)


class UnreachablePlaceError(AwsError):
    """No function of a place can be reached: its credentials, role or endpoint fail."""


class InterruptedSweepError(Exception):
    """A sweep was stopped before it had an answer; its function is as before."""


class Sweeper(Protocol):
    """Sweeps one function, and undoes what a killed process left of one."""

    def sweep(self, claim: Claim, queue: FleetQueue) -> Outcome:
        """Sweep the claim's function; tell `queue` before anything is changed.

        Raises NotAgreedError (nothing was changed, and it isn't to be swept),
        InterruptedSweepError, LeftChangedError, UnreachablePlaceError, and any other TunerError.
        """

    def put_right(self, item: FleetProgress) -> Outcome | None:
        """Undo what is left of an item, and return what its file has; None without a file.

        Raises TunerError if it can't.
        """


@dataclass(frozen=True, slots=True)
class ItemEnded:
    """One more item has ended."""

    progress: FleetProgress
    ended_count: int
    item_count: int
    seconds_left: float | None = None
    """By the pace of this run."""


@dataclass(frozen=True, slots=True)
class PlaceFails:
    """A region of an account can't be reached: its functions wait for another run."""

    place: FleetPlace
    reason: str


@dataclass(frozen=True, slots=True)
class FleetWaits:
    """Nothing may start now: the run's window opens in this many seconds."""

    wait_s: float


FleetEvent = ItemEnded | PlaceFails | FleetWaits


@dataclass(slots=True)
class FleetRun:
    """One run of a fleet; `run` works the queue off, and what became of it is in the queue.

    `stop`, or another process by `is_to_stop`, ends it early: sweeps that run give their function
    back, and go on the next time.
    """

    queue: FleetQueue
    sweeper: Sweeper
    concurrency: int
    stop: StopSignal
    is_to_stop: Callable[[], bool]
    clock: Clock
    audit: AuditLog
    windows: Sequence[RunWindow] = ()
    on_progress: Callable[[FleetEvent], None] = lambda _: None
    _running: dict[Future[None], Claim] = field(default_factory=dict, init=False)
    _failures: Counter[FleetPlace] = field(default_factory=Counter, init=False)
    _failing: dict[str, str] = field(default_factory=dict, init=False)
    """Places that no more sweep starts in, and why."""
    _put_back: Counter[str] = field(default_factory=Counter, init=False)
    _ended_count: int = field(default=0, init=False)
    _telling: threading.Lock = field(default_factory=threading.Lock, init=False)

    def run(self) -> None:
        """Undo what was interrupted, then sweep."""
        self.queue.begin_run(self._now_s())
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="fleet") as pool:
            # At once, as they were swept: an update takes Lambda seconds, whoever waits for it.
            # Also if it's to stop: what is left changed is put right first.
            left = (each for each in self.queue.leased() if each.state != "running")
            for _ in pool.map(self._put_right, (*self.queue.interrupted(), *left)):
                self._look_whether_to_stop()
            self._ended_count = self.queue.ended_count
            try:
                self._work_off(pool)
            except BaseException:
                self.stop.request()  # what still runs gives its functions back
                raise
        if not self.stop.is_requested:
            self._end_what_cannot_run()

    def _work_off(self, pool: ThreadPoolExecutor) -> None:
        """Start sweeps, and wait for them, until nothing is left or it's to stop."""
        while self._start(pool) or self._running:
            wait([*self._running], timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            for future in [each for each in self._running if each.done()]:
                del self._running[future]
                future.result()
            self._look_whether_to_stop()

    def _put_right(self, item: FleetProgress) -> None:
        key = item.item.key
        if self.stop.is_urgent:
            return
        try:
            seen = self.sweeper.put_right(item)
        except TunerError as error:
            self.audit.write("not_put_right", key, reason=str(error))
            self.queue.failed(key, str(error), self._now_s(), is_leased=True)
            return
        cost_usd, count = (0.0, 0) if seen is None else (seen.cost_usd, seen.invocation_count)
        self.queue.put_right(key, cost_usd=cost_usd, invocation_count=count)
        self.audit.write("put_right", key, sweep_id=item.sweep_id)

    def _start(self, pool: ThreadPoolExecutor) -> bool:
        """Start what may start now; return whether more may come without anything ending."""
        while len(self._running) < self.concurrency and not self.stop.is_requested:
            if not is_open(self.windows, self.clock.now()):
                return self._wait_for_window()
            claim = self.queue.claim(self._now_s(), except_places=self._full_places())
            if claim is None:
                return False
            self.audit.write("started", claim.item.key, budget_usd=claim.budget_usd)
            self._running[pool.submit(self._sweep, claim)] = claim
        return False

    def _wait_for_window(self) -> bool:
        """Wait a moment, if nothing runs that could be waited for instead."""
        if self._running or not self.queue.has_pending:
            return False
        wait_s = seconds_until_open(self.windows, self.clock.now())
        self.on_progress(FleetWaits(wait_s))
        while wait_s > 0 and not self.stop.is_requested:
            self.clock.sleep(min(wait_s, _LOOK_S))
            self._look_whether_to_stop()
            wait_s = seconds_until_open(self.windows, self.clock.now())
        return not self.stop.is_requested

    def _look_whether_to_stop(self) -> None:
        if not self.stop.is_requested and self.is_to_stop():
            self.stop.request()

    def _full_places(self) -> set[str]:
        """Places with as many leases as can be restored in a minute, and those that fail."""
        busy = Counter(place_key(each.item.place) for each in self._running.values())
        full = {place for place, count in busy.items() if count >= MOST_LEASES}
        with self._telling:
            return full | self._failing.keys()

    def _sweep(self, claim: Claim) -> None:
        """Sweep one function and keep what came of it; never raises for a function's fault."""
        item = claim.item
        try:
            outcome = self.sweeper.sweep(claim, self.queue)
        except InterruptedSweepError:
            self.queue.put_back(item.key)
            self.audit.write("stopped", item.key)
            return
        except NotAgreedError as error:
            self.queue.excluded(item.key, str(error), self._now_s())
            self.audit.write("excluded", item.key, reason=str(error))
        except LeftChangedError as error:
            self._fail(item, error, is_leased=True)
        except (CredentialsError, EndpointError, UnreachablePlaceError) as error:
            self._place_failed(item, error)
            return
        except TunerError as error:
            self._fail(item, error, is_leased=False)
        except Exception as error:  # whatever it is, it's of one function
            self._fail_unexpectedly(item, error)
        else:
            self.queue.done(item.key, outcome, self._now_s())
            self.audit.write(
                "done",
                item.key,
                verdict=outcome.verdict,
                memory_mb=outcome.memory_mb,
                cost_usd=outcome.cost_usd,
                invocation_count=outcome.invocation_count,
            )
        with self._telling:
            self._failures[item.place] = 0
            self._tell(item)

    def _place_failed(self, item: FleetItem, error: TunerError) -> None:
        """It's no fault of the function, so it waits; its place does after three in a row, or at
        once where nothing of it can be reached. Told once.
        """
        key = place_key(item.place)
        with self._telling:
            self._failures[item.place] += 1
            self._put_back[item.key] += 1
            is_known = key in self._failing
            fails = isinstance(error, UnreachablePlaceError) or (
                self._failures[item.place] >= _MOST_PLACE_FAILURES
            )
            if fails and not is_known:
                self._failing[key] = str(error)
            is_its_own = not (fails or is_known) and (
                self._put_back[item.key] >= _MOST_PLACE_FAILURES
            )
        if is_its_own:  # others of the place could be reached in between
            self._fail(item, error, is_leased=False)
            with self._telling:
                self._tell(item)
            return
        self.queue.put_back(item.key, str(error))
        self.audit.write("put_back", item.key, reason=str(error))
        if fails and not is_known:
            self.audit.write("place_fails", None, place=key, reason=str(error))
            self.on_progress(PlaceFails(item.place, str(error)))

    def _fail(self, item: FleetItem, error: TunerError, *, is_leased: bool) -> None:
        self.queue.failed(item.key, str(error), self._now_s(), is_leased=is_leased)
        self.audit.write("failed", item.key, reason=str(error), is_left_changed=is_leased)

    def _fail_unexpectedly(self, item: FleetItem, error: Exception) -> None:
        """Nobody knows what was done before: look, and put it right."""
        why = FleetError(f"{describe_unexpected(error)} (a fault of tuner's: please report it)")
        try:
            seen = self.sweeper.put_right(self.queue.progress_of(item.key))
        except TunerError:
            self._fail(item, why, is_leased=True)
            return
        if seen is not None:
            self.queue.spent(item.key, seen.cost_usd, seen.invocation_count)
        self._fail(item, why, is_leased=False)

    def _tell(self, item: FleetItem) -> None:
        self._ended_count += 1  # as it's told: others may have ended that aren't told yet
        self.on_progress(
            ItemEnded(
                self.queue.progress_of(item.key),
                self._ended_count,
                self.queue.item_count,
                self.queue.seconds_left(self._now_s()),
            )
        )

    def _end_what_cannot_run(self) -> None:
        """What is still pending: the budget doesn't cover it, or its place fails."""
        skipped: Counter[str] = Counter()
        for each in self.queue.progress():
            if each.state != "pending":
                continue
            place = place_key(each.item.place)
            if each.cost_usd >= each.item.max_cost_usd:
                self.queue.failed(
                    each.item.key,
                    "interruptions used up what it may spend: plan it again",
                    self._now_s(),
                    is_leased=False,
                )
            elif place in self._failing:
                skipped[place] += 1
                self.queue.waits_because(each.item.key, self._failing[place])
            else:
                self.queue.waits_because(each.item.key, _BUDGET_ENDS)
        for place, count in skipped.items():
            self.audit.write("skipped", None, place=place, item_count=count)

    def _now_s(self) -> float:
        return self.clock.now().timestamp()
