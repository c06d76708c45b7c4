"""The main job as a user starts it: wall time of `make demo`, peak memory of `tuner tune`."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SAMPLE_EVERY_S: Final = 0.05


def rows() -> list[tuple[str, str, str, bool]]:
    """Time the demo, and watch the resident peak of a tune of the same example."""
    demo_s = _timed(["make", "demo"])
    peak_mb = _peak_of_tune()
    return [
        ("make demo after its installation", "< 90 s", f"{demo_s:.0f} s", demo_s < 90),
        ("peak memory of `tuner tune`", "< 250 MB", f"{peak_mb:.0f} MB", peak_mb < 250),
    ]


def _timed(command: list[str]) -> float:
    start_s = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.monotonic() - start_s


def _peak_of_tune() -> float:
    """VmHWM of the tuner's own process, read until it ends (the endpoint is another process)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tuner", "tune", "cpu-bound", "--yes"]
        command += ["--local", "examples/template.yaml", "--out", f"{folder}/sweep.jsonl"]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, _high_water_mb(process.pid))
            time.sleep(SAMPLE_EVERY_S)
        if process.returncode != 0:
            raise RuntimeError(f"tuner tune ended with exit code {process.returncode}")
    return peak_mb


def _high_water_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
