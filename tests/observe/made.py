"""Stores of made reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuner.observe.database import open_database
from tuner.observe.intake import Intake
from tuner.observe.store import ReportStore

if TYPE_CHECKING:
    from tuner.logs.collector import Collector
    from tuner.model.observation import ObservedOutcome, Origin

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ObservedReport:
    """One REPORT line of an attempt to run an invocation.

    `billed_duration_ms` is what is charged: it holds INIT (or the billed restore) already.
    """

    request_id: str
    logged_at: datetime | None
    """When it was written, with its zone; None where no line near it has a time."""
    duration_ms: float
    billed_duration_ms: int
    memory_mb: int
    max_memory_used_mb: int | None = None
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    billed_restore_duration_ms: float | None = None
    outcome: ObservedOutcome = "success"
    error_signature: str | None = None
    """An error's class name, never its message."""
    cpu_ms: float | None = None
    """CPU time, where Lambda Insights measured it."""


def store_of(*reports: tuple[Origin, ObservedReport]) -> ReportStore:
    """A store of these."""
    connection = open_database()
    intake = Intake(connection)
    for origin, each in reports:
        _add(intake.collector, origin, each)
    intake.finish()
    return ReportStore(connection)


def _add(collector: Collector, origin: Origin, report: ObservedReport) -> None:
    at_us = None
    if report.logged_at is not None:
        at_us = (report.logged_at - _EPOCH) // timedelta(microseconds=1)
        collector.saw(at_us)
    if report.cpu_ms is not None:
        collector.cpu_ms[report.request_id] = report.cpu_ms
    collector.add(
        (
            collector.number(origin),
            0,
            report.request_id,
            at_us,
            report.duration_ms,
            report.billed_duration_ms,
            report.memory_mb,
            report.max_memory_used_mb,
            report.init_duration_ms,
            report.restore_duration_ms,
            report.billed_restore_duration_ms,
            report.outcome,
            report.error_signature,
        )
    )
