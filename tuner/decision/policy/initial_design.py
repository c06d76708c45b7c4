"""The first look: where nothing is known, and where each payload needs a curve of its own."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from tuner.decision.policy import Trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.decision.question import Question

_FIRST_SIZES_MB = (256, 1024)
"""Where nothing is known: dear sizes are tried only if the cheap ones leave a doubt."""
_FEWEST_SIZES = 3
"""A curve through fewer sizes rests on the prior."""


def initial_trials(
    question: Question, payloads: Sequence[str], evidence: Evidence, open_sizes_mb: Sequence[int]
) -> tuple[Trial, ...]:
    """The current size, a cheap one and a middle one; larger if they fail. Then what each of
    several payloads lacks; nothing once all have a curve.
    """
    tried = {*evidence.failures, *(m for m, n in evidence.success_counts.items() if n)}
    seen = evidence.sampled_mb
    wanted = min(_FEWEST_SIZES, len(question.candidates))
    if len(seen) >= wanted:
        return tuple(_own_curves(evidence, wanted))
    untried = [m for m in open_sizes_mb if m not in tried]
    current = question.function.memory_mb
    picked = [current] if current in untried else []
    anchors = list(_FIRST_SIZES_MB)
    if tried and not seen:
        anchors = [2 * max(tried), 4 * max(tried)]
    elif len(picked) + len(seen) + len(anchors) < wanted:
        anchors.append(2048)
    for anchor in (*anchors, 512, 1769, 128):
        if len(picked) + len(seen) >= wanted or not untried:
            break
        size = min(untried, key=lambda each: abs(math.log(each / anchor)))
        near = [m for m in (*picked, *seen) if abs(math.log2(m / size)) < 0.5]
        if not near:
            picked.append(size)
    return tuple(Trial(m, payloads[i % len(payloads)]) for i, m in enumerate(picked))


def open_sizes(question: Question, evidence: Evidence, excluded_mb: set[int]) -> list[int]:
    """Candidates (and the current size) that may still be tried."""
    killed = [m for m, counts in evidence.failures.items() if counts]
    floor = max((m for m in killed if _is_floor(evidence, m)), default=0)
    sizes = question.candidates | {question.function.memory_mb}
    return sorted(m for m in sizes - excluded_mb - set(killed) if m > floor)


def _own_curves(evidence: Evidence, wanted: int) -> Iterator[Trial]:
    """Trials that give each of several payloads samples at a few of the sizes that answer (the
    lowest, the highest and what lies between), and then a second one at one of them: events of a
    class differ, and by how much one sample does not tell.
    """
    if len(evidence.samples) < 2:
        return
    seen = evidence.sampled_mb
    alive = sorted(seen - set(evidence.failures))
    steps = min(wanted, len(alive))
    spread = {alive[round(n * (len(alive) - 1) / max(steps - 1, 1))] for n in range(steps)}
    again = []
    for name, samples in evidence.samples.items():
        own = Counter(s.memory_mb for s in samples)
        missing = sorted(spread - set(own))[: max(steps - len(own), 0)]
        yield from (Trial(memory_mb, name) for memory_mb in missing)
        if not missing and own and max(own.values()) < 2 and spread & set(own):
            again.append(Trial(sorted(spread & set(own))[len(spread & set(own)) // 2], name))
    yield from again


def _is_floor(evidence: Evidence, memory_mb: int) -> bool:
    """Whether a failing size also rules out what lies below it."""
    return not any(n and m < memory_mb for m, n in evidence.success_counts.items())
