"""From an analysis to a recommendation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.decision.bandwidth import bandwidth_findings
from tuner.decision.diagnostics import distribution_findings, environment_findings
from tuner.decision.estimates import interval
from tuner.decision.findings import problem_findings, size_findings, sweep_findings
from tuner.decision.latency import learn_scatter, shown_percentiles
from tuner.decision.move import firm_move, measured_answer
from tuner.decision.pairs import answer_under
from tuner.decision.prior_use import assumed_of, prior_findings, prior_use
from tuner.decision.ranking import rank
from tuner.decision.saving import SavingNeeded, with_saving
from tuner.decision.strata import sweep_at
from tuner.decision.summary import curve_estimates, summarise_sizes
from tuner.decision.tradeoff import weigh_tradeoff
from tuner.decision.variation import variation_findings, varied_findings
from tuner.model.finding import Finding
from tuner.model.goal import OPTION_WEIGHTS
from tuner.model.interval import Interval
from tuner.model.recommendation import (
    ArchitectureCurve,
    Option,
    PriceStamp,
    Recommendation,
    SweepStamp,
)
from tuner.pricing.book import age_findings

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from tuner.decision.analysis import Analysis
    from tuner.decision.evidence import Evidence
    from tuner.decision.latency import Scatter
    from tuner.decision.problem import Problem
    from tuner.model.function import Architecture
    from tuner.model.goal import Goal, OptionName
    from tuner.model.recommendation import Choice, SizeEstimate
    from tuner.model.sweep import Sweep
    from tuner.pricing import LambdaPrices


def recommend(
    analysis: Analysis, *, needed: SavingNeeded | None = None, today: datetime.date | None = None
) -> Recommendation:
    """Say what size the swept function should have, how sure that is, and what it saves.

    A resize that saves less than `needed` becomes a keep. Pure: the same analysis gives the same
    answer. With `today`, prices over 90 days old get a warning.
    """
    sweep, problem = analysis.sweep, analysis.problem
    goal, prices = analysis.question.goal, analysis.question.prices
    needed = needed or SavingNeeded()
    choice, small_saving = with_saving(analysis, needed)
    findings = [*_findings(analysis), *_caveats(sweep, prices, today)]
    findings += _switch(sweep, choice)
    if small_saving is not None:
        findings.append(small_saving)
    scatters, curve = _scatters(analysis)
    return Recommendation(
        environment=sweep.environment,
        function=sweep.function,
        goal=goal,
        choice=choice,
        current=analysis.current,
        platform=None,
        sizes=tuple(summarise_sizes(sweep, scatters)),
        curve=curve,
        findings=tuple(findings),
        assumptions=tuple(_assumptions(sweep, analysis.evidence, goal, prices)),
        prices=PriceStamp(prices.as_of, prices.region),
        sweep=_stamp(analysis, choice),
        tradeoff=weigh_tradeoff(problem) if problem else None,
        variation=analysis.variation,
        options=tuple(_options(analysis)),
        rate_per_s=needed.rate_per_s,
        by_architecture=tuple(_by_architecture(analysis, scatters)),
    )


def _options(analysis: Analysis) -> Iterator[Option]:
    """What other goals would answer, each from the same draws and within the same limits: over the
    sizes of the answer's problem, or of all architectures.
    """
    if analysis.problem is None:
        return
    if analysis.choice.architecture is not None:
        for name, weight in OPTION_WEIGHTS.items():
            if found := answer_under(analysis.problems, weight):
                yield _option(name, *found, architecture=found[0].question.function.architecture)
        return
    problem = analysis.problem
    if not problem.ranking.allowed.any():
        return
    for name, weight in OPTION_WEIGHTS.items():
        goal = replace(problem.goal, time_weight=weight)
        ranking = rank(problem.estimates, goal, problem.ranking.allowed, problem.current_mb)
        seen = replace(problem, ranking=ranking, now=None)
        move = firm_move(seen)
        # Where that goal would not move, what looks best under it.
        column = move.answer if move.verdict == "resize" else measured_answer(seen)
        yield _option(name, problem, column)


def _option(
    name: OptionName, problem: Problem, column: int, architecture: Architecture | None = None
) -> Option:
    estimates = problem.estimates
    memory_mb = estimates.sizes_mb[column]
    return Option(
        name=name,
        memory_mb=memory_mb,
        duration_ms=interval(estimates.duration_ms[:, column]),
        cost_usd_per_million=interval(estimates.cost_usd[:, column] * 1e6),
        measured=memory_mb in problem.measured,
        architecture=architecture,
    )


def _findings(analysis: Analysis) -> Iterator[Finding]:
    """What the run, the invocations and the curve show."""
    sweep, problem, varied = analysis.sweep, analysis.problem, analysis.sweep.plan.varied
    # Failures are reported once, by outcome, with what they rule out.
    yield from (finding for finding in sweep.findings if finding.code != "size_failed")
    if varied is None:
        yield from size_findings(sweep, analysis.evidence)
        yield from sweep_findings(sweep, analysis.evidence)
    else:
        yield from varied_findings(sweep, varied)
    yield from environment_findings(sweep)
    if sweep.prior is not None:
        yield from prior_findings(sweep.prior, sweep.plan.payloads, problem)
    if problem is not None:
        bends = tuple(bandwidth_findings(problem))
        told = problem_findings(problem, analysis.choice, sweep.function.timeout_s)
        # What CPU doesn't explain isn't more cores either.
        yield from (each for each in told if not (bends and each.code == "uses_more_cores"))
        yield from distribution_findings(problem)
        yield from bends
    if analysis.variation is not None:
        yield from variation_findings(analysis.variation)


def _caveats(sweep: Sweep, prices: LambdaPrices, today: datetime.date | None) -> Iterator[Finding]:
    """A sweep that didn't finish, and old prices."""
    if sweep.end is None:
        count = len(sweep.invocations)
        text = f"the sweep was cut off after {count} invocations: the answer rests on those"
        yield Finding("sweep_cut_off", "warning", text)
    yield from age_findings(prices.as_of, today)


def _switch(sweep: Sweep, choice: Choice) -> Iterator[Finding]:
    """What to do besides setting the memory, if the answer is on another architecture."""
    function, other = sweep.function, choice.architecture
    if choice.memory_mb is None or other is None or other == function.architecture:
        return
    declared = (
        f"set the architecture to {other} where the function is declared (SAM and CloudFormation: "
        f"Architectures: [{other}]; Terraform: architectures; Serverless: architecture; CDK: "
        "architecture)"
    )
    steps = [declared, _code_on(sweep, other)]
    settings = {name for name, _digest in function.settings}
    if "Layers" in settings:
        steps.append(f"check that each layer is for {other}, or replace it")
    if "SigningProfileVersionArn" in settings:
        steps.append("sign the new package: the deployed one is signed")
    runs = f"; {function.runtime} runs on both" if function.runtime else ""
    yield Finding(
        "switch_architecture",
        "warning",
        f"Moving to {other} takes a deployment: {'; '.join(steps)}{runs}. Deploy memory and "
        "architecture in one update, through an alias if it has traffic: a change of memory alone "
        "doesn't change the architecture",
    )


def _code_on(sweep: Sweep, other: str) -> str:
    """What code goes with a move to another architecture."""
    digest = sweep.plan.other_code_sha256
    if digest is not None:
        return f"deploy the build that was measured there (SHA-256 {digest})"
    if sweep.function.package_type == "Image":
        return f"deploy the image for {other} that was measured"
    return (
        f"the measured package is the same on both, so no rebuild is needed; build it for {other} "
        "from the day when it has native dependencies"
    )


def _scatters(analysis: Analysis) -> tuple[list[Scatter], tuple[SizeEstimate, ...]]:
    """How calls scatter around every curve, and the curve of the answer."""
    wanted = shown_percentiles(analysis.question.goal)
    # At one value of a varied parameter, by that value's calls.
    scatters = [learn_scatter(each.evidence, each.estimates, wanted) for each in analysis.problems]
    curve = [scatter for scatter in scatters if scatter.estimates is analysis.posterior]
    return scatters, curve_estimates(curve[0]) if curve else ()


def _by_architecture(
    analysis: Analysis, scatters: Sequence[Scatter]
) -> Iterator[ArchitectureCurve]:
    """The curve of each architecture, if several have one."""
    if analysis.choice.architecture is None:
        return
    for problem, scatter in zip(analysis.problems, scatters, strict=True):
        architecture = problem.question.function.architecture
        yield ArchitectureCurve(architecture, curve_estimates(scatter))


def _stamp(analysis: Analysis, choice: Choice) -> SweepStamp:
    sweep, problem = analysis.sweep, analysis.problem
    return SweepStamp(
        sweep_id=sweep.plan.sweep_id,
        file=sweep.file,
        invocation_count=len(sweep.invocations),
        cost_usd=sweep.cost_usd,
        wall_s=sweep.wall_s,
        environment_count=len({i.environment for i in sweep.invocations if i.environment}),
        pays_back_after_invocations=_pay_back(analysis, choice),
        prior=None if sweep.prior is None else prior_use(sweep.prior, problem),
    )


def _pay_back(analysis: Analysis, choice: Choice) -> Interval | None:
    """The sweep's cost over what an invocation saves, if that is surely above zero."""
    sweep, problem = analysis.sweep, analysis.problem
    if problem is None or choice.verdict != "resize" or choice.memory_mb is None:
        return None
    if sweep.environment == "local" or choice.parameters or choice.saving_ratio is None:
        return None
    now, then = (
        of.estimates.cost_usd[:, of.estimates.column(size)]
        for of, size in ((problem.of_current, problem.current_mb), (problem, choice.memory_mb))
    )
    saved = interval(now - then)
    if saved.low <= 0:
        return None
    cost = sweep.cost_usd
    return Interval(cost / saved.estimate, cost / saved.high, cost / saved.low)


def _assumptions(
    sweep: Sweep, evidence: Evidence, goal: Goal, prices: LambdaPrices
) -> Iterator[str]:
    """Every assumption that changes the figures, most important first."""
    yield _assumed_payloads(sweep)
    if sweep.prior is not None:
        yield assumed_of(sweep.prior)
    yield _assumed_cold_starts(evidence, goal)
    yield _assumed_prices(prices.as_of)
    if goal.max_duration_ms is not None and goal.percentile is None:
        yield "the duration limit is for the mean of warm invocations"
    if sweep.environment == "local":
        yield "durations are this machine's, not AWS's"
    yield "intervals describe the sweep's payloads and conditions, not future traffic"


def with_prices_of(as_of: str, answer: Recommendation) -> Recommendation:
    """Return an answer that older prices than its own have a part in: its date is theirs."""
    if as_of >= answer.prices.as_of:
        return answer
    own = _assumed_prices(answer.prices.as_of)
    assumed = (_assumed_prices(as_of) if each == own else each for each in answer.assumptions)
    return replace(answer, prices=replace(answer.prices, as_of=as_of), assumptions=tuple(assumed))


def _assumed_prices(as_of: str) -> str:
    return f"list prices of {as_of}, first tier, no free tier, no discounts"


def _assumed_payloads(sweep: Sweep) -> str:
    varied = sweep.plan.varied
    payloads = (
        sweep.plan.payloads if varied is None else sweep_at(sweep, varied.current).plan.payloads
    )
    weighted = len({payload.weight for payload in payloads}) > 1
    mix = " in the given weights" if weighted else ""
    count = f"{len(payloads)} payload{'s' if len(payloads) > 1 else ''}{mix}"
    if varied is None:
        return count
    if varied.is_architecture:
        return f"{count}, the same on every architecture"
    if varied.is_setting:
        return f"{count}, the same mix of records with every {varied.name}"
    return f"{count}, every {varied.name} equally often"


def _assumed_cold_starts(evidence: Evidence, goal: Goal) -> str:
    share = f"{goal.cold_share:.3g}".rstrip()
    percent = f"{float(share) * 100:g}% cold starts"
    if goal.cold_share and not evidence.cold_starts:
        return f"{percent}, but none was seen, so INIT isn't in the cost"
    return percent
