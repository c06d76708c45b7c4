"""What a sweep's invocations say, sorted by what each may be used for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuner.inference.sample import Sample
from tuner.model.invocation import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tuner.model.invocation import Invocation, PlatformReport

_FAILURES = (Outcome.FUNCTION_ERROR, Outcome.TIMEOUT, Outcome.OUT_OF_MEMORY)


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A cold success: what it was billed beyond its handler, and the handler's own time."""

    memory_mb: int
    payload: str
    duration_ms: float
    billed_extra_ms: float
    """Billed beyond the handler's duration: the billed INIT or restore, 0 if it's free."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the decision needs from a sweep.

    `weights` sum to 1. `failures` counts, by size, the outcomes that count against a size; lost
    replies and service errors don't.
    """

    weights: Mapping[str, float]
    samples: Mapping[str, tuple[Sample, ...]]
    """By payload, including the handler's time in cold starts, which is marked."""
    cold_starts: tuple[ColdStart, ...]
    failures: Mapping[int, Counter[Outcome]]
    success_counts: Mapping[int, int]
    memory_used_mb: Mapping[int, int]
    """The largest observed use, by size."""
    replies: Mapping[str, Mapping[int, Counter[str]]] = field(default_factory=dict)
    """What successes answered, by payload and size: classes of replies, if known."""

    @property
    def measured_mb(self) -> tuple[int, ...]:
        """Sizes with a warm sample of every payload, ascending."""
        by_payload = [
            {s.memory_mb for s in samples if not s.cold} for samples in self.samples.values()
        ]
        return tuple(sorted(set.intersection(*by_payload))) if by_payload else ()

    @property
    def sampled_mb(self) -> set[int]:
        """Sizes with a sample of any payload, warm or cold."""
        return {s.memory_mb for samples in self.samples.values() for s in samples}

    @property
    def unsampled_payloads(self) -> tuple[str, ...]:
        """Payloads without a single warm sample."""
        return tuple(n for n, samples in self.samples.items() if all(s.cold for s in samples))

    def warm_ms(self, payload: str, memory_mb: int) -> list[float]:
        """Warm durations of a payload at a size."""
        return [
            s.duration_ms for s in self.samples[payload] if s.memory_mb == memory_mb and not s.cold
        ]


def read_evidence(invocations: Iterable[Invocation], weights: Mapping[str, float]) -> Evidence:
    """Sort invocations. Failed and discarded ones are never duration samples.

    `weights` has every payload of the sweep; they needn't sum to 1.
    """
    total = sum(weights.values())
    samples: dict[str, list[Sample]] = {name: [] for name in weights}
    failures: dict[int, Counter[Outcome]] = {}
    successes: Counter[int] = Counter()
    used: dict[int, int] = {}
    cold_starts = []
    replies: dict[str, dict[int, Counter[str]]] = {}
    next_number: dict[str, int] = {}
    for invocation in invocations:
        size, report = invocation.memory_mb, invocation.report
        number = _call_number(invocation, next_number)
        if report is not None and report.max_memory_used_mb is not None:
            used[size] = max(used.get(size, 0), report.max_memory_used_mb)
        if invocation.outcome in _FAILURES:
            failures.setdefault(size, Counter())[invocation.outcome] += 1
        is_success = invocation.outcome is Outcome.SUCCESS
        successes[size] += is_success
        if is_success and invocation.reply_class is not None:
            by_size = replies.setdefault(invocation.payload, {})
            by_size.setdefault(size, Counter())[invocation.reply_class] += 1
        if is_success and report is not None and invocation.discarded is None:
            is_cold, environment = report.cold_start, invocation.environment
            if is_cold:
                cold_starts.append(_cold_start(invocation.payload, size, report))
            sample = Sample(size, report.duration_ms, environment, is_cold, call_number=number)
            samples.setdefault(invocation.payload, []).append(sample)
    return Evidence(
        weights={name: weight / total for name, weight in weights.items()},
        samples={name: tuple(each) for name, each in samples.items()},
        cold_starts=tuple(cold_starts),
        failures=failures,
        success_counts=successes,
        memory_used_mb=used,
        replies=replies,
    )


def _call_number(invocation: Invocation, next_number: dict[str, int]) -> int | None:
    """Which call of its environment it was; None if the first one wasn't seen."""
    name = invocation.environment
    if name is None:
        return None
    if invocation.cold_start:
        next_number[name] = 0
    if name not in next_number:
        return None
    number = next_number[name]
    if invocation.outcome in _FAILURES:  # from here on it may be another environment
        del next_number[name]
    else:
        next_number[name] = number + 1
    return number


def _cold_start(payload: str, memory_mb: int, report: PlatformReport) -> ColdStart:
    """Split a cold success; less than 1 ms beyond its handler is rounding, not INIT."""
    extra_ms = report.billed_duration_ms - report.duration_ms
    return ColdStart(memory_mb, payload, report.duration_ms, extra_ms if extra_ms >= 1 else 0.0)
