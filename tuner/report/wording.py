"""Answers in words: the verdict, what it applies to, what it's worth, and what was spent."""

from __future__ import annotations

import math
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tuner.breakeven.traffic import DEFAULT_PEAK_RATIO
from tuner.model.goal import TIME_WEIGHTS
from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.plan import describe_config
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from tuner.model.recommendation import Recommendation


_MAIN_ASSUMPTIONS: Final = 3
"""Payloads, cold starts and prices come first."""
_GENERAL: Final = "intervals describe"
"""The start of an assumption that every answer has: it says nothing about this one."""


def headline(recommendation: Recommendation) -> str:
    """One line: `RESIZE 3008 → 1792 MB: 40% cheaper (37–42%), same speed.`"""
    choice, current = recommendation.choice, recommendation.current
    if choice.verdict == "inconclusive":
        return f"INCONCLUSIVE: {_sentence(choice.reason)}"
    if recommendation.variation is not None and choice.parameters:
        return f"{choice.verdict.upper()} {_pair(recommendation)}: {_pair_gains(recommendation)}."
    if choice.verdict == "keep":
        return f"KEEP {numbers.memory(current.memory_mb)}: {_sentence(choice.reason)}"
    size = f"{current.memory_mb} → {choice.memory_mb} MB"
    if (kind := recommendation.moves_to) is not None:
        if choice.memory_mb == current.memory_mb:
            size = numbers.memory(current.memory_mb)
        size += f", {recommendation.function.architecture} → {kind}"
    return f"RESIZE {size}: {_gains(recommendation)}."


def money(recommendation: Recommendation) -> str | None:
    """What the change means: `Saves about $114 a month at 4.2 requests/s.`, or per million
    invocations if no rate is known. None without a change, and if nothing is known.
    """
    choice, million = recommendation.choice, recommendation.saving_usd_per_million
    if choice.verdict == "inconclusive" or choice.saving_ratio is None:
        return None
    if choice.verdict == "keep" and choice.parameters == recommendation.current.parameters:
        return None
    month, rate_per_s = choice.saving_usd_per_month, recommendation.rate_per_s
    if month is not None and rate_per_s is not None:
        amount, at = month.estimate, f"a month at {numbers.rate(rate_per_s)}"
    elif million is not None:
        amount, at = million, "per million invocations"
    else:
        return None
    said = numbers.rough_usd(abs(amount))
    return f"Saves about {said} {at}." if amount >= 0 else f"Costs about {said} more {at}."


def certainty(recommendation: Recommendation) -> str | None:
    """How sure the answer is: `99% sure it beats 3008 MB; at most 2% from the best size.`"""
    choice = recommendation.choice
    if choice.confidence is None or choice.verdict == "inconclusive":
        return None
    sure = numbers.probability(choice.confidence)
    tolerance = numbers.percent(recommendation.goal.tolerance_ratio)
    what = "size"
    if choice.parameters:
        what = f"size and {plain(choice.parameters[0][0])}"
    bound = choice.regret_bound_ratio
    if choice.confidence_of == "move":
        now = numbers.memory(recommendation.current.memory_mb)
        if choice.architecture is not None:
            now += f" on {recommendation.function.architecture}"
        if choice.parameters:
            now += "".join(
                f" with {plain(n)} {plain(v)}" for n, v in recommendation.current.parameters
            )
        text = f"{sure} sure it beats {now}"
        if any(each.code == "host_busy" for each in recommendation.findings):
            text += f", even if this busy machine made {now} look twice as slow as it is"
        from_best = f"the best {what}"
    else:
        text, from_best = f"{sure} sure this is within {tolerance} of the best {what}", "it"
    return f"{text}." if bound is None else f"{text}; at most {_at_most(bound)} from {from_best}."


def _at_most(ratio: float) -> str:
    """A bound, rounded up."""
    step = 0.01 if ratio > 0.01 else 0.001
    return numbers.percent(max(math.ceil(ratio / step - 1e-6) * step, step))


def goal_line(recommendation: Recommendation) -> str:
    """The goal: `Goal: cost (a size twice as fast may cost 7% more).`"""
    goal = recommendation.goal
    weight = goal.weight
    if weight == 0:
        return "Goal: cost alone (speed doesn't count)."
    named: str = goal.first
    if weight != TIME_WEIGHTS[goal.first]:
        named += f", time weight {weight:g}"
    if weight < 1:
        more = numbers.percent(goal.cost_ratio_for_twice_the_speed - 1)
        worth = f"a size twice as fast may cost {more} more"
    elif weight == 1:
        worth = "a size twice as fast may cost twice as much"
    else:
        faster = numbers.percent(goal.speed_ratio_for_twice_the_cost - 1)
        worth = f"a size {faster} faster may cost twice as much"
    return f"Goal: {named} ({worth})."


def cost_of_records(recommendation: Recommendation) -> str | None:
    """What a million records cost, now and then; None if events have one."""
    choice, current = recommendation.choice, recommendation.current
    now, then = current.cost_usd_per_million_records, choice.cost_usd_per_million_records
    if then is None:
        return None
    low, high = map(numbers.usd_per_million, (then.low, then.high))
    text = f"A million records cost ${numbers.usd_per_million(then.estimate)} (${low}–{high})"
    return f"{text}." if now is None else f"{text}, now ${numbers.usd_per_million(now.estimate)}."


def break_even_line(recommendation: Recommendation) -> str | None:
    """The rate above which another platform is cheaper, if no rate was given to judge by."""
    platform = recommendation.platform
    if platform is None or platform.verdict is not None:
        return None
    peak = f"with peaks of {DEFAULT_PEAK_RATIO:g} times the mean"
    if platform.break_even_rate_per_s is None:
        return f"No other platform is cheaper at any rate, {peak}."
    rate = numbers.rate(platform.break_even_rate_per_s)
    return f"Above {rate} another platform is cheaper, {peak} (pass your rate: `rate_per_s`)."


def best_pair(recommendation: Recommendation) -> str | None:
    """The pair that would serve best, if the verdict is for all values of a parameter."""
    variation = recommendation.variation
    if variation is None or recommendation.choice.parameters or variation.best_value is None:
        return None
    if variation.parameter.is_architecture:
        return None
    [size] = [v.memory_mb for v in variation.values if v.value == variation.best_value]
    if size is None:
        return None
    name, value = plain(variation.parameter.name), plain(variation.best_value)
    best = f"{numbers.memory(size)} with {name} {value}"
    return f"If you can choose {name}, {best} serves this goal best."


def _pair(recommendation: Recommendation) -> str:
    """The size and the value, each with its present one if that differs."""
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
    if choice.saving_ratio is None:  # the current size fails: nothing compares with it
        return plain(choice.reason).rstrip(".")
    gains = [numbers.saving(choice.saving_ratio)]
    if before is not None and choice.duration_ms is not None:
        gains.append(numbers.speed(before.estimate, choice.duration_ms.estimate))
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
    """What was spent: `9 invocations, 4 sizes, 31 s, $0.0003`."""
    sweep = recommendation.sweep
    cost = numbers.usd(sweep.cost_usd)
    parts = [
        counted(sweep.invocation_count, "invocation"),
        counted(len({size.memory_mb for size in recommendation.sizes}), "size"),
        numbers.wall_time(sweep.wall_s),
        f"{cost} on AWS, free here" if recommendation.environment == "local" else cost,
    ]
    return ", ".join(parts)


def assumption_line(recommendation: Recommendation) -> str:
    """The main assumptions: `Assumes 1 payload, 1% cold starts, list prices of 2026-11-20.`

    If the prices are old, the warning gives their date instead.
    """
    old = any(each.code == "old_prices" for each in recommendation.findings)
    left_out = (_GENERAL, "list prices of") if old else (_GENERAL,)
    own = [each for each in recommendation.assumptions if not each.startswith(left_out)]
    first = [plain(each).partition(",")[0] for each in own[:_MAIN_ASSUMPTIONS]]
    return f"Assumes {', '.join(first)}."


def apply_command(recommendation: Recommendation) -> str | None:
    """The AWS CLI's command that applies the answer; None if there is nothing to do."""
    choice = recommendation.choice
    if choice.verdict != "resize" or recommendation.environment != "aws":
        return None
    name = shlex.quote(plain(recommendation.function.name))
    region = shlex.quote(plain(recommendation.function.region))
    return (
        f"aws lambda update-function-configuration --region {region} "
        f"--function-name {name} --memory-size {choice.memory_mb}"
    )


def pay_back(recommendation: Recommendation) -> str | None:
    """When the sweep has paid for itself: `The sweep's $0.01 pays for itself after about 900
    invocations (850 to 960).`
    """
    after = recommendation.sweep.pays_back_after_invocations
    if after is None:
        return None
    cost = numbers.usd(recommendation.sweep.cost_usd)
    low, high = (max(count, 1) for count in (after.low, after.high))
    count = counted(f"{max(after.estimate, 1):,.0f}", "invocation")
    least, most = f"{low:,.0f}", f"{high:,.0f}"
    between = "" if least == most else f" ({least} to {most})"
    return f"The sweep's {cost} pays for itself after about {count}{between}."
