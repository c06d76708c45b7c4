"""CloudWatch alarms on a function, where their thresholds come from, and how they'd have rung."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - kept beside the values that use it
from typing import Final, Literal

MissingData = Literal["missing", "ignore", "breaching", "notBreaching"]
Statistic = Literal["Sum", "Maximum", "Average"]
Comparison = Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold"]
AlarmFormat = Literal["cloudformation", "terraform"]
LAMBDA: Final = "AWS/Lambda"
MINUTE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of CloudWatch by its statistic over a period."""

    name: str
    statistic: Statistic
    namespace: str = LAMBDA
    dimension: tuple[str, str] = ("FunctionName", "")


@dataclass(frozen=True, slots=True)
class CostRate:
    """What an invocation and a millisecond of its time cost, as an alarm's expression uses it."""

    usd_per_request: float
    usd_per_ms: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Rings:
    """How an alarm would have behaved over a history."""

    start: datetime
    end: datetime
    rings: tuple[tuple[datetime, datetime], ...]
    """From when to when it would have been in ALARM, each by the minute."""

    @property
    def days(self) -> tuple[str, ...]:
        """The UTC days on which it would have begun to ring."""
        return tuple(dict.fromkeys(f"{begin:%Y-%m-%d}" for begin, _ in self.rings))

    @property
    def alarm_minutes(self) -> int:
        """How long it would have been in ALARM in all."""
        return round(sum((end - begin).total_seconds() for begin, end in self.rings) / 60)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: M of the last N periods beyond a threshold.

    With `cost` the expression of `CostRate` over Duration and Invocations is what is watched; with
    `band_deviations` CloudWatch learns the threshold itself (anomaly detection).
    """

    kind: str
    """invocations-surge, errors, …: unique for a function."""
    function: str
    metric: Metric
    threshold: float
    evaluation_periods: int
    datapoints_to_alarm: int
    why: str
    """Where the threshold comes from, in a sentence."""
    says: str
    """What it means if it rings."""
    period_s: int = MINUTE_S
    comparison: Comparison = "GreaterThanThreshold"
    missing: MissingData = "notBreaching"
    cost: CostRate | None = None
    band_deviations: float | None = None
    replay: Rings | None = None
    """None where the history doesn't have its metric."""
    not_replayed: str = ""
    """Why it wasn't replayed."""

    @property
    def name(self) -> str:
        """Its name in CloudWatch."""
        return f"{self.function}-{self.kind}"


@dataclass(frozen=True, slots=True)
class FunctionAlarms:
    """A function's alarms, the composite that rings for all of them, and what it costs a month."""

    function: str
    region: str
    start: datetime
    end: datetime
    alarms: tuple[Alarm, ...]
    composite: Rings | None
    usd_per_month: float | None
    """By its history; None under one day."""
    budget_usd: int | None
    notes: tuple[str, ...] = ()
    """What couldn't be made an alarm of, and why."""

    @property
    def days(self) -> float:
        """How long the history is."""
        return (self.end - self.start).total_seconds() / 86_400
