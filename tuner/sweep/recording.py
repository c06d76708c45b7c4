"""What a sweep has measured so far: in memory, in its file, and told to the progress hook."""

from __future__ import annotations

import dataclasses
from contextlib import suppress
from typing import TYPE_CHECKING

from tuner.errors import LeftChangedError, SweepFileError
from tuner.model.progress import InvocationFinished, SizeExcluded, ThrottleMet
from tuner.sweep.findings import left_changed, throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tuner.model.finding import Finding
    from tuner.model.invocation import Invocation
    from tuner.model.progress import ProgressHook
    from tuner.model.sweep import Sweep, SweepEnd
    from tuner.sweep.file import SweepWriter


class Recording:
    """Saves everything before it tells anybody."""

    def __init__(
        self,
        sweep: Sweep,
        *,
        writer: SweepWriter,
        on_progress: ProgressHook,
        planned_count: Callable[[], int],
    ) -> None:
        self._sweep = sweep
        self._writer = writer
        self._on_progress = on_progress
        self._planned_count = planned_count
        self._findings: list[Finding] = []
        self._throttle_count = 0
        self._has_begun = False
        self.invocations: list[Invocation] = []

    def begin(self) -> None:
        """Write the header, and the findings that the sweep begins with."""
        self._writer.begin(self._sweep)
        self._has_begun = True
        self.find_all(self._sweep.findings)

    @property
    def started_at(self) -> str:
        """When the sweep began, UTC, ISO 8601."""
        return self._sweep.started_at

    def finish(self, invocation: Invocation) -> None:
        """Take an invocation that ended."""
        self.invocations.append(invocation)
        self._writer.invocation(invocation)
        self._on_progress(
            InvocationFinished(invocation, len(self.invocations), self._planned_count())
        )

    def find(self, finding: Finding) -> None:
        """Take a finding; the same one again says nothing new."""
        if finding not in self._findings:
            self._findings.append(finding)
            self._writer.finding(finding)

    def find_all(self, findings: Iterable[Finding]) -> None:
        """Take several findings."""
        for finding in findings:
            self.find(finding)

    def throttle(self, memory_mb: int, reason: str | None, wait_s: float) -> None:
        """Take a throttle that is waited out."""
        self._throttle_count += 1
        self._on_progress(ThrottleMet(memory_mb, reason, wait_s))

    def exclude(self, memory_mb: int, reason: str) -> None:
        """Take the exclusion of a size."""
        self._on_progress(SizeExcluded(memory_mb, reason))

    def end(self, end: SweepEnd, wall_s: float) -> Sweep:
        """Write the end and return the sweep."""
        if self._throttle_count:
            self.find(throttled(self._throttle_count))
        self._writer.end(end, wall_s=wall_s, throttle_count=self._throttle_count)
        return dataclasses.replace(
            self._sweep,
            invocations=tuple(self.invocations),
            findings=tuple(self._findings),
            end=end,
            wall_s=wall_s,
            throttle_count=self._throttle_count,
            file=str(self._writer.path),
        )

    def break_off(self, error: BaseException, wall_s: float) -> None:
        """Write the end of a sweep that an error ends, if it had begun and can be written."""
        if not self._has_begun:
            return
        with suppress(SweepFileError):
            if isinstance(error, LeftChangedError):
                self.find(left_changed(str(error)))
            self.end("failed", wall_s)
