"""Starts the real command as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

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
