"""The report page: its bytes, its time to interactive, and what making it takes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch, use_own_downloads
from tests.report.views import large_sweep
from tests.sweeps import save_sweep
from tuner import load_sweep
from tuner.api.answers import view
from tuner.report.page.html import render
from tuner.session import analyse

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[str, str, str, bool]

RUNS: Final = 9


def rows() -> list[Row]:
    """A sweep of 540 invocations and two payloads; medians."""
    with tempfile.TemporaryDirectory() as folder:
        sweep, page = Path(folder) / "large.jsonl", Path(folder) / "large.html"
        save_sweep(sweep, large_sweep())
        tuner = str(Path(sysconfig.get_path("scripts")) / "tuner")
        making = [tuner, "report", str(sweep), "--format", "html", "--out", str(page)]
        before = os.times()
        wall_s = _median_s(making)
        after = os.times()
        cpu_s = after.children_user + after.children_system
        cpu_s = (cpu_s - before.children_user - before.children_system) / (1 + RUNS)
        size = page.stat().st_size
        own_s = _own_cpu_s(sweep)
        return [
            ("page of 540 invocations", "≤ 250 kB", f"{size / 1000:.0f} kB", size <= 250_000),
            *_interactive(page),
            (
                "tuner report --format html, wall",
                "< 1.2 s",
                f"{wall_s:.2f} s ({cpu_s:.2f} s of CPU)",
                wall_s < 1.2,
            ),
            ("of which own work, CPU time", "< 0.3 s", f"{own_s:.2f} s", own_s < 0.3),
            _import_row(),
        ]


def _own_cpu_s(path: Path) -> float:
    """Reading, answering and rendering once everything is imported."""
    times = []
    for _ in range(RUNS):
        start_s = time.process_time()
        render([view(analyse(load_sweep(path)), source=str(path))])
        times.append(time.process_time() - start_s)
    return statistics.median(times)


def _interactive(page: Path) -> list[Row]:
    """From the start of the navigation until every chart stands, in headless Chromium."""
    what, target = "page to interactive, headless Chromium", "≤ 300 ms"
    use_own_downloads()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            return [(what, target, "no browser", False)]
        times_ms = []
        for _ in range(RUNS):
            opened = browser.new_page()
            opened.goto(page.as_uri())
            opened.wait_for_selector("html[data-ready]")
            script = "performance.getEntriesByName('tuner-ready')[0].startTime"
            times_ms.append(float(opened.evaluate(script)))
            opened.close()
        browser.close()
    median_ms = statistics.median(times_ms)
    return [(what, target, f"{median_ms:.0f} ms", median_ms <= 300)]


def _import_row() -> Row:
    """`import tuner` beyond a bare interpreter, and what it must not load."""
    bare, ours = [sys.executable, "-c", "pass"], [sys.executable, "-c", "import tuner"]
    took_ms = max((_median_s(ours) - _median_s(bare)) * 1000, 0.0)
    code = "import sys, tuner; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"boto3", "scipy", "matplotlib"} & {*loaded}
    shown = f"{took_ms:.0f} ms" + (f", loads {', '.join(heavy)}" if heavy else "")
    return ("import tuner", "< 50 ms", shown, took_ms < 50 and not heavy)


def _median_s(command: Sequence[str]) -> float:
    """Compiled, as pip leaves a package: a first run that does not count writes what is missing."""
    env = {**os.environ, "COLUMNS": "100"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    times = []
    for _ in range(1 + RUNS):
        start_s = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=env)
        times.append(time.perf_counter() - start_s)
    return statistics.median(times[1:])
