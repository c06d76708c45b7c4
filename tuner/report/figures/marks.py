"""What a figure shows of a sweep: its invocations in order, and the notable sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tuner.model.invocation import Outcome
from tuner.report.figures.canvas import NOW, OPTION, RECOMMENDED

if TYPE_CHECKING:
    from tuner.model.invocation import Invocation
    from tuner.model.recommendation import Recommendation
    from tuner.model.sweep import Sweep

StepKind = Literal["warm", "cold", "failed", "set aside"]

_FAILURES: Final = {
    Outcome.FUNCTION_ERROR: "function error",
    Outcome.TIMEOUT: "timeout",
    Outcome.OUT_OF_MEMORY: "out of memory",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One invocation; `number` counts from 1 in the order in which they were sent.

    `duration_ms` is the handler's time, also in a cold start; `cost_usd_per_million` is what was
    billed, including a cold start's INIT.
    """

    number: int
    memory_mb: int
    kind: StepKind
    duration_ms: float
    cost_usd_per_million: float

    @property
    def has_duration(self) -> bool:
        """Whether its time says something about the size."""
        return self.kind in {"warm", "cold"}


@dataclass(frozen=True, slots=True)
class SizeMark:
    """A notable size, and how it is drawn."""

    memory_mb: int
    label: str
    color: str
    line: str
    """Matplotlib's line style."""
    marker: str
    """Matplotlib's marker, where the size's line meets the curve."""


def steps_of(sweep: Sweep) -> tuple[Step, ...]:
    """Every invocation in the order in which it was sent (a file has the order of replies)."""
    ordered = sorted(sweep.invocations, key=lambda each: (each.started_s, each.index))
    return tuple(
        Step(
            number=number,
            memory_mb=each.memory_mb,
            kind=_kind(each),
            duration_ms=each.report.duration_ms if each.report else each.client_duration_ms,
            cost_usd_per_million=each.cost_usd * 1e6,
        )
        for number, each in enumerate(ordered, start=1)
    )


def failures_of(sweep: Sweep) -> tuple[str, ...]:
    """The ways in which invocations failed, each once."""
    met = {each.outcome for each in sweep.invocations}
    return tuple(words for outcome, words in _FAILURES.items() if outcome in met)


def size_marks(recommendation: Recommendation) -> tuple[SizeMark, ...]:
    """The current size, each goal's answer and the recommended (or so far best) size, once each."""
    choice, now_mb = recommendation.choice, recommendation.now_mb
    names: dict[int, list[str]] = {} if now_mb is None else {now_mb: ["now"]}
    for option in recommendation.options:
        if option.architecture == choice.architecture:
            names.setdefault(option.memory_mb, []).append(option.name)
    best_mb = choice.memory_mb or choice.best_so_far_mb
    if best_mb is not None and choice.memory_mb is None:
        names.setdefault(best_mb, []).insert(0, "best so far")
    elif best_mb is not None:
        names.setdefault(best_mb, ["recommended"])
    marks = []
    for memory_mb, words in sorted(names.items()):
        label = ", ".join(words)
        if memory_mb == choice.memory_mb:
            marks.append(SizeMark(memory_mb, f"▶ {label}", RECOMMENDED, "-", "D"))
        elif memory_mb == best_mb:
            marks.append(SizeMark(memory_mb, label, RECOMMENDED, "--", "D"))
        elif memory_mb == now_mb:
            marks.append(SizeMark(memory_mb, label, NOW, "--", "s"))
        else:
            marks.append(SizeMark(memory_mb, label, OPTION, ":", "^"))
    return tuple(marks)


def _kind(invocation: Invocation) -> StepKind:
    if invocation.is_warm_sample:
        return "warm"
    if invocation.outcome in _FAILURES:
        return "failed"
    measured = invocation.outcome is Outcome.SUCCESS and invocation.discarded is None
    return "cold" if measured and invocation.cold_start else "set aside"
