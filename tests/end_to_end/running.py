"""Starts the real command as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.repeating import first_that
from tuner import load_sweep

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[2]
TEMPLATE: Final = ROOT / "examples" / "template.yaml"


def environment(state_dir: Path) -> dict[str, str]:
    """The caller's environment without anything of AWS, and with its own state folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "TUNER_STATE_DIR": str(state_dir),
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "HOME": str(state_dir),
        "SOURCE_DATE_EPOCH": "1795564800",  # 2026-11-25: prices do not grow older than the README
    }


def tuner(
    *arguments: str, state_dir: Path, timeout_s: float = 110, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run `tuner` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tuner", *arguments],
        cwd=cwd,
        env=environment(state_dir),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def tune_example(
    name: str,
    *arguments: str,
    state_dir: Path,
    template: Path = TEMPLATE,
    payload: str | None = None,
    timeout_s: float = 110,
) -> dict[str, Any]:
    """Tune one of the examples on the local Lambda and return the contract's JSON.

    Without `payload` it gets the one that lies in its own folder.
    """
    ran = tuner(
        "tune",
        name,
        "--local",
        str(template),
        "--payload",
        payload or str(template.parent / name / "payload.json"),
        "--yes",
        "--json",
        "--seed",
        "1",
        *arguments,
        state_dir=state_dir,
        timeout_s=timeout_s,
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def tune_until(
    holds: Callable[[dict[str, Any]], bool],
    name: str,
    *arguments: str,
    state_dir: Path,
    right: Callable[[int], bool] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Tune an example until its figures hold and its size is the right one, three times at most.

    Other work on the machine may leave an answer open, or blur its figures: then again (a busy
    machine's answer may only lean to a size). What is never excused is a wrong size from an answer
    that does not say that the machine was busy.
    """

    def measure(number: int) -> dict[str, Any]:
        answer = tune_example(name, *arguments, state_dir=state_dir / str(number), **more)
        size_mb = answer["recommendation"]["memory_mb"]
        codes = [each["code"] for each in answer["findings"]]
        print(number, answer["recommendation"], codes, answer["sizes"])  # shown where a test fails
        if right is not None and size_mb is not None and "host_busy" not in codes:
            assert right(size_mb), answer
        return answer

    def is_settled(answer: dict[str, Any]) -> bool:
        found = answer["recommendation"]
        busy = any(each["code"] == "host_busy" for each in answer["findings"])
        size_mb = found["best_so_far_mb"] if busy and not found["memory_mb"] else found["memory_mb"]
        return holds(answer) and (right is None or (size_mb is not None and right(size_mb)))

    return first_that(is_settled, measure)


def fastest_ms(answer: dict[str, Any], memory_mb: int) -> float:
    """The fastest warm sample at a size: the one that others disturbed the least."""
    sweep = load_sweep(Path(answer["sweep"]["file"]))
    warm = [each for each in sweep.invocations if each.is_warm_sample]
    return min(e.report.duration_ms for e in warm if e.report and e.memory_mb == memory_mb)
