"""A fleet on the local API with execution scripted: killed ten times, and its own cost an item.

`TUNER_BENCH_FLEET` is how many functions are swept (500). Every kill comes after a tenth more of
the invocations, at whatever the fleet is doing then.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tuner
from tests.fleet.fleets import changed
from tests.scripted_executor import ScriptedExecutor
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS: Final = int(os.environ.get("TUNER_BENCH_FLEET", "500"))
PLANNED: Final = 5_000
KILLS: Final = 10
PER_FUNCTION: Final = 8
"""About how many invocations a sweep of them takes."""
_COMPARED: Final = 40
_SIZES_MB: Final = (2048, 3008)


def rows() -> list[tuple[str, str, str, bool]]:
    """Kill and go on, and compare with sweeps one by one."""
    with tempfile.TemporaryDirectory() as folder:
        killed = _killed(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        own_ms = _own_cost_ms(Path(folder))
    return [
        killed,
        *_planned(),
        ("own CPU time an item, beyond its sweep's", "< 50 ms", f"{own_ms:.0f} ms", own_ms < 50),
    ]


@contextmanager
def _served(count: int) -> Iterator[tuple[LocalLambda, ScriptedExecutor]]:
    executor = ScriptedExecutor(
        lambda memory_mb: 5 + 100 * 1769 / min(memory_mb, 1769),
        init_duration_ms=150.0,
        time_scale=0,
    )
    functions = [
        FunctionDefinition(f"f{number:04}", memory_mb=_SIZES_MB[number % 2])
        for number in range(count)
    ]
    with LocalLambda(functions, executor=executor, emulated_services=False, update_s=0.0) as local:
        yield local, executor


def _killed(folder: Path) -> tuple[str, str, str, bool]:
    """Every function once, the budget held, all restored: whatever the kills hit."""
    with _served(FUNCTIONS) as (local, executor):
        state = {**os.environ, "TUNER_STATE_DIR": str(folder / "state")}
        names = folder / "names.txt"
        names.write_text("".join(f"f{number:04}\n" for number in range(FUNCTIONS)))
        _tuner(
            "fleet", "plan", "--functions", str(names), "--payload", "{}", "--budget-usd", "200",
            "--out", str(folder / "fleet"), "--endpoint-url", local.endpoint_url,
            "--region", local.region, state=state,
        )  # fmt: skip
        run = ["fleet", "run", str(folder / "fleet"), "--yes", "--json"]
        kills = 0
        for number in range(1, KILLS + 1):
            process = subprocess.Popen(
                [sys.executable, "-m", "tuner", *run], env=state, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            wanted = FUNCTIONS * PER_FUNCTION * number // (KILLS + 1)
            while len(executor.invocations) < wanted and process.poll() is None:
                time.sleep(0.01)
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
        status = json.loads(_tuner(*run, state=state))
        for each in status["functions"]:
            if each["state"] != "done":
                sys.stderr.write(f"{each['name']} {each['state']}: {each['reason']}\n")
        done = [each["name"] for each in status["functions"] if each["state"] == "done"]
        actions = (folder / "fleet" / "audit.jsonl").read_text().splitlines()
        ended = [each["item"] for each in map(json.loads, actions) if each["action"] == "done"]
        left = changed(local, {f"f{n:04}": _SIZES_MB[n % 2] for n in range(FUNCTIONS)})
        # A kill may come between an end and its line in the log, but nothing ends twice.
        once = len(done) == FUNCTIONS and len(ended) == len(set(ended))
        held = status["cost_usd"] <= status["budget_usd"]
        ok = once and held and not left and status["lease_count"] == 0 and kills == KILLS
        return (
            f"{FUNCTIONS} functions, killed {kills} times: swept once, restored, budget held",
            f"{FUNCTIONS}, {FUNCTIONS}, yes",
            f"{len(done)}, {FUNCTIONS - len(left)}, {'yes' if held else 'no'}",
            ok,
        )


def _planned() -> list[tuple[str, str, str, bool]]:
    """A plan of many functions from a scan: one answered by its logs for each that isn't."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scan = folder / "scan.json"
        scan.write_text(json.dumps({"kind": "scan", "functions": [*map(_scanned, range(PLANNED))]}))
        start_s = time.monotonic()
        document = json.loads(
            _tuner(
                "fleet", "plan", "--scan", str(scan), "--payload", "{}", "--budget-usd", "1000",
                "--out", str(folder / "fleet"), "--region", "eu-west-1", "--json", "--endpoint-url",
                "http://127.0.0.1:9", state={**os.environ},
            )
        )  # fmt: skip
        took_s = time.monotonic() - start_s
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    complete = (document["function_count"], document["pending_count"]) == (PLANNED, PLANNED // 2)
    what = f"{PLANNED:,} functions planned from a scan, asking nobody"
    return [
        (what, "< 900 s", f"{took_s:.1f} s", complete and took_s < 900),
        ("memory of that, and of the runs above", "< 1 GB", f"{peak_mb:.0f} MB", peak_mb < 1000),
    ]


def _scanned(number: int) -> dict[str, Any]:
    """As `tuner scan --json` lists a function; every other one is worth a sweep."""
    saving = {"estimate": 1.0 + number % 97, "low": 0.5, "high": 200.0}
    sweep = {"cost_usd": 0.01, "invocation_count": 14, "saving_usd_per_month": saving}
    is_worth_it = number % 2 == 0
    return {
        "account": f"{111122223333 + number % 3}", "region": "eu-west-1", "name": f"f{number:05}",
        "architecture": "arm64", "memory_mb": 1024, "timeout_s": 30, "mean_duration_ms": 120.0,
        "cost_usd_per_month": 150.0,
        "advice": {
            "verdict": "sweep" if is_worth_it else "keep",
            "reason": "its logs say so",
            "sweep": sweep if is_worth_it else None,
        },
    }  # fmt: skip


def _own_cost_ms(folder: Path) -> float:
    """CPU time of this process for a fleet, less that for the same sweeps one after the other."""
    from tuner.api.fleet import FleetRequest, plan_fleet, run_folder
    from tuner.sweep.io import Clock

    with _served(_COMPARED * 2) as (local, _):
        where = {"endpoint_url": local.endpoint_url, "region": local.region}
        one_by_one_s, _ = _cpu_s(), None
        for number in range(_COMPARED):
            tuner.tune(
                f"f{number:04}", payloads=({},), state_dir=folder / "one", prior="none",
                out=folder / f"{number}.jsonl", budget_usd=1.0, **where,
            )  # fmt: skip
        one_by_one_s = _cpu_s() - one_by_one_s
        names = folder / "names.txt"
        names.write_text("".join(f"f{_COMPARED + n:04}\n" for n in range(_COMPARED)))
        request = FleetRequest(
            float(_COMPARED), folder / "fleet", functions=names, payloads=("{}",), **where
        )
        fleet, _ = plan_fleet(request, now=Clock().now(), working_dir=folder)
        start_s = _cpu_s()
        run_folder(fleet, state_dir=folder / "fleets")
        return (_cpu_s() - start_s - one_by_one_s) / _COMPARED * 1000


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _tuner(*arguments: str, state: dict[str, str]) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "tuner", *arguments], env=state, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if ran.returncode not in {0, 1}:  # 1: some failed, and the status says which
        raise RuntimeError(
            f"tuner {' '.join(arguments[:2])} ended with {ran.returncode}: {ran.stderr}"
        )
    return ran.stdout
