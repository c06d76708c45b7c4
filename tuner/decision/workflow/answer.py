"""From a workflow and its functions' times to the sizes of all of them, with what they bring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.workflow.executions import MOST_VISITS, sample_executions
from tuner.decision.workflow.latency import Latency
from tuner.decision.workflow.search import SizeSearch, moved
from tuner.decision.workflow.timeouts import (
    run_timeout_finding,
    state_timeouts,
    timeout_findings,
    within_timeouts,
)
from tuner.decision.workflow.unknowns import assumptions_of, unknown_findings
from tuner.errors import InputError
from tuner.model.finding import Finding
from tuner.model.interval import Interval, figure, listed, percent
from tuner.model.workflow import Outcome, Sensitivity, SizedFunction, WorkflowAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.decision.workflow.executions import Runs
    from tuner.decision.workflow.function_times import FunctionTimes
    from tuner.decision.workflow.search import Places
    from tuner.model.goal import Goal
    from tuner.model.workflow import Workflow

USUAL_PERCENTILE: Final = 95.0
_DRAW_COUNT: Final = 40
"""Draws of the posterior that the intervals are of."""
_LOWERINGS: Final = 6
_SURE: Final = 0.9
_WORTH_SAYING: Final = 0.03
_SHARES: Final = tuple(each + 0.5 for each in range(100))
_FRONTIER_COUNT: Final = 60


@dataclass(frozen=True, slots=True)
class _Executions:
    """Sampled executions, and their latency under the typical and the drawn knowledge."""

    functions: Sequence[FunctionTimes]
    typical: Latency
    draws: tuple[Latency, ...]

    @classmethod
    def of(cls, runs: Runs, functions: Sequence[FunctionTimes]) -> _Executions:
        count = min((len(each.draws) for each in functions), default=0)
        chosen = np.unique(np.linspace(0, count - 1, min(_DRAW_COUNT, count)).astype(int))
        drawn = tuple(
            Latency(runs, functions, [each.draws[number] for each in functions])
            for number in chosen
        )
        return cls(functions, Latency(runs, functions, [f.typical for f in functions]), drawn)

    def outcome(self, columns: Sequence[int], percentile: float) -> Outcome:
        """What sizes give. The interval is of what the sweeps leave open."""
        durations = self.typical.durations_ms(columns)
        quantiles = np.quantile(durations, np.array(_SHARES) / 100)
        costs = [1e6 * latency.cost_usd(columns) for latency in self.draws]
        return Outcome(
            duration_ms=self._interval(columns, percentile),
            p50_ms=float(np.median(durations)),
            p95_ms=self._interval(columns, USUAL_PERCENTILE),
            cost_usd_per_million=_around(1e6 * self.typical.cost_usd(columns), costs),
            quantiles_ms=tuple(map(float, quantiles)),
        )

    def percentiles_ms(self, columns: Sequence[int], percentile: float) -> list[float]:
        """The percentile in every draw."""
        return [latency.percentile_ms(columns, percentile) for latency in self.draws]

    def _interval(self, columns: Sequence[int], percentile: float) -> Interval:
        drawn = self.percentiles_ms(columns, percentile)
        # The median, not the mean: rare slow calls have no upper limit.
        return _around(float(np.median(drawn)), drawn)


def _around(estimate: float, draws: Sequence[float]) -> Interval:
    low, high = np.quantile(draws, (0.05, 0.95)) if draws else (estimate, estimate)
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate))


def answer_workflow(
    workflow: Workflow, functions: Sequence[FunctionTimes], goal: Goal, *, seed: int = 0
) -> WorkflowAnswer:
    """Find the sizes for a goal; `functions` are the workflow's, in its order.

    With `max_duration_ms` the cheapest whose percentile (95 unless the goal says another) is within
    it, with `max_cost_usd_per_million` the fastest that cost no more, with both the cheapest within
    the duration, otherwise the best under the goal's time weight. If no sizes are within the limit,
    those that are nearest to it; none that reach a state's timeout. Raises InputError
    if no execution ends, or none calls a function.
    """
    timeouts = state_timeouts(workflow.machine, functions)
    functions = within_timeouts(functions, timeouts)
    percentile = goal.percentile or USUAL_PERCENTILE
    runs = sample_executions(workflow.machine, workflow.behavior, seed=seed)
    if not any(counts.any() for counts in runs.call_counts.values()):
        raise InputError(
            f"no execution of {workflow.name} calls a function: say how often each `choice` is "
            "taken and how many `items` maps have"
        )
    functions, uncalled = _kept_uncalled(functions, runs)
    executions = _Executions.of(runs, functions)
    search = SizeSearch(functions, executions.typical, percentile)
    found, is_met = _searched(search, goal, executions)
    columns = search.columns(found)
    now = executions.outcome([each.column(each.current_mb) for each in functions], percentile)
    then = executions.outcome(columns, percentile)
    sure, likely_usd = None, None
    if (limit := goal.max_duration_ms) is not None:
        drawn = executions.percentiles_ms(columns, percentile)
        sure = sum(each <= limit for each in drawn) / max(len(drawn), 1)
        likely = _within(search, limit, executions, 0.5)
        likely_usd = None if likely is None else 1e6 * search.cost_usd(likely)
    answer = WorkflowAnswer(
        name=workflow.name,
        goal=goal,
        percentile=percentile,
        is_met=is_met,
        probability_met=sure,
        functions=tuple(_sized(executions, columns)),
        now=now,
        then=then,
        sensitivity=_sensitivities(search, functions, found),
        frontier=_frontier(search),
        transition_count=float(runs.transition_count.mean()),
        failed_share=float(runs.failed.mean()),
        assumptions=assumptions_of(workflow, functions, float(runs.transition_count.mean())),
    )
    findings = (
        *_target_findings(answer, likely_usd),
        *_doubts(answer, functions, runs, uncalled),
        *timeout_findings(timeouts, {each.name: each.memory_mb for each in answer.functions}),
        *unknown_findings(workflow),
    )
    out_of_time = run_timeout_finding(workflow.machine, executions.typical.durations_ms(columns))
    findings += () if out_of_time is None else (out_of_time,)
    return replace(answer, findings=findings)


def _kept_uncalled(
    functions: Sequence[FunctionTimes], runs: Runs
) -> tuple[tuple[FunctionTimes, ...], list[str]]:
    """The functions, those that no execution calls with their present size alone: nothing here
    tells which is better.
    """
    called = {name for name, counts in runs.call_counts.items() if counts.any()}
    kept = tuple(
        each
        if each.name in called
        else replace(each, allowed=tuple(size == each.current_mb for size in each.sizes_mb))
        for each in functions
    )
    return kept, [each.name for each in functions if each.name not in called]


def _searched(
    search: SizeSearch, goal: Goal, executions: _Executions
) -> tuple[Places, bool | None]:
    """The places, and whether they are within the goal's limits."""
    max_ms, max_usd = goal.max_duration_ms, goal.max_cost_usd_per_million
    if max_ms is not None:
        found = _within(search, max_ms, executions, _SURE) or _within(
            search, max_ms, executions, 0.5
        )
        if found is None:
            return search.fastest, False
        return found, max_usd is None or 1e6 * search.cost_usd(found) <= max_usd
    if max_usd is not None:
        found = search.fastest_within(max_usd / 1e6)
        return ((0,) * len(search.options), False) if found is None else (found, True)
    return search.best(goal.weight), None


def _within(
    search: SizeSearch, max_ms: float, executions: _Executions, share: float
) -> Places | None:
    """The cheapest places that are within the limit with a probability of `share`; None without.

    The search knows the typical latency only, and what the sweeps leave open is added: slow calls
    that they may have missed, of one function or another. So its limit is lowered by as much.
    """

    def bound_ms(places: Places) -> float:
        drawn = executions.percentiles_ms(search.columns(places), search.percentile)
        return float(np.quantile(drawn, share))

    limit_ms = max_ms
    if bound_ms(search.fastest) > max_ms:
        return None
    for _ in range(_LOWERINGS):
        found = search.cheapest(limit_ms)
        if found is None:
            break
        if (ratio := bound_ms(found) / max_ms) <= 1:
            return found
        limit_ms = search.duration_ms(found) / ratio * (1 - 1e-4)
    return search.fastest


def _sized(executions: _Executions, columns: Sequence[int]) -> Iterator[SizedFunction]:
    counts = executions.typical.call_counts
    for each, count, column in zip(executions.functions, counts, columns, strict=True):
        now, cost = each.column(each.current_mb), each.typical.cost_usd
        yield SizedFunction(
            name=each.name,
            memory_mb=each.sizes_mb[column],
            was_mb=each.current_mb,
            call_count=float(count),
            cost_usd_per_million=float(1e6 * count * cost[column]),
            was_usd_per_million=float(1e6 * count * cost[now]),
            duration_ms=float(each.duration_ms[column]),
            was_ms=float(each.duration_ms[now]),
            is_measured=each.measured[column],
        )


def _sensitivities(
    search: SizeSearch, functions: Sequence[FunctionTimes], places: Places
) -> tuple[Sensitivity, ...]:
    """What a faster size of each function buys, by the best of its faster sizes."""
    found = [
        _sensitivity(search, function, places, number) for number, function in enumerate(functions)
    ]
    return tuple(
        sorted(
            found,
            key=lambda each: (
                each.usd_per_million_per_ms is None,
                each.usd_per_million_per_ms or 0.0,
            ),
        )
    )


def _sensitivity(
    search: SizeSearch, function: FunctionTimes, places: Places, number: int
) -> Sensitivity:
    now_ms, now_usd = search.duration_ms(places), search.cost_usd(places)
    best = Sensitivity(function.name, None, None, None, None)
    least = np.inf
    for place in range(places[number] + 1, len(search.options[number])):
        then = moved(places, number, place)
        gained_ms = now_ms - search.duration_ms(then)
        added_usd = 1e6 * (search.cost_usd(then) - now_usd)
        if gained_ms > 1e-6 * now_ms and added_usd / gained_ms < least:
            least = added_usd / gained_ms
            size = function.sizes_mb[search.options[number][place]]
            best = Sensitivity(function.name, size, gained_ms, added_usd, float(least))
    return best


def _frontier(search: SizeSearch) -> tuple[tuple[float, float], ...]:
    """Cheapest first, at most 60 points."""
    points = [
        (search.duration_ms(each), 1e6 * search.cost_usd(each)) for each in search.frontier()
    ][::-1]
    step = max(1, -(-len(points) // _FRONTIER_COUNT))
    return (*points[:-1:step], points[-1])


def _target_findings(answer: WorkflowAnswer, likely_usd: float | None) -> Iterator[Finding]:
    """`likely_usd` is what sizes cost that are as likely in time as not."""
    limit, found = answer.goal.max_duration_ms, answer.then.duration_ms
    name = f"p{answer.percentile:g}"
    slowest = max(answer.functions, key=lambda each: each.call_count * each.duration_ms)
    cost = answer.then.cost_usd_per_million.estimate
    if answer.is_met is False and limit is not None and found.estimate > limit:
        yield Finding(
            "workflow_target_missed",
            "error",
            f"no sizes reach {name} within {figure(limit, 4, '')} ms: at the fastest it is "
            f"{figure(found.estimate, 4, '')} ms, most of it in {slowest.name}; allow more "
            "(`max_duration_ms`), or make that function faster",
        )
    elif answer.is_met is False:
        yield Finding(
            "workflow_target_missed",
            "error",
            f"no sizes within the limits cost less than ${figure(cost, 4, '')} per million "
            "executions; allow more (`max_cost_usd_per_million`)",
        )
    elif answer.probability_met is not None and answer.probability_met < _SURE:
        assert limit is not None
        yield Finding(
            "workflow_target_unsure",
            "warning",
            f"{name} is expected within {figure(limit, 4, '')} ms, but only "
            f"{percent(answer.probability_met)} sure to be: the sweeps leave it open between "
            f"{figure(found.low, 4, '')} and {figure(found.high, 4, '')} ms; tune the "
            "functions again with more invocations, or ask for less (`max_duration_ms`)",
        )
    elif likely_usd is not None and cost > likely_usd * (1 + _WORTH_SAYING):
        yield Finding(
            "workflow_sureness_costs",
            "info",
            f"being {percent(_SURE)} sure costs ${cost - likely_usd:.2f} more per million "
            f"executions than sizes that are as likely in time as not (${likely_usd:.2f}): more "
            "invocations in the sweeps make it less",
        )


def _doubts(
    answer: WorkflowAnswer,
    functions: Sequence[FunctionTimes],
    runs: Runs,
    uncalled: Sequence[str],
) -> Iterator[Finding]:
    """What else the answer may not hold for."""
    if uncalled:
        yield Finding(
            "workflow_function_uncalled",
            "warning",
            f"no execution calls {listed(uncalled)}, which keeps its size: say how often each "
            "`choice` is taken and how many `items` maps have",
        )
    unmeasured = [
        f"{each.name} ({each.memory_mb} MB)"
        for each in answer.functions
        if not each.is_measured and each.memory_mb != each.was_mb
    ]
    if unmeasured:
        yield Finding(
            "workflow_size_modelled",
            "info",
            f"{listed(unmeasured)} would get a size that its sweep did not measure: sweep it "
            "with `memory_sizes_mb` to be sure",
        )
    fixed = [
        f"{each.name} ({each.sizes_mb[each.allowed.index(True)]} MB)"
        for each in functions
        if sum(each.allowed) == 1 and each.name not in uncalled
    ]
    if fixed:
        yield Finding(
            "workflow_size_fixed",
            "info",
            f"{listed(fixed)} has no other size to choose from: sweep it at more with "
            "`memory_sizes_mb`, or widen `min_memory_mb` and `max_memory_mb`",
        )
    if runs.was_cut:
        yield Finding(
            "workflow_loop_cut",
            "warning",
            f"some executions go through over {MOST_VISITS:,} states and were cut there: say how "
            "often each loop goes on with `choice`",
        )
