"""Runs sweeps over the wire against the local Lambda, its execution scripted."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from tests.scripted_executor import ScriptedExecutor
from tuner.api.tuning import request_of
from tuner.aws import connect
from tuner.decision.policy.fixed import FixedPolicy
from tuner.local import FunctionDefinition, LocalLambda
from tuner.model.goal import Goal
from tuner.model.payload import Payload
from tuner.pricing import load_price_book
from tuner.sweep.io import Clock, SweepIO
from tuner.sweep.limits import Backoff
from tuner.sweep.plan import Basis, plan_sweep
from tuner.sweep.prepared import PreparedSweep
from tuner.sweep.run import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.decision.policy import Policy
    from tuner.model.invocation import InvokeReply
    from tuner.model.plan import Isolation, SweepPlan
    from tuner.model.progress import ProgressEvent
    from tuner.model.sweep import Sweep

SIZES = (128, 512, 1769)
PAYLOADS = (Payload("empty", b"{}"),)
_NUMBERS = itertools.count(1)


@dataclass
class ServedFunction:
    """A served function, the gateway to it, and where files go."""

    server: LocalLambda
    gateway: LambdaGateway
    folder: Path
    function: str = "swept"

    def snapshot(self) -> dict[str, Any]:
        """All of the function that an owner could see, but for RevisionId and LastModified."""
        client: Any = self.gateway._control.client
        versions = client.list_versions_by_function(FunctionName=self.function)["Versions"]
        return {
            version["Version"]: {
                key: version[key] for key in version if key not in ("RevisionId", "LastModified")
            }
            for version in versions
        }

    def plan(
        self,
        *,
        memory_sizes_mb: tuple[int, ...] = (),
        payloads: Sequence[Payload] = PAYLOADS,
        sweep_id: str | None = None,
        isolation: Isolation = "version",
        recent_duration_ms: float | None = None,
        warmup_count: int = 1,
        repetition_count: int | None = None,
        **options: Any,
    ) -> SweepPlan:
        """Plan a sweep of exactly these sizes; `options` are those of `tuner.tune`."""
        config = self.gateway.read_function(self.function)
        basis = Basis(
            config,
            tuple(payloads),
            load_price_book().lambda_prices(config.region, config.architecture),
            sweep_id or f"sweep-{next(_NUMBERS)}",
            isolation=isolation,
            concurrency=options.get("concurrency") or min(8, len(memory_sizes_mb) or 8),
            recent_duration_ms=recent_duration_ms,
            sizes_mb=memory_sizes_mb,
        )
        request = request_of(self.function, options)  # type: ignore[arg-type]
        return plan_sweep(
            request, basis, warmup_count=warmup_count, repetition_count=repetition_count
        )

    def run(
        self,
        plan: SweepPlan | None = None,
        *,
        strategy: Policy | None = None,
        gateway: Any = None,
        **options: Any,
    ) -> Sweep:
        """Run a sweep of the function by a fixed strategy, without long waits.

        `gateway` stands in for the real one, for those calls that it has; `options` are of
        SweepIO and PreparedSweep.
        """
        plan = plan or self.plan(memory_sizes_mb=(128, 512, 1769), repetition_count=2)
        config = self.gateway.read_function(self.function)
        there: Any = self.gateway if gateway is None else InPart(gateway, self.gateway)
        io: dict[str, Any] = {
            "clock": Clock(sleep=lambda _seconds: None),
            "backoff": Backoff(first_s=0.01, most_s=0.05),
        }
        for each in fields(SweepIO):
            if each.name in options:
                io[each.name] = options.pop(each.name)
        prepared: dict[str, Any] = {
            "function": config,
            "goal": Goal(),
            "plan": plan,
            "payloads": PAYLOADS,
            "prices": load_price_book().lambda_prices(config.region, config.architecture),
            "file": self.file(plan),
            "environment": "local",
            **options,
        }
        return run(
            PreparedSweep(**prepared),
            SweepIO(there, self.folder, **io),
            strategy or FixedPolicy.of_plan(plan),
        )

    def file(self, plan: SweepPlan) -> Path:
        """Where a sweep's file goes."""
        return self.folder / f"{plan.sweep_id}.jsonl"


class InPart:
    """A gateway some of whose calls are another's."""

    def __init__(self, part: Any, whole: LambdaGateway) -> None:
        self._part = part
        self._whole = whole
        self.endpoint_url = whole.endpoint_url

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name, None) or getattr(self._whole, name)


@contextmanager
def serve(
    folder: Path, executor: ScriptedExecutor | None = None, **options: Any
) -> Iterator[ServedFunction]:
    """Serve one function of 512 MB."""
    executor = executor or ScriptedExecutor(20.0, init_duration_ms=50.0, time_scale=0)
    definition = FunctionDefinition(
        "swept", memory_mb=512, timeout_s=3, environment=(("TOKEN", "s3cret"),)
    )
    with (
        LocalLambda(
            [definition], executor=executor, emulated_services=False, **{"update_s": 0, **options}
        ) as server,
        connect(
            region=server.region,
            profile=None,
            endpoint_url=server.endpoint_url,
            max_connections=64,
        ) as gateway,
    ):
        yield ServedFunction(server, gateway, folder)


@dataclass
class Events:
    """A hook that keeps everything."""

    events: list[ProgressEvent] = field(default_factory=list)

    def __call__(self, event: ProgressEvent) -> None:
        self.events.append(event)

    def of(self, kind: type) -> list[Any]:
        """Events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]


class Watched:
    """A gateway that notes when windows and invocations begin and end, in one order."""

    def __init__(self, gateway: LambdaGateway) -> None:
        self.gateway = gateway
        self.log: list[str] = []
        self._lock = threading.Lock()
        self._in_flight = 0
        self.most_in_flight = 0

    def note(self, what: str) -> None:
        with self._lock:
            self.log.append(what)

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            self.log.append(f"invoke {version}")
        try:
            return self.gateway.invoke(function, version, payload, timeout_s=timeout_s)
        finally:
            with self._lock:
                self._in_flight -= 1

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.note(name)
            result = getattr(self.gateway, name)(*arguments, **options)
            self.note(f"{name} done")
            return result

        return call


def codes(sweep: Sweep) -> Sequence[str]:
    """Codes of a sweep's findings."""
    return [finding.code for finding in sweep.findings]
