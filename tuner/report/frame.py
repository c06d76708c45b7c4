"""What stands around an answer: whose it is, what was spent, and what to do next."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.report import numbers
from tuner.report.foreign import plain
from tuner.report.plan import describe_config

if TYPE_CHECKING:
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


def next_commands(recommendation: Recommendation, source: str | None = None) -> tuple[str, ...]:
    """Commands that make sense after this answer, ready to be pasted."""
    name = shlex.quote(plain(recommendation.function.name))
    sweep = shlex.quote(plain(source or recommendation.sweep.file or recommendation.function.name))
    commands = [f"tuner report {sweep} --format markdown"]
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
