"""An answer in words: the verdict, whose it is, what was spent, and how it is carried out."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.breakeven.traffic import DEFAULT_PEAK_RATIO
from tuner.report import numbers
from tuner.report.plan import describe_config
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation


def headline(recommendation: Recommendation) -> str:
    """One line: `RESIZE 3008 → 1792 MB: 40 % cheaper (37–42 %), same speed.`"""
    choice, current = recommendation.choice, recommendation.current
    if choice.verdict == "inconclusive":
        return f"INCONCLUSIVE: {_sentence(choice.reason)}"
    if recommendation.variation is not None and choice.parameters:
        return f"{choice.verdict.upper()} {_pair(recommendation)}: {_pair_gains(recommendation)}."
    if choice.verdict == "keep":
        return f"KEEP {numbers.memory(current.memory_mb)}: {_sentence(choice.reason)}"
    return f"RESIZE {current.memory_mb} → {choice.memory_mb} MB: {_gains(recommendation)}."


def certainty(recommendation: Recommendation) -> str | None:
    """How sure the answer is: `94 % sure that no size is more than 1 % better …`."""
    choice = recommendation.choice
    if choice.confidence is None or choice.verdict == "inconclusive":
        return None
    sure = numbers.probability(choice.confidence)
    tolerance = numbers.percent(recommendation.goal.tolerance_ratio)
    what = "size"
    if choice.parameters:
        what = f"size and {plain(choice.parameters[0][0])}"
    better = f"{sure} sure that no {what} is more than {tolerance} better under this goal"
    if choice.expected_regret_ratio is None:
        return f"{better}."
    return f"{better} (expected regret {numbers.percent(choice.expected_regret_ratio)})."


def cost_of_records(recommendation: Recommendation) -> str | None:
    """What a million records cost, now and then; None where events hold one."""
    choice, current = recommendation.choice, recommendation.current
    now, then = current.cost_usd_per_million_records, choice.cost_usd_per_million_records
    if then is None:
        return None
    low, high = map(numbers.usd_per_million, (then.low, then.high))
    text = f"A million records cost ${numbers.usd_per_million(then.estimate)} (${low}–{high})"
    return f"{text}." if now is None else f"{text}, now ${numbers.usd_per_million(now.estimate)}."


def break_even_line(recommendation: Recommendation) -> str | None:
    """From which rate on it is cheaper elsewhere, where no rate was given to judge by."""
    platform = recommendation.platform
    if platform is None or platform.verdict is not None:
        return None
    peak = f"where traffic peaks at {DEFAULT_PEAK_RATIO:g} times its mean"
    if platform.break_even_rate_per_s is None:
        return f"At no rate of requests is another platform cheaper, {peak}."
    rate = numbers.rate(platform.break_even_rate_per_s)
    return f"Above {rate} another platform is cheaper, {peak} (your own rate decides)."


def best_pair(recommendation: Recommendation) -> str | None:
    """The pair that would serve best, where the verdict is for all values of a parameter."""
    variation = recommendation.variation
    if variation is None or recommendation.choice.parameters or variation.best_value is None:
        return None
    [size] = [v.memory_mb for v in variation.values if v.value == variation.best_value]
    if size is None:
        return None
    name, value = plain(variation.parameter.name), plain(variation.best_value)
    return (
        f"Where {name} can be chosen, {numbers.memory(size)} with {name} {value} serves this goal "
        "best."
    )


def _pair(recommendation: Recommendation) -> str:
    """The size and the value, each with what it is now where it differs."""
    choice, current = recommendation.choice, recommendation.current
    [(name, value)] = choice.parameters
    now = dict(current.parameters).get(name, value)
    size = numbers.memory(current.memory_mb)
    if choice.memory_mb != current.memory_mb:
        size = f"{current.memory_mb} → {choice.memory_mb} MB"
    if now == value:
        return f"{size} with {plain(name)} {plain(value)}"
    return f"{size}, {plain(name)} {plain(now)} → {plain(value)}"


def _pair_gains(recommendation: Recommendation) -> str:
    choice, current = recommendation.choice, recommendation.current
    if choice.verdict == "keep" and choice.parameters == current.parameters:
        return plain(choice.reason).rstrip(".")
    if choice.saving_ratio is None:
        return plain(choice.reason).rstrip(".")
    gains = f"a record is {numbers.saving(choice.saving_ratio)}"
    return f"{gains}, modelled, not measured" if choice.basis == "modelled" else gains


def _gains(recommendation: Recommendation) -> str:
    choice, before = recommendation.choice, recommendation.current.duration_ms
    gains = []
    if choice.saving_ratio is not None:
        gains.append(numbers.saving(choice.saving_ratio))
    if choice.saving_usd_per_month is not None:
        gains.append(numbers.monthly_saving(choice.saving_usd_per_month))
    if before is not None and choice.duration_ms is not None:
        gains.append(numbers.speed(before.estimate, choice.duration_ms.estimate))
    if not gains:
        return plain(choice.reason).rstrip(".")
    if choice.basis == "modelled":
        gains.append("modelled, not measured")
    return ", ".join(gains)


def _sentence(text: str) -> str:
    text = plain(text).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


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


def apply_command(recommendation: Recommendation) -> str | None:
    """The AWS CLI's command that carries the answer out; None where there is nothing to do."""
    choice = recommendation.choice
    if choice.verdict != "resize" or recommendation.environment != "aws":
        return None
    name = shlex.quote(plain(recommendation.function.name))
    region = shlex.quote(plain(recommendation.function.region))
    return (
        f"aws lambda update-function-configuration --region {region} "
        f"--function-name {name} --memory-size {choice.memory_mb}"
    )


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
