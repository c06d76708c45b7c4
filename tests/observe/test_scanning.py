"""What is said of a scanned function, with its evidence and without, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tuner.model.account import AccountFunction, FunctionMetrics, OptimizerFinding
from tuner.model.advice import Advice, SweepWorth
from tuner.model.interval import Interval
from tuner.model.scan import DaySums, FunctionEvidence, ScannedFunction
from tuner.observe.archive_days import observed_sizes
from tuner.observe.scanning import compare_with_optimizer, rank, scan_function
from tuner.pricing import load_price_book

FUNCTION = AccountFunction(
    account="123456789012", region="eu-west-1", name="resize", architecture="x86_64",
    runtime="python3.13", memory_mb=1024, timeout_s=30, ephemeral_storage_mb=512, code_sha256="",
    log_group="/aws/lambda/x", logs_json=False, log_has_reports=True, has_lambda_insights=False,
)  # fmt: skip
DAY = DaySums(
    function="resize", day="2026-11-28", version="$LATEST", memory_mb=1024, invocation_count=100,
    billed_ms_sum=12_000, warm_count=90, warm_ms_sum=9_000.0, warm_ms2_sum=910_000.0,
    cold_count=10, init_ms_sum=2_000.0, error_count=0, timeout_count=0, oom_count=0,
    longest_ms=400.0, max_memory_used_mb=200,
)  # fmt: skip
EVIDENCE = FunctionEvidence(
    FUNCTION, FunctionMetrics(100, 0, 0, 11_000.0, 2), (DAY,), optimizer=None, provisioned=()
)
PRICES = load_price_book().lambda_prices("eu-west-1", "x86_64")
OPTIMIZED = OptimizerFinding("Optimized", (), 1024, None, None, 5000)


def scanned(**changed: Any) -> ScannedFunction:
    evidence = replace(EVIDENCE, **changed)
    return scan_function(
        evidence, window_s=86_400.0, prices=PRICES, judge=None, asked_optimizer=False
    )


def codes(found: ScannedFunction) -> list[str]:
    return [each.code for each in found.findings]


def test_an_ordinary_function_has_nothing_to_tell() -> None:
    """Nothing near a limit, nothing idle: no finding."""
    assert codes(scanned()) == []


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"days": (replace(DAY, longest_ms=27_500.0),)}, "close_to_timeout", "took 27.5 s"),
        ({"days": (replace(DAY, timeout_count=3),)}, "close_to_timeout", "3 invocations ended at"),
        (
            {"function": replace(FUNCTION, timeout_s=900)},
            "timeout_near_maximum",
            "900 s and its longest invocation took 0.4 s",
        ),
        (
            {"days": (replace(DAY, max_memory_used_mb=950),)},
            "memory_nearly_full",
            "950 of its 1024 MB",
        ),
        (
            {"function": replace(FUNCTION, memory_mb=2048)},
            "above_optimizer_limit",
            "2048 MB are above the 1,792 MB",
        ),
        ({"days": (), "metrics": None}, "function_idle", "wasn't invoked in 1 day"),
        (
            {"provisioned": (("live", 1, 0.1),)},
            "provisioned_idle",
            "1 provisioned environment of live is in use 10% of the time",
        ),
        ({"days": None, "unread": "no log group"}, "logs_not_read", "no log group"),
    ],
)
def test_what_is_near_or_idle_is_told_with_its_evidence(
    changed: dict[str, Any], code: str, words: str
) -> None:
    """One finding each, with the figures that it rests on."""
    found = scanned(**changed)
    assert codes(found) == [code]
    assert words in found.findings[0].message


def test_without_reports_a_cost_is_of_cloudwatch_s_durations() -> None:
    """By hand: requests, and used time at the size that is set now."""
    found = scanned(days=None, unread="no log group")
    gb_second = float(PRICES.duration_tiers[0].price_usd_per_gb_second)
    day = 100 * float(PRICES.request_price_usd) + 11.0 * gb_second
    assert found.cost_usd_per_month == pytest.approx(day * 730 / 24)
    assert (found.cost_basis, found.mean_ms) == ("metrics", 110.0)


def test_sizes_have_the_spread_and_the_days_of_their_warm_invocations() -> None:
    """By hand: two days of one size, then one of another in a later version of the same code."""
    other = replace(DAY, day="2026-11-29", warm_count=10, warm_ms_sum=1_200.0, warm_ms2_sum=150e3)
    larger = replace(DAY, day="2026-11-30", memory_mb=2048, version="8")
    first, second = observed_sizes((DAY, other, larger), memory_mb=2048, processor_ms={2048: 55.0})
    assert (first.memory_mb, first.warm_count, first.mean_ms) == (1024, 100, 102.0)
    variance = (910_000 + 150_000 - 100 * 102.0**2) / 99
    assert first.cv == pytest.approx(variance**0.5 / 102.0)
    assert [(each.count, each.mean_ms) for each in first.days] == [(90, 100.0), (10, 120.0)]
    assert (first.mean_billed_init_ms, first.code) == (200.0, "unknown")
    assert (second.code, second.processor_ms) == ("same", 55.0)


@pytest.mark.parametrize(
    ("digests", "expected"),
    [({"7": "a", "8": "a"}, "same"), ({"7": "a", "8": "b"}, "other"), ({}, "unknown")],
)
def test_two_versions_have_the_same_code_if_their_digests_say_so(
    digests: dict[str, str], expected: str
) -> None:
    """A change of memory alone leaves the code: then both sizes tell of it."""
    before = replace(DAY, version="7", memory_mb=512)
    now = replace(DAY, version="8", day="2026-11-29")
    sizes = observed_sizes((before, now), memory_mb=1024, digests=digests)
    assert [each.code for each in sizes] == [expected, "same"]


def advised(verdict: Any, memory_mb: int | None = None, usd: float | None = None) -> Advice:
    saving = None if usd is None else Interval(usd, usd / 2, usd * 2)
    worth = SweepWorth(24, 0.5, Interval(0.1, 0.0, 0.2), saving) if verdict == "sweep" else None
    return Advice(verdict, memory_mb, None, saving, "so it is", sweep=worth)


def test_functions_are_ranked_by_saving_by_value_and_by_cost() -> None:
    """Ties go by the other figures, then by name; what isn't known counts as nothing."""
    base = scanned()

    def made(name: str, cost: float | None, advice: Advice | None) -> ScannedFunction:
        named = replace(FUNCTION, name=name)
        return replace(base, function=named, cost_usd_per_month=cost, advice=advice)

    functions = [
        made("keeps", 900.0, advised("keep")),
        made("unpriced", None, None),
        made("resizes", 100.0, advised("resize", 512, 40.0)),
        made("sweeps", 50.0, advised("sweep", None, 30.0)),
    ]
    orders = {
        by: [each.function.name for each in rank(functions, by)]
        for by in ("saving", "value", "cost")
    }  # type: ignore[arg-type]
    assert orders["saving"] == ["resizes", "sweeps", "keeps", "unpriced"]
    assert orders["value"] == ["sweeps", "resizes", "keeps", "unpriced"]
    assert orders["cost"] == ["keeps", "resizes", "sweeps", "unpriced"]


OVER = OptimizerFinding("NotOptimized", ("MemoryOverprovisioned",), 1024, 512, 3.0, 5000)
UNDER = OptimizerFinding("NotOptimized", ("MemoryUnderprovisioned",), 1024, 1536, 0.0, 500)
UNAVAILABLE = OptimizerFinding("Unavailable", ("InsufficientData",), 1024, None, None, 0)


@pytest.mark.parametrize(
    ("finding", "advice", "agreement", "words"),
    [
        (OPTIMIZED, advised("keep"), "agree", "both say so"),
        (OVER, advised("resize", 512), "agree", "both say so"),
        (OVER, advised("resize", 640), "agree", "512 MB there, 640 MB here"),
        (OVER, advised("keep"), "disagree", "CPU comes with memory"),
        (UNDER, advised("keep"), "disagree", "for speed; no larger size is cheaper"),
        (OPTIMIZED, advised("resize", 512), "disagree", "durations say 512 MB"),
        (OVER, advised("sweep"), "open", "a sweep would tell"),
        (OVER, advised("unknown"), "open", "can't tell"),
        (UNAVAILABLE, advised("keep"), "open", "InsufficientData"),
        (None, advised("keep"), "open", "no finding"),
    ],
)
def test_compute_optimizer_agrees_or_not_and_why(
    finding: OptimizerFinding | None, advice: Advice, agreement: str, words: str
) -> None:
    """By the direction of what both say; where one says nothing, it's open."""
    view = compare_with_optimizer(FUNCTION, 5000, finding, advice)
    assert view.agreement == agreement
    assert words in view.why


def test_compute_optimizer_is_blind_above_its_limit_and_below_fifty_calls() -> None:
    """Then its silence says nothing."""
    large = replace(FUNCTION, memory_mb=1793)
    assert compare_with_optimizer(large, 5000, None, None).agreement == "blind"
    assert compare_with_optimizer(FUNCTION, 49, None, None).agreement == "blind"
