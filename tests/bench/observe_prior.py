"""What an observation of production saves a sweep, and what it costs where it misleads.

Every function is swept from two current sizes, with and without what a week of production told of
it, and with the same luck. Production ran at the current size alone, which tells how much memory is
used and nothing of the curve, or at another size before; with the sweep's events, with longer ones,
or with other code (another function's curve). Half of the functions, by a hash of their names, are
held back: they judge what the others chose (`python -m tests.bench.observe_prior --tuning` shows
those).
"""

from __future__ import annotations

import math
import random
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tests.bench.decide_goal import (
    DEFAULT,
    all_functions,
    figures,
    goal_run,
    is_held_out,
)
from tests.sweeps import made_function
from tuner.observe.kept import observed_prior

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.decide_goal import GoalRun
    from tests.bench.decide_world import Function
    from tuner.model.prior_evidence import PriorEvidence

Row = tuple[str, str, str, bool]
_CURRENT_MB: Final = (512, 3008)
_REPORTS: Final = 3000
_ENVIRONMENTS: Final = 40
_MIX_SHIFT: Final = 0.03
"""By how much (log) the mix of events shifts from a period to the next, and from the sweep's."""
_WORSE_REGRET: Final = 0.001
_WORSE_SHARE: Final = 0.01
"""How much worse answers may be: in regret, and in the shares of harmful and inconclusive ones."""
_SURE_DEVIATIONS: Final = 1.64


@dataclass(frozen=True)
class Case:
    """What production was like. `earlier` is the size before, as a ratio to the current one."""

    title: str
    earlier: float | None = None
    longer: float = 1.0
    other_code: bool = False
    saves: bool = False
    """Whether it should spare invocations, and not only do no harm."""


CASES: Final = (
    Case("one size"),
    Case("two sizes, the sweep's events", earlier=0.5, saves=True),
    Case("two sizes, events twice as long", earlier=0.5, longer=2.0),
    Case("two sizes, of other code", earlier=0.5, other_code=True),
)


def observed(function: Function, current_mb: int, case: Case) -> PriorEvidence:
    """What a week of production told of a function, as `observe` writes it."""
    rng = random.Random(f"{function.name}/{current_mb}/production")
    low, high = function.sizes_mb[0], function.sizes_mb[-1]
    now_mb = min(max(current_mb, low), high)
    sizes_mb = [now_mb]
    if case.earlier is not None:
        before_mb = now_mb * case.earlier
        sizes_mb.append(int(before_mb if before_mb >= max(low, function.floor_mb) else 2 * now_mb))
    config = made_function(now_mb)
    answer = {
        "kind": "observation",
        "function": {"name": config.name, "region": config.region},
        "window": {"to": "2026-11-29T00:00:00Z"},
        "rate_per_s": 1.0,
        "by_memory": [_row(function, min(size, high), case.longer, rng) for size in sizes_mb],
    }
    return observed_prior(answer, function=config.name, region=config.region, payloads=("empty",))


def _row(function: Function, memory_mb: int, longer: float, rng: random.Random) -> dict[str, Any]:
    shift = longer * math.exp(rng.gauss(0, _MIX_SHIFT))
    luck = [math.exp(rng.gauss(0, function.between_ratio)) for _ in range(_ENVIRONMENTS)]
    taken = [
        function.draw_ms(memory_mb, rng) * luck[n % _ENVIRONMENTS] * shift for n in range(_REPORTS)
    ]
    p50, p95, p99 = np.quantile(taken, (0.5, 0.95, 0.99)).tolist()
    return {
        "memory_mb": memory_mb,
        "invocation_count": _REPORTS,
        "duration_ms": {"mean": float(np.mean(taken)), "p50": p50, "p95": p95, "p99": p99},
        "max_memory_used_mb": function.used_mb,
        "oom_count": _REPORTS if memory_mb < function.floor_mb else 0,
    }


def runs_of(functions: Sequence[Function]) -> dict[tuple[str, bool], list[GoalRun]]:
    """Runs of every case, without and with what was observed."""
    runs: dict[tuple[str, bool], list[GoalRun]] = defaultdict(list)
    for number, function in enumerate(functions):
        other = functions[(number + len(functions) // 2) % len(functions)]
        for current_mb in _CURRENT_MB:
            without = goal_run(function, current_mb, 0, DEFAULT)
            for case in CASES:
                code = replace(other, used_mb=function.used_mb, floor_mb=function.floor_mb)
                prior = observed(code if case.other_code else function, current_mb, case)
                runs[case.title, False].append(without)
                runs[case.title, True].append(
                    goal_run(function, current_mb, 0, DEFAULT, prior=prior)
                )
    return runs


def rows() -> Iterator[Row]:
    """Of the functions that are held back: what is saved, and that no answer is worse."""
    runs = runs_of([each for each in all_functions() if is_held_out(each)])
    for case in CASES:
        before, after = runs[case.title, False], runs[case.title, True]
        counts = [float(np.mean([r.invocation_count for r in each])) for each in (before, after)]
        yield (
            f"invocations of a sweep, {case.title}",
            "fewer" if case.saves else "–",
            f"{counts[0]:.1f} → {counts[1]:.1f} ({counts[1] / counts[0] - 1:+.0%})",
            counts[1] < counts[0] or not case.saves,
        )
        yield _answers(case, before, after)


def _answers(case: Case, before: Sequence[GoalRun], after: Sequence[GoalRun]) -> Row:
    """Whether answers are as good as without, as far as so many runs can tell."""
    told, holds = [], True
    for what, score, allowed in (
        ("regret", lambda run: run.regret, _WORSE_REGRET),
        ("harmful", lambda run: run.harmful, _WORSE_SHARE),
        ("inconclusive", lambda run: run.verdict == "inconclusive", _WORSE_SHARE),
    ):
        was, now = (np.array([float(score(run)) for run in each]) for each in (before, after))
        error = float((now - was).std() / math.sqrt(len(was)))
        holds &= bool((now - was).mean() <= allowed + _SURE_DEVIATIONS * error)
        told.append(f"{what} {was.mean():.2%} → {now.mean():.2%} (± {error:.2%})")
    return f"answers, {case.title}", "no worse", ", ".join(told), holds


def main(arguments: Sequence[str]) -> int:
    """Print the figures of every case."""
    held_out = "--tuning" not in arguments
    runs = runs_of([each for each in all_functions() if is_held_out(each) == held_out])
    for (title, with_it), group in runs.items():
        told = f"{title}, {'with' if with_it else 'without'} the observation"
        print("\n".join(figures(told, group)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
