"""Archives of REPORT lines as a subscription delivers them, of invocations that are given."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ACCOUNT = "123456789012"
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


class Call(NamedTuple):
    """One invocation; `hour` counts from the archive's first day."""

    hour: float
    billed_ms: int
    memory_mb: int = 1024
    version: str = "1"


def write_archive(
    folder: Path, functions: dict[str, Iterable[Call]], *, account: str = ACCOUNT
) -> Path:
    """A gzip file a function, a record a log stream."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, calls in functions.items():
        mark = "0000" if account == ACCOUNT else account[-4:]
        streams: dict[str, list[dict[str, object]]] = {}
        for number, call in enumerate(calls):
            at = MARCH + timedelta(hours=call.hour)
            stream = f"{at:%Y/%m/%d}/[{call.version}]{name.encode().hex():0<32.32}"
            request_id = f"{number:08x}-{mark}-4000-8000-{name.encode().hex():0<12.12}"
            streams.setdefault(stream, []).append(
                {
                    "id": str(number),
                    "timestamp": round(at.timestamp() * 1000),
                    "message": f"REPORT RequestId: {request_id}\tDuration: {call.billed_ms}.00 ms\t"
                    f"Billed Duration: {call.billed_ms} ms\tMemory Size: {call.memory_mb} MB\t"
                    "Max Memory Used: 90 MB\t\n",
                }
            )
        with gzip.open(folder / f"{name}.json.gz", "wt", encoding="utf-8") as file:
            for stream, events in streams.items():
                record = {
                    "messageType": "DATA_MESSAGE",
                    "owner": account,
                    "logGroup": f"/aws/lambda/{name}",
                    "logStream": stream,
                    "logEvents": events,
                }
                file.write(json.dumps(record))
    return folder


def steady(
    *,
    days: int,
    per_day: int,
    billed_ms: float,
    seed: int,
    step: tuple[float, float, str, int] | None = None,
    memory_mb: int = 1024,
) -> list[Call]:
    """Calls at a CV of 0.4; `step`: from this hour on so many times as long, another version and
    memory size.
    """
    rng = np.random.default_rng(seed)
    deviation = float(np.sqrt(np.log1p(0.4**2)))
    hours = np.sort(rng.random(days * per_day)) * days * 24
    times = billed_ms * np.exp(rng.normal(-(deviation**2) / 2, deviation, len(hours)))
    calls = []
    for hour, time in zip(hours.tolist(), times.tolist(), strict=True):
        if step is None or hour < step[0]:
            calls.append(Call(hour, max(round(time), 1), memory_mb))
        else:
            calls.append(Call(hour, max(round(time * step[1]), 1), step[3], step[2]))
    return calls
