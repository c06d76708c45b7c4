"""Watches functions of an account: their logs in CloudWatch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.observing_live import live_logs
from tuner.api.watching import watch_logs, watch_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.reading import Caller, LiveRequest
    from tuner.model.watch import Watch


def watch_live(functions: Sequence[str], request: LiveRequest, caller: Caller) -> Watch:
    """Judge functions by the last days in CloudWatch. Raises what `observe_live` does."""
    found = []
    for name in dict.fromkeys(functions):
        with live_logs(replace(request, function=name), caller) as (logs, _metrics, _book):
            found.append(watch_logs(logs))
    return watch_of(found)
