"""Sends invocations: to which function, which event each call carries, the threads, a call's parts.

Not a ThreadPoolExecutor: the interpreter waits for its threads at exit, and a call that the user
has abandoned may last a quarter of an hour. A SimpleQueue may be filled from a signal handler.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from tuner.errors import HookError, LostReplyError
from tuner.sweep.outcome import report_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tuner.decision.policy import Trial
    from tuner.lease.window import Leased
    from tuner.model.function import Architecture
    from tuner.model.invocation import InvokeReply
    from tuner.model.payload import Payload
    from tuner.model.plan import SweepPlan
    from tuner.model.sweep import Sweep
    from tuner.sweep.estimate import Pricing
    from tuner.sweep.io import Invoker
    from tuner.sweep.prepared import PreparedSweep


C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class SweptFunction:
    """A leased function with its prices and the versions that were published of it."""

    lease: Leased
    pricing: Pricing
    other: Architecture | None = None
    """Its architecture, if it isn't the function's own."""
    versions: dict[int, str] = field(default_factory=dict)
    """By size, as the sweep file names them."""

    def named(self, version: str) -> str:
        """A version's name in the sweep file, where two copies have a version 1 each."""
        return version if self.other is None else f"{self.other}:{version}"


def number_of(version: str) -> str:
    """Lambda's number of a version, by its name in the sweep file."""
    return version.rpartition(":")[2]


class SweptFunctions:
    """The leased functions, by the payloads that are sent to them."""

    def __init__(self, prepared: PreparedSweep, leases: Sequence[Leased]) -> None:
        self._all = [SweptFunction(leases[0], prepared.pricing())]
        if prepared.other is not None:
            kind = prepared.other.architecture
            self._all.append(SweptFunction(leases[1], prepared.pricing(kind), kind))
        own = prepared.function.architecture
        self._by_payload = {
            each.name: self._all[each.architecture not in {None, own}]
            for each in prepared.plan.payloads
        }

    def __iter__(self) -> Iterator[SweptFunction]:
        return iter(self._all)

    def of(self, payload: str) -> SweptFunction:
        """Where a payload is sent."""
        return self._by_payload[payload]

    @property
    def sizes_mb(self) -> set[int]:
        """Every size that was published of any of them."""
        return {size for each in self._all for size in each.versions}


@dataclass(slots=True, eq=False)
class Call:
    """One trial on its way: a throttled one keeps its place and is sent again."""

    trial: Trial
    version: str
    worst_usd: float
    event_index: int = 0
    throttle_count: int = 0
    due_s: float | None = None
    """When to send it again, by the sweep's clock; None while a worker has it."""
    body: bytes | None = field(default=None, repr=False)
    """What was sent, if it is to be kept."""
    after_error: Exception | None = None
    """The command run after the invocation failed; the invocation counts."""


@dataclass(frozen=True, slots=True)
class Done(Generic[C]):
    """A call came back, with a reply or an exception; times by the clock of who sent it."""

    call: C
    result: InvokeReply | Exception
    started_s: float
    ended_s: float


class Workers(Generic[C]):
    """As many threads as calls were ever in flight at once."""

    def __init__(self, invoke: Callable[[C], InvokeReply], clock: Callable[[], float]) -> None:
        self._invoke = invoke
        self._clock = clock
        self._calls: queue.SimpleQueue[C | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Done[C] | None] = queue.SimpleQueue()
        self._thread_count = 0
        self._busy_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in range(self._thread_count):
            self._calls.put(None)

    def start(self, call: C) -> None:
        """Send a call."""
        self._busy_count += 1
        if self._busy_count > self._thread_count:
            self._thread_count += 1
            threading.Thread(
                target=self._work, name=f"tuner-invoke-{self._thread_count}", daemon=True
            ).start()
        self._calls.put(call)

    def next_done(self, timeout_s: float | None) -> Done[C] | None:
        """Wait for a call to come back; None after `timeout_s`, or when woken."""
        try:
            done = self._done.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if done is not None:
            self._busy_count -= 1
        return done

    def wake(self) -> None:
        """Make `next_done` return; may be called from a signal handler."""
        self._done.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            started_s = self._clock()
            try:
                result: InvokeReply | Exception = self._invoke(call)
            except Exception as error:  # judged by the sweep's own thread
                result = error
            self._done.put(Done(call, result, started_s, self._clock()))


class Bodies:
    """Each class's events in order, starting from the first at every version.

    Sizes are compared, so each gets the same events: the only difference between them is the size.
    With `once_each` no event is taken twice, at any size, and those sent before (`first_index` of a
    class) aren't taken either.
    """

    def __init__(
        self,
        payloads: Sequence[Payload],
        *,
        once_each: bool = False,
        first_index: Mapping[str, int] | None = None,
    ) -> None:
        self._payloads = {payload.name: payload for payload in payloads}
        self._once_each = once_each
        self._taken: Counter[tuple[str, str]] = Counter()
        for name, index in (first_index or {}).items():
            self._taken[name, ""] = index

    def take(self, payload: str, version: str) -> int | None:
        """Return the index of a class's next event for a version.

        None: each was sent once, and may not be sent again. One thread only.
        """
        key = (payload, "" if self._once_each else version)
        index, count = self._taken[key], self._payloads[payload].event_count
        if self._once_each and count is not None and index >= count:
            return None
        self._taken[key] += 1
        return index

    def body(self, payload: str, index: int) -> bytes:
        """Return an event, making it if necessary. Any thread. Raises PayloadError."""
        return self._payloads[payload].body_at(index)


class Sender:
    """Sends one invocation with the user's commands around it; runs in worker threads."""

    def __init__(
        self, prepared: PreparedSweep, gateway: Invoker, swept: SweptFunctions, bodies: Bodies
    ) -> None:
        self._plan = prepared.plan
        self._hooks = prepared.hooks
        self._timeout_s = prepared.function.timeout_s
        self._gateway = gateway
        self._swept = swept
        self._bodies = bodies

    def send(self, call: Call) -> InvokeReply:
        """Invoke once. Raises HookError before anything is sent, and what `Invoker` raises."""
        body = self._bodies.body(call.trial.payload, call.event_index)
        if self._plan.keep_payloads:
            call.body = body
        if not self._hooks.around_each:
            return self._invoke(call, body)
        facts = self._facts(call)
        self._hooks.run("before", facts, body)
        outcome = "error"
        try:
            reply = self._invoke(call, body)
            outcome = "success" if reply.function_error is None else "function_error"
        except LostReplyError:
            outcome = "lost_reply"
            raise
        finally:
            try:
                self._hooks.run("after", {**facts, "outcome": outcome}, body)
            except HookError as error:
                call.after_error = error
        return reply

    def _invoke(self, call: Call, body: bytes) -> InvokeReply:
        version = number_of(call.version)
        return invoke_for_report(self._gateway, self._name(call), version, body, self._timeout_s)

    def _name(self, call: Call) -> str:
        return self._swept.of(call.trial.payload).lease.function_name

    def _facts(self, call: Call) -> dict[str, str]:
        return {
            **run_facts(self._plan, self._name(call)),
            "version": call.version,
            "memory_mb": str(call.trial.memory_mb),
            "payload": call.trial.payload,
            "event": str(call.event_index),
        }


def invoke_for_report(
    gateway: Invoker, function: str, version: str, body: bytes, timeout_s: int
) -> InvokeReply:
    """Invoke once; where the REPORT isn't in the log's tail, look for it."""
    reply = gateway.invoke(function, version, body, timeout_s=timeout_s)
    if reply.request_id is None or report_in(reply.log_tail) is not None:
        return reply
    log = gateway.find_log(function, reply.request_id)
    return reply if log is None else dataclasses.replace(reply, log_tail=log)


def run_facts(plan: SweepPlan, function_name: str) -> dict[str, str]:
    """What every hook command learns from its variables."""
    return {"function": function_name, "sweep": plan.sweep_id}


def sent_before(earlier: Sweep | None) -> dict[str, int]:
    """How many events of each class were sent, including those cut off unrecorded."""
    if earlier is None:
        return {}
    in_flight = earlier.plan.concurrency if earlier.end is None else 0
    sent = {payload.name: in_flight for payload in earlier.plan.payloads}
    for invocation in earlier.invocations:
        index = invocation.event_index or 0
        sent[invocation.payload] = max(sent[invocation.payload], index + 1 + in_flight)
    return sent
