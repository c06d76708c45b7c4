"""Which execution environment served a call, and which successes hold a hidden init.

Lambda does not name environments. A cold start is a new one; a warm call can be told to have run
in a known one only while the version never had two calls in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.invocation import Outcome
from tuner.sweep.outcome import is_crash

if TYPE_CHECKING:
    from tuner.model.invocation import PlatformReport

HIDDEN_INIT: Final = "the init after a crash is inside its duration"


class VersionEnvironments:
    """The environments of one published version, as far as they can be known."""

    def __init__(self, version: str, *, is_new: bool) -> None:
        self._version = version
        self._is_traceable = is_new  # an existing version may have live traffic
        self._cold_start_count = 0
        self._crash_count = 0
        self.in_flight_count = 0

    def start(self) -> None:
        """A call of this version starts."""
        self.in_flight_count += 1
        if self.in_flight_count > 1:
            self._is_traceable = False

    def lose(self) -> None:
        """A call ended without a reply: it may still be running."""
        self.in_flight_count -= 1
        self._is_traceable = False

    def withdraw(self) -> None:
        """A call ran nothing."""
        self.in_flight_count -= 1

    def finish(
        self, outcome: Outcome, error_type: str | None, report: PlatformReport | None
    ) -> tuple[str | None, str | None]:
        """A call was answered: return its environment's name and why it is no fair sample.

        Both are None where there is nothing to say.
        """
        self.in_flight_count -= 1
        environment = self._name(report)
        discarded = self._hidden_init(report) if outcome is Outcome.SUCCESS else None
        if is_crash(outcome, error_type):
            self._crash_count += 1
        return environment, discarded

    def _name(self, report: PlatformReport | None) -> str | None:
        if report is None:
            self._is_traceable = False  # it may have been a cold start
            return None
        if report.cold_start:
            self._cold_start_count += 1
        elif not (self._is_traceable and self._cold_start_count):
            return None
        return f"{self._version}/{self._cold_start_count}"

    def _hidden_init(self, report: PlatformReport | None) -> str | None:
        if self._crash_count == 0:
            return None
        if report is not None and report.cold_start:
            # One call at a time: had the crashed environment been kept, it would have served.
            if self._is_traceable:
                self._crash_count = 0
            return None
        self._crash_count -= 1
        return HIDDEN_INIT
