"""Advice from production: when it says keep, resize, sweep or unknown, and what it never says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.archives import Call, write_archive
from tuner.api.observing import observe
from tuner.api.reading import FilesRequest
from tuner.inference.prior import prior_shapes
from tuner.inference.production import ObservedLevels, Period, _log_processor_share
from tuner.model.advice import DayMean, ObservedSize, Situation
from tuner.observe.advice import advise
from tuner.observe.forecast import forecast, periods_of
from tuner.pricing import load_price_book
from tuner.report.observation import render, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.advice import Advice

PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")
TWO_WEEKS_S = 14 * 86_400.0
BUSY = ObservedSize(
    memory_mb=1024, invocation_count=1_000_000, warm_count=990_000, mean_ms=200.0, cv=0.3,
    cold_count=10_000, mean_billed_init_ms=250.0, max_memory_used_mb=60,
)  # fmt: skip


def mostly_waiting_ms(memory_mb: int) -> float:
    return 193 + 4 * 1769 / min(memory_mb, 1769)


def one_thread_ms(memory_mb: int) -> float:
    return 5 + 100 * 1769 / min(memory_mb, 1769)


def seen_at(memory_mb: int, mean_ms: float, **changed: Any) -> ObservedSize:
    return replace(BUSY, memory_mb=memory_mb, mean_ms=mean_ms, **changed)


def advised(*sizes: ObservedSize, now_mb: int, **known: Any) -> Advice:
    return advise(sizes, Situation(now_mb, known.pop("window_s", TWO_WEEKS_S), **known), PRICES)


@settings(max_examples=15, deadline=None)
@given(mean_ms=st.floats(1, 60_000), cv=st.floats(0, 2), used_mb=st.integers(30, 128))
def test_the_smallest_size_alone_is_never_resized(mean_ms: float, cv: float, used_mb: int) -> None:
    """From 128 MB alone nothing tells how much faster a larger size is."""
    size = seen_at(128, mean_ms, cv=cv, max_memory_used_mb=used_mb)
    assert advised(size, now_mb=128).verdict in ("keep", "sweep")


def test_two_sizes_of_a_waiting_function_carry_a_resize() -> None:
    """What took as long at half the memory is resized, and the truth lies in the intervals."""
    found = advised(seen_at(2048, 200.0), seen_at(1024, 200.0), now_mb=2048)
    assert found.verdict == "resize"
    assert found.memory_mb is not None
    assert 512 <= found.memory_mb <= 1024
    assert found.saving_ratio is not None
    truth = 1 - _cost_usd(found.memory_mb, 200.5) / _cost_usd(2048, 200.5)
    assert found.saving_ratio.low <= truth <= found.saving_ratio.high
    assert found.basis == "several_sizes"


def test_sizes_above_a_core_alone_carry_no_resize_below_it() -> None:
    """What waits and what computes on one core are as fast there; with CPU time it is known."""
    sizes = (seen_at(3008, 176.0), seen_at(1792, 176.0))
    for now_mb in (1792, 3008):
        found = advised(*sizes, now_mb=now_mb)
        assert found.verdict in ("sweep", "resize")
        assert (found.memory_mb or 1792) >= 1769
    waits = [replace(each, processor_ms=3.0) for each in sizes]
    assert (advised(*waits, now_mb=3008).memory_mb or 3008) < 1769


def _cost_usd(memory_mb: int, billed_ms: float) -> float:
    billed_ms += 0.01 * 250  # INIT of a cold start in a hundred
    return 0.2e-6 + memory_mb / 1024 * billed_ms / 1000 * 0.0000166667


def test_the_saving_is_scaled_by_what_a_month_costs() -> None:
    """Saving a month = its share of today's bill; under one day of logs nothing is said of it."""
    sizes = (seen_at(2048, 200.0), seen_at(1024, 200.0, invocation_count=0, cold_count=0))
    found = advised(*sizes, now_mb=2048)
    month_usd = 1_000_000 / TWO_WEEKS_S * 730 * 3600 * _cost_usd(2048, 200.5)
    assert found.saving_ratio is not None
    assert found.saving_usd_per_month is not None
    expected = found.saving_ratio.estimate * month_usd
    assert found.saving_usd_per_month.estimate == pytest.approx(expected, rel=0.01)
    short = advised(*sizes, now_mb=2048, window_s=3_600.0)
    assert (short.verdict, short.saving_usd_per_month) == ("resize", None)


def test_one_thread_above_a_core_is_not_made_smaller_than_it_pays() -> None:
    """A thread that needs its core isn't advised a size that costs more than today's."""
    for now_mb, other_mb in ((1769, 3008), (1024, 512), (3008, 1024)):
        found = advised(
            seen_at(now_mb, one_thread_ms(now_mb)),
            seen_at(other_mb, one_thread_ms(other_mb)),
            now_mb=now_mb,
        )
        if found.verdict == "resize":
            assert found.memory_mb is not None
            before = _cost_usd(now_mb, one_thread_ms(now_mb))
            assert _cost_usd(found.memory_mb, one_thread_ms(found.memory_mb)) < 1.01 * before


def test_memory_that_was_used_keeps_its_headroom() -> None:
    """No size is advised whose memory the largest use would fill by more than 80%."""
    sizes = [seen_at(m, 200.0, max_memory_used_mb=700) for m in (3008, 2048)]
    found = advised(*sizes, now_mb=3008)
    assert (found.verdict, (found.memory_mb or 0) * 0.8 >= 700) == ("resize", True)
    full = [seen_at(m, 200.0, max_memory_used_mb=450) for m in (512, 1024)]
    kept = advised(*full, now_mb=512)
    assert (kept.verdict, kept.memory_mb) == ("keep", 512)
    assert "450 MB" in kept.reason


def test_kills_for_memory_ask_for_a_larger_size() -> None:
    """A size that ran with headroom is taken; without one a sweep tells, and no saving is said."""
    killed = seen_at(512, 200.0, oom_count=3, max_memory_used_mb=512)
    alone = advised(killed, now_mb=512)
    assert (alone.verdict, alone.memory_mb, alone.saving_ratio) == ("sweep", None, None)
    assert "3 invocations ran out of memory at 512 MB" in alone.reason
    larger = seen_at(1024, 180.0, max_memory_used_mb=600)
    found = advised(killed, larger, now_mb=512)
    assert (found.verdict, found.memory_mb) == ("resize", 1024)


def test_what_timed_out_is_not_made_slower() -> None:
    """Where invocations end at the timeout, no slower size is advised."""
    sizes = [seen_at(m, one_thread_ms(m), timeout_count=2) for m in (1024, 2048)]
    found = advised(*sizes, now_mb=1024)
    assert found.memory_mb is None or found.memory_mb >= 1024
    waits = [seen_at(m, 900.0, cv=0.0) for m in (1024, 2048)]
    assert advised(*waits, now_mb=2048, timeout_s=1).verdict == "resize"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"warm_count": 3}, "only 3 warm invocations succeeded"),
        ({"error_count": 600_000}, "60% of the invocations fail"),
    ],
)
def test_too_little_is_unknown(changed: dict[str, int], words: str) -> None:
    """Few successes, or mostly failures, say nothing of the function's work."""
    found = advised(replace(BUSY, **changed), now_mb=1024)
    assert found.verdict == "unknown"
    assert words in found.reason


def test_a_sweep_that_costs_more_than_it_saves_is_not_advised() -> None:
    """A function that hardly runs is kept: its price is beside it."""
    rare = replace(BUSY, invocation_count=20, warm_count=20, cold_count=0)
    kept = advised(rare, now_mb=1024)
    assert (kept.verdict, "isn't worth a sweep" in kept.reason) == ("keep", True)
    often = advised(BUSY, now_mb=1024)
    assert often.verdict == "sweep"
    assert often.sweep is not None
    assert often.sweep.invocation_count == 40
    assert (often.sweep.value_per_dollar or 0) > 1
    assert (kept.sweep.value_per_dollar or 0) < 1 if kept.sweep else False


def test_cpu_time_tells_waiting_from_work_at_one_size() -> None:
    """With little CPU time a smaller size is as fast; with a full core's it's slower."""
    truths = {"waits": (mostly_waiting_ms, 4.0), "works": (one_thread_ms, 101.0)}
    for name, (truth_ms, processor_ms) in truths.items():
        size = seen_at(1024, truth_ms(1024), processor_ms=processor_ms)
        found = forecast([size], [256, 1024], PRICES)
        assert found is not None
        [at_256] = found.at([256])
        assert at_256.duration_ms.estimate == pytest.approx(truth_ms(256), rel=0.1), name
        assert at_256.duration_ms.low <= truth_ms(256) <= at_256.duration_ms.high, name
        assert found.basis == "cpu_time"


@pytest.mark.parametrize("processor_ms", [0.0, -3.0, math.nan, math.inf])
def test_cpu_time_that_cannot_be_is_taken_for_unknown(processor_ms: float) -> None:
    """Nothing, less than nothing and no number at all change no answer."""
    size = seen_at(1024, one_thread_ms(1024), processor_ms=processor_ms)
    unknown = replace(size, processor_ms=None)
    assert advised(size, now_mb=1024) == advised(unknown, now_mb=1024)


def test_a_size_of_other_code_tells_less() -> None:
    """The second size narrows the forecast if its code is today's, less if nobody knows."""
    widths = {}
    for code in ("same", "unknown", "other"):
        sizes = [seen_at(1024, 200.0), seen_at(512, 200.0, code=code)]
        found = forecast(sizes, [256], PRICES)
        assert found is not None
        [at_256] = found.at([256])
        widths[code] = at_256.duration_ms.high - at_256.duration_ms.low
    assert widths["same"] < widths["unknown"] < widths["other"]


def test_days_that_differ_widen_what_the_mix_may_shift() -> None:
    """Periods may differ as their days do."""
    calm = tuple(DayMean(50_000, 200.0 * (1 + 0.002 * (-1) ** n)) for n in range(6))
    lively = tuple(DayMean(50_000, 200.0 * (1 + 0.15 * (-1) ** n)) for n in range(6))
    shifts = []
    for days in (calm, lively):
        sizes = [seen_at(1024, 200.0, days=days), seen_at(512, 210.0, days=days)]
        found = forecast(sizes, [256], PRICES)
        assert found is not None
        shifts.append(found.mix_shift_ratio or 0.0)
    assert shifts[0] < 0.015
    assert shifts[1] > 0.1


def test_how_days_agree_is_a_normal_likelihood() -> None:
    """Two days a and b with errors e: up to a constant, log N(a - b; 0, 2 (e² + shift²))."""
    days = ((0.02, 0.01), (-0.03, 0.01))
    levels = ObservedLevels.of([Period(512, 100.0, 0.001, day_log_means=days)])
    plain = ObservedLevels.of([Period(512, 100.0, 0.001)])
    told = [
        with_days - without
        for (_, with_days), (_, without) in zip(levels.shifts(), plain.shifts(), strict=True)
    ]
    variances = [2 * (0.01**2 + shift**2) for shift, _ in levels.shifts()]
    expected = [-0.5 * (0.05**2 / v + math.log(v)) for v in variances]
    assert np.subtract(told, told[0]) == pytest.approx(np.subtract(expected, expected[0]))


def test_the_share_of_cpu_time_follows_from_the_shape() -> None:
    """Waiting takes none; one thread all of its credit below a core, a core's worth above."""
    shapes = prior_shapes()
    plain = (shapes.parallel == 0) & (shapes.pressure == 0)
    plain &= (shapes.windowed_ms == 0) & (shapes.growth == 0) & (shapes.knee_vcpu > 0.9)
    assert (_log_processor_share(512)[plain & (shapes.wait == 1)] < math.log(0.0001)).all()
    plain &= shapes.wait == 0
    assert np.exp(_log_processor_share(512)[plain]) == pytest.approx(512 / 1769)
    above = np.exp(_log_processor_share(3008)[plain])
    assert above == pytest.approx(np.minimum(3008 / 1769, shapes.knee_vcpu[plain]))


def test_one_period_counts_for_each_size() -> None:
    """What may be other code counts only at sizes where today's has not run."""
    own, older = seen_at(512, 100.0), seen_at(512, 120.0, code="unknown")
    elsewhere = seen_at(1024, 90.0, code="unknown", warm_count=5_000)
    less = seen_at(1024, 80.0, code="unknown", warm_count=500)
    replaced = seen_at(1024, 300.0, code="other")
    assert periods_of([replaced, less, elsewhere, older, own]) == (own, elsewhere)


def test_observe_advises_by_the_sizes_in_an_archive(tmp_path: Path) -> None:
    """A change of memory in the logs is found, and what it tells is in the JSON and on screen."""
    calls = [Call(n / 10, 200, 2048 if n < 500 else 1024) for n in range(1000)]
    logs = write_archive(tmp_path / "logs", {"resize": calls})
    found = observe(FilesRequest((logs,), "resize"), state_dir=tmp_path / "state")
    shown = to_json(found)["advice"]
    assert (shown["verdict"], shown["basis"]) == ("resize", "several_sizes")
    assert 128 <= shown["memory_mb"] < 1024
    assert shown["saving_usd_per_month"]["low"] > 0
    text = render(found, width=100)
    assert f"RESIZE 1024 → {shown['memory_mb']} MB" in text
