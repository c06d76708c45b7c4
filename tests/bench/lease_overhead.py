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

from tests.bench.scripted_endpoint import ScriptedEndpoint, ready_sweep
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
    pairs = measure(RUNS, UPDATE_S, PER_SIZE)
    extra = statistics.median(leased_s / bare_s for leased_s, bare_s in pairs) - 1
    wall_s = statistics.median(leased_s for leased_s, _ in pairs)
    count = len(SIZES_MB) * PER_SIZE
    return [
        (
            f"journal and checks over a bare sweep, {count} invocations of 50 ms at {CONCURRENCY}",
            "≤ 5%",
            f"{100 * extra:.1f}% of {wall_s:.1f} s",
            extra <= 0.05,
        )
    ]


def measure(run_count: int, update_s: float, per_size: int) -> list[tuple[float, float]]:
    """Wall times in seconds of interleaved sweeps, leased and bare."""
    from tuner.aws import connect

    with (
        ScriptedEndpoint(update_s) as url,
        tempfile.TemporaryDirectory() as folder,
        connect(region="us-east-1", profile=None, endpoint_url=url, max_connections=50) as gateway,
    ):
        _run(gateway, Path(folder), 0, per_size)  # loads models
        pairs = []
        for number in range(1, run_count + 1):
            leased_s = _run(gateway, Path(folder), 2 * number, per_size)
            with _bare_lease():
                bare_s = _run(gateway, Path(folder), 2 * number + 1, per_size)
            pairs.append((leased_s, bare_s))
    return pairs


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
    def opened(
        function: Any, terms: Any, _copies: Any, *, control: Any, **_: Any
    ) -> Iterator[tuple[_BareLease]]:
        lease = _BareLease(function, terms, control)
        yield (lease,)
        lease.give_back()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuner.sweep.run.open_leases", opened)
        yield


def _run(gateway: LambdaGateway, folder: Path, number: int, per_size: int) -> float:
    """Sweep once; return its wall time in seconds."""
    sweep = ready_sweep(
        gateway,
        folder,
        f"bench-{number}",
        sizes_mb=SIZES_MB,
        per_size=per_size,
        concurrency=CONCURRENCY,
    )
    began_s = time.monotonic()
    sweep()
    return time.monotonic() - began_s
