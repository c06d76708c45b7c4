"""Payloads: time to make events from a template, memory for a folder of recorded ones."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tuner.local.execution.cpu.process_tree import LinuxTree
from tuner.payloads.jinja_template import TemplateEvents

COUNT: Final = 1000
RECORDED: Final = 10_000
TEMPLATE: Final = (
    '{"id": "{{ id() }}", "at": "{{ time() }}", "total": {{ number(1, 500, 2) }}, "who": '
    '{{ fake.name() | tojson }}, "lines": [{% for line in range(8) %}{"sku": "{{ code(8) }}", '
    '"count": {{ number(1, 9) }}}{{ "," if not loop.last }}{% endfor %}], '
    '"note": "{{ text(1600) }}"}'
)
_LOAD: Final = """
import re, sys
from tuner.payloads import load_payloads
from tuner.payloads.event_stream import checked_events
[recorded] = checked_events(load_payloads([sys.argv[1]]), 24)
recorded.body_at(23)
status = open("/proc/self/status").read()
print(int(re.search(r"VmHWM:\\s+([0-9]+) kB", status)[1]) / 1024)
"""
"""Linux hands `ru_maxrss` on from the process that starts another: it would be the benchmark's."""


def rows() -> list[tuple[str, str, str, bool]]:
    """Make a thousand events of 2 kB; load ten thousand files of 2 kB in a process of its own."""
    ours_s, bare_s = _ours_s(), _bare_s()
    peak_mb = _peak_of_folder_mb()
    return [
        (
            "1,000 events of 2 kB from a template, CPU time",
            "< 2 s",
            f"{ours_s:.2f} s ({ours_s / bare_s:.1f} × bare Jinja2 and Faker)",
            ours_s < 2,
        ),
        (
            "peak memory of a process with 10,000 recorded events of 2 kB",
            "< 100 MB",
            f"{peak_mb:.0f} MB",
            peak_mb < 100,
        ),
    ]


def _ours_s() -> float:
    """CPU time of this process and of the child that renders: `os.times` counts only ended ones."""
    events = TemplateEvents(TEMPLATE, file="order.j2", key="1/order")
    events.body(0)  # starts the child
    children = LinuxTree(os.getpid())
    if not children.scan():
        raise RuntimeError("no child renders the templates: its CPU time can't be counted")
    start_s, children_start_s = time.process_time(), children.cpu_s()
    sizes = [len(events.body(index)) for index in range(COUNT)]
    took_s = time.process_time() - start_s + children.cpu_s() - children_start_s
    if not 1900 < sum(sizes) / COUNT < 2300:
        raise RuntimeError(f"the events are of {sum(sizes) / COUNT:.0f} bytes")
    return took_s


def _bare_s() -> float:
    """The same template with neither sandbox nor limits, and random's own functions."""
    import random

    import faker
    import jinja2

    rng, fake = random.Random(1), faker.Faker()
    words = ["amber", "harbor", "signal", "quiet", "market", "ledger", "window", "garden"]
    given: dict[str, Any] = {
        "fake": fake,
        "id": lambda: f"{rng.getrandbits(60):012x}",
        "time": lambda: f"2026-01-05T09:00:{rng.randint(0, 59):02}Z",
        "number": lambda low, high, decimals=0: round(rng.uniform(low, high), decimals or None),
        "code": lambda length: "".join(rng.choices("0123456789abcdef", k=length)),
        "text": lambda length: " ".join(rng.choices(words, k=length // 6))[:length],
    }
    environment = jinja2.Environment()
    environment.filters["tojson"] = __import__("json").dumps
    template = environment.from_string(TEMPLATE)
    template.render(given)
    start_s = time.process_time()
    for _ in range(COUNT):
        template.render(given).encode()
    return time.process_time() - start_s


def _peak_of_folder_mb() -> float:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(RECORDED):
            body = b'{"n": "%s"}' % (b"x" * 2000)
            (Path(folder) / f"event-{number:05d}.json").write_bytes(body)
        ran = subprocess.run(
            [sys.executable, "-c", _LOAD, folder], check=True, capture_output=True, text=True
        )
    return float(ran.stdout)
