"""Measures how accurately the local Lambda works on this machine, and remembers it."""

from __future__ import annotations

import datetime
import json
import platform
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import InputError, LocalError
from tuner.local import refuse_other_systems
from tuner.model.finding import Finding
from tuner.model.host_check import BUSY_RATIO, HostCheck
from tuner.model.interval import percent
from tuner.model.record import from_record, to_record
from tuner.report.host_check import untrue
from tuner.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.local import CpuControl

ControlChoice = Literal["auto", "cgroup", "portable", "both"]
PROBE_CPU_S: Final = 0.1
_REPEATED: Final = 4
_FILE: Final = "local-check.json"


@dataclass(frozen=True, slots=True)
class SavedCheck:
    """A check, and where and when it was made."""

    machine: str
    checked_at: str
    """A day, ISO 8601."""
    check: HostCheck


def check_host(
    choice: ControlChoice = "auto",
    *,
    state_dir: Path,
    on_step: Callable[[str], None] = lambda _: None,
) -> tuple[HostCheck, ...]:
    """Measure the controls that `choice` names, and keep the results in the state folder.

    "both" leaves out control groups if they can't be used. Raises LocalError if a control that was
    asked for doesn't work here, InputError if the folder can't be written.
    """
    refuse_other_systems()
    from tuner.local import check_control

    checks = []
    with tempfile.TemporaryDirectory(prefix="tuner-check-") as folder:
        for control in _controls(choice, on_step):
            checks.append(check_control(control, work_dir=Path(folder), on_step=on_step))
            _keep(checks[-1], state_dir)
    return tuple(checks)


def host_findings(state_dir: Path, cpu_control: str, core_count: int) -> tuple[Finding, ...]:
    """What is known about this machine's accuracy, for a sweep that is about to begin on it.

    The last check's failure, if there was one under the same control, and whether the machine is
    busy right now: a loop of 0.1 s, or the median of five if that one was disturbed.
    """
    from tuner.local import bare_share

    findings = []
    for saved in _read(state_dir):
        same = (saved.machine, saved.check.cpu_control) == (_machine(), cpu_control)
        wrong = untrue(saved.check) if same and saved.check.core_count == core_count else None
        if wrong is not None:
            trusted = saved.check.trusted_up_to_mb
            upto = "at no size" if trusted is None else f"only up to {trusted} MB"
            while_busy = "; it was busy then" if saved.check.is_busy else ""
            text = (
                f"tuner local check on {saved.checked_at} found this machine accurate {upto} "
                f"({wrong}{while_busy}): durations at larger sizes are the machine's, not the "
                "function's; check again or tune on AWS"
            )
            findings.append(Finding("host_check_failed", "warning", text))
    share = bare_share(PROBE_CPU_S)
    if share < BUSY_RATIO:  # a single pause of a few milliseconds disturbs no sweep
        share = statistics.median([share, *(bare_share(PROBE_CPU_S) for _ in range(_REPEATED))])
    if share < BUSY_RATIO:
        text = (
            f"this machine was busy at the start: a bare loop got {percent(share)} of a core, so "
            "sizes that need more measure too slow; tune again when it's idle"
        )
        findings.append(Finding("host_busy", "warning", text))
    return tuple(findings)


def _controls(
    choice: ControlChoice, on_step: Callable[[str], None]
) -> tuple[CpuControl | None, ...]:
    if choice == "auto":
        return (None,)
    if choice == "portable":
        return ("stop-continue",)
    from tuner.local import best_cpu_control

    best = best_cpu_control()
    if best != "stop-continue":
        return (best,) if choice == "cgroup" else (best, "stop-continue")
    if choice == "cgroup":
        raise LocalError(
            "control groups can't be used here: run on Linux as root or under systemd's user "
            "delegation, or give `cpu_control=portable`"
        )
    on_step("control groups can't be used here: measuring the portable control only")
    return ("stop-continue",)


def _machine() -> str:
    return f"{platform.node()} {platform.system()} {platform.release()} {platform.machine()}"


def _keep(check: HostCheck, state_dir: Path) -> None:
    """Atomically replace the last check of this machine and control."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    fresh = SavedCheck(_machine(), today, check)
    others = [
        saved
        for saved in _read(state_dir)
        if (saved.machine, saved.check.cpu_control) != (fresh.machine, check.cpu_control)
    ]
    document = {"schema_version": 1, "checks": [to_record(one) for one in (*others, fresh)]}
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        data = json.dumps(document, indent=2).encode()
        write_whole(state_dir / _FILE, data, new_mode=0o600)
    except OSError as error:
        raise InputError(
            f"{state_dir}: {error.strerror}: the check can't be kept there; set TUNER_STATE_DIR"
        ) from None


def _read(state_dir: Path) -> tuple[SavedCheck, ...]:
    """Read what is kept; an unreadable file or another version counts as nothing."""
    try:
        document = json.loads((state_dir / _FILE).read_text(encoding="utf-8"))
        if document["schema_version"] != 1:
            return ()
        return tuple(from_record(SavedCheck, one) for one in document["checks"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()
