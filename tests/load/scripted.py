"""A function that is scripted by the time at which it answers, on a clock that only it moves."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

from tests.sweeps import made_function
from tuner.load.io import LoadIO
from tuner.load.phases import parse_phases
from tuner.load.plan import LoadPlan
from tuner.load.run import Events, LoadLoop
from tuner.model.invocation import InvokeReply
from tuner.model.payload import Payload
from tuner.pricing import load_price_book
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import StopSignal
from tuner.sweep.limits import Ledger
from tuner.sweep.sending import Done

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.load.io import Request
    from tuner.load.result import LoadResult


def reply(
    duration_ms: float = 20.0, *, init_ms: float | None = None, error: str = ""
) -> InvokeReply:
    """An answer with its REPORT line."""
    init = "" if init_ms is None else f"\tInit Duration: {init_ms:.2f} ms"
    billed = round(duration_ms + (init_ms or 0.0))
    return InvokeReply(
        status_code=200,
        function_error="Unhandled" if error else None,
        payload=f'{{"errorType": "{error}", "errorMessage": ""}}'.encode() if error else b"1",
        log_tail=f"REPORT RequestId: r\tDuration: {duration_ms:.2f} ms"
        f"\tBilled Duration: {billed} ms"
        f"\tMemory Size: 1024 MB\tMax Memory Used: 50 MB{init}\n",
        executed_version="$LATEST",
        client_duration_ms=duration_ms,
    )


class ScriptedFunction:
    """Carries requests to the script; waiting for it moves the clock."""

    def __init__(
        self, script: Callable[[float, bytes], tuple[float, InvokeReply | Exception]]
    ) -> None:
        self.now_s = 100.0
        self.bodies: list[bytes] = []
        self.at_each: Callable[[float], None] = lambda _: None
        self._script = script
        self._order = itertools.count()
        self._due: list[tuple[float, int, Done[Request]]] = []

    def start(self, call: Request) -> None:
        self.bodies.append(call.body)
        self.at_each(self.now_s - 100.0)
        after_s, result = self._script(self.now_s - 100.0, call.body)
        done = Done(call, result, self.now_s, 100.0 + after_s)
        heapq.heappush(self._due, (done.ended_s, next(self._order), done))

    def next_done(self, timeout_s: float | None) -> Done[Request] | None:
        until_s = self.now_s + (3600.0 if timeout_s is None else timeout_s)
        if self._due and self._due[0][0] <= until_s:
            self.now_s = max(self.now_s, self._due[0][0])
            return heapq.heappop(self._due)[2]
        self.now_s = until_s
        return None

    def wake(self) -> None:
        pass


def send(
    function: ScriptedFunction,
    *phases: str,
    payloads: tuple[Payload, ...] = (Payload("event", b"{}"),),
    stop: StopSignal | None = None,
    recent_ms: float | None = None,
    count_dropped: Callable[[], int | None] = lambda: None,
    pass_time: Callable[[float, int, int], None] = lambda _, __, ___: None,
    **plan: object,
) -> LoadResult:
    """Send a load to it."""
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")
    pricing = Pricing(made_function(), prices, recent_ms)
    planned = LoadPlan(parse_phases(phases), (1024,), pricing, **plan)  # type: ignore[arg-type]
    io = LoadIO(
        None,  # type: ignore[arg-type] # the function itself carries requests
        lambda: function.now_s,
        stop or StopSignal(),
        count_dropped=count_dropped,
        aside=lambda work: work(),
        pass_time=pass_time,
    )
    ledger = Ledger(budget_usd=planned.budget_usd, max_invocations=planned.planned_count)
    return LoadLoop(planned, ledger, Events(payloads), 1024, senders=function, io=io).run()
