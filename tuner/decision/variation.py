"""What a sweep over a varied parameter shows, value by value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.decision.findings import size_findings, sweep_findings
from tuner.decision.move import measured_answer
from tuner.decision.pairs import best_problem, estimate_pairs, problem_at
from tuner.decision.strata import strata_of
from tuner.model.finding import Finding
from tuner.model.recommendation import ValueAnswer, Variation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tuner.decision.pairs import StratumProblem
    from tuner.decision.strata import Stratum
    from tuner.model.plan import VariedParameter
    from tuner.model.recommendation import Choice
    from tuner.model.sweep import Sweep


def vary(
    strata: Sequence[Stratum],
    problems: Sequence[StratumProblem],
    varied: VariedParameter,
    choice: Choice,
) -> Variation:
    """What each value alone would have; the verdict's size is among its pairs."""
    named = {size for size in (choice.memory_mb, choice.best_so_far_mb) if size is not None}
    answers = tuple(_value_answer(stratum, problems, varied, named) for stratum in strata)
    # Where the value is set with the size, the best one is the answer's: a keep has today's.
    best = choice.architecture or dict(choice.parameters).get(varied.name)
    if best is None and (found := best_problem(problems, varied.current)) is not None:
        best = found.stratum.value
    return Variation(varied, answers, best)


def varied_findings(sweep: Sweep, varied: VariedParameter) -> Iterator[Finding]:
    """What sizes show, for each value separately; findings about the whole run appear once."""
    said = set()
    for stratum in strata_of(sweep.plan.payloads, varied.values):
        evidence = stratum.evidence(sweep.invocations)
        where = f"with {varied.name}={stratum.value}"
        if varied.is_architecture:
            where = f"on {stratum.value}"
        for finding in size_findings(sweep, evidence):
            yield replace(finding, message=f"{where}: {finding.message}")
        for finding in sweep_findings(sweep, evidence):
            if finding not in said:
                said.add(finding)
                yield finding


def variation_findings(variation: Variation) -> Iterator[Finding]:
    """A parameter whose values call for different sizes."""
    picked = {each.value: each.memory_mb for each in variation.values if each.memory_mb}
    name = variation.parameter.name
    if variation.parameter.is_setting or len(set(picked.values())) < 2:
        return
    sizes = ", ".join(f"{mb} MB at {value}" for value, mb in picked.items())
    yield Finding(
        "size_depends_on_payload",
        "info",
        f"the best size depends on {name}: {sizes}; the answer weighs all values equally, so vary "
        f"it as your traffic does, or give the values weights in a payload set",
    )


def _value_answer(
    stratum: Stratum,
    problems: Sequence[StratumProblem],
    varied: VariedParameter,
    named_mb: Collection[int],
) -> ValueAnswer:
    """What one value would have if it were the only one."""
    each = problem_at(problems, stratum.value)
    if each is None:
        return ValueAnswer(stratum.value, stratum.record_count, None, ())
    # Findings about the work stay: each value is compared with itself.
    now = problem_at(problems, varied.current) if varied.is_setting else each
    problem = replace(
        each.problem, ranking=replace(each.problem.ranking, rivals=None, staying=None), now=None
    )
    sizes = problem.estimates.sizes_mb
    picked = sizes[measured_answer(problem)] if problem.ranking.allowed.any() else None
    shown = {
        *problem.evidence.sampled_mb,
        *named_mb,
        problem.current_mb,
        *([] if picked is None else [picked]),
    }
    return ValueAnswer(
        value=stratum.value,
        record_count=stratum.record_count,
        memory_mb=picked,
        pairs=tuple(estimate_pairs(each, now, sorted(shown & set(sizes)))),
    )
