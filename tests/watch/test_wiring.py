"""Findings by what an account says: circles, dropped recursion, queues that get older."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.observe.made import ObservedReport, store_of
from tuner.model.observation import Origin, Window
from tuner.pricing import load_price_book
from tuner.watch.watched import Watched, minutes_of
from tuner.watch.wiring import Points, Wiring, circle_of, wiring_findings

if TYPE_CHECKING:
    from tuner.model.watch import WatchFinding

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:{}"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:{}"
ALONE = Wiring("f", ARN.format("f"))
MINUTE = timedelta(minutes=1)


def found(wiring: Wiring, *others: Wiring) -> list[WatchFinding]:
    """Of a function that ran each minute of the last half hour."""
    reports = [
        (Origin("made", function="f"), ObservedReport(f"r{n}", NOW - n * MINUTE, 100.0, 100, 512))
        for n in range(30)
    ]
    prices = load_price_book().lambda_prices("eu-west-1", "x86_64")
    with store_of(*reports) as store:
        watched = Watched(store, "f", prices, NOW - 29 * MINUTE, NOW, Window())
        return list(wiring_findings(watched, minutes_of(watched), wiring, others))


def test_nothing_around_it_is_no_finding() -> None:
    """Neither sources nor targets."""
    assert found(ALONE) == []


def test_a_circle_is_a_remark() -> None:
    """f's results go to g's queue, and g's to f's: it may be by design, so it's no warning."""
    f = replace(ALONE, sources=(QUEUE.format("a"),), targets=((QUEUE.format("b"), "OnSuccess"),))
    g = Wiring("g", ARN.format("g"), (QUEUE.format("b"),), ((QUEUE.format("a"), "OnSuccess"),))
    assert circle_of(f, [g]) == (
        ARN.format("f"), QUEUE.format("b"), ARN.format("g"), QUEUE.format("a"), ARN.format("f")
    )  # fmt: skip
    [one] = found(replace(f, recursive_loop="Terminate"), g)
    assert (one.finding.code, one.finding.severity) == ("recursion", "info")
    assert "sqs b → lambda g → sqs a" in one.finding.message
    assert "stops" in one.finding.message
    assert circle_of(f, []) is None


@pytest.mark.parametrize(("minutes_ago", "severity"), [(5, "error"), (600, "warning")])
def test_what_lambda_dropped_is_told(minutes_ago: int, severity: str) -> None:
    """An error while it goes on."""
    dropped: Points = ((NOW - minutes_ago * MINUTE, 3.0), (NOW, 0.0))
    [one] = found(replace(ALONE, dropped=dropped))
    assert (one.finding.code, one.finding.severity) == ("recursion", severity)
    assert dict(one.evidence)["dropped_count"] == 3


def ages(now_s: float, growth: float, *, most_before_s: float = 300.0, days: int = 5) -> Points:
    """A point each hour of earlier days, whose largest is the same, and each of 20 minutes."""
    past = [
        (NOW - timedelta(days=days) + timedelta(hours=n), most_before_s * (1 if n % 24 else 0.2))
        for n in range(24 * days - 1)
    ]
    lately = [(NOW - n * MINUTE, max(now_s - n * 60 * growth, 0.0)) for n in range(20, -1, -1)]
    return (*past, *lately)


def test_a_queue_that_gets_older_while_it_is_polled_is_found() -> None:
    """A second a second, far beyond its own days; what it costs is the consumer's last hour."""
    [one] = found(replace(ALONE, queue_ages_s=(("jobs", ages(5000.0, 1.0)),)))
    assert (one.finding.code, one.finding.severity) == ("queue_not_draining", "warning")
    assert dict(one.evidence)["age_s"] == 5000.0
    assert one.usd_per_hour > 0


@pytest.mark.parametrize(
    "points",
    [
        ages(5000.0, 0.1),  # nearly drained
        ages(5000.0, 1.0, most_before_s=4000.0),  # as ever
        ages(5000.0, 1.0, days=2),  # too few days to judge
        ages(500.0, 1.0),  # young
    ],
)
def test_a_queue_that_drains_or_cannot_be_judged_is_none(points: Points) -> None:
    """It drains, it's within its own days, there are too few, or it's young."""
    assert found(replace(ALONE, queue_ages_s=(("jobs", points),))) == []
