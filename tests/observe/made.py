"""Stores of made reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.observe.database import open_database
from tuner.observe.intake import Intake
from tuner.observe.store import ReportStore

if TYPE_CHECKING:
    from tuner.model.observation import ObservedReport, Origin


def store_of(*reports: tuple[Origin, ObservedReport]) -> ReportStore:
    """A store of these."""
    connection = open_database()
    intake = Intake(connection)
    for origin, each in reports:
        intake.add(origin, each)
    intake.finish()
    return ReportStore(connection)
