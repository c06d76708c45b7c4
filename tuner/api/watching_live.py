"""Watches functions of an account: their logs in CloudWatch, and what surrounds them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.observing_live import live_logs
from tuner.api.watching import watch_logs, watch_of
from tuner.aws.event_wiring import read_wiring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.reading import Caller, LiveRequest
    from tuner.model.watch import Watch


def watch_live(functions: Sequence[str], request: LiveRequest, caller: Caller) -> Watch:
    """Judge functions by the last days in CloudWatch. Raises what `observe_live` does.

    All of them are read before any is judged: one's results may be another's events.
    """
    with ExitStack() as stack:
        read = []
        for name in dict.fromkeys(functions):
            asked = replace(request, function=name)
            logs, metrics, _book = stack.enter_context(live_logs(asked, caller, purpose="watch"))
            wiring = read_wiring(metrics.services, metrics.function, end=caller.now)
            read.append((logs, wiring))
        every = [wiring for _, wiring in read]
        return watch_of(watch_logs(logs, wiring, every) for logs, wiring in read)
