"""Reads a million reports: how long, how much memory, and whether every digit is right.

The archive is made with a fixed seed; the truth is added up by the reference parser, line by line,
with whole numbers and decimals.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import tempfile
import time
import uuid
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

from tests.bench.command_run import run_command
from tuner.logs import parse_report
from tuner.pricing import load_price_book

REPORTS: Final = int(os.environ.get("TUNER_BENCH_REPORTS", "1000000"))
FILES: Final = 4
READ_S: Final = 15.0
AGAIN_S: Final = 0.5
MEMORY_MB: Final = 400.0
START_MS: Final = 1_793_491_200_000  # 2026-11-01T00:00:00Z


def rows() -> list[tuple[str, str, str, bool]]:
    """Time and memory of the first question and of the second; sums against the reference."""
    with tempfile.TemporaryDirectory() as folder:
        archive, state = Path(folder, "archive"), Path(folder, "state")
        archive.mkdir()
        texts = make_archive(archive, REPORTS)
        asked = ("observe", "orders", "--logs", str(archive), "--json")
        first, second = (run_command(state, *asked) for _ in range(2))
        answer = json.loads(first.printed)
        reference_s, billed, cost = _reference(texts)
        size_mb = sum(each.stat().st_size for each in archive.iterdir()) / 1e6
        of = f"{REPORTS:,} reports among {2 * REPORTS:,} lines ({size_mb:.0f} MB gzip)"
        share = REPORTS / 1_000_000
        exact = (
            answer["billed_gb_seconds"] == float(billed)
            and answer["cost_usd"] == float(cost)
            and answer["invocation_count"] == REPORTS
        )
        # Wall time where the machine is free; else the CPU's, which is the more of both there.
        first_s, second_s = (min(each.wall_s, each.cpu_s) for each in (first, second))
        taken = f"{first.wall_s:.1f} s, {first.cpu_s:.1f} s of CPU "
        taken += f"(the reference parser alone {reference_s:.0f} s)"
        return [
            (
                f"{of} to a cost table",
                f"≤ {READ_S * share:g} s",
                taken,
                first_s <= READ_S * share,
            ),
            (
                "memory at most meanwhile",
                f"≤ {MEMORY_MB:g} MB",
                f"{first.peak_mb:.0f} MB",
                first.peak_mb <= MEMORY_MB,
            ),
            (
                "the same asked again",
                f"≤ {AGAIN_S:g} s",
                f"{second.wall_s:.2f} s, {second.cpu_s:.2f} s of CPU",
                second_s <= AGAIN_S and second.printed == first.printed,
            ),
            (
                "billed GB-seconds and cost, line by line",
                "every digit",
                f"{answer['billed_gb_seconds']} and ${answer['cost_usd']}"
                + ("" if exact else f", by the reference {billed} and {cost}"),
                exact,
            ),
        ]


def make_archive(folder: Path, count: int) -> list[Path]:
    """Write files of an export, packed; return them."""
    chance = random.Random(20261130)
    made = []
    for number in range(FILES):
        path = folder / f"{number:06d}.gz"
        with gzip.open(path, "wt", compresslevel=6, encoding="utf-8") as out:
            for index in range(number * count // FILES, (number + 1) * count // FILES):
                out.write(_two_lines(chance, index))
        made.append(path)
    return made


def _two_lines(chance: random.Random, index: int) -> str:
    at_s = START_MS // 1000 + index * 14 * 86_400 // REPORTS
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_s))
    request_id = str(uuid.UUID(int=chance.getrandbits(128)))
    hundredths = int(chance.lognormvariate(4.5, 0.6) * 100) + 1
    init = int(chance.lognormvariate(6, 0.2) * 100) if chance.random() < 0.01 else 0
    memory = 1024 if index < REPORTS // 2 else 512
    line = (
        f"REPORT RequestId: {request_id}\tDuration: {hundredths / 100:.2f} ms\t"
        f"Billed Duration: {-(-(hundredths + init) // 100)} ms\tMemory Size: {memory} MB\t"
        f"Max Memory Used: {chance.randrange(70, 120)} MB\t"
    )
    if init:
        line += f"Init Duration: {init / 100:.2f} ms\t"
    lead = f"{second}.{chance.randrange(1000):03d}Z "
    return f"{lead}START RequestId: {request_id} Version: 12\n{lead}{line}\n"


def _reference(files: list[Path]) -> tuple[float, Decimal, Decimal]:
    """Seconds of parsing alone, GB-seconds, and cost: each report by the reference parser."""
    prices = load_price_book().lambda_prices("us-east-1", "x86_64")
    price = prices.duration_tiers[0].price_usd_per_gb_second
    taken_s, mb_ms, count = 0.0, 0, 0
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                message = line[25:]
                if not message.startswith("REPORT"):
                    continue
                start_s = time.perf_counter()
                report = parse_report(message)
                taken_s += time.perf_counter() - start_s
                mb_ms += report.memory_size_mb * report.billed_duration_ms
                count += 1
    with localcontext(prec=60):
        billed = Decimal(mb_ms) / 1024 / 1000
        return taken_s, billed, billed * price + count * prices.request_price_usd
