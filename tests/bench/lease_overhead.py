"""What the journal and the checks of a lease add to a sweep that had neither.

The bare one publishes the same sizes, invokes through the same loop and gives back: update, wait,
publish, wait, delete, and nothing else. No journal, no tag, no look before or after. Both in one
process, in turn, against an endpoint of its own that answers in 50 ms and takes half a second for a
change (AWS takes one to three).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.bench.sweep_overhead import _Endpoint
from tuner.lease.window import Publication, PublishedSize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.aws import LambdaGateway
    from tuner.model.finding import Finding

SIZES_MB: Final = (128, 256, 512, 1024, 1769)
PER_SIZE: Final = 40
CONCURRENCY: Final = 8
RUNS: Final = 3
UPDATE_S: Final = 0.5


def rows() -> list[tuple[str, str, str, bool]]:
    """Compare medians of interleaved runs."""
    from tuner.aws import connect

    with (
        _Endpoint(UPDATE_S) as url,
        tempfile.TemporaryDirectory() as folder,
        connect(region="us-east-1", profile=None, endpoint_url=url, max_connections=50) as gateway,
    ):
        _run(gateway, Path(folder), 0)  # loads models
        pairs = []
        for number in range(1, RUNS + 1):
            leased_s = _run(gateway, Path(folder), 2 * number)
            with _bare_lease():
                bare_s = _run(gateway, Path(folder), 2 * number + 1)
            pairs.append((leased_s, bare_s))
    extra = statistics.median(leased_s / bare_s for leased_s, bare_s in pairs) - 1
    wall_s = statistics.median(leased_s for leased_s, _ in pairs)
    count = len(SIZES_MB) * PER_SIZE
    return [
        (
            f"journal and checks over a bare sweep, {count} invocations of 50 ms at {CONCURRENCY}",
            "≤ 5 %",
            f"{100 * extra:.1f} % of {wall_s:.1f} s",
            extra <= 0.05,
        )
    ]


class _BareLease:
    """Changes the function as a sweep must, and looks at nothing."""

    def __init__(self, function: Any, terms: Any, control: LambdaGateway) -> None:
        self.function_name = function.name
        self.code_sha256 = function.code_sha256
        self.findings: list[Finding] = []
        self.original = function
        self.versions: list[str] = []
        self.control = control
        self.terms = terms

    def publish(self, sizes_mb: Sequence[int], _stop: Any = None) -> Publication:
        client: Any = self.control._control.client
        name, published = self.function_name, []
        updated, active = (
            client.get_waiter(name) for name in ("function_updated_v2", "function_active_v2")
        )
        updated.config.delay = active.config.delay = 0.02
        for size in sizes_mb:
            client.update_function_configuration(FunctionName=name, MemorySize=size)
            updated.wait(FunctionName=name)
            version = client.publish_version(
                FunctionName=name, Description=f"{self.terms.sweep_id} {size}"
            )["Version"]
            active.wait(FunctionName=name, Qualifier=version)
            published.append(PublishedSize(size, version, is_new=True))
        client.update_function_configuration(FunctionName=name, MemorySize=self.original.memory_mb)
        updated.wait(FunctionName=name)
        self.versions += [each.version for each in published]
        return Publication(tuple(published))

    def give_back(self) -> None:
        client: Any = self.control._control.client
        for version in self.versions:
            client.delete_function(FunctionName=self.function_name, Qualifier=version)


@contextmanager
def _bare_lease() -> Iterator[None]:
    @contextmanager
    def opened(function: Any, terms: Any, *, control: Any, **_: Any) -> Iterator[_BareLease]:
        lease = _BareLease(function, terms, control)
        yield lease
        lease.give_back()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuner.sweep.runner.open_lease", opened)
        yield


def _run(gateway: LambdaGateway, folder: Path, number: int) -> float:
    """Sweep once; return its wall time in seconds."""
    from tuner.explore.fixed import FixedStrategy
    from tuner.model.payload import Payload
    from tuner.pricing import load_price_book
    from tuner.sweep.file import SweepWriter
    from tuner.sweep.plan import plan_sweep
    from tuner.sweep.runner import run_sweep

    payload = Payload("empty", b"{}")
    function = gateway.read_function("made")
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")
    plan = plan_sweep(
        function=function,
        payloads=[payload],
        prices=prices,
        sweep_id=f"bench-{number}",
        memory_sizes_mb=SIZES_MB,
        warmup_count=0,
        repetition_count=PER_SIZE,
        concurrency=CONCURRENCY,
    )
    strategy = FixedStrategy(SIZES_MB, [payload.name], 0, PER_SIZE, 1, plan.max_invocations)
    began_s = time.monotonic()
    with SweepWriter(folder / f"{plan.sweep_id}.jsonl") as writer:
        sweep = run_sweep(
            plan,
            function=function,
            environment="local",
            control=gateway,
            invoker=gateway,
            strategy=strategy,
            prices=prices,
            payloads=[payload],
            writer=writer,
            state_dir=folder,
            tool_version="bench",
            endpoint_url=gateway.endpoint_url,
        )
    wall_s = time.monotonic() - began_s
    assert len(sweep.invocations) == len(SIZES_MB) * PER_SIZE
    return wall_s
