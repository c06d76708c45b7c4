"""Probes by whole sweeps: in both isolations, and one that is killed while it publishes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner import session
from tuner.api.live_check import killed_sweep
from tuner.errors import TunerError
from tuner.lease.journal import find_unfinished
from tuner.lease.recover import plan_recovery, recover
from tuner.model.goal import Goal
from tuner.model.request import Budget, Measure, Output, Safety, TuneRequest
from tuner.session.inputs import OpenTarget, read_inputs
from tuner.sweep.io import tell_nobody
from tuner.sweep.plan import new_sweep_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.api.live_check.probing import Probing
    from tuner.aws.live_gateway import LiveGateway
    from tuner.lease.unfinished import UnfinishedJournal

_PAYLOAD: Final = json.dumps({"probe": "cpu", "cpu_s": 0.05})
_CHILD_LIMIT_S: Final = 120.0
# These change with every update, and by themselves.
_MOVING: Final = ("ConfigSha256", "LastModified", "RevisionId")
_AS_BEFORE: Final = "as before, nothing left"


def check_sweeps(probing: Probing) -> None:
    """A sweep of the function itself and one of a temporary copy leave nothing changed."""
    isolations: tuple[Literal["version", "clone"], ...] = ("version", "clone")
    for isolation in isolations:
        probing.step(f"a sweep, isolation {isolation}")
        before = _snapshot(probing)
        begin = probing.clock()
        try:
            count, cost_usd = _sweep(probing, isolation)
        except TunerError as error:
            seen = f"the sweep failed: {error}"
        else:
            probing.cost_usd += cost_usd
            probing.figure(f"sweep_{isolation}_s", probing.clock() - begin)
            probing.figure(f"sweep_{isolation}_invocation_count", count)
            seen = _compared(before, _snapshot(probing))
        probing.expect(f"after a sweep, {isolation}", _AS_BEFORE, seen)


def check_kill(probing: Probing) -> None:
    """A sweep that is killed while $LATEST is changed is found by its journal and undone."""
    probing.step("a sweep that is killed while it publishes")
    before = _snapshot(probing)
    sweep_id = new_sweep_id(datetime.now(UTC))
    ended = _run_killed(probing, sweep_id)
    if ended is not None:
        probing.expect("a killed sweep", _AS_BEFORE, ended)
        return
    changed = before["function"] != _snapshot(probing)["function"]
    left = [each for each in find_unfinished(probing.state_dir) if each.header.sweep_id == sweep_id]
    probing.figure("killed_in_window", "changed" if changed else "not changed")
    for journal in left:
        undo(journal, probing.gateway, probing.state_dir, probing.sleep)
    seen = _compared(before, _snapshot(probing)) if left else "no journal was left"
    seen = seen if changed else "nothing was changed yet"
    probing.expect("a killed sweep, recovered", _AS_BEFORE, seen)


def undo(
    journal: UnfinishedJournal,
    gateway: LiveGateway,
    state_dir: Path,
    sleep: Callable[[float], None],
) -> None:
    """Do what `tuner recover` does about a journal."""
    url = gateway.endpoint_url
    recover(
        plan_recovery(journal, gateway, endpoint_url=url),
        gateway,
        state_dir=state_dir,
        sleep=sleep,
        on_progress=tell_nobody,
        endpoint_url=url,
    )


def _sweep(probing: Probing, isolation: Literal["version", "clone"]) -> tuple[int, float]:
    """Plan and run it as `tuner tune` does; return how many invocations it made, at what cost."""
    with tempfile.TemporaryDirectory(prefix="tuner-live-check-") as folder:
        request = TuneRequest(
            probing.name,
            Measure(
                payloads=(_PAYLOAD,), memory_sizes_mb=probing.plan.sweep_sizes_mb, prior="none"
            ),
            Budget(max_invocations=probing.plan.sweep_invocations),
            Safety(isolation=isolation),
            output=Output(out=Path(folder) / "sweep.jsonl"),
        )
        inputs = read_inputs(request, state_dir=probing.state_dir)
        target = OpenTarget(probing.gateway, probing.state_dir)
        prepared = session.plan(inputs, target, goal=Goal(), state_dir=probing.state_dir)
        sweep = session.run(prepared, target, stop=probing.stop)
        answer = session.recommend(session.analyse(sweep))
        probing.figure(f"sweep_{isolation}_end", sweep.end or "cut off")
        probing.figure(f"sweep_{isolation}_verdict", answer.choice.verdict)
    return len(sweep.invocations), sweep.cost_usd


def _snapshot(probing: Probing) -> dict[str, Any]:
    """The function, its versions and tags, but for what moves by itself."""
    raw = probing.settled()
    return {
        "function": {name: given for name, given in raw.items() if name not in _MOVING},
        "versions": [each.version for each in probing.gateway.list_versions(probing.name)],
        "tags": dict(probing.gateway.read_tags(raw["FunctionArn"])),
    }


def _compared(before: dict[str, Any], after: dict[str, Any]) -> str:
    changed = [name for name, given in before.items() if after[name] != given]
    return f"changed: {', '.join(changed)}" if changed else _AS_BEFORE


def _run_killed(probing: Probing, sweep_id: str) -> str | None:
    """Run the child that kills itself; return what went wrong if it ended otherwise."""
    config = probing.gateway.read_function(probing.name)
    sizes = [size for size in probing.plan.sizes_mb if size != config.memory_mb]
    said = {
        "function": probing.name,
        "memory_mb": sizes[0],
        "sweep_id": sweep_id,
        "state_dir": str(probing.state_dir),
        "region": probing.gateway.region,
        "profile": probing.profile,
        "endpoint_url": probing.gateway.endpoint_url,
        "access_key_id": probing.access_key_id,
    }
    ran = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", killed_sweep.__name__],
        input=json.dumps(said).encode(),
        capture_output=True,
        timeout=_CHILD_LIMIT_S,
        check=False,
    )
    if ran.returncode == -signal.SIGKILL:
        return None
    words = ran.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    return f"the process ended with {ran.returncode} instead: {words[-1]}"
