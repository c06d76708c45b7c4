"""How true the local Lambda is: CPU shares, also against Lambda's own, waiting, two cores.

A busy machine lowers every share that needs a whole core: beside each figure stands what a bare
loop got in the same run, and a target that a bare loop misses as well is not held against it.
"""

from __future__ import annotations

import csv
import hashlib
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.local_exec.conftest import AVAILABLE, open_bench
from tuner.model.lambda_limits import vcpu_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local_exec.conftest import Bench
    from tuner.local import CpuControl

SIZES_MB: Final = (128, 256, 512, 1024, 1536, 1769)
CPU_S: Final = 0.4
REPETITIONS: Final = 3
ON_LAMBDA: Final = Path(__file__).parents[3] / "shared" / "data" / "pwrdrvr_cpu_share.csv"
"""Measured by others; its row is left out where the file is not."""
Row = tuple[str, str, str, bool]


def rows() -> Iterator[Row]:
    """Every control that works here, then what does not depend on it."""
    for control in AVAILABLE:
        with tempfile.TemporaryDirectory() as folder:
            bench = open_bench(Path(folder), control)
            try:
                yield share_row(bench, control)
                yield waiting_row(bench, control)
                yield two_cores_row(bench, control)
                yield from measured_on_lambda_rows(bench, control)
            finally:
                bench.executor.close()


def share_row(bench: Bench, control: CpuControl) -> Row:
    """CPU time over wall time of a handler that needs 0.4 s of CPU, against memory/1769."""
    limit = 0.10 if control == "stop-continue" else 0.05
    shown, worst, held = [], 0.0, True
    for memory_mb in SIZES_MB:
        bench.call("burn", {"cpu_s": 0.001}, memory_mb)
        pairs = [
            (bare_share(), bench.call("burn", {"cpu_s": CPU_S}, memory_mb).value)
            for _ in range(REPETITIONS)
        ]
        bare, share = (statistics.median(column) for column in zip(*pairs, strict=True))
        off = share / vcpu_share(memory_mb) - 1
        shown.append(f"{memory_mb}: {off:+.1%}" + (f" (bare {bare:.0%})" if bare < 0.97 else ""))
        worst = max(worst, abs(off))
        held = held and (abs(off) <= limit or share >= bare * vcpu_share(memory_mb) * (1 - limit))
    name = f"local CPU share, 128–1,769 MB, {control}"
    return name, f"within {limit:.0%}", f"worst {worst:.1%}; {', '.join(shown)}", held


def waiting_row(bench: Bench, control: CpuControl) -> Row:
    """A handler that waits takes as long at every size."""
    durations = {}
    for memory_mb in SIZES_MB:
        bench.call("sleep", {"s": 0}, memory_mb)
        calls = [bench.call("sleep", {"s": 0.2}, memory_mb) for _ in range(REPETITIONS)]
        durations[memory_mb] = statistics.median(call.report.duration_ms for call in calls)
    spread = max(durations.values()) / min(durations.values()) - 1
    ends = f"{durations[128]:.1f} ms at 128, {durations[1769]:.1f} ms at 1,769 MB"
    name = f"local waiting handler over the same sizes, {control}"
    return name, "flat within 5%", f"{spread:.1%}; {ends}", spread <= 0.05


def two_cores_row(bench: Bench, control: CpuControl) -> Row:
    """Two threads at 3,538 against 1,769 MB, and what two bare threads gain in the same run."""
    name = f"local two-core handler, 3,538 against 1,769 MB, {control}"
    if bench.executor.limits.core_count < 2:
        return name, "at least 1.8 ×", "one core: can't be shown", True
    event = {"threads": 2, "blocks": 500}
    gains, bares = [], []
    for _ in range(REPETITIONS):
        bares.append(bare_gain())
        times = {}
        for memory_mb in (1769, 3538):
            bench.call("echo", {}, memory_mb)
            times[memory_mb] = bench.call("burn_in_threads_of_c", event, memory_mb).value["wall_s"]
        gains.append(times[1769] / times[3538])
    gain, bare = statistics.median(gains), statistics.median(bares)
    note = "" if bare >= 1.9 else " – the cores are not free"
    measured = f"{gain:.2f} × (two bare threads: {bare:.2f} ×{note})"
    # Where two bare threads gain little, nothing can be shown: the row says so and is not held.
    return name, "at least 1.8 ×", measured, bare < 1.5 or gain >= 1.8 * min(1.0, bare / 2)


def measured_on_lambda_rows(bench: Bench, control: CpuControl) -> Iterator[Row]:
    """Share of a core over 5 s at each size, beside what was measured so on Lambda itself."""
    name = f"CPU share over 5 s against Lambda's own, {control}"
    if not ON_LAMBDA.is_file():
        return
    shown, worst, held = [], 0.0, True
    with ON_LAMBDA.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            memory_mb = int(row["memory_mb"])
            expected = float(row["cpu_ms_of_5000"]) / float(row["duration_ms"])
            bench.call("burn", {"cpu_s": 0.001}, memory_mb)
            pairs = [
                (bare_share(), bench.call("burn_for", {"s": 5.0}, memory_mb).value)
                for _ in range(REPETITIONS)
            ]
            bare, got = (statistics.median(column) for column in zip(*pairs, strict=True))
            off = got / expected - 1
            worst = max(worst, abs(off))
            held = held and (abs(off) <= 0.10 or got >= bare * expected * 0.9)
            note = f" (bare {bare:.0%})" if bare < 0.97 else ""
            shown.append(f"{memory_mb}: {got:.1%} to {expected:.1%} = {off:+.1%}{note}")
    yield name, "within 10%", f"worst {worst:.1%}; {', '.join(shown)}", held


def bare_share() -> float:
    """CPU time over wall time of a loop without any limit: 1 on a free core."""
    begin, cpu = time.perf_counter(), time.thread_time()
    while time.thread_time() - cpu < 0.1:
        pass
    return 0.1 / (time.perf_counter() - begin)


def bare_gain() -> float:
    """What two threads outside the interpreter's lock gain over one, without any limit."""
    data = bytes(1 << 20)

    def work() -> None:
        for _ in range(300):
            hashlib.sha256(data).digest()

    begin = time.perf_counter()
    work()
    alone = time.perf_counter() - begin
    threads = [threading.Thread(target=work) for _ in range(2)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 2 * alone / (time.perf_counter() - begin)
