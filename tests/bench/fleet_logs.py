"""A fleet planned from logs: 5,000 functions, 30 million reports, 10 GB of text.

`TUNER_BENCH_LOG_FUNCTIONS` is how many functions (5,000); each has 6,000 reports. The archive is an
export with a fixed seed: a few texts of 6,000 reports, in which each function has request ids of
its own. Time is wall time, or the CPU's on a busy machine; memory is that of the largest process.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tests.bench.command_run import run_command

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

FUNCTIONS: Final = int(os.environ.get("TUNER_BENCH_LOG_FUNCTIONS", "5000"))
REPORTS_EACH: Final = 6_000
MOST_S: Final = 900.0
MOST_MB: Final = 1000.0
_WHOLE: Final = 5_000
_DAYS: Final = 14
_BEGIN_S: Final = 1_793_491_200  # 2026-11-01T00:00:00Z
_SIZES_MB: Final = (128, 512, 1024, 2048)
_ID: Final = "00000000-0000-4000-8000-000000000000"
_DIGITS: Final = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def rows() -> list[tuple[str, str, str, bool]]:
    """From the archive to the plan, by the two commands that a user gives."""
    with tempfile.TemporaryDirectory() as name:
        return planned(Path(name), FUNCTIONS, REPORTS_EACH)


def planned(folder: Path, functions: int, reports_each: int) -> list[tuple[str, str, str, bool]]:
    """Scan an archive, plan of it, and see that nothing of it is missing."""
    began_s = time.monotonic()
    text_bytes, packed_bytes = make_archive(folder / "logs", functions, reports_each)
    made_s = time.monotonic() - began_s
    state = folder / "state"
    scan = run_command(state, "scan", "--logs", str(folder / "logs"), "--json")
    (folder / "scan.json").write_text(scan.printed)
    plan = run_command(
        state, "fleet", "plan", "--scan", str(folder / "scan.json"), "--payload", "{}",
        "--budget-usd", "10000", "--out", str(folder / "fleet"), "--region", "us-east-1",
        "--endpoint-url", "http://127.0.0.1:9", "--json",
    )  # fmt: skip
    counts = [each["invocation_count"] for each in json.loads(scan.printed)["functions"]]
    complete = counts == [reports_each] * functions
    complete = complete and json.loads(plan.printed)["function_count"] == functions
    wall_s, cpu_s = scan.wall_s + plan.wall_s, scan.cpu_s + plan.cpu_s
    peak_mb = max(scan.peak_mb, plan.peak_mb)
    most_s = MOST_S * functions * reports_each / (_WHOLE * REPORTS_EACH)
    what = (
        f"{functions:,} functions planned from {text_bytes / 1e9:.1f} GB of logs "
        f"({packed_bytes / 1e9:.2f} GB gzip, {functions * reports_each:,} reports, made in "
        f"{made_s:.0f} s)"
    )
    measured = f"{wall_s:.0f} s, {cpu_s:.0f} s of CPU{'' if complete else ' (some missing)'}"
    held = complete and min(wall_s, cpu_s) < most_s
    return [
        (what, f"< {most_s:.0f} s, all", measured, held),
        ("its memory", "< 1 GB", f"{peak_mb:.0f} MB", peak_mb < MOST_MB),
    ]


def make_archive(folder: Path, functions: int, reports_each: int) -> tuple[int, int]:
    """Write an export of every function's group; return the bytes of text, and of files."""
    chance = np.random.default_rng(20261130)
    texts = [_text(chance, size, reports_each) for size in _SIZES_MB for _ in range(2)]
    text_bytes = packed_bytes = 0
    for number in range(functions):
        text = texts[number % len(texts)]
        data = gzip.compress(_with_ids(chance, *text), compresslevel=1)
        path = folder / f"aws/lambda/f{number:05}/task/2026-11-01-[7]{number:032x}/000000.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        text_bytes += len(text[0])
        packed_bytes += len(data)
    return text_bytes, packed_bytes


def _text(chance: np.random.Generator, size_mb: int, count: int) -> tuple[Bytes, NDArray[np.intp]]:
    """Lines of some invocations at a size, and where the three ids of each begin."""
    base_ms = float(chance.uniform(20, 900))
    took_ms = chance.lognormal(np.log(base_ms), 0.4, count)
    inits_ms = np.where(chance.random(count) < 0.01, chance.lognormal(6, 0.2, count), 0)
    parts: list[str] = []
    for index, (took, init) in enumerate(zip(took_ms, inits_ms, strict=True)):
        at = time.gmtime(_BEGIN_S + index * _DAYS * 86_400 // count)
        lead = f"{time.strftime('%Y-%m-%dT%H:%M:%S', at)}.{index % 1000:03d}Z "
        billed = int(took + init) + 1
        report = (
            f"REPORT RequestId: {_ID}\tDuration: {took:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {size_mb} MB\tMax Memory Used: {60 + index % 40} MB\t"
        )
        report += f"Init Duration: {init:.2f} ms\t" if init else ""
        parts += [
            f"{lead}START RequestId: {_ID} Version: 7\n{lead}END RequestId: {_ID}\n",
            f"{lead}{report}\n",
        ]
    text = np.frombuffer("".join(parts).encode(), dtype=np.uint8)
    marks = np.frombuffer(_ID[:8].encode(), dtype=np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(text, len(_ID))
    found = np.flatnonzero((windows[:, :8] == marks).all(axis=1) & (windows[:, 8] == ord("-")))
    return text, found.reshape(count, 3)


def _with_ids(chance: np.random.Generator, text: Bytes, places: NDArray[np.intp]) -> bytes:
    """The same with random ids."""
    made = text.copy()
    digits = [at for at, char in enumerate(_ID) if char == "0"]
    drawn = _DIGITS[chance.integers(0, 16, (len(places), len(digits)), dtype=np.uint8)]
    for column in range(places.shape[1]):
        made[places[:, column, None] + np.array(digits)] = drawn
    return made.tobytes()
