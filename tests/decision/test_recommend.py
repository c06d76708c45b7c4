from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import SIZES_MB, cpu_bound_ms, made_sweep, mixed_ms, only_finding
from tests.sweeps import finding_codes as codes
from tests.sweeps import recommended as decide
from tuner.model.goal import OPTION_WEIGHTS, Goal
from tuner.model.plan import PayloadClass
from tuner.pricing import load_price_book
from tuner.sweep.findings import HOST_BUSY

if TYPE_CHECKING:
    from collections.abc import Callable

BOOK = load_price_book()


@pytest.mark.parametrize(
    ("current_mb", "idle_verdict", "verdict"),
    [(1024, "resize", "resize"), (192, "resize", "inconclusive"), (128, "keep", "inconclusive")],
)
def test_a_busy_machine_leaves_only_what_it_cannot_have_caused(
    current_mb: int, idle_verdict: str, verdict: str
) -> None:
    """An eighth of the cost is a resize even if the current size looked twice as slow as it is; a
    third less, or a size to keep, is not known: with the size that it leans to.
    """
    sweep = made_sweep(lambda _: 500.0, current_mb=current_mb)
    idle = decide(sweep).choice
    assert idle.verdict == idle_verdict
    assert (idle.confidence or 0) > 0.9
    busy = decide(dataclasses.replace(sweep, findings=(HOST_BUSY,)))
    assert "host_busy" in codes(busy)
    assert busy.choice.verdict == verdict
    if busy.choice.verdict == "resize":
        assert (busy.choice.memory_mb, busy.choice.regret_bound_ratio) == (128, None)
        assert 0.9 <= (busy.choice.confidence or 0) <= 1
    else:
        assert (busy.choice.memory_mb, busy.choice.best_so_far_mb) == (None, 128)
        assert busy.choice.lean_saving_ratio == idle.saving_ratio
        assert "busy" in busy.choice.reason


def test_waiting_belongs_at_the_smallest_size() -> None:
    """A function that only waits is cheapest at the smallest size, and the saving is known."""
    found = decide(made_sweep(lambda _: 500.0, max_memory_used_mb=60))
    assert (found.choice.verdict, found.choice.memory_mb) == ("resize", 128)
    assert found.choice.basis == "measured"
    # The same duration at an eighth of the memory, and $0.20 a million on both sides.
    expected = 1 - (0.2 + 128 / 1024 * 0.5 * 16.6667) / (0.2 + 0.5 * 16.6667)
    assert found.choice.saving_ratio is not None
    assert found.choice.saving_ratio.estimate == pytest.approx(expected, abs=0.01)
    assert found.choice.confidence is not None
    assert found.choice.confidence > 0.95
    assert "waits_mostly" in codes(found)


def test_one_thread_is_fastest_at_one_core() -> None:
    """For speed, a single thread belongs at about 1769 MB and not above."""
    found = decide(made_sweep(cpu_bound_ms), Goal("speed"))
    assert (found.choice.verdict, found.choice.memory_mb) == ("resize", 1769)
    assert "one_core_only" in codes(found)


def test_two_threads_gain_above_one_core() -> None:
    """Work that uses two cores is said to, and speed asks for more than one core."""
    found = decide(made_sweep(lambda m: 400 * 1769 / min(m, 3538)), Goal("speed"))
    assert "uses_more_cores" in codes(found)
    assert (found.choice.memory_mb or found.choice.best_so_far_mb or 0) > 2048


def test_the_current_size_stays_where_it_is_best() -> None:
    """A function at its best size keeps it."""
    found = decide(made_sweep(lambda _: 500.0, current_mb=128))
    assert (found.choice.verdict, found.choice.memory_mb) == ("keep", 128)


def test_options_are_what_other_goals_would_answer() -> None:
    """Cheapest, balanced and fastest have the sizes and figures of answers at weight 0, 1 and 10,
    whatever is asked for.
    """
    sweep = made_sweep(mixed_ms)
    answers = {
        name: decide(sweep, Goal(time_weight=weight)) for name, weight in OPTION_WEIGHTS.items()
    }
    for goal in (Goal(), Goal(name="speed")):
        options = {each.name: each for each in decide(sweep, goal).options}
        assert list(options) == ["cheapest", "balanced", "fastest"]
        for name, found in answers.items():
            option, choice = options[name], found.choice
            if choice.verdict == "resize":
                assert option.memory_mb == choice.memory_mb
                assert option.duration_ms == choice.duration_ms
                assert option.cost_usd_per_million == choice.cost_usd_per_million
    sizes = [each.memory_mb for each in decide(sweep).options]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_options_keep_the_limits() -> None:
    """No option is a size that fails or breaks a limit; without a size that is allowed, none."""
    sweep = made_sweep(mixed_ms)
    limited = decide(sweep, Goal(max_duration_ms=500))
    within = {size.memory_mb for size in limited.curve if size.duration_ms.estimate <= 500}
    assert {each.memory_mb for each in limited.options} <= within
    assert decide(sweep, Goal(max_duration_ms=1)).options == ()


def test_a_grid_that_would_have_missed_is_named() -> None:
    """Where the best size lies between those of a usual grid, the answer says what a grid costs."""
    sizes = (*SIZES_MB, 640, 704, 832)
    steep = decide(made_sweep(lambda m: 100 * max(768 / m, 1.0) ** 1.6, sizes_mb=sizes))
    assert steep.choice.memory_mb in {704, 768, 832}
    finding = only_finding(steep.findings, "grid_would_differ")
    assert "1024 MB" in finding.message
    assert "grid_would_differ" not in codes(decide(made_sweep(lambda _: 500.0)))


def test_a_current_size_that_was_only_seen_cold_is_not_kept() -> None:
    """It looks best by the curve, and nobody has measured it."""
    sweep = made_sweep(lambda m: 200 * 1769 / min(m, 1024), sizes_mb=(512, 1024, 2048))
    cold = [i for i in sweep.invocations if i.memory_mb != 1024 or i.cold_start]
    found = decide(dataclasses.replace(sweep, invocations=tuple(cold)), Goal(tolerance_ratio=0.3))
    assert found.choice.verdict == "inconclusive"
    assert "wasn't measured" in found.choice.reason


def test_one_size_is_inconclusive() -> None:
    """Samples at a single size compare with nothing."""
    found = decide(made_sweep(sizes_mb=(512,), current_mb=512))
    assert found.choice.verdict == "inconclusive"
    assert "nothing to compare" in found.choice.reason


def test_a_resize_needs_the_current_size_measured() -> None:
    """Without a sample at the current size the saving is not known: no resize."""
    found = decide(made_sweep(lambda _: 500.0, current_mb=1600))
    assert found.choice.verdict == "inconclusive"
    assert "1600 MB wasn't measured" in found.choice.reason
    assert found.choice.best_so_far_mb == 128


def test_an_unmeasured_best_size_is_inconclusive() -> None:
    """Two far sizes cannot carry a resize to one between them."""
    sweep = made_sweep(cpu_bound_ms, sizes_mb=(128, 3008), current_mb=3008)
    found = decide(sweep, Goal(max_duration_ms=400, time_weight=0.0))
    assert found.choice.verdict == "inconclusive"
    assert found.choice.memory_mb is None


def test_a_measured_size_is_taken_where_the_best_one_was_not_measured() -> None:
    """It surely beats the current size; what may be given up is said by the bound."""
    sweep = made_sweep(cpu_bound_ms, sizes_mb=(256, 512, 3008), current_mb=3008)
    choice = decide(sweep).choice
    assert (choice.verdict, choice.memory_mb) == ("resize", 512)
    assert (choice.basis, choice.confidence_of) == ("measured", "move")
    assert (choice.confidence or 0) >= 0.9
    assert (choice.regret_bound_ratio or 0) > 0.1


def test_a_percentile_of_few_samples_cannot_carry_a_resize() -> None:
    """p95 needs 45 samples at the size; five leave it modelled, with the number missing."""
    goal = Goal(max_duration_ms=400, percentile=95)
    found = decide(made_sweep(current_mb=2048), goal)
    assert found.choice.verdict == "inconclusive"
    assert "40 more" in found.choice.reason
    assert "percentile_modelled" in codes(found)


def test_a_percentile_of_enough_samples_carries_a_resize() -> None:
    """Forty-five samples at every size measure p95 without a model."""
    sizes_mb = (512, 768, 1024, 1280, 1536, 1769, 3008)
    sweep = made_sweep(warm_count=45, sizes_mb=sizes_mb, current_mb=3008)
    found = decide(sweep, Goal(max_duration_ms=400, percentile=95, tolerance_ratio=0.03))
    assert (found.choice.verdict, found.choice.basis) == ("resize", "measured")
    assert found.choice.memory_mb in (1024, 1280, 1536, 1769)


def test_percentiles_of_a_size_are_measured_or_modelled_and_say_which() -> None:
    """Sixty samples of a size measure p50 and p95, not p99; sizes with few are modelled, and all
    are near the truth.
    """
    sweep = made_sweep(noise_ratio=0.1, sizes_mb=(256, 512, 1024), warm_count=60, current_mb=512)
    few = [i for i in sweep.invocations if i.memory_mb == 1024 or i.index % 10 < 3]
    found = decide(dataclasses.replace(sweep, invocations=tuple(few)), Goal(percentile=90))
    for size_mb in (256, 512, 1024):
        for percentile, score in ((50, 0.0), (90, 1.28), (95, 1.645), (99, 2.326)):
            each = found.percentile(size_mb, percentile)
            assert each is not None
            measured = percentile == 50 or (size_mb == 1024 and percentile < 99)
            assert each.basis == ("measured" if measured else "modelled")
            truth_ms = cpu_bound_ms(size_mb) * math.exp(0.1 * score)
            assert each.duration_ms.low <= each.duration_ms.estimate <= each.duration_ms.high
            assert each.duration_ms.estimate == pytest.approx(truth_ms, rel=0.12)
    assert found.percentile(320, 95) is not None
    assert found.percentile(100, 95) is None
    assert [p.percentile for p in found.sizes[0].percentiles] == [50, 90, 95, 99]


def test_a_limit_that_no_size_meets_names_the_nearest() -> None:
    """Asking for 1 ms is inconclusive, and the cheapest of the nearest sizes is named with what it
    reaches; a limit that was not given is not spoken of.
    """
    found = decide(made_sweep(), Goal(max_duration_ms=1))
    assert "no size meets the limit: 1769 MB" in found.choice.reason
    assert "against a limit of 1 ms" in found.choice.reason
    assert "`max_cost" not in found.choice.reason
    assert found.choice.verdict == "inconclusive"
    assert "comes closest" in found.choice.reason
    assert "`max_duration_ms`" in found.choice.reason


def test_max_cost_bars_the_dear_sizes() -> None:
    """The fastest size under $7 a million is below one core's."""
    found = decide(made_sweep(), Goal("speed", max_cost_usd_per_million=6.2))
    size = found.choice.memory_mb or found.choice.best_so_far_mb
    assert size is not None
    assert size * cpu_bound_ms(size) / 1024 * 0.0166667 <= 6.4


def test_limits_on_memory_hold() -> None:
    """Nothing outside --min-memory and --max-memory is recommended."""
    found = decide(made_sweep(lambda _: 500.0), min_memory_mb=512, max_memory_mb=2048)
    assert found.choice.memory_mb == 512


def test_cold_starts_are_in_the_cost_by_their_share() -> None:
    """With every second start cold, 180 ms of INIT add 90 ms of billed time."""
    sweep = made_sweep(lambda _: 500.0, noise_ratio=0.001)
    costs = [
        decide(sweep, Goal(cold_start_share=share)).current.cost_usd_per_million
        for share in (0.0, 0.5)
    ]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[1].estimate - costs[0].estimate == pytest.approx(0.09 * 16.6667, rel=0.15)


def test_payloads_are_weighed() -> None:
    """Two payloads of 100 and 500 ms at weights 3 and 1 give a mean of 200 ms."""
    sweep = made_sweep(lambda _: 100.0, noise_ratio=0.001)
    other = made_sweep(lambda _: 500.0, noise_ratio=0.001, seed=2)
    renamed = [dataclasses.replace(i, payload="large") for i in other.invocations]
    classes = (
        PayloadClass("empty", 3.0, 2, "0" * 64),
        PayloadClass("large", 1.0, 2, "1" * 64),
    )
    found = decide(
        dataclasses.replace(
            sweep,
            plan=dataclasses.replace(sweep.plan, payloads=classes),
            invocations=(*sweep.invocations, *renamed),
        )
    )
    assert found.current.duration_ms is not None
    assert found.current.duration_ms.estimate == pytest.approx(200, rel=0.02)
    assert "payloads_differ" in codes(found)
    assert found.assumptions[0] == "2 payloads in the given weights"


def test_cost_is_what_is_billed_for_short_runs() -> None:
    """A run of 0.3 ms is billed 1 ms, one of 2.4 ms 3 ms."""
    for duration_ms, billed_ms in ((0.3, 1), (2.4, 3)):
        sweep = made_sweep(lambda _, ms=duration_ms: ms, noise_ratio=0.001)
        cost = decide(sweep, Goal(cold_start_share=0.0)).current.cost_usd_per_million
        assert cost is not None
        assert cost.estimate == pytest.approx(0.2 + billed_ms * 0.0166667, rel=0.01)


def test_the_same_seed_gives_the_same_answer() -> None:
    """The answer is a pure function of sweep, prices, goal and seed."""
    assert decide(made_sweep()) == decide(made_sweep())


def test_the_answer_can_be_shown_whole() -> None:
    """Counts, stamps and assumptions agree with the sweep."""
    sweep = made_sweep()
    found = decide(sweep)
    assert sum(size.invocation_count for size in found.sizes) == len(sweep.invocations)
    assert all(size.cold_start_count == 1 and size.environment_count == 1 for size in found.sizes)
    assert {e.memory_mb for e in found.curve if e.measured} == set(sweep.plan.sizes_mb)
    assert found.sweep.cost_usd == pytest.approx(sweep.cost_usd)
    assert math.isclose(found.current.memory_mb, 1024)
    assert found.prices.as_of == BOOK.lambda_prices("us-east-1", "x86_64").as_of
    assert any("not future traffic" in text for text in found.assumptions)


def rising_ms(memory_mb: int) -> float:
    """What no form of the curve has: 33 ms at 128 MB, 248 ms at 3008 MB."""
    return 24 + 224 * memory_mb / 3008


def u_shaped_ms(memory_mb: int) -> float:
    """Least at 768 MB, more on both sides."""
    return 50 + 20 * math.log2(memory_mb / 768) ** 2


@pytest.mark.parametrize("truth", [rising_ms, u_shaped_ms])
def test_a_duration_that_rises_is_shown_as_measured(
    truth: Callable[[int], float],
) -> None:
    """A duration that rises or is U-shaped is not printed as flat."""
    found = decide(made_sweep(truth))
    shown = {each.memory_mb: each.duration_ms.estimate for each in found.curve if each.measured}
    assert shown == {size: pytest.approx(truth(size), rel=0.15) for size in SIZES_MB}
    summaries = {each.memory_mb: each.duration_ms for each in found.sizes}
    assert summaries[3008] is not None
    assert summaries[3008].estimate == pytest.approx(truth(3008), rel=0.1)
    now = found.current.duration_ms
    assert now is not None
    assert now.estimate == pytest.approx(truth(1024), rel=0.15)
    finding = only_finding(found.findings, "not_monotone")
    assert "at 3008 MB" in finding.message


@pytest.mark.parametrize("truth", [cpu_bound_ms, mixed_ms, lambda _: 100.0])
@pytest.mark.parametrize("noise_ratio", [0.0, 0.02, 0.2])
def test_noise_is_no_rise(truth: Callable[[int], float], noise_ratio: float) -> None:
    """Where the duration falls or stays, nothing is said of a rise, whatever the noise."""
    for seed in range(3):
        found = decide(made_sweep(truth, noise_ratio=noise_ratio, seed=seed))
        assert "not_monotone" not in codes(found)
