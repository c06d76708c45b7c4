"""What stands around an answer: whose it is, what was spent, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.foreign import plain
from tuner.report.plan import describe_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.breakeven.terms import Terms
    from tuner.model.goal import Goal
    from tuner.model.recommendation import Recommendation


def describe_function(recommendation: Recommendation) -> str:
    """The header: name, region, runtime, architecture, size and code."""
    local = recommendation.environment == "local"
    function = replace(recommendation.function, memory_mb=recommendation.current.memory_mb)
    return describe_config(function, "local" if local else function.region)


def describe_sweep(recommendation: Recommendation) -> str:
    """What was spent: invocations, sizes, environments, time and cost."""
    sizes = recommendation.sizes
    parts = [
        _count(recommendation.sweep.invocation_count, "invocation"),
        _count(len({size.memory_mb for size in sizes}), "size"),
        _count(recommendation.sweep.environment_count, "environment"),
        numbers.wall_time(recommendation.sweep.wall_s),
    ]
    cost = numbers.usd(recommendation.sweep.cost_usd)
    parts.append(f"{cost} on AWS, free here" if recommendation.environment == "local" else cost)
    return " · ".join(parts)


def goal_flags(goal: Goal, kept: Goal | None = None) -> list[str]:
    """The options that make this goal of the one that a sweep keeps, or else of the defaults."""
    usual = kept or type(goal)()
    written = {
        "--goal": (goal.name, usual.name),
        "--cost-slack": (goal.cost_slack_ratio, usual.cost_slack_ratio),
        "--tolerance": (goal.tolerance_ratio, usual.tolerance_ratio),
        "--max-cost-per-million": (goal.max_cost_usd_per_million, usual.max_cost_usd_per_million),
        "--cold-start-share": (goal.cold_start_share, usual.cold_start_share),
    }
    flags = [f"{name} {value}" for name, (value, before) in written.items() if value != before]
    if goal.percentile not in (None, usual.percentile):
        flags.append(f"--percentile {goal.percentile:g}")
    if goal.max_duration_ms not in (None, usual.max_duration_ms):
        flags.append(f"--max-duration {goal.max_duration_ms:g}ms")
    return flags


def limits_flags(min_memory_mb: int | None, max_memory_mb: int | None) -> list[str]:
    """The options of the range of sizes."""
    options = {"--min-memory": min_memory_mb, "--max-memory": max_memory_mb}
    return [f"{name} {value}" for name, value in options.items() if value is not None]


def terms_flags(terms: Terms) -> list[str]:
    """The options of the traffic and of what a change must save, where they are no defaults."""
    usual, flags = type(terms)(), []
    if terms.traffic.rate_per_s is not None:
        flags.append(f"--rate {terms.traffic.rate_per_s:g}/s")
    if terms.min_saving_usd_per_month != usual.min_saving_usd_per_month:
        flags.append(f"--min-saving-usd-per-month {terms.min_saving_usd_per_month:g}")
    if terms.min_saving_ratio is not None:
        flags.append(f"--min-saving-ratio {terms.min_saving_ratio:g}")
    return flags


def next_commands(
    recommendation: Recommendation, source: str | None = None, flags: Sequence[str] = ()
) -> tuple[str, ...]:
    """Commands that make sense after this answer, ready to be pasted.

    `flags` are the options without which the sweep's report would give another answer.
    """
    name = shlex.quote(plain(recommendation.function.name))
    sweep = shlex.quote(plain(source or recommendation.sweep.file or recommendation.function.name))
    commands = [" ".join(["tuner report", sweep, *flags, "--format markdown"])]
    choice = recommendation.choice
    if choice.verdict == "resize" and recommendation.environment == "aws":
        region = shlex.quote(plain(recommendation.function.region))
        commands.append(
            f"aws lambda update-function-configuration --region {region} "
            f"--function-name {name} --memory-size {choice.memory_mb}"
        )
    return tuple(commands)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
