"""What else the sweep shows: each finding with its evidence and what to do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tuner.decision.constraints import HEADROOM_USE_RATIO, fails_at_random, floor_gap_mb
from tuner.decision.repeats import NOISE_RATIO
from tuner.decision.replies import replies_findings
from tuner.decision.verdict import errors_are_random, memory_may_explain
from tuner.model.finding import Finding
from tuner.model.interval import figure, percent
from tuner.model.invocation import Outcome
from tuner.model.lambda_limits import MB_PER_VCPU

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.decision.evidence import Evidence
    from tuner.decision.problem import Problem
    from tuner.model.arrays import Floats
    from tuner.model.recommendation import Choice
    from tuner.model.sweep import Sweep

_TIMEOUT_USE_RATIO = 0.7
_PAYLOADS_APART = 1.5
_RISE_DOUBT = 0.05
"""The largest probability that a reported rise in duration isn't that large."""
_LEAST_LOG_RISE = math.log(1.05)
_USUAL_GRID_MB = (128, 256, 512, 1024, 1536, 3008)
"""The sizes that tools with a fixed grid measure by default."""


def size_findings(sweep: Sweep, evidence: Evidence) -> Iterator[Finding]:
    """Findings about sizes that need no curve: failures, and what was answered."""
    yield from _failures(evidence)
    yield from _function_errors(evidence)
    yield from replies_findings(evidence, sweep.function.memory_mb)


def sweep_findings(sweep: Sweep, evidence: Evidence) -> Iterator[Finding]:
    """Findings about no size that need no curve: throttles, payloads without a sample."""
    if sweep.throttle_count and all(each.code != "throttled" for each in sweep.findings):
        yield Finding(  # from a sweep that was cut off before it could report them
            "throttled",
            "info",
            f"{sweep.throttle_count} calls were throttled and retried; a throttled call runs "
            "nothing. A lower `concurrency` avoids them",
        )
    unsampled = set(evidence.unsampled_payloads)
    if not unsampled or unsampled == set(evidence.samples):
        return  # there are no samples: the verdict says why
    for seen, advice in (
        (False, "never succeeded: fix it or leave it out"),
        (True, "has no warm sample yet: allow more invocations (`max_invocations`)"),
    ):
        names = [name for name in evidence.samples if name in unsampled]
        names = [name for name in names if bool(evidence.samples[name]) is seen]
        if names:
            message = f"payload {', '.join(names)} {advice}"
            yield Finding("payload_without_sample", "error", message)


def problem_findings(problem: Problem, choice: Choice, timeout_s: int) -> Iterator[Finding]:
    """Findings about the curve and the answer."""
    yield from _rises(problem)
    yield from _cores(problem)
    yield from _waits(problem)
    yield from _memory(problem, choice)
    yield from _time_left(problem, choice, timeout_s)
    yield from _payloads(problem, choice)
    yield from _noise(problem)
    yield from _modelled(problem, choice)
    yield from _usual_grid(problem, choice)


def _failures(evidence: Evidence) -> Iterator[Finding]:
    """Sizes that fail, by outcome."""
    by_outcome = {
        outcome: {m: c[outcome] for m, c in sorted(evidence.failures.items()) if c[outcome]}
        for outcome in (Outcome.OUT_OF_MEMORY, Outcome.TIMEOUT)
    }
    if sizes := by_outcome[Outcome.OUT_OF_MEMORY]:
        yield Finding(
            "out_of_memory",
            "warning",
            f"ran out of memory at {_list(sizes)}: these sizes and all below are ruled out"
            f"{_gap(evidence)}",
        )
    if sizes := by_outcome[Outcome.TIMEOUT]:
        advice = "raise the function's timeout to consider them"
        if any(fails_at_random(evidence, size) for size in sizes):
            advice = "smaller sizes succeed, so memory isn't the cause; check what it waits for"
        yield Finding(
            "timeout",
            "warning",
            f"timed out at {_list(sizes)}: these sizes are ruled out; {advice}",
        )


def _function_errors(evidence: Evidence) -> Iterator[Finding]:
    """Handler errors, related to memory or not; if nothing succeeded, the verdict says so."""
    errors = {m: c[Outcome.FUNCTION_ERROR] for m, c in sorted(evidence.failures.items())}
    sizes = {m: count for m, count in errors.items() if count}
    if not sizes or not any(evidence.success_counts.values()):
        return
    random = errors_are_random(evidence)
    if random:
        advice = "the errors have nothing to do with memory: fix them before trusting any size"
    elif any(not memory_may_explain(evidence, size) for size in sizes):
        advice = "smaller sizes succeed, so memory isn't the cause; check the function's log"
    else:
        advice = "ruled out; check the function's log"
    count, runs = sum(sizes.values()), sum(evidence.success_counts.values())
    runs += sum(sum(counts.values()) for counts in evidence.failures.values())
    yield Finding(
        "errors_at_random" if random else "function_error",
        "error" if random else "warning",
        f"{count} of {runs} invocations failed with a function error, at {_list(sizes)}: {advice}",
    )


def _rises(problem: Problem) -> Iterator[Finding]:
    """A duration that surely rises with memory somewhere, as measured."""
    columns = problem.estimates.columns(problem.measured)
    logs = np.log(problem.estimates.duration_ms[:, columns])
    smalls, larges = np.triu_indices(len(columns), k=1)
    rises = np.quantile(logs[:, larges] - logs[:, smalls], _RISE_DOUBT, axis=0)
    surely = zip(rises.tolist(), smalls.tolist(), larges.tolist(), strict=True)
    rise, small, large = max(surely, default=(0.0, 0, 0))
    if rise <= _LEAST_LOG_RISE:
        return
    small_ms, large_ms = (float(np.exp(logs[:, column]).mean()) for column in (small, large))
    sizes = problem.measured
    yield Finding(
        "not_monotone",
        "warning",
        f"more memory makes it slower: {figure(small_ms)} ms at {sizes[small]} MB, "
        f"{figure(large_ms)} ms at {sizes[large]} MB. Check what the code sizes by memory "
        "(workers, threads, caches); estimates for sizes not measured may be off (add them with "
        "`memory_sizes_mb`)",
    )


def _cores(problem: Problem) -> Iterator[Finding]:
    """One core or more: the largest measured size against one vCPU, if both are well known."""
    if (
        not problem.measured
        or problem.measured[-1] < 1.4 * MB_PER_VCPU
        or _flat_below_a_core(problem)
    ):
        return
    largest = problem.measured[-1]
    one_core = min(problem.estimates.sizes_mb, key=lambda m: abs(m - MB_PER_VCPU))
    speedup = _ratio(problem, one_core, largest)
    if np.quantile(speedup, 0.95) < 1.15:
        yield Finding(
            "one_core_only",
            "info",
            f"uses one core: {one_core} → {largest} MB makes it {_faster(speedup)}, and sizes "
            f"above {MB_PER_VCPU} MB buy no speed unless the code uses several",
        )
    elif np.quantile(speedup, 0.05) > 1.2:
        yield Finding(
            "uses_more_cores",
            "info",
            f"uses more than one core: {one_core} → {largest} MB makes it "
            f"{np.mean(speedup):.1f}× as fast",
        )


def _waits(problem: Problem) -> Iterator[Finding]:
    """A duration that memory does not change."""
    if len(problem.measured) < 2 or problem.measured[-1] < 4 * problem.measured[0]:
        return
    smallest, largest = problem.measured[0], problem.measured[-1]
    speedup = _ratio(problem, smallest, largest)
    if np.quantile(speedup, 0.95) < 1.3:
        yield Finding(
            "waits_mostly",
            "info",
            f"mostly waits, so memory doesn't help: {largest / smallest:.0f}× the memory "
            f"({smallest} → {largest} MB) makes it {_faster(speedup)}",
        )


def _memory(problem: Problem, choice: Choice) -> Iterator[Finding]:
    """Sizes barred for headroom, or an answer near its memory floor."""
    used = problem.evidence.memory_used_mb
    tight = {m: u for m, u in used.items() if u > HEADROOM_USE_RATIO * m}
    if tight:
        size = max(tight)
        yield Finding(
            "memory_headroom",
            "warning",
            f"uses {tight[size]} of {size} MB, which leaves under 20% free: {size} MB and below "
            f"are ruled out",
        )
    chosen = choice.memory_mb
    if chosen is not None and 0.6 * chosen < used.get(chosen, 0) <= HEADROOM_USE_RATIO * chosen:
        yield Finding(
            "memory_floor_near",
            "warning",
            f"uses {used[chosen]} of {chosen} MB at the recommended size: payloads larger than "
            f"those measured may not fit",
        )


def _time_left(problem: Problem, choice: Choice, timeout_s: int) -> Iterator[Finding]:
    """Durations near the timeout at the answer (or, without one, at the current size)."""
    size = choice.memory_mb or problem.current_mb
    evidence = problem.evidence
    durations = [ms for payload in evidence.samples for ms in evidence.warm_ms(payload, size)]
    longest_ms = max(durations, default=0.0)
    if longest_ms > _TIMEOUT_USE_RATIO * timeout_s * 1000:
        yield Finding(
            "close_to_timeout",
            "warning",
            f"took up to {longest_ms / 1000:.1f} s of its {timeout_s} s timeout at {size} MB: "
            f"raise the timeout or choose a faster size",
        )


def _payloads(problem: Problem, choice: Choice) -> Iterator[Finding]:
    """Payloads with very different durations: the mix decides the mean."""
    column = problem.estimates.column(choice.memory_mb or problem.current_mb)
    means = {
        name: float(d[:, column].mean()) for name, d in problem.estimates.by_payload_ms.items()
    }
    shortest, longest = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    if means[longest] > _PAYLOADS_APART * means[shortest]:
        yield Finding(
            "payloads_differ",
            "info",
            f"payload {longest} takes {means[longest] / means[shortest]:.1f}× as long as "
            f"{shortest}, so the answer depends on their weights: check them against real traffic",
        )


def _noise(problem: Problem) -> Iterator[Finding]:
    if problem.estimates.within_ratio > NOISE_RATIO:
        yield Finding(
            "noisy",
            "warning",
            f"durations vary by {percent(problem.estimates.within_ratio)} at one size: more "
            f"invocations (`max_invocations`) or steadier payloads would narrow the answer",
        )


def _modelled(problem: Problem, choice: Choice) -> Iterator[Finding]:
    """An answer that rests on the curve or on an assumed distribution."""
    size = choice.memory_mb or choice.best_so_far_mb
    if size is None:
        return
    if size not in problem.measured:
        yield Finding(
            "modelled",
            "warning",
            f"{size} MB has no warm sample; its figures come from the curve. Measure it with "
            f"`memory_sizes_mb`",
        )
    latency = problem.constraints.latencies.get(size)
    if latency is not None and not latency.measured:
        yield Finding(
            "percentile_modelled",
            "warning",
            f"p{problem.goal.percentile:g} at {size} MB is modelled; {latency.samples_missing} "
            f"more samples there would measure it",
        )


def _flat_below_a_core(problem: Problem) -> bool:
    """Whether more CPU doesn't help even below one core: then cores don't matter."""
    below = [m for m in problem.measured if m <= MB_PER_VCPU / 2]
    return not below or float(np.mean(_ratio(problem, below[0], problem.measured[-1]))) < 1.3


def _ratio(problem: Problem, slow_mb: int, fast_mb: int) -> Floats:
    """Duration at one size over that at another, draw by draw."""
    durations, column = problem.estimates.duration_ms, problem.estimates.column
    return np.asarray(durations[:, column(slow_mb)] / durations[:, column(fast_mb)])


def _faster(speedup: Floats) -> str:
    """Say "only 2% faster", or "no faster" below half a percent."""
    gain = float(np.mean(speedup)) - 1
    return "no faster" if gain < 0.005 else f"only {percent(gain)} faster"


def _gap(evidence: Evidence) -> str:
    """Say which sizes above the kill weren't tried."""
    gap = floor_gap_mb(evidence)
    if gap is None or gap[1] - gap[0] <= 64:
        return ""
    return f"; nothing between {gap[0]} and {gap[1]} MB was tried (`memory_sizes_mb`)"


def _list(counts: dict[int, int]) -> str:
    """Say "128 MB (2×), 256 MB"."""
    return ", ".join(f"{m} MB" + (f" ({n}×)" if n > 1 else "") for m, n in counts.items())


def _usual_grid(problem: Problem, choice: Choice) -> Iterator[Finding]:
    """A fixed grid's answer, where it is surely worse by more than the tolerance."""
    if choice.memory_mb is None:
        return
    bars = problem.constraints.bars
    columns = [problem.estimates.column(m) for m in _USUAL_GRID_MB if bars.get(m, "absent") is None]
    if len(columns) < 2:
        return
    objective = problem.ranking.objective
    pick = min(columns, key=lambda column: float(objective[:, column].mean()))
    worse = objective[:, pick] / objective[:, problem.estimates.column(choice.memory_mb)] - 1
    if np.quantile(worse, 0.05) > problem.goal.tolerance_ratio:
        sizes = ", ".join(map(str, _USUAL_GRID_MB))
        yield Finding(
            "grid_would_differ",
            "info",
            f"a fixed grid of {sizes} MB would have picked {problem.estimates.sizes_mb[pick]} MB, "
            f"which is {percent(float(np.mean(worse)))} worse for this goal",
        )
