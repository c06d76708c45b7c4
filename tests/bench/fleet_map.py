"""A fleet through its state machine on moto's interpreter, the worker being the real one.

`TUNER_BENCH_MAP` is how many items it has (2,000). One in a hundred fails, the execution is stopped
in the middle, and a second one does the rest.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.fleet.interpreter import BUCKET, changed, client, interpreted, wait_until_ended
from tuner.api.fleet import FleetRequest, plan_fleet
from tuner.api.fleet_remote import remote_status, start_remote, stop_remote
from tuner.fleet.remote import StartedExecution
from tuner.sweep.io import Clock

ITEMS: Final = int(os.environ.get("TUNER_BENCH_MAP", "2000"))
_FAILING_ONE_IN: Final = 100
_LONGEST_S: Final = 3 * 3600.0


def rows() -> list[tuple[str, str, str, bool]]:
    """Stop it in the middle, and start it again."""
    with tempfile.TemporaryDirectory() as name:
        return _stopped(Path(name))


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
        wait_until_ended(local, first)
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
