"""Recommendations made by hand, one for each verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.sweeps import cpu_bound_ms, made_function
from tuner.model.finding import Finding
from tuner.model.goal import Goal, OptionName
from tuner.model.interval import Interval
from tuner.model.recommendation import (
    Choice,
    CurrentSize,
    Option,
    PercentileEstimate,
    PriceStamp,
    Recommendation,
    SizeEstimate,
    SizeSummary,
    SweepStamp,
)

SIZES_MB = (128, 256, 512, 1024, 1792, 3008)
CANDIDATES_MB = tuple(range(128, 3009, 64))


def about(value: float, spread: float = 0.03) -> Interval:
    return Interval(value, value * (1 - spread), value * (1 + spread))


def cost_usd_per_million(memory_mb: int) -> float:
    return 0.2 + memory_mb / 1024 * cpu_bound_ms(memory_mb) / 1000 * 16.6667


def summary(memory_mb: int, **changes: Any) -> SizeSummary:
    made = SizeSummary(
        architecture="x86_64",
        memory_mb=memory_mb,
        payload="event",
        invocation_count=6,
        environment_count=1,
        cold_start_count=1,
        error_count=0,
        timeout_count=0,
        oom_count=0,
        throttle_count=0,
        duration_ms=about(cpu_bound_ms(memory_mb)),
        cost_usd_per_million=about(cost_usd_per_million(memory_mb)),
        max_memory_used_mb=60,
    )
    return replace(made, **changes)


def estimate(memory_mb: int) -> SizeEstimate:
    return SizeEstimate(
        memory_mb,
        about(cpu_bound_ms(memory_mb)),
        about(cost_usd_per_million(memory_mb)),
        measured=memory_mb in SIZES_MB,
    )


def option(name: OptionName, memory_mb: int) -> Option:
    of = estimate(memory_mb)
    return Option(name, memory_mb, of.duration_ms, of.cost_usd_per_million, of.measured)


def with_percentiles(size: SizeEstimate) -> SizeEstimate:
    """A p95 a tenth above the mean, measured at 1792 MB only."""
    count = 45 if size.memory_mb == 1792 else 5
    p95 = PercentileEstimate(
        percentile=95,
        duration_ms=about(size.duration_ms.estimate * 1.1),
        basis="measured" if count == 45 else "modelled",
        sample_count=count,
        samples_needed=45,
    )
    return replace(size, percentiles=(p95,))


def resize(**changes: Any) -> Recommendation:
    """3008 to 1792 MB; 128 MB died for lack of memory."""
    made = Recommendation(
        environment="aws",
        function=made_function(3008, name="resize-images", region="eu-west-1"),
        goal=Goal(),
        choice=Choice(
            verdict="resize",
            memory_mb=1792,
            basis="measured",
            duration_ms=about(cpu_bound_ms(1792)),
            cost_usd_per_million=about(cost_usd_per_million(1792)),
            saving_ratio=Interval(0.40, 0.37, 0.42),
            saving_usd_per_month=None,
            expected_regret_ratio=0.007,
            regret_bound_ratio=0.0121,
            confidence=0.94,
            confidence_of="move",
            reason="1792 MB is the fastest size within 2% of the cheapest.",
        ),
        current=CurrentSize(3008, about(cpu_bound_ms(3008)), about(cost_usd_per_million(3008))),
        platform=None,
        sizes=(
            summary(128, oom_count=2, duration_ms=None, cost_usd_per_million=None),
            *(summary(memory_mb) for memory_mb in SIZES_MB[1:]),
        ),
        curve=tuple(estimate(memory_mb) for memory_mb in CANDIDATES_MB if memory_mb > 128),
        findings=(Finding("one-core", "info", "One core only: more than 1769 MB buys nothing."),),
        assumptions=("1 payload", "1% cold starts", "list prices of 2026-11-20"),
        prices=PriceStamp("2026-11-20", "eu-west-1"),
        sweep=SweepStamp("20261123-x", None, 36, 0.0004, 31.0, 6),
        options=(option("cheapest", 192), option("balanced", 1792), option("fastest", 1792)),
    )
    return replace(made, **changes)


def keep() -> Recommendation:
    made = resize()
    return replace(
        made,
        function=made_function(1024, name="resize-images", region="eu-west-1"),
        current=CurrentSize(1024, about(cpu_bound_ms(1024)), about(cost_usd_per_million(1024))),
        choice=replace(
            made.choice,
            verdict="keep",
            memory_mb=1024,
            saving_ratio=Interval(0, 0, 0),
            confidence_of="best",
            reason="it is within 2% of the cheapest size",
        ),
    )


def inconclusive() -> Recommendation:
    made = resize()
    return replace(
        made,
        choice=Choice(
            verdict="inconclusive",
            memory_mb=None,
            basis="measured",
            duration_ms=None,
            cost_usd_per_million=None,
            saving_ratio=None,
            saving_usd_per_month=None,
            expected_regret_ratio=None,
            confidence=None,
            reason="the sweep was interrupted before the current size had warm samples",
        ),
        current=CurrentSize(3008, None, None),
        curve=(),
        options=(),
        sizes=(summary(512, duration_ms=None, cost_usd_per_million=None),),
    )
