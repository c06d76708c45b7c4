"""What the probes share: the function, what it costs, and what was found so far."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tuner.api.live_check.reading import judged
from tuner.api.live_check.redaction import redacted
from tuner.errors import AwsError, NotAgreedError
from tuner.model.live_check import Assumption, Figure, Reply
from tuner.sweep.io import StopSignal
from tuner.sweep.outcome import report_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.aws.live_gateway import LiveGateway
    from tuner.model.invocation import InvokeReply, PlatformReport
    from tuner.model.live_check import CheckPlan
    from tuner.pricing import LambdaPrices

BUDGET_USD: Final = 0.01
"""The check stops before it costs more."""
SETTLE_LIMIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Called:
    """One invocation: its reply, its value and its report."""

    reply: InvokeReply
    value: Any
    report: PlatformReport | None


@dataclass(slots=True)
class Probing:
    """One check's function, and what the probes put down."""

    gateway: LiveGateway
    name: str
    plan: CheckPlan
    prices: LambdaPrices
    state_dir: Path
    access_key_id: str | None = field(default=None, repr=False)
    """The key of an endpoint that was started here."""
    profile: str | None = None
    on_step: Callable[[str], None] = lambda _: None
    stop: StopSignal = field(default_factory=StopSignal)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    assumptions: list[Assumption] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    versions: dict[int, str] = field(default_factory=dict)
    """The version of each size."""
    cost_usd: float = 0.0

    def step(self, what: str) -> None:
        """Say what comes next. Raises KeyboardInterrupt if the check was asked to stop."""
        if self.stop.is_requested:
            raise KeyboardInterrupt
        self.on_step(what)

    def assume(self, topic: str, assumed: str, seen: str, *, holds: bool | None) -> None:
        """Put down an assumption; `holds` None: nothing was seen."""
        self.assumptions.append(judged(topic, assumed, seen, holds=holds))

    def expect(self, topic: str, assumed: str, seen: str) -> None:
        """Put down an assumption that holds if just that was seen."""
        self.assume(topic, assumed, seen, holds=seen == assumed)

    def figure(self, name: str, value: float | str | None) -> None:
        """Put down a number or a word; None: it isn't known."""
        if isinstance(value, str):
            self.figures.append(Figure(name, text=value))
        elif value is not None:
            self.figures.append(Figure(name, number=round(float(value), 4)))

    def keep(self, name: str, reply: object) -> None:
        """Keep a reply for the file, without what is the account's."""
        plain = json.loads(json.dumps(reply, default=str))
        self.replies.append(Reply(name, json.dumps(redacted(plain, [self.name]))))

    def invoke(self, version: str, probe: str, **event: Any) -> Called:
        """Invoke a version once. Raises NotAgreedError once the money is spent, and AwsError."""
        if self.stop.is_requested:
            raise KeyboardInterrupt
        if self.cost_usd >= BUDGET_USD:
            raise NotAgreedError(f"the check has cost ${self.cost_usd:.4f} already: stopped")
        payload = json.dumps({"probe": probe, **event}).encode()
        reply = self.gateway.invoke(self.name, version, payload, timeout_s=self.plan.timeout_s)
        report = report_in(reply.log_tail)
        if report is not None:
            self.cost_usd += self.prices.invocation_cost_usd(
                report.memory_size_mb, report.billed_duration_ms
            )
        return Called(reply, _value(reply.payload), report)

    def settled(self, qualifier: str | None = None) -> dict[str, Any]:
        """Read the function (or a version) until nothing is in progress. Raises AwsError."""
        begin = self.clock()
        while True:
            raw = self.gateway.raw_function(self.name, qualifier)
            if not is_under_way(raw):
                return raw
            if self.clock() - begin > SETTLE_LIMIT_S:
                raise AwsError(f"{self.name} isn't ready after {SETTLE_LIMIT_S:.0f} s")
            self.sleep(0.1)


def is_under_way(raw: dict[str, Any]) -> bool:
    """Whether the function is being created or updated."""
    return raw.get("State") == "Pending" or raw.get("LastUpdateStatus") == "InProgress"


def _value(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None
