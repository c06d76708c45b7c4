"""Timeouts of states: an attempt that takes longer fails, so a size that reaches them is no choice.

How executions go is sampled without any size in it (`executions`), and so are their failures. So
that it holds, a function gets no size at which noticeably more attempts time out than at the best
of its sizes; where they do all the same, or do now, a finding says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from tuner.decision.workflow.function_times import PERCENTILES
from tuner.model.finding import Finding
from tuner.model.interval import percent
from tuner.model.workflow import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.decision.workflow.function_times import FunctionTimes
    from tuner.model.arrays import Floats
    from tuner.model.workflow import Machine

_NOTICEABLE: Final = 0.001
"""Share of attempts."""
_CALLBACK: Final = ".waitForTaskToken"
"""Its timeout is for whoever has the token, not for the function."""


@dataclass(frozen=True, slots=True)
class StateTimeout:
    """A state whose attempts end after a time, with the share that reaches it by size."""

    state: str
    timeout_s: float
    function: FunctionTimes
    shares: Floats

    def share_at(self, memory_mb: int) -> float:
        """Share of attempts that would take longer at a size."""
        return float(self.shares[self.function.column(memory_mb)])

    @property
    def within(self) -> tuple[bool, ...]:
        """Which sizes may be chosen."""
        allowed = np.array(self.function.allowed)
        least = float(self.shares[allowed].min())
        return tuple((allowed & (self.shares <= least + _NOTICEABLE)).tolist())


def state_timeouts(machine: Machine, functions: Sequence[FunctionTimes]) -> list[StateTimeout]:
    """Those of states that wait for one of the functions."""
    by_name = {each.name: each for each in functions}
    return [
        StateTimeout(state.name, state.timeout_s, of, _shares_above(of, 1000 * state.timeout_s))
        for state in machine.walk()
        if isinstance(state, Task) and state.timeout_s is not None and state.awaits_result
        if not state.resource.endswith(_CALLBACK)
        if (of := by_name.get(state.function or "")) is not None
    ]


def within_timeouts(
    functions: Sequence[FunctionTimes], timeouts: Sequence[StateTimeout]
) -> tuple[FunctionTimes, ...]:
    """The functions without the sizes that reach a timeout; the strictest one of each counts."""
    strictest: dict[str, StateTimeout] = {}
    for each in sorted(timeouts, key=lambda timeout: -timeout.timeout_s):
        strictest[each.function.name] = each
    return tuple(
        replace(each, allowed=strictest[each.name].within) if each.name in strictest else each
        for each in functions
    )


def timeout_findings(
    timeouts: Sequence[StateTimeout], chosen_mb: Mapping[str, int]
) -> Iterator[Finding]:
    """What times out at the chosen sizes and now, and which sizes that ruled out."""
    for each in timeouts:
        function, now_mb = each.function, each.function.current_mb
        name, limit = (
            function.name,
            f"the TimeoutSeconds of state {each.state} ({each.timeout_s:g} s)",
        )
        now, then = each.share_at(now_mb), each.share_at(chosen_mb[name])
        ruled_out = [
            size
            for size, allowed, within in zip(
                function.sizes_mb, function.allowed, each.within, strict=True
            )
            if allowed and not within
        ]
        if then > _NOTICEABLE:
            yield Finding(
                "workflow_state_times_out",
                "warning",
                f"{name} takes longer than {limit} in {percent(then)} of calls at "
                f"{chosen_mb[name]} MB: they fail, and no figure here has that; raise it, or "
                "make the function faster",
            )
        elif now > _NOTICEABLE:
            yield Finding(
                "workflow_state_times_out",
                "warning",
                f"{name} takes longer than {limit} in {percent(now)} of calls at {now_mb} MB: "
                "they fail now, and the figures for now don't have that",
            )
        elif ruled_out:
            yield Finding(
                "workflow_state_times_out",
                "info",
                f"{name} isn't given {_sizes(ruled_out)}: it would reach {limit} there",
            )


def run_timeout_finding(machine: Machine, durations_ms: Floats) -> Finding | None:
    """The state machine's own timeout, if executions reach it."""
    if machine.timeout_s is None:
        return None
    share = float(np.mean(durations_ms > 1000 * machine.timeout_s))
    if share <= _NOTICEABLE:
        return None
    return Finding(
        "workflow_state_times_out",
        "warning",
        f"{percent(share)} of executions take longer than the state machine's TimeoutSeconds "
        f"({machine.timeout_s:g} s) at these sizes: they fail, and no figure here has that",
    )


def _shares_above(function: FunctionTimes, limit_ms: float) -> Floats:
    """Share of calls that take longer, with cold ones: (sizes,)."""
    known, cold = function.typical, function.cold_share
    edges, total = np.array(PERCENTILES) / 100, np.zeros(len(function.sizes_mb))
    for number, weight in enumerate(function.payload_weights):
        mean_ms, ratios = known.mean_ms[number], known.ratios[number]

        def above(left_ms: Floats | float, per_ratio_ms: Floats, ratios: Floats = ratios) -> Floats:
            return np.asarray(1 - np.interp(left_ms / per_ratio_ms, ratios, edges, 0.0, 1.0))

        warm = above(limit_ms, mean_ms)
        slow = above(limit_ms - known.init_ms, mean_ms * function.slowness[number])
        total += weight * ((1 - cold) * warm + cold * slow)
    return total


def _sizes(sizes_mb: Sequence[int]) -> str:
    if len(sizes_mb) > 1:
        return f"{sizes_mb[0]} to {sizes_mb[-1]} MB"
    return f"{sizes_mb[0]} MB"
