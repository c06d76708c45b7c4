"""Waits for something slow, as for another service's answer, and computes next to nothing."""

import time


def handler(event, context):
    """Wait `wait_ms`: a sleep stands for the slow service, so that the example needs none."""
    wait_ms = event.get("wait_ms", 150)
    time.sleep(wait_ms / 1000)
    return {"waited_ms": wait_ms}
