"""A scripted endpoint in a process of its own, and a whole sweep against it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tuner.aws import LambdaGateway

ANSWER_MS: Final = 50.0
FUNCTION: Final = "made"


class ScriptedEndpoint:
    """One function that answers in 50 ms; the process ends with the block.

    `update_s` is what a change of its configuration takes.
    """

    def __init__(self, update_s: float = 0.0) -> None:
        self._update_s = update_s

    def __enter__(self) -> str:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.scripted_endpoint", str(self._update_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def ready_sweep(
    gateway: LambdaGateway,
    folder: Path,
    sweep_id: str,
    *,
    sizes_mb: tuple[int, ...],
    per_size: int,
    concurrency: int,
) -> Callable[[], None]:
    """Load and read what a sweep needs; the call that is returned plans it, publishes the sizes
    and invokes each `per_size` times. Its file goes into `folder`.
    """

    from tuner.decision.policy.fixed import FixedPolicy
    from tuner.model.goal import Goal
    from tuner.model.payload import Payload
    from tuner.model.request import Measure, TuneRequest
    from tuner.pricing import load_price_book
    from tuner.sweep.io import SweepIO
    from tuner.sweep.plan import Basis, plan_sweep
    from tuner.sweep.prepared import PreparedSweep
    from tuner.sweep.run import run

    payload = Payload("empty", b"{}")
    function = gateway.read_function(FUNCTION)
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")

    def sweep() -> None:
        basis = Basis(
            function, (payload,), prices, sweep_id, concurrency=concurrency, sizes_mb=sizes_mb
        )
        request = TuneRequest(FUNCTION, Measure(memory_sizes_mb=sizes_mb))
        plan = plan_sweep(request, basis, warmup_count=0, repetition_count=per_size)
        prepared = PreparedSweep(
            function=function,
            goal=Goal(),
            plan=plan,
            payloads=(payload,),
            prices=prices,
            file=folder / f"{sweep_id}.jsonl",
            environment="local",
        )
        strategy = FixedPolicy(sizes_mb, [payload.name], 0, per_size, 1, plan.max_invocations)
        swept = run(prepared, SweepIO(gateway, folder), strategy)
        assert len(swept.invocations) == len(sizes_mb) * per_size

    return sweep


def _serve(update_s: float) -> None:
    from tests.scripted_executor import ScriptedExecutor
    from tuner.local import FunctionDefinition, LocalLambda

    functions = [FunctionDefinition(FUNCTION, memory_mb=512, timeout_s=10)]
    with LocalLambda(
        functions, executor=ScriptedExecutor(ANSWER_MS), emulated_services=False, update_s=update_s
    ) as server:
        print(server.endpoint_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve(float(sys.argv[1]))
