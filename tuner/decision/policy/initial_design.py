"""The first look: if nothing is known, and if each payload needs its own curve."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.constraints import production_bar, succeeds_below
from tuner.decision.move import measured_answer
from tuner.decision.policy import Trial
from tuner.decision.prior import as_evidence
from tuner.decision.problem import build_problem
from tuner.inference.prior import typical_ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.decision.question import Question

_FIRST_SIZES_MB = (128, 704)
"""If nothing is known: expensive sizes are tried only if the cheap ones leave a doubt."""
_APART_OCTAVES = 0.5
_FEWEST_SIZES = 3
"""A curve through fewer sizes rests on the prior."""


def initial_trials(
    question: Question,
    payloads: Sequence[str],
    evidence: Evidence,
    open_sizes_mb: Sequence[int],
    first_mb: Sequence[int] = (),
    *,
    most: int,
) -> tuple[Trial, ...]:
    """The current size, a cheap one and a middle one; larger ones if they fail. Then what each of
    several payloads lacks; nothing once all have a curve.

    `first_mb`, where an earlier sweep says to look, comes before the usual sizes. If the `most`
    invocations allowed give no third size a cold and a warm sample, it's two.
    """
    tried = {*evidence.failures, *(m for m, n in evidence.success_counts.items() if n)}
    seen = evidence.sampled_mb
    affordable = max(most // (1 + len(payloads)), 2)
    wanted = min(_FEWEST_SIZES, affordable, len(question.candidates))
    if len(seen) >= wanted:
        return tuple(_own_curves(evidence, wanted))
    current = question.function.memory_mb
    untried = [
        m for m in open_sizes_mb if m not in tried and (m == current or _ends_in_time(question, m))
    ]
    picked = [current] if current in untried else []
    picked += [size for size in first_mb if size in untried and size not in picked]
    anchors = list(_FIRST_SIZES_MB)
    if tried and not seen:
        anchors = [2 * max(tried), 4 * max(tried)]
    elif len(picked) + len(seen) + len(anchors) < wanted:
        anchors.append(2048)
    for anchor in (*anchors, 512, 1769, 128):
        if len(picked) + len(seen) >= wanted or not untried:
            break
        size = min(untried, key=lambda each: abs(math.log(each / anchor)))
        near = [m for m in (*picked, *seen) if abs(math.log2(m / size)) < _APART_OCTAVES]
        if not near:
            picked.append(size)
    return tuple(Trial(m, payloads[i % len(payloads)]) for i, m in enumerate(picked))


def _ends_in_time(question: Question, memory_mb: int) -> bool:
    """Whether a typical function with this recent duration ends before the timeout."""
    recent_ms, now_mb = question.recent_duration_ms, question.function.memory_mb
    if recent_ms is None:
        return True
    return recent_ms * typical_ratio(memory_mb, now_mb) <= question.function.timeout_s * 1000


def first_sizes(question: Question, weights: Mapping[str, float], seed: int) -> tuple[int, ...]:
    """Where an earlier sweep says to look first: at its answer, or, if that's the current size, at
    the best other one; and at the size it measured farthest from both, where a changed shape would
    show. Nowhere without one, nor by production alone, which may have run other code.
    """
    prior = question.prior
    if prior is None or prior.source == "observation":
        return ()
    evidence = as_evidence(prior, weights)
    if evidence is None:
        return ()
    problem = build_problem(replace(question, prior=None), evidence, seed=seed)
    sizes, current = np.array(problem.estimates.sizes_mb), question.function.memory_mb
    if not problem.ranking.allowed.any():
        return ()
    best: int | None = measured_answer(problem)
    if best is not None and sizes[best] == current:
        best = problem.ranking.pick(np.abs(np.log2(sizes / current)) >= _APART_OCTAVES)
    picked = [current] if best is None else [current, int(sizes[best])]

    def apart(size: int) -> float:
        return min(abs(math.log2(size / each)) for each in picked)

    check = max(sorted(evidence.sampled_mb & question.candidates), key=apart, default=current)
    return (*picked[1:], *([check] if apart(check) >= _APART_OCTAVES else []))


def open_sizes(question: Question, evidence: Evidence, excluded_mb: set[int]) -> list[int]:
    """Candidates (and the current size) that may still be tried. Between a size that fails and the
    next that succeeds, the upper half comes first, because every failure there is a wasted
    invocation.
    """
    killed = [m for m, counts in evidence.failures.items() if counts]
    # A failing size also rules out the sizes below it, unless one of them succeeds.
    floor = max((m for m in killed if not succeeds_below(evidence, m)), default=0)
    alive = min((m for m, n in evidence.success_counts.items() if n and m > floor), default=floor)
    current = question.function.memory_mb
    known = question.prior.killed_mb or 0 if question.prior else 0
    fits = {m for m in question.candidates if m > known and production_bar(question, m) is None}
    middle = math.sqrt(floor * alive)
    return sorted(
        m for m in (fits | {current}) - excluded_mb - set(killed) if m > floor and m >= middle
    )


def _own_curves(evidence: Evidence, wanted: int) -> Iterator[Trial]:
    """Trials that give each of several payloads samples at a few of the sizes that answer (the
    lowest, the highest and some in between), and then a second one at one of them: events of a
    class differ, and one sample doesn't show by how much.
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
