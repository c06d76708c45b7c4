"""From a sweep to a recommendation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.decision.answer import answer_plainly
from tuner.decision.assumptions import assumptions
from tuner.decision.candidates import candidates_of
from tuner.decision.diagnostics import distribution_findings, environment_findings
from tuner.decision.evidence import read_evidence
from tuner.decision.findings import problem_findings, sweep_findings
from tuner.decision.latency import learn_scatter, shown_percentiles
from tuner.decision.problem import Question
from tuner.decision.summary import curve_estimates, summarise_sizes
from tuner.decision.tradeoff import weigh_tradeoff
from tuner.decision.variation import answer_varied, variation_findings, varied_findings
from tuner.model.recommendation import PriceStamp, Recommendation, SweepStamp

if TYPE_CHECKING:
    from tuner.decision.answer import Answer
    from tuner.decision.evidence import Evidence
    from tuner.decision.latency import Scatter
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Choice, SizeEstimate
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook

BUSY_CONFIDENCE: Final = 0.5
"""An even chance: how far a busy machine bends the sizes against each other is not known."""


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
    candidates = candidates_of(sweep, min_memory_mb, max_memory_mb)
    question = Question(goal, sweep.function, prices, candidates)
    evidence = read_evidence(sweep.invocations, {p.name: p.weight for p in sweep.plan.payloads})
    # What fails is told once, by outcome, with what it rules out.
    of_the_run = [finding for finding in sweep.findings if finding.code != "size_failed"]
    varied = sweep.plan.varied
    if varied is None:
        findings = [*of_the_run, *sweep_findings(sweep, evidence)]
        answer = answer_plainly(sweep, question, evidence, seed=seed)
    else:
        findings = [*of_the_run, *varied_findings(sweep, varied)]
        answer = answer_varied(sweep, varied, question, evidence, seed=seed)
    findings += environment_findings(sweep)
    problem, choice = answer.problem, answer.choice
    if problem is not None:
        findings += problem_findings(problem, choice, sweep.function.timeout_s)
        findings += distribution_findings(problem)
    scatters, curve = _scatters(answer, evidence, goal)
    if answer.variation is not None:
        findings += variation_findings(answer.variation)
    return Recommendation(
        environment=sweep.environment,
        function=sweep.function,
        goal=goal,
        choice=_doubted(choice, sweep),
        current=answer.current,
        platform=None,
        sizes=tuple(summarise_sizes(sweep, scatters)),
        curve=curve,
        findings=tuple(findings),
        assumptions=tuple(assumptions(sweep, evidence, goal, prices)),
        prices=PriceStamp(prices.as_of, prices.region),
        sweep=_stamp(sweep),
        tradeoff=weigh_tradeoff(problem) if problem else None,
        variation=answer.variation,
    )


def _doubted(choice: Choice, sweep: Sweep) -> Choice:
    """Be no surer than an even chance of what a busy machine measured."""
    if choice.confidence is None or all(each.code != "host_busy" for each in sweep.findings):
        return choice
    return replace(choice, confidence=min(choice.confidence, BUSY_CONFIDENCE))


def _scatters(
    answer: Answer, evidence: Evidence, goal: Goal
) -> tuple[list[Scatter], tuple[SizeEstimate, ...]]:
    """How calls scatter around every curve, and the curve of the problem."""
    problem, wanted = answer.problem, shown_percentiles(goal)
    scatters = [
        # At one value of a varied parameter, by that value's calls.
        learn_scatter(
            problem.evidence if problem and estimates is problem.estimates else evidence,
            estimates,
            wanted,
        )
        for estimates in answer.estimates
    ]
    curve = [scatter for scatter in scatters if problem and scatter.estimates is problem.estimates]
    return scatters, tuple(curve_estimates(curve[0])) if curve else ()


def _stamp(sweep: Sweep) -> SweepStamp:
    return SweepStamp(
        sweep_id=sweep.plan.sweep_id,
        file=sweep.file,
        invocation_count=len(sweep.invocations),
        cost_usd=sweep.cost_usd,
        wall_s=sweep.wall_s,
        environment_count=len({i.environment for i in sweep.invocations if i.environment}),
    )
