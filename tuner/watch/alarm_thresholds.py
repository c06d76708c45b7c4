"""What to alarm on, with thresholds from the function's own history.

An alarm that needs M of N minutes rings where the M-th largest value of N minutes is beyond its
threshold. So each day's largest such value is what a threshold is held against:

- The days' logarithms scatter around their median (by 1.48 times their median deviation, which an
  incident on a few days doesn't move). The threshold is what the largest of a day would pass once
  in 100 weeks if they were Gumbel's, as maxima are (Gumbel, "Statistics of Extremes", 1958).
- Days beyond that on two occasions or more are a pattern (a weekly import), and the threshold goes
  a quarter above them. On one occasion they're an incident, and the replay shows that it rings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.model.alarm import Alarm, Metric
from tuner.model.interval import counted, figure
from tuner.watch.metric_history import replayed, rings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.model.alarm import CostRate, Rings
    from tuner.model.arrays import Flags, Floats
    from tuner.watch.metric_history import MetricHistory

MINUTES_A_DAY: Final = 1440
_RETURN_DAYS: Final = 700
_EULER_MEDIAN: Final = -math.log(math.log(2))
"""Gumbel's median, in units of its scale."""
_DEVIATIONS: Final = (
    (-math.log(-math.log(1 - 1 / _RETURN_DAYS)) - _EULER_MEDIAN) * math.sqrt(6) / math.pi
)
"""From the median to the level that is passed once in so many days."""
_LEAST_DEVIATION: Final = 0.1
"""Of a day's logarithm: a history that never varied says little about the next days."""
_FEW_DAYS: Final = 3.0
"""The deviation of n days is taken 1 + 3/n times as large: few of them tell it badly."""
_ABOVE_PATTERN: Final = 1.25
_NEAR_TIMEOUT: Final = 0.9
"""A mean duration never passes the timeout: what hangs is at it."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a function is watched for by one metric."""

    kind: str
    metric: Metric
    periods: int
    to_alarm: int
    unit: str
    grain: float
    """The least difference that matters, in the metric's unit."""
    says: str
    never: float | None = None
    """The threshold if there never was a single one; None: what the scatter of zeros gives."""
    least: float = 0.0
    """Less isn't worth an alarm."""


_RULES: Final = (
    _Rule("invocations-surge", Metric("Invocations", "Sum"), 5, 5, "a minute", 1.0,
          "far more invocations than it ever had, for five minutes"),
    _Rule("invocations-sustained", Metric("Invocations", "Sum"), 60, 55, "a minute", 1.0,
          "it's invoked on and on, for an hour: a loop, or a queue that never drains"),
    _Rule("concurrency", Metric("ConcurrentExecutions", "Maximum"), 5, 5, "at once", 1.0,
          "more of it runs at once than it ever did"),
    _Rule("errors", Metric("Errors", "Sum"), 10, 5, "a minute", 1.0,
          "it fails again and again: a poison message, or a retry storm", never=0.0),
    _Rule("duration", Metric("Duration", "Average"), 10, 5, "ms on average", 1.0,
          "it takes far longer than it did: what it calls hangs, or it runs into its timeout"),
    _Rule("throttles", Metric("Throttles", "Sum"), 5, 3, "a minute", 1.0,
          "Lambda refuses invocations: they are retried, or lost", never=0.0),
    _Rule("async-event-age", Metric("AsyncEventAge", "Maximum"), 5, 5, "ms", 1000.0,
          "asynchronous events wait: they fail and come back, or it can't keep up"),
    _Rule("iterator-age", Metric("IteratorAge", "Maximum"), 5, 5, "ms", 1000.0,
          "records of its stream wait: one fails and holds up its shard, or it can't keep up"),
)  # fmt: skip
_QUEUE: Final = _Rule(
    "queue-age", Metric("ApproximateAgeOfOldestMessage", "Maximum", "AWS/SQS"), 10, 10, "s", 60.0,
    "messages wait in its queue though it runs: the queue doesn't drain",
)  # fmt: skip
_COST: Final = _Rule(
    "cost", Metric("Cost", "Sum"), 15, 15, "$ an hour", 0.001,
    "it costs far more an hour than it ever did", least=0.01,
)  # fmt: skip
_NO_DATA: Final = "neither logs nor CloudWatch had this metric"


def alarms_of(
    function: str,
    history: MetricHistory,
    cost: CostRate | None,
    *,
    queues: Sequence[str] = (),
    timeout_ms: float | None = None,
) -> tuple[Alarm, ...]:
    """Every alarm that the history has a metric for, replayed on it, and Lambda's own two.

    `queues` are the names of SQS queues that it consumes; their series is by that name. No
    invocation takes longer than `timeout_ms`.
    """
    dimension = ("FunctionName", function)
    found = []
    for rule in _RULES:
        metric = replace(rule.metric, dimension=dimension)
        values = history.of(metric)
        if values is not None and (rule.kind in _FROM_LOGS or not np.isnan(values).all()):
            made = _alarm(rule, function, metric, values)
            if rule.kind == "duration" and timeout_ms is not None:
                made = _within_timeout(made, values, timeout_ms)
            found.append(_replayed(made, values, history))
    for queue in queues:
        values = history.series.get((queue, "Maximum"))
        if values is not None and not np.isnan(values).all():
            metric = replace(_QUEUE.metric, dimension=("QueueName", queue))
            made = _alarm(_QUEUE, function, metric, values)
            made = replace(made, kind=f"queue-age-{queue}" if len(queues) > 1 else made.kind)
            found.append(_replayed(made, values, history))
    if cost is not None:
        spent = history.cost_usd_per_hour(cost)
        made = replace(
            _alarm(_COST, function, Metric("Invocations", "Sum", dimension=dimension), spent),
            cost=cost,
        )
        found.append(_replayed(made, spent, history))
    return (*found, _recursion(function, history), _anomaly(function))


_FROM_LOGS: Final = frozenset(
    {"invocations-surge", "invocations-sustained", "concurrency", "errors", "duration"}
)


def composite_of(alarms: Sequence[Alarm], history: MetricHistory) -> Rings:
    """When the composite would have rung: whenever one of those that it names did."""
    states = [
        replayed(each, values)
        for each in alarms
        if each.replay is not None and (values := values_of(each, history)) is not None
    ]
    rings = np.logical_or.reduce(states) if states else np.zeros(history.minute_count, dtype=bool)
    return rings_of(np.asarray(rings, dtype=bool), history.start, 60)


def values_of(alarm: Alarm, history: MetricHistory) -> Floats | None:
    """The series that an alarm looks at."""
    if alarm.cost is not None:
        return history.cost_usd_per_hour(alarm.cost)
    if alarm.metric.namespace == "AWS/SQS":
        return history.series.get((alarm.metric.dimension[1], "Maximum"))
    return history.of(alarm.metric)


def sustained(values: Floats, periods: int, to_alarm: int) -> Floats:
    """After each minute the M-th largest value of the last N, missing ones being the smallest."""
    padded = np.concatenate([np.full(periods - 1, -np.inf), np.nan_to_num(values, nan=-np.inf)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, periods)
    place = periods - to_alarm
    step = 4 * MINUTES_A_DAY  # a copy of all windows of two months would take a hundred megabytes
    parts = (windows[at : at + step] for at in range(0, len(windows), step))
    return np.concatenate(
        [np.partition(part, place, axis=1)[:, place] for part in parts] or [np.empty(0)]
    )


def _alarm(rule: _Rule, function: str, metric: Metric, values: Floats) -> Alarm:
    if rule.kind == "duration":
        used, often = (_days(values, *of) for of in ((1, 1), (rule.periods, rule.to_alarm)))
        if 2 * np.isfinite(often).sum() <= np.isfinite(used).sum():
            rule = replace(rule, periods=1, to_alarm=1)  # it's seldom invoked so often
    threshold, why = _threshold(rule, values)
    return Alarm(
        kind=rule.kind,
        function=function,
        metric=metric,
        threshold=threshold,
        evaluation_periods=rule.periods,
        datapoints_to_alarm=rule.to_alarm,
        why=why,
        says=rule.says,
    )


def _within_timeout(alarm: Alarm, values: Floats, timeout_ms: float) -> Alarm:
    """The same with a threshold that a mean duration can pass, where only an incident came near
    the timeout.
    """
    most = _NEAR_TIMEOUT * timeout_ms
    beyond = _occasions(_days(values, alarm.evaluation_periods, alarm.datapoints_to_alarm) > most)
    if alarm.threshold <= most or len(beyond) > 1 or any(len(each) > 2 for each in beyond):
        return alarm
    why = (
        f"by how the days differ it would be {_written(alarm.threshold)} ms, and no invocation "
        f"takes longer than its timeout of {timeout_ms / 1000:,.0f} s: nine tenths of that"
    )
    return replace(alarm, threshold=float(math.floor(most)), why=why)


def _threshold(rule: _Rule, values: Floats) -> tuple[float, str]:
    """The threshold in the metric's unit, and where it comes from."""
    days = _days(values, rule.periods, rule.to_alarm)
    if rule.kind == "duration":
        days = days[np.isfinite(days)] if np.isfinite(days).any() else days  # idle days say nothing
    days = np.maximum(days, 0.0)
    what = f"held for {rule.to_alarm} of {rule.periods} minutes"
    rests = f"of the last {counted(len(days), 'day')}"
    if rule.never is not None and not np.nansum(values):
        return rule.never, f"there was none at all on any {rests}"
    logs = np.log(days + rule.grain)
    middle = float(np.median(logs))
    scatter = max(1.4826 * float(np.median(np.abs(logs - middle))), _LEAST_DEVIATION)
    reach = _DEVIATIONS * scatter * (1 + _FEW_DAYS / len(days))
    threshold = math.exp(middle + reach) - rule.grain
    why = (
        f"half of the days had {_written(math.exp(middle) - rule.grain)} {rule.unit} {what}, "
        f"{rests} no more than {_written(max(days))}; by how the days differ, one in "
        f"{_RETURN_DAYS} passes the threshold by chance"
    )
    beyond = _occasions(days > threshold)
    if len(beyond) > 1:
        peaks = [max(days[at] for at in some) for some in beyond]
        threshold = _ABOVE_PATTERN * max(peaks)
        why = (
            f"on {len(beyond)} occasions it had up to {_written(max(peaks))} {rule.unit} {what}, "
            "which counts as its pattern: a quarter above that"
        )
    return _rounded_up(max(threshold, rule.least), rule.grain), why


def _days(values: Floats, periods: int, to_alarm: int) -> Floats:
    """Each day's largest value that M of N minutes held; -inf where none did."""
    level = sustained(values, periods, to_alarm)
    return np.array(
        [level[at : at + MINUTES_A_DAY].max() for at in range(0, len(level), MINUTES_A_DAY)]
    )


def _occasions(is_beyond: Flags) -> list[list[int]]:
    """Days in a row are one occasion."""
    found: list[list[int]] = []
    for day in np.flatnonzero(is_beyond).tolist():
        if found and day == found[-1][-1] + 1:
            found[-1].append(day)
        else:
            found.append([day])
    return found


def _rounded_up(value: float, grain: float) -> float:
    """To two digits, and to what the metric's unit can tell."""
    if value <= 0:
        return 0.0
    step = max(10.0 ** (math.floor(math.log10(value)) - 1), grain)
    return round(math.ceil(value / step - 1e-9) * step, 6)


def _written(value: float) -> str:
    return figure(round(value, 9))  # what a logarithm leaves of nothing is nothing


def _replayed(alarm: Alarm, values: Floats, history: MetricHistory) -> Alarm:
    rings = rings_of(replayed(alarm, values), history.start, alarm.period_s)
    return replace(alarm, replay=rings)


def _recursion(function: str, history: MetricHistory) -> Alarm:
    """Lambda itself counts what it stopped, and one is one too many."""
    metric = Metric("RecursiveInvocationsDropped", "Sum", dimension=("FunctionName", function))
    made = Alarm(
        kind="recursion",
        function=function,
        metric=metric,
        threshold=1.0,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        comparison="GreaterThanOrEqualToThreshold",
        why="Lambda counts a chain of invocations that it stopped: none is right",
        says="it calls itself through a queue, a topic or a bucket, and Lambda stopped it",
        not_replayed=_NO_DATA,
    )
    values = history.of(metric)
    return made if values is None else _replayed(replace(made, not_replayed=""), values, history)


def _anomaly(function: str) -> Alarm:
    return Alarm(
        kind="invocations-anomaly",
        function=function,
        metric=Metric("Invocations", "Sum", dimension=("FunctionName", function)),
        threshold=0.0,
        evaluation_periods=6,
        datapoints_to_alarm=6,
        period_s=300,
        band_deviations=4.0,
        why="CloudWatch learns the band itself from up to two weeks, hours and weekdays included",
        says="more invocations than this hour of the week has, for half an hour",
        not_replayed="CloudWatch's model isn't public",
    )
