"""A fleet through its state machine on moto's interpreter, the worker being the real one.

`TUNER_BENCH_MAP` is how many items it has (2,000). One in a hundred fails, the execution is stopped
in the middle, and a second one does the rest. A worker's own CPU time is measured in a process that
does nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tuner
from tests.fleet.interpreter import (
    BUCKET,
    REGION,
    WorkerExecutor,
    changed,
    client,
    interpreted,
    wait_until_ended,
)
from tuner.api.fleet import FleetRequest, plan_fleet
from tuner.api.fleet_remote import remote_status, start_remote, stop_remote
from tuner.fleet.remote import StartedExecution, execution_input
from tuner.fleet.state_machine import CONCURRENCY
from tuner.model.record import to_record
from tuner.sweep.io import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ITEMS: Final = int(os.environ.get("TUNER_BENCH_MAP", "2000"))
_FAILING_ONE_IN: Final = 100
_LONGEST_S: Final = 3 * 3600.0
_COMPARED: Final = 40


def rows() -> list[tuple[str, str, str, bool]]:
    """What a worker costs; then stop it in the middle, and start it again."""
    with tempfile.TemporaryDirectory() as name:
        own_ms = worker_own_ms(Path(name))
    with tempfile.TemporaryDirectory() as name:
        stopped = _stopped(Path(name))
    what = "a worker's own CPU time an item, beyond its sweep's"
    return [(what, "< 50 ms", f"{own_ms:.0f} ms", own_ms < 50), *stopped]


def worker_own_ms(path: Path, count: int = _COMPARED) -> float:
    """CPU time of a worker that sweeps an item, less that of `tuner.tune` for one like it.

    In turn, as others use the machine too; which of the two goes first alternates, because what the
    second computes of the same measurements is cached. The first two of each don't count: a
    worker's environment runs many.
    """
    first = count + 2 + count % 2  # even: sizes alternate
    with _served(path, 2 * first) as url:
        where = {"endpoint_url": url, "region": REGION}

        def tune(number: int) -> None:
            tuner.tune(
                f"f{number:04}", payloads=({},), state_dir=path / "one", prior="none",
                out=path / f"{number}.jsonl", budget_usd=1.0, **where,
            )  # fmt: skip

        names = path / "names.txt"
        names.write_text("".join(f"f{first + n:04}\n" for n in range(first)))
        request = FleetRequest(
            float(first), path / "fleet", functions=names, payloads=("{}",), **where
        )
        plan = plan_fleet(request, now=Clock().now(), working_dir=path)[0].plan
        given = execution_input(plan, BUCKET, f"fleets/{plan.fleet_id}")
        executor = WorkerExecutor(path / "workers", url)

        def work(number: int) -> None:
            event = {
                **given, "concurrency": CONCURRENCY, "execution": "arn",
                "item": to_record(plan.items[number]),
            }  # fmt: skip
            assert executor.work(json.dumps(event).encode())["state"] == "done"

        differences_s: tuple[list[float], list[float]] = ([], [])
        for number in range(first):
            in_turn = (tune, work) if number % 4 < 2 else (work, tune)
            spent_s = {run: _cpu_s(run, number) for run in in_turn}
            if number >= 2:
                differences_s[in_turn[0] is tune].append(spent_s[work] - spent_s[tune])
        return statistics.mean(map(statistics.median, differences_s)) * 1000


@contextmanager
def _served(path: Path, count: int) -> Iterator[str]:
    """Functions and a bucket, served by another process until the block ends: their URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.interpreter", str(path / "served"), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def _cpu_s(run: Callable[[int], None], number: int) -> float:
    """CPU time of this process."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    run(number)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _stopped(path: Path) -> list[tuple[str, str, str, bool]]:
    with interpreted(path / "workers", ITEMS) as (local, executor, machine):
        names = path / "names.txt"
        names.write_text("".join(f"f{number:04}\n" for number in range(ITEMS)))
        where = {"endpoint_url": local.endpoint_url, "region": local.region}
        request = FleetRequest(
            float(ITEMS), path / "fleet", functions=names, payloads=("{}",), **where
        )
        folder, _ = plan_fleet(request, now=Clock().now(), working_dir=path)
        lambdas = client(local, "lambda")
        failing = max(1, ITEMS // _FAILING_ONE_IN)
        for number in range(failing):
            lambdas.delete_function(FunctionName=f"f{number * (ITEMS // failing):04}")
        began_s = time.monotonic()

        def start() -> str:
            start_remote(folder, bucket=BUCKET, state_machine=machine, **where)
            execution = StartedExecution.of(folder)
            assert execution is not None
            return execution.execution_arn

        first = start()
        while len(executor.worked) < ITEMS // 2:
            time.sleep(0.1)
        stop_remote(folder)
        wait_until_ended(local, first, within_s=_LONGEST_S)  # the interpreter ends thousands slowly
        middle = remote_status(folder)
        wait_until_ended(local, start(), within_s=_LONGEST_S)
        status = remote_status(folder)
        took_s = time.monotonic() - began_s
        ends = Counter(each["item"] for each in executor.worked if not each.get("skipped"))
        once = all(count == 1 for count in ends.values()) and len(ends) == ITEMS - failing
        held = status.cost_usd <= folder.plan.budget_usd
        ran = status.invocation_count == len(executor.invocations)
        left = changed(local, ITEMS)
    measured = (
        f"{status.count('done'):,}{'' if once else ' (some twice)'}",
        "all" if not left else f"all but {len(left)}",
        "yes" if held else "no",
        f"{'yes' if ran else 'no'} ({took_s:.0f} s)",
    )
    what = (
        f"{ITEMS:,} items, {failing} failing, stopped after {middle.count('done'):,} and started "
        "again: done once, restored, budget held, every invocation counted"
    )
    held_all = once and held and ran and not left and status.count("failed") == failing
    return [(what, f"{ITEMS - failing:,}, all, yes, yes", ", ".join(measured), held_all)]
