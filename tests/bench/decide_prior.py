"""`python -m tests.bench.decide_prior`: what an earlier sweep saves, and what it costs where it is
wrong.

Every function is swept once, and then decided about again as it became: unchanged; 10% slower or
faster; with another shape under the same digest (it waits more, or falls less with memory); with
other code, which is another function's curve or nearly the same one. Each is decided with and
without the earlier sweep, from the same current size and with the same luck.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.bench.decide_goal import (
    CURRENT_MB,
    DEFAULT,
    all_functions,
    figures,
    goal_run,
    is_held_out,
)
from tests.bench.decide_runs import CHEAPEST, question_about, swept
from tests.sweeps import made_sweep
from tuner.sweep.earlier import prior_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.decide_goal import GoalRun, Setting
    from tests.bench.decide_world import Function
    from tuner.model.prior_evidence import PriorEvidence

_WAITS_SHARE: Final = 0.6
_FALLS_LESS: Final = 0.35


def _as_it_is(function: Function, _other: Function) -> Function:
    return function


def _times(ratio: float) -> Callable[[Function, Function], Function]:
    def changed(function: Function, _other: Function) -> Function:
        return _reshaped(function, lambda _memory_mb: ratio)

    return changed


def _waits_more(function: Function, _other: Function) -> Function:
    """Every call waits longer, by a share of what it takes at 1,024 MB."""
    wait_ms = _WAITS_SHARE * function.truth_ms(1024)
    return _reshaped(function, lambda memory_mb: 1 + wait_ms / function.truth_ms(memory_mb))


def _falls_less(function: Function, _other: Function) -> Function:
    """What memory took away of the duration it takes away in part."""
    return _reshaped(function, lambda memory_mb: (min(memory_mb, 1769) / 1769) ** _FALLS_LESS)


def _another(_function: Function, other: Function) -> Function:
    return other


def _reshaped(function: Function, factor: Callable[[int], float]) -> Function:
    return replace(
        function,
        truth_ms=lambda memory_mb: function.truth_ms(memory_mb) * factor(memory_mb),
        draw_ms=lambda memory_mb, rng: function.draw_ms(memory_mb, rng) * factor(memory_mb),
    )


CASES: Final[dict[str, tuple[bool, Callable[[Function, Function], Function]]]] = {
    "unchanged": (True, _as_it_is),
    "10% slower": (True, _times(1.1)),
    "10% faster": (True, _times(0.9)),
    "waits more": (True, _waits_more),
    "falls less": (True, _falls_less),
    "other code, the same curve": (False, _as_it_is),
    "other code, another curve": (False, _another),
}
"""Whether the digest is the same, and what the function became."""


def earlier_sweep(
    function: Function, current_mb: int, *, same_code: bool, setting: Setting = DEFAULT
) -> PriorEvidence:
    """What a first sweep of a function tells of it later on."""
    question = question_about(function, setting.goal, current_mb=current_mb)
    world = swept(function, question, f"{function.name}/earlier", **setting.limits)
    made = made_sweep(sizes_mb=(128, 256), current_mb=question.function.memory_mb)
    earlier = replace(made, function=question.function, invocations=tuple(world.done))
    now = question.function if same_code else replace(question.function, code_sha256="other")
    return prior_evidence(earlier, now, made.plan.payloads, "aws")


def main(arguments: Sequence[str]) -> int:
    """Print the figures of every case, with and without the earlier sweep."""
    functions = [f for f in all_functions() if f.sizes_mb[0] == 128]
    if "--tuning" in arguments:
        functions = [f for f in functions if not is_held_out(f)]
    if "--held-out" in arguments:
        functions = [f for f in functions if is_held_out(f)]
    setting = replace(DEFAULT, goal=CHEAPEST) if "--plain" in arguments else DEFAULT
    wanted = [name for name in CASES if any(a in name for a in arguments)] or list(CASES)
    runs: dict[tuple[str, str], list[GoalRun]] = defaultdict(list)
    for number, function in enumerate(functions):
        other = functions[(number + len(functions) // 2) % len(functions)]
        for current_mb in CURRENT_MB:
            known: dict[bool, PriorEvidence] = {}
            for name in wanted:
                same_code, change = CASES[name]
                if same_code not in known:
                    known[same_code] = earlier_sweep(
                        function, current_mb, same_code=same_code, setting=setting
                    )
                became = change(function, other)
                for how, prior in (("without", None), ("with", known[same_code])):
                    run = goal_run(became, current_mb, 0, setting, prior=prior)
                    runs[name, how].append(run)
    for (name, how), group in runs.items():
        print("\n".join(figures(f"{name}, {how} the earlier sweep", group)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
