"""The function that the check runs: it computes, or it waits."""

import os
import time


def burn(event: dict[str, float], _context: object) -> float:
    """CPU time over wall time of so many processes that compute `cpu_s` each."""
    begin = time.perf_counter()
    children = []
    for _ in range(int(event["workers"]) - 1):
        child = os.fork()
        if child == 0:
            spend(event["cpu_s"])
            os._exit(0)
        children.append(child)
    spend(event["cpu_s"])
    for child in children:
        os.waitpid(child, 0)
    return event["workers"] * event["cpu_s"] / (time.perf_counter() - begin)


def spend(cpu_s: float) -> None:
    """Compute until this thread has used so much CPU time."""
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        pass


def wait(event: dict[str, float], _context: object) -> None:
    """Use nothing."""
    time.sleep(event["wait_s"])
