"""Alarms on functions as code, with thresholds from their history in logs or an account."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.api.observing import caller_logs
from tuner.api.reading import FilesRequest
from tuner.aws.function_ref import parse_reference
from tuner.errors import AwsError, InputError, UsageError
from tuner.model.alarm import LAMBDA, MINUTE_S, CostRate, FunctionAlarms
from tuner.model.interval import listed
from tuner.model.observation import Window
from tuner.observe.store import where_of
from tuner.observe.usage import cost_usd, per_month
from tuner.report.alarm_files import render_cloudformation, render_terraform
from tuner.watch.alarm_thresholds import alarms_of, composite_of
from tuner.watch.metric_history import read_history

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from tuner.api.reading import Caller, LiveRequest, ReadLogs
    from tuner.aws.services import Services
    from tuner.model.alarm import AlarmFormat, Statistic
    from tuner.watch.metric_history import MetricHistory

    Points = Mapping[tuple[str, str], Sequence[tuple[datetime, float]]]

_LEAST: Final = timedelta(days=1)
_MINUTES_KEPT: Final = timedelta(days=15)
"""How long CloudWatch keeps data points of a minute."""
_FEW_DAYS: Final = 14
_OF_ALARMS: Final = ("its event sources", "the age of", "what was dropped")
"""What of a function's surroundings alarms are made of."""
_OF_CLOUDWATCH: Final[tuple[tuple[str, Statistic], ...]] = (
    ("Errors", "Sum"), ("Throttles", "Sum"), ("AsyncEventAge", "Maximum"),
    ("IteratorAge", "Maximum"),
)  # fmt: skip
"""What reports don't say, or not of every failure: an exception is in a line of the function's."""
BUDGET_RATIO: Final = 1.5
RENDERERS: Final[Mapping[AlarmFormat, Callable[[Sequence[FunctionAlarms]], str]]] = {
    "cloudformation": render_cloudformation,
    "terraform": render_terraform,
}
_WITHOUT_CLOUDWATCH: Final = (
    "throttles, the age of asynchronous events and of queues aren't in logs: an account has alarms "
    "on these too"
)


def alarms(
    functions: Sequence[str], request: FilesRequest | LiveRequest, caller: Caller
) -> tuple[FunctionAlarms, ...]:
    """Alarms on each function by its logs, and in an account by its metrics in CloudWatch.

    Metrics that may not be read become a note. Raises UsageError, InputError and PriceError, and
    for an account what `observe_live` does.
    """
    _check_one_region(functions)
    each = (replace(request, function=name) for name in dict.fromkeys(functions))
    return tuple(
        _by_files(asked, caller) if isinstance(asked, FilesRequest) else _by_account(asked, caller)
        for asked in each
    )


def _by_files(request: FilesRequest, caller: Caller) -> FunctionAlarms:
    with caller_logs(request, caller) as logs:
        return _alarms(logs, {}, (), (_WITHOUT_CLOUDWATCH,))


def _by_account(request: LiveRequest, caller: Caller) -> FunctionAlarms:
    from tuner.api.live_reports import open_services
    from tuner.api.observing_live import live_logs

    with live_logs(request, caller) as (logs, *_):
        where = replace(request.where, region=logs.prices.region)
        with open_services(where, "observe", caller) as services:
            points, queues, notes = _cloudwatch(services, logs)
        return _alarms(logs, points, queues, notes)


def _check_one_region(functions: Sequence[str]) -> None:
    """Raise UsageError for functions of several regions: a file's alarms are deployed in one, and
    find no metric of the others'.
    """
    regions = sorted({each for name in functions if (each := parse_reference(name).region)})
    if len(regions) > 1:
        raise UsageError(
            f"these functions are in {listed(regions)}, and a file of alarms is deployed in one "
            "region: write a file for each"
        )


def _alarms(
    logs: ReadLogs, points: Points, queues: Sequence[str], notes: tuple[str, ...]
) -> FunctionAlarms:
    logs.observed()  # raises where there is no report, and says what there is instead
    window = logs.window if logs.span.is_given else Window()
    history = read_history(
        logs.store, logs.function, window, account=logs.account, until=logs.window.end
    )
    if history.end - history.start < _LEAST:
        hours = (history.end - history.start).total_seconds() / 3600
        raise InputError(
            f"{logs.function}: a history of {hours:.1f} hours says nothing of what is usual: give "
            "logs of a day at least, better of two weeks (`days`, `logs`)"
        )
    history = history.with_points(points)
    alarms = alarms_of(
        logs.function, history, _cost_rate(logs), queues=queues, timeout_ms=_timeout_ms(logs)
    )
    month = _month_usd(logs, history)
    return FunctionAlarms(
        function=logs.function,
        region=logs.prices.region,
        start=history.start,
        end=history.end,
        alarms=alarms,
        composite=composite_of(alarms, history),
        usd_per_month=month,
        budget_usd=None if month is None else max(math.ceil(month * BUDGET_RATIO), 1),
        notes=(*_shortness(history), *notes),
    )


def _shortness(history: MetricHistory) -> tuple[str, ...]:
    days = (history.end - history.start).total_seconds() / 86_400
    if days >= _FEW_DAYS:
        return ()
    short = f"the history has {days:.1f} days: under {_FEW_DAYS} what comes weekly may be missing"
    return (f"{short}, and thresholds are wider",)


def _cost_rate(logs: ReadLogs) -> CostRate | None:
    """At the size of its latest report, less the discount."""
    memory_mb = logs.store.latest_memory_mb(logs.function, account=logs.account)
    if memory_mb is None:
        return None
    paid = 1 - float(logs.discount_ratio)
    return CostRate(
        usd_per_request=float(logs.prices.request_price_usd) * paid,
        usd_per_ms=logs.prices.price_usd_per_ms(memory_mb) * paid,
        memory_mb=memory_mb,
    )


def _timeout_ms(logs: ReadLogs) -> float | None:
    """By its settings, else by its latest timeout; None where there was none, or runs since then
    took longer.
    """
    if logs.settings is not None and logs.settings.timeout_s is not None:
        return logs.settings.timeout_s * 1000.0
    where, values = where_of(logs.function, Window(), logs.account)
    found = logs.store.connection.execute(
        f"""WITH mine AS (SELECT * FROM reports WHERE {where}), latest AS (
            SELECT max(logged_at) AS moment, arg_max(duration_ms, logged_at) AS timeout_ms
            FROM mine WHERE outcome = 'timeout')
        SELECT timeout_ms FROM latest WHERE timeout_ms * 1.01 >=
            (SELECT max(duration_ms) FROM mine WHERE logged_at >= (SELECT moment FROM latest))""",  # noqa: S608 - of constants
        values,
    ).fetchone()
    return None if found is None else float(found[0])


def _month_usd(logs: ReadLogs, history: MetricHistory) -> float | None:
    window = Window(history.start, history.end)
    usage = logs.store.total(logs.function, window, account=logs.account)
    if usage is None:
        return None
    month = per_month(cost_usd(usage, logs.prices, logs.discount_ratio), window)
    return None if month is None else float(month)


def _cloudwatch(
    services: Services, logs: ReadLogs
) -> tuple[Points, tuple[str, ...], tuple[str, ...]]:
    """What only CloudWatch has of a function and of the queues that feed it, and notes."""
    from tuner.aws.event_wiring import read_wiring
    from tuner.aws.metric_data import metric_points

    settings, end = logs.settings, logs.window.end
    assert settings is not None and end is not None  # noqa: PT018 - a live source has both
    end = end.replace(second=0, microsecond=0)
    start = max(logs.window.start or end - _MINUTES_KEPT, end - _MINUTES_KEPT)
    of = {"FunctionName": logs.function}
    wiring = read_wiring(services, settings, end=end)
    points = {
        ("RecursiveInvocationsDropped", "Sum"): wiring.dropped,
        **{(queue, "Maximum"): ages for queue, ages in wiring.queue_ages_s},
    }
    unread = [each for each in wiring.unread if each.startswith(_OF_ALARMS)]
    for metric, statistic in _OF_CLOUDWATCH:
        ask = partial(metric_points, services, LAMBDA, metric, statistic, of)
        try:
            found = ask(start=start, end=end, period_s=MINUTE_S)
        except AwsError as error:
            unread.append(f"{metric} ({error})")
            continue
        if found or metric != "Errors":  # a server without metrics has reports
            points[metric, statistic] = found
    notes = (f"not read: {'; '.join(unread)}",) if unread else ()
    return points, tuple(queue for queue, _ in wiring.queue_ages_s), notes
