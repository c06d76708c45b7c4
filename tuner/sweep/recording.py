"""What a sweep has measured so far: in memory, in its file, and reported to the progress hook."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tuner import __version__
from tuner.errors import LeftChangedError, SweepFileError
from tuner.model.progress import InvocationFinished, SizeExcluded, ThrottleMet
from tuner.model.sweep import Sweep
from tuner.sweep.file import MAX_KEPT_BYTES, End, KeptPayload, MemoryCap, read_payloads
from tuner.sweep.findings import (
    PAYLOADS_NOT_KEPT,
    is_news,
    lasting,
    left_changed,
    not_saved,
    size_refused,
    throttled,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tuner.model.finding import Finding
    from tuner.model.invocation import Invocation
    from tuner.model.sweep import SweepEnd
    from tuner.sweep.file import Record
    from tuner.sweep.io import SweepIO
    from tuner.sweep.prepared import PreparedSweep
    from tuner.sweep.writing import SweepWriter


class Recording:
    """Saves everything before it reports it."""

    def __init__(
        self,
        prepared: PreparedSweep,
        io: SweepIO,
        writer: SweepWriter,
        *,
        planned_count: Callable[[], int],
    ) -> None:
        earlier = prepared.earlier
        self.began_at = io.clock.now()
        self.began_s = io.clock.monotonic_s() - (earlier.wall_s if earlier else 0.0)
        self._clock = io.clock
        self._sweep = Sweep(
            plan=prepared.plan,
            function=prepared.function,
            environment=prepared.environment,
            started_at=self.began_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            tool_version=__version__,
            findings=prepared.findings,
            goal=prepared.goal,
            prior=prepared.prior,
        )
        self._earlier = earlier
        self._earlier_findings = lasting(earlier.findings) if earlier else ()
        self._writer = writer
        self._on_progress = io.on_progress
        self._planned_count = planned_count
        self._findings: list[Finding] = []
        self._throttle_count = earlier.throttle_count if earlier else 0
        self.memory_cap_mb = earlier.memory_cap_mb if earlier else None
        """The most that the account is known to allow."""
        self._has_begun = False
        self._unsaved: SweepFileError | None = None
        self._kept: set[tuple[str, int]] = set()
        self._kept_bytes = 0
        self.invocations: list[Invocation] = list(_carried_over(earlier)) if earlier else []

    def begin(self, code_sha256: str) -> None:
        """Write the header and the first records; the code is the one to be measured."""
        function = dataclasses.replace(self._sweep.function, code_sha256=code_sha256)
        self._sweep = dataclasses.replace(self._sweep, function=function)
        self._writer.begin(self._sweep)
        self._has_begun = True
        for invocation in self.invocations:
            self._writer.append(invocation)
        earlier = self._earlier
        if earlier is not None and earlier.file is not None and earlier.plan.keep_payloads:
            # Events that it kept may not be sent again.
            for key, body in read_payloads(Path(earlier.file)).items():
                self.keep(*key, body)
        if self.memory_cap_mb is not None:
            self._writer.append(MemoryCap(self.memory_cap_mb))
        self.find_all((*self._earlier_findings, *self._sweep.findings))
        if self._unsaved is not None:  # nothing is measured yet: no call is worth making
            raise self._unsaved
        self._writer.settle()

    @property
    def is_cut_off(self) -> bool:
        """Whether the file can't take more (usually a full disk): the rest is only in memory."""
        return self._unsaved is not None

    def _save(self, value: Record) -> None:
        """Write a record. If that fails, the sweep's answer must not be lost with its file."""
        try:
            self._writer.append(value)
        except SweepFileError as error:
            if self._unsaved is None:
                self._unsaved = error
                self._findings.append(not_saved(str(error)))

    @property
    def started_at(self) -> str:
        """When the sweep began, UTC, ISO 8601."""
        return self._sweep.started_at

    def finish(self, invocation: Invocation) -> None:
        """Record an invocation that ended."""
        self.invocations.append(invocation)
        self._save(invocation)
        self._on_progress(
            InvocationFinished(invocation, len(self.invocations), self._planned_count())
        )

    def keep(self, name: str, event_index: int, body: bytes) -> None:
        """Keep an event that was sent, once, as long as there is room for it."""
        key = (name, event_index)
        if key in self._kept:
            return
        if self._kept_bytes + len(body) > MAX_KEPT_BYTES:
            self.find(PAYLOADS_NOT_KEPT)
            return
        self._kept.add(key)
        self._kept_bytes += len(body)
        self._save(KeptPayload(name, event_index, base64.b64encode(body).decode()))

    def find(self, finding: Finding) -> None:
        """Record a finding; a repeated one adds nothing."""
        if is_news(finding, self._findings):
            self._findings.append(finding)
            self._save(finding)

    def find_all(self, findings: Iterable[Finding]) -> None:
        """Record several findings."""
        for finding in findings:
            self.find(finding)

    def throttle(self, memory_mb: int, reason: str | None, wait_s: float) -> None:
        """Record a throttle that is being waited out."""
        self._throttle_count += 1
        self._on_progress(ThrottleMet(memory_mb, reason, wait_s))

    def cap(self, memory_mb: int) -> None:
        """Record the most that the account allows."""
        self.memory_cap_mb = memory_mb
        self._save(MemoryCap(memory_mb))
        self.find(size_refused(memory_mb))

    def exclude(self, memory_mb: int, reason: str) -> None:
        """Record the exclusion of a size."""
        self._on_progress(SizeExcluded(memory_mb, reason))

    def end(self, end: SweepEnd) -> Sweep:
        """Write the end and return the sweep; it has failed if its file is incomplete."""
        if self._throttle_count:
            self.find(throttled(self._throttle_count))
        wall_s, throttle_count = self._clock.monotonic_s() - self.began_s, self._throttle_count
        self._save(End(end, wall_s, throttle_count))
        return dataclasses.replace(
            self._sweep,
            invocations=tuple(self.invocations),
            findings=tuple(self._findings),
            end="failed" if self.is_cut_off else end,
            wall_s=wall_s,
            throttle_count=throttle_count,
            memory_cap_mb=self.memory_cap_mb,
            file=str(self._writer.path),
        )

    def break_off(self, error: BaseException) -> None:
        """Write the end of a sweep that an error ends, if it had begun and can be written."""
        if not self._has_begun:
            return
        if isinstance(error, LeftChangedError):
            self.find(left_changed(str(error)))
        self.end("failed")


def _carried_over(earlier: Sweep) -> Iterator[Invocation]:
    """Earlier invocations, whose environments are gone: version numbers may be reused."""
    for invocation in earlier.invocations:
        name = invocation.environment
        renamed = f"{earlier.plan.sweep_id}/{name}" if name is not None else None
        yield dataclasses.replace(invocation, environment=renamed)
