"""`python -m tests.bench.decide_goal`: answers in the objective, from four current sizes.

Every function is decided about from 128, 512, 1,769 and 3,008 MB in turn; an answer is scored in
`log cost + w log duration` against the best of the function's sizes, and what an inconclusive one
leans to is scored as well. Half of the functions, by a hash of their names, are held back: what is
chosen (priors, thresholds) is chosen on the others (`--tuning`) and judged on these
(`--held-out`). `--plain` asks for the cheapest alone, `--spend` has 60 invocations to spend,
`--worst` lists the functions with the largest regret.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.bench.decide_kinds import odd_functions
from tests.bench.decide_runs import CHEAPEST, intervals_hold, question_about, swept
from tests.bench.decide_world import CURVES, generated_functions, recorded_functions
from tuner.decision.evidence import read_evidence
from tuner.decision.problem import build_problem
from tuner.decision.verdict import judge
from tuner.model.goal import Goal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.decide_world import Function
    from tuner.model.prior_evidence import PriorEvidence
    from tuner.model.recommendation import Choice

CURRENT_MB: Final = (128, 512, 1769, 3008)
BINS: Final = (0.0, 0.5, 0.75, 0.9, 0.97, 1.001)


@dataclass(frozen=True)
class Setting:
    """What is asked for, and what may be spent."""

    goal: Goal
    limits: dict[str, Any]


DEFAULT: Final = Setting(Goal(cold_start_share=0.0), {"max_invocations": 40})
PLAIN: Final = Setting(CHEAPEST, {"max_invocations": 30})
SPENDING: Final = Setting(
    replace(CHEAPEST, tolerance_ratio=0.001), {"max_invocations": 60, "spends_all": True}
)


@dataclass(frozen=True)
class GoalRun:
    """One answer, scored."""

    name: str
    current_mb: int
    verdict: str
    memory_mb: int
    regret: float
    expected_regret: float
    harmful: bool
    """A resize that makes the objective worse by over 1%."""
    slower_for_nothing: bool
    """A resize to a size that takes 1.3 times as long or more and saves under 2%."""
    confidence: float
    right: bool
    """Whether what the confidence is of is so."""
    bound_held: bool | None
    holds: tuple[bool, ...]
    """Whether the intervals of duration, cost and saving hold the truth."""
    invocation_count: int
    cpu_ms: float


def all_functions() -> list[Function]:
    """Recorded functions, where the recordings are at hand, and generated ones."""
    recorded = recorded_functions() if CURVES.is_dir() else []
    whole = [function for function in recorded if function.sizes_mb[0] == 128]
    return [*whole, *generated_functions(), *odd_functions()]


def is_held_out(function: Function) -> bool:
    """Whether a function is for judging alone."""
    family = function.name.rsplit("-", 1)[0]
    name = family if function.source == "generated" else function.name
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def goal_run(
    function: Function,
    current_mb: int,
    seed: int,
    setting: Setting,
    *,
    prior: PriorEvidence | None = None,
) -> GoalRun:
    """Sweep as the command does, and score the answer."""
    question = question_about(function, setting.goal, current_mb=current_mb, prior=prior)
    luck = f"{function.name}/{current_mb}/{seed}"
    started_s = time.process_time()
    world = swept(function, question, luck, seed=seed, **setting.limits)
    cpu_ms = (time.process_time() - started_s) * 1000 / len(world.done)
    problem = build_problem(question, read_evidence(world.done, {"empty": 1.0}), seed=seed)
    return _score(
        function,
        judge(problem),
        current_mb=question.function.memory_mb,
        goal=setting.goal,
        invocation_count=len(world.done),
        cpu_ms=cpu_ms,
    )


def _score(
    function: Function,
    choice: Choice,
    *,
    current_mb: int,
    goal: Goal,
    invocation_count: int,
    cpu_ms: float,
) -> GoalRun:
    """Compare an answer with the best size that there is."""
    size = choice.memory_mb or choice.best_so_far_mb or current_mb
    cost_exponent, time_exponent = goal.exponents

    def objective(memory_mb: int) -> float:
        if not function.survives(memory_mb):
            return float("inf")
        cost, duration = function.true_cost_usd(memory_mb), function.truth_ms(memory_mb)
        return cost**cost_exponent * duration**time_exponent

    best = min(objective(m) for m in {*function.sizes_mb, current_mb})
    now, answer = objective(current_mb), objective(size)
    resize = choice.verdict == "resize" and function.survives(current_mb)
    regret = min(answer / best - 1, 1.0)
    bound = choice.regret_bound_ratio
    if choice.confidence_of == "move":
        right = answer <= now * (1 - goal.tolerance_ratio)
    else:
        right = best >= answer * (1 - goal.tolerance_ratio)
    return GoalRun(
        name=function.name,
        current_mb=current_mb,
        verdict=choice.verdict,
        memory_mb=size,
        regret=regret,
        expected_regret=choice.expected_regret_ratio or 0.0,
        harmful=resize and answer > now * 1.01,
        slower_for_nothing=resize
        and function.truth_ms(size) > 1.3 * function.truth_ms(current_mb)
        and function.true_cost_usd(size) > 0.98 * function.true_cost_usd(current_mb),
        confidence=choice.confidence or 0.0,
        right=right,
        bound_held=None if bound is None else regret <= bound + 1e-9,
        holds=intervals_hold(function, choice, current_mb),
        invocation_count=invocation_count,
        cpu_ms=cpu_ms,
    )


def figures(title: str, runs: Sequence[GoalRun]) -> list[str]:
    """The table's lines for one group of runs."""
    resizes = [run for run in runs if run.verdict == "resize"]
    keeps = [run for run in runs if run.verdict == "keep"]
    regrets = np.array([run.regret for run in runs])
    by_name: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        by_name[run.name].append(run.regret)
    means = {name: float(np.mean(each)) for name, each in by_name.items()}
    worst = max(means, key=means.__getitem__)
    bounds = [run.bound_held for run in runs if run.bound_held is not None]
    held = [
        f"{np.mean(each):.0%}" if (each := [r.holds[n] for r in runs if len(r.holds) > n]) else "-"
        for n in range(3)
    ]
    bins = []
    for low, high in itertools.pairwise(BINS):
        inside = [run for run in runs if low <= run.confidence < high]
        if inside:
            stated = np.mean([run.confidence for run in inside])
            true = np.mean([run.right for run in inside])
            bins.append(f"{stated:.0%}:{true:.0%} ({len(inside)})")
    said = np.mean([run.expected_regret for run in runs])
    p90 = np.quantile(list(means.values()), 0.9)
    return [
        f"{title}: {len(by_name)} functions, {len(runs)} runs",
        (
            f"  inconclusive {1 - (len(resizes) + len(keeps)) / len(runs):.1%}   "
            f"resize {len(resizes) / len(runs):.0%}   keep {len(keeps) / len(runs):.0%}"
        ),
        (
            f"  harmful resizes {np.mean([run.harmful for run in resizes]):.1%}   "
            f"slower for nothing {np.mean([run.slower_for_nothing for run in runs]):.1%}"
        ),
        (
            f"  invocations {np.mean([run.invocation_count for run in runs]):.1f} "
            f"(p90 {np.quantile([run.invocation_count for run in runs], 0.9):.0f}; resize, keep, "
            f"inconclusive {_counts(runs)})   "
            f"CPU {np.mean([run.cpu_ms for run in runs]):.1f} ms each"
        ),
        (
            f"  regret: mean {regrets.mean():.2%} (said {said:.2%}), p90 of functions {p90:.2%}, "
            f"worst {means[worst]:.1%} ({worst})"
        ),
        f"  intervals hold: {' / '.join(held)}   95% bound: "
        + (f"{np.mean(bounds):.1%}" if bounds else "-"),
        f"  confidence said:true {'  '.join(bins)}",
    ]


def _counts(runs: Sequence[GoalRun]) -> str:
    counts = []
    for verdict in ("resize", "keep", "inconclusive"):
        of = [run.invocation_count for run in runs if run.verdict == verdict]
        counts.append(f"{np.mean(of):.1f}" if of else "-")
    return ", ".join(counts)


def main(arguments: Sequence[str]) -> int:
    """Print the figures."""
    functions = all_functions()
    if "--tuning" in arguments:
        functions = [f for f in functions if not is_held_out(f)]
    if "--held-out" in arguments:
        functions = [f for f in functions if is_held_out(f)]
    seeds = range(next((int(a) for a in arguments if a.isdigit()), 1))
    setting = PLAIN if "--plain" in arguments else DEFAULT
    if "--spend" in arguments:
        tolerance_ratio = SPENDING.goal.tolerance_ratio
        setting = replace(SPENDING, goal=replace(setting.goal, tolerance_ratio=tolerance_ratio))
    runs: dict[str, list[GoalRun]] = defaultdict(list)
    for function in functions:
        for current_mb in CURRENT_MB:
            for seed in seeds:
                kind = "generated" if function.source == "generated" else "recorded"
                runs[kind].append(goal_run(function, current_mb, seed, setting))
    for kind, group in runs.items():
        print("\n".join(figures(f"{kind}, time weight {setting.goal.weight:g}", group)))
    if "--worst" in arguments:
        _print_worst([run for group in runs.values() for run in group])
    return 0


def _print_worst(runs: Sequence[GoalRun]) -> None:
    for run in sorted(runs, key=lambda run: -run.regret)[:40]:
        print(
            f"  {run.name:32} {run.current_mb:5} {run.verdict:12} {run.memory_mb:5} "
            f"regret {run.regret:6.1%} conf {run.confidence:.2f} n {run.invocation_count}"
            f"{' HARM' if run.harmful else ''}"
        )


if __name__ == "__main__":
    started_s = time.monotonic()
    status = main(sys.argv[1:])
    print(f"{time.monotonic() - started_s:.0f} s")
    sys.exit(status)
