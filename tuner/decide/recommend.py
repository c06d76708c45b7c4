"""From a sweep to a recommendation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.decide.assumptions import assumptions
from tuner.decide.candidates import candidate_sizes
from tuner.decide.case import Question, build_case
from tuner.decide.evidence import read_evidence
from tuner.decide.findings import case_findings, sweep_findings
from tuner.decide.habits import environment_findings, habit_findings
from tuner.decide.summary import current_size, curve_estimates, summarise_sizes
from tuner.decide.tradeoff import weigh_tradeoff
from tuner.decide.verdict import judge, undecided
from tuner.model.recommendation import PriceStamp, Recommendation, SweepStamp

if TYPE_CHECKING:
    from tuner.decide.case import Case
    from tuner.decide.evidence import Evidence
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Choice
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices, PriceBook


def recommend(
    sweep: Sweep,
    *,
    price_book: PriceBook,
    goal: Goal,
    seed: int = 0,
    min_memory_mb: int | None = None,
    max_memory_mb: int | None = None,
) -> Recommendation:
    """Decide what size the swept function should have, how sure that is, and what it saves.

    Without limits the range is the one that the sweep was planned over. Pure: the same sweep,
    prices, goal and seed give the same answer. Raises PriceError for an unknown region or
    architecture, InputError if the limits leave no size.
    """
    prices = price_book.lambda_prices(sweep.function.region, sweep.function.architecture)
    question = _question(sweep, goal, prices, min_memory_mb, max_memory_mb)
    evidence = read_evidence(sweep.invocations, {p.name: p.weight for p in sweep.plan.payloads})
    # What fails is told once, by outcome, with what it rules out.
    of_the_run = [finding for finding in sweep.findings if finding.code != "size_failed"]
    findings = [*of_the_run, *sweep_findings(sweep, evidence), *environment_findings(sweep)]
    case = None
    if evidence.samples and not evidence.unsampled_payloads:
        case = build_case(question, evidence, seed=seed)
        choice = _only_size(case) or judge(case)
        findings += case_findings(case, choice, sweep.function.timeout_s)
        findings += habit_findings(case)
    else:
        choice = undecided(_why_no_curve(question, evidence))
    estimates = case.estimates if case else None
    return Recommendation(
        environment=sweep.environment,
        function=sweep.function,
        goal=goal,
        choice=choice,
        current=current_size(sweep.function.memory_mb, estimates),
        platform=None,
        sizes=tuple(summarise_sizes(sweep, estimates)),
        curve=tuple(curve_estimates(estimates, evidence.measured_mb)) if estimates else (),
        findings=tuple(findings),
        assumptions=tuple(assumptions(sweep, evidence, goal, prices)),
        prices=PriceStamp(prices.as_of, prices.region),
        sweep=_stamp(sweep),
        tradeoff=weigh_tradeoff(case) if case else None,
    )


def _question(
    sweep: Sweep,
    goal: Goal,
    prices: LambdaPrices,
    min_memory_mb: int | None,
    max_memory_mb: int | None,
) -> Question:
    """Candidates are the sizes that the operator named, or those that a person would write and
    what was measured; within the limits.
    """
    function, planned = sweep.function, sweep.plan.sizes_mb
    if sweep.plan.sizes_named:
        low, high = min_memory_mb or min(planned), max_memory_mb or max(planned)
        named = frozenset(size for size in planned if low <= size <= high)
        return Question(goal, function, prices, named or frozenset(planned))
    low_mb = min(planned, default=None) if min_memory_mb is None else min_memory_mb
    high_mb = max(planned, default=None) if max_memory_mb is None else max_memory_mb
    candidates = {*candidate_sizes(low_mb, high_mb, function.memory_mb)}
    low, high = min(candidates), max(candidates)
    invoked = {invocation.memory_mb for invocation in sweep.invocations}
    candidates |= {size for size in invoked if low <= size <= high}
    return Question(goal, function, prices, frozenset(candidates))


def _only_size(case: Case) -> Choice | None:
    """A range of one size, or samples at one size, cannot support a comparison. Cold samples of
    other sizes can: they tell of the shape.
    """
    sampled = {s.memory_mb for samples in case.evidence.samples.values() for s in samples}
    if len(sampled) > 1:
        return None
    sizes = ", ".join(f"{size} MB" for size in case.evidence.measured_mb) or "no size"
    return undecided(
        f"only {sizes} gave samples, so there is nothing to compare with: "
        f"measure at least two sizes (--memory-sizes, --max-invocations)"
    )


def _why_no_curve(question: Question, evidence: Evidence) -> str:
    """Say what is missing where there is no warm sample."""
    failed = sum(sum(counts.values()) for counts in evidence.failures.values())
    if failed and not any(evidence.success_counts.values()):
        return (
            f"all {failed} invocations failed: look at the function's log and mend it (or the "
            f"payload), then tune again"
        )
    if len(question.candidates) == 1:
        return (
            "one size only leaves nothing to compare with: widen --min-memory and --max-memory, "
            "or name more --memory-sizes"
        )
    return "too few warm samples for a curve: allow more invocations (--max-invocations)"


def _stamp(sweep: Sweep) -> SweepStamp:
    return SweepStamp(
        sweep_id=sweep.plan.sweep_id,
        file=sweep.file,
        invocation_count=len(sweep.invocations),
        cost_usd=sweep.cost_usd,
        wall_s=sweep.wall_s,
    )
