"""Slow calls: those that were seen and those that were not."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.inference.curve import fit_curve
from tuner.inference.prior import prior_log_scale, prior_shapes
from tuner.inference.sample import Sample
from tuner.inference.slow_calls import SlowCalls, draw_slow_rates

MANY = 20_000


def rates_of(slow_count: int, typical_count: int) -> np.ndarray:
    return draw_slow_rates(slow_count, typical_count, MANY, np.random.default_rng(3))


def test_rates_follow_the_posterior_that_is_computed_by_hand() -> None:
    """One slow call among ten: the drawn rates' mean is the sum of r * r (1 - r)^9 over that of
    r (1 - r)^9, for the prior's rates."""
    rates = np.geomspace(0.005, 0.3, 9)
    weight = rates * (1 - rates) ** 9
    expected = float((rates * weight).sum() / weight.sum())
    assert rates_of(1, 9).mean() == pytest.approx(expected, rel=0.02)


def test_without_a_slow_call_the_more_typical_ones_the_less_is_feared() -> None:
    """Every typical call makes slow ones less likely, and none rules them out."""
    feared = [rates_of(0, count).mean() for count in (0, 10, 40, 200)]
    assert feared == sorted(feared, reverse=True)
    assert feared[-1] > 0


def test_a_slow_call_that_was_seen_is_never_drawn_away() -> None:
    """Where one call was slow, no draw says that the function has no slow calls."""
    assert rates_of(1, 200).min() > 0


def test_the_edge_of_the_usual_scatter_is_no_slow_call() -> None:
    """Samples that were pulled in a little count by their mean; those pulled in a lot are slow."""
    logs = np.log([1.1, 1.0, 0.9, 1.0, 3.0])
    slow_calls = SlowCalls.of(logs, np.zeros(5), np.full(5, 512), within_ratio=0.05)
    assert slow_calls.sample_count == 5
    assert slow_calls.slow_excesses == pytest.approx((2.0,))
    assert slow_calls.mild_log == pytest.approx(0.05**2 / 2)


def test_the_mean_holds_the_tail_that_was_seen() -> None:
    """One call in ten three times as long makes the expected duration a fifth longer, whichever
    sizes the slow calls met."""
    samples = [
        Sample(size, 300.0 if (number + size // 128) % 10 == 0 else 100.0, f"{size}/{number}")
        for size in (128, 256, 512, 1024, 1792)
        for number in range(20)
    ]
    draws = fit_curve(samples).draws_ms([1024])
    low, high = np.quantile(draws, [0.05, 0.95])
    assert low < 120 < high
    assert np.median(draws) == pytest.approx(120, rel=0.06)


def test_the_only_sample_of_a_size_may_be_a_slow_call() -> None:
    """A function that is flat at three sizes and 2.6 times as slow in the only call at a fourth is
    either steep or had one slow call: the curve there leaves both open."""
    flat = [
        Sample(size, 400.0 * luck, str(size))
        for size in (256, 512, 1024)
        for luck in (1.0, 1.01, 0.99)
    ]
    once = fit_curve([*flat, Sample(128, 1050.0, "128")]).draws_ms([128])
    low, high = np.quantile(once, [0.05, 0.95])
    assert low < 560
    assert high > 900
    again = [Sample(128, 1050.0 * luck, "128") for luck in (1.0, 1.02)]
    assert np.median(fit_curve([*flat, *again]).draws_ms([128])) == pytest.approx(1050, rel=0.1)


def test_short_runs_go_in_the_steps_of_the_quota() -> None:
    """6 ms of CPU at 512 MB (5.79 ms of credit in each window of 20 ms) take a second window; at
    885 MB (10 ms of credit) they do not: the library has shapes that say so, for runs of that
    length alone."""
    shapes, scale = prior_shapes(), prior_log_scale()
    bound = np.isfinite(scale)
    pure = bound & (shapes.wait == 0) & (abs(shapes.windowed_ms / 6 - 1) < 0.02)
    chosen = shapes.select(np.flatnonzero(pure))
    ms = np.exp(chosen.log_duration([512, 885]) + scale[pure][:, None])
    share = 512 / 1769
    rest = chosen.windowed_ms - 20 * share
    gained = (1 - share) * rest - (1 - share**2) * 10  # work that begins at any moment of a window
    stepped = 20 + rest + gained * chosen.random_start
    average = chosen.windowed_ms / share - (1 - share) * 10
    expected = chosen.step_share * stepped + (1 - chosen.step_share) * average
    np.testing.assert_allclose(ms[:, 0], expected, rtol=1e-9)
    assert (ms[:, 1] < 9).all()


def test_what_is_not_known_of_slow_calls_tells_two_curves_not_apart() -> None:
    """Curves of one function (two batch sizes) have it in common, whatever else they were drawn by;
    curves of another payload do not.
    """
    samples = [Sample(mb, 100.0, f"{mb}/1", cold=False) for mb in (256, 1024) for _ in range(3)]
    one, other, apart = (
        fit_curve(samples, seed=seed, slow_calls_seed=slow).slow_log_ratio
        for seed, slow in ((1, 0), (2, 0), (1, 1))
    )
    assert np.array_equal(one, other)
    assert one.std() > 0.02
    assert not np.array_equal(one, apart)


def test_slow_calls_lift_the_mean_and_not_what_a_single_call_shows() -> None:
    """The drawn mean over the slow calls' ratio is the typical level: there the samples lie."""
    samples = [Sample(mb, 100.0, f"{mb}/{n}", cold=False) for mb in (256, 1024) for n in range(4)]
    curve = fit_curve(samples, sizes_mb=(256, 1024))
    typical = np.log(curve.draws_ms((256,))) - curve.slow_log_at((256,))
    assert abs(float(np.median(typical)) - np.log(100)) < 0.03
    assert typical.std() < np.log(curve.draws_ms((256,))).std()


def test_slow_calls_may_weigh_more_at_small_sizes() -> None:
    """Where the slow calls of small sizes are longer, their mean is lifted more, and before any was
    seen it is open whether it is.
    """
    samples = [
        Sample(mb, 1000.0 if slow and n % 10 == 0 else 100.0, f"{mb}/{n}")
        for mb, slow in ((128, True), (512, False), (2048, False))
        for n in range(50)
    ]
    seen = fit_curve(samples, sizes_mb=(128, 2048)).slow_log_at((128, 2048))
    assert seen[:, 0].mean() > seen[:, 1].mean() + 0.1
    few = [Sample(mb, 100.0, f"{mb}/1") for mb in (128, 512, 2048) for _ in range(2)]
    unseen = fit_curve(few, sizes_mb=(128, 2048)).slow_log_at((128, 2048))
    assert (unseen[:, 0] - unseen[:, 1]).std() > 0.02


def test_runtimes_that_pause_are_expected_to_do_so_at_small_sizes() -> None:
    """Before a slow call was seen, a Java function's mean lies further above its typical call than
    a Python function's, and further at 128 than at 2048 MB."""
    samples = [Sample(mb, 100.0, f"{mb}/1") for mb in (128, 512, 2048) for _ in range(2)]
    java, python = (
        fit_curve(samples, runtime=runtime).slow_log_at((128, 2048)).mean(axis=0)
        for runtime in ("java21", "python3.13")
    )
    assert java[0] > python[0] + 0.05
    assert java[0] > java[1] + 0.05


@pytest.mark.parametrize("seed", range(4))
def test_with_samples_a_sizes_own_slow_calls_win(seed: int) -> None:
    """Where one size alone has slow calls, the more samples each has, the nearer every size comes
    to its own mean: within 12% after 100, 6% after 1,000."""
    rng = np.random.default_rng(seed)
    sizes = (128, 256, 512, 1024, 2048)
    for count, most in ((100, 0.12), (1000, 0.06)):
        samples = [
            Sample(mb, 100.0 * (3.0 if mb == 512 and rng.random() < 0.2 else 1.0), f"{mb}/{n}")
            for mb in sizes
            for n in range(count)
        ]
        own = [np.mean([s.duration_ms for s in samples if s.memory_mb == mb]) for mb in sizes]
        assert fit_curve(samples).mean_ms(sizes) == pytest.approx(own, rel=most)
