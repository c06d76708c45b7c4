"""The function that `tuner live-check` makes: it tells what it sees, or fails as it's told.

It needs nothing but Python, keeps nothing, and calls no service.
"""

import os
import resource
import time
import uuid
from pathlib import Path
from typing import Any

PROCESS = uuid.uuid4().hex
"""Another one after a new init."""
MARK = Path("/tmp/lambda-tuner-live-check")  # noqa: S108 - the environment's own
GAP_MS = 1.0
"""A loop that computes is stopped for longer than this by nothing but its quota."""


def handler(event: dict[str, Any], _context: object) -> Any:
    """Do what `probe` names."""
    return PROBES[event["probe"]](event)


def where(_event: dict[str, Any]) -> dict[str, Any]:
    """Which process and which /tmp answers: both stay in a reused environment."""
    return {"process": PROCESS, "files": _mark()}


def cpu(event: dict[str, Any]) -> dict[str, Any]:
    """CPU time over wall time of so many processes that compute `cpu_s` each."""
    begin = time.perf_counter()
    children = []
    for _ in range(event.get("workers", 1) - 1):
        child = os.fork()
        if child == 0:
            _spend(event["cpu_s"])
            os._exit(0)
        children.append(child)
    gaps = _spend(event["cpu_s"])
    for child in children:
        os.waitpid(child, 0)
    wall_s = time.perf_counter() - begin
    used_s = event.get("workers", 1) * event["cpu_s"]
    return {"share": used_s / wall_s, "gap_starts_ms": [round(1000 * each, 2) for each in gaps]}


def limits(_event: dict[str, Any]) -> dict[str, Any]:
    """What the code may use."""
    return {
        "visible_cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "shm_mb": _size_mb("/dev/shm"),  # noqa: S108 - only looked at
        "tmp_mb": _size_mb("/tmp"),  # noqa: S108 - as above
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "processes": resource.getrlimit(resource.RLIMIT_NPROC)[0],
        "core_file_bytes": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "user_is_root": os.getuid() == 0,
        "task_root": os.environ.get("LAMBDA_TASK_ROOT"),
        "memory_variable": os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
    }


def error(_event: dict[str, Any]) -> None:
    """Raise what isn't caught."""
    raise ValueError("raised by the live check")


def leave(_event: dict[str, Any]) -> None:
    """End the process."""
    _mark()
    os._exit(3)


def sleep(event: dict[str, Any]) -> None:
    """Wait for longer than the function may take."""
    _mark()
    time.sleep(event["wait_s"])


def fill(event: dict[str, Any]) -> int:
    """Use more memory than there is."""
    _mark()
    held = [bytearray(os.urandom(1024)) * 1024 for _ in range(event["mb"])]
    return len(held)


def say(event: dict[str, Any]) -> None:
    """Write a line of so many characters, so that the tail of the log is full."""
    print("x" * event["characters"])  # noqa: T201 - into its log


def _spend(cpu_s: float) -> list[float]:
    """Compute until this thread has used so much CPU time; return when it had been stopped."""
    end, begin = time.thread_time() + cpu_s, time.perf_counter()
    last, stops = begin, list[float]()
    while time.thread_time() < end:
        now = time.perf_counter()
        if now - last > GAP_MS / 1000:
            stops.append(now - begin)
        last = now
    return stops


def _mark() -> str:
    """The name that the first invocation in this /tmp left there."""
    try:
        return MARK.read_text()
    except FileNotFoundError:
        MARK.write_text(uuid.uuid4().hex)
        return MARK.read_text()


def _size_mb(path: str) -> int | None:
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return round(found.f_blocks * found.f_frsize / 2**20)


PROBES = {
    "where": where,
    "cpu": cpu,
    "limits": limits,
    "error": error,
    "exit": leave,
    "timeout": sleep,
    "out-of-memory": fill,
    "say": say,
}
