"""Watches functions in files of logs, or of an account with what surrounds them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.api.observing import caller_logs
from tuner.api.reading import FilesRequest
from tuner.errors import InputError
from tuner.model.observation import Window
from tuner.model.watch import Watch, WatchedFunction
from tuner.observe.usage import cost_usd
from tuner.watch.watch import in_order, not_judged, watch_function
from tuner.watch.watched import HOUR, Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tuner.api.reading import Caller, LiveRequest, ReadLogs
    from tuner.model.watch import WatchFinding
    from tuner.watch.wiring import Wiring

    _Watched = tuple[Window, WatchedFunction, tuple[WatchFinding, ...]]


def watch(functions: Sequence[str], request: FilesRequest | LiveRequest, caller: Caller) -> Watch:
    """Judge functions by files of logs, or by the last days in CloudWatch.

    In files now is the last line's time. Of an account all functions are read before any is judged:
    one's results may be another's events. Raises UsageError, InputError and PriceError, and for an
    account what `observe_live` does.
    """
    names = dict.fromkeys(functions)
    if isinstance(request, FilesRequest):
        return watch_of([_by_files(replace(request, function=name), caller) for name in names])
    from tuner.api.observing_live import live_logs
    from tuner.aws.event_wiring import read_wiring

    with ExitStack() as stack:
        read = []
        for name in names:
            asked = replace(request, function=name)
            logs, metrics, _book = stack.enter_context(live_logs(asked, caller, purpose="watch"))
            wiring = read_wiring(metrics.services, metrics.function, end=caller.now)
            read.append((logs, wiring))
        every = [wiring for _, wiring in read]
        return watch_of(watch_logs(logs, wiring, every) for logs, wiring in read)


def _by_files(request: FilesRequest, caller: Caller) -> _Watched:
    with caller_logs(request, caller) as logs:
        return watch_logs(logs)


def watch_logs(
    logs: ReadLogs, wiring: Wiring | None = None, every: Sequence[Wiring] = ()
) -> _Watched:
    """Judge one function by its logs, and by what an account says of its surroundings and of the
    other functions' (`every`). What the logs have from before the window is history.

    Raises InputError where no line has a time.
    """
    window = logs.window
    if window.start is None or window.end is None:
        raise InputError("no line has a time, so nothing can be judged: take logs with their times")
    watched = Watched(
        store=logs.store,
        function=logs.function,
        prices=logs.prices,
        start=logs.reading.window.start or window.start,
        end=window.end,
        window=Window(None, window.end) if logs.span.is_given else Window(),
        account=logs.account,
        discount_ratio=float(logs.discount_ratio),
    )
    logs.observed()  # raises where there is no report, and says what there is instead
    found = watch_function(watched, wiring, every)
    told = tuple(each for each in found if each.until is None or each.until >= window.start)
    return window, _function(logs, watched, wiring), told


def watch_of(found: Iterable[_Watched]) -> Watch:
    """One answer about several functions."""
    windows, functions, findings = zip(*found, strict=True)
    starts = [each.start for each in windows if each.start is not None]
    ends = [each.end for each in windows if each.end is not None]
    return Watch(
        Window(min(starts), max(ends)),
        functions,
        in_order(each for of_function in findings for each in of_function),
    )


def _function(logs: ReadLogs, watched: Watched, wiring: Wiring | None) -> WatchedFunction:
    asked = logs.window if logs.span.is_given else Window()
    usage = logs.store.total(watched.function, asked, account=watched.account)
    lately = Window(watched.end - HOUR, watched.end)
    now = logs.store.total(watched.function, lately, account=watched.account)
    assert usage is not None  # `observed` has said so
    return WatchedFunction(
        name=watched.function,
        region=logs.prices.region,
        architecture=logs.prices.architecture,
        memory_mb=logs.store.latest_memory_mb(
            watched.function, watched.window, account=watched.account
        )
        or 0,
        history_days=watched.history_days,
        invocation_count=usage.invocation_count,
        cost_usd=float(cost_usd(usage, logs.prices, logs.discount_ratio)),
        usd_per_hour=watched.per_hour(
            float(cost_usd(now, logs.prices, logs.discount_ratio)) if now else 0.0, watched.start
        ),
        prices_as_of=logs.prices.as_of,
        not_judged=not_judged(watched, wiring),
        notes=logs.findings,
        start=max(asked.start or watched.start, watched.start),
        end=watched.end,
    )
