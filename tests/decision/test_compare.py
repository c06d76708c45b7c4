"""Two sweeps against each other: differences are found where there are some, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import cpu_bound_ms, made_function, made_sweep
from tuner.api.comparing import compare
from tuner.breakeven.terms import Terms
from tuner.decision.analysis import analyse
from tuner.errors import InputError
from tuner.model.goal import Goal
from tuner.model.invocation import Outcome
from tuner.model.plan import PayloadClass
from tuner.pricing import load_price_book
from tuner.report.comparison import headline
from tuner.session.breakeven import platforms_of

if TYPE_CHECKING:
    from tuner.model.comparison import Comparison
    from tuner.model.sweep import Sweep


def slower(ratio: float, *, seed: int = 2, warm_count: int = 5, **changes: object) -> Sweep:
    """The same function by `ratio`, in another sweep; `changes` are the function's."""
    sweep = made_sweep(lambda size: ratio * cpu_bound_ms(size), seed=seed, warm_count=warm_count)
    return replace(sweep, function=made_function(**changes))


def codes(found: Comparison) -> set[str]:
    return {finding.code for finding in found.findings}


def test_a_slower_version_of_the_code_is_found_and_measured() -> None:
    """10% more time at every size is real, and the interval holds the truth."""
    found = compare(made_sweep(), slower(1.1, code_sha256="new"))
    assert found.kind == "code"
    assert found.pooled is not None
    assert found.pooled.duration.verdict == "higher"
    assert found.pooled.duration.ratio.low < 0.1 < found.pooled.duration.ratio.high
    assert found.pairs[0].duration_ms.change.verdict == "higher"
    # Sixty calls leave room for slow ones that may not have shown yet; twice as many leave little.
    more = compare(made_sweep(warm_count=10), slower(1.1, warm_count=10, code_sha256="new"))
    assert more.pooled is not None
    assert more.pooled.duration.probability_higher > 0.99


def test_the_comparison_turns_around() -> None:
    """B against A says lower where A against B says higher, by the inverse ratio."""
    there = compare(made_sweep(), slower(1.1, code_sha256="new")).pairs[0].duration_ms.change
    back = compare(slower(1.1, code_sha256="new"), made_sweep()).pairs[0].duration_ms.change
    assert (there.verdict, back.verdict) == ("higher", "lower")
    assert (1 + there.ratio.estimate) * (1 + back.ratio.estimate) == pytest.approx(1, abs=1e-3)


def test_sweeps_of_one_function_seldom_differ() -> None:
    """Of twenty pairs with the same truth at most 15% are called real, below 90%'s promise."""
    called = 0
    for seed in range(1, 41, 2):
        found = compare(made_sweep(seed=seed), made_sweep(seed=seed + 1))
        assert found.pooled is not None
        called += found.pooled.duration.verdict in {"higher", "lower"}
    assert called <= 3


def test_a_sweep_against_itself_is_no_difference_but_not_surer_than_its_curve() -> None:
    """The same draws on both sides are not held for the same luck: the interval keeps its width."""
    sweep = made_sweep()
    found = compare(sweep, sweep)
    assert found.kind == "same"
    assert headline(found).startswith("THE SAME SWEEP: A and B are one measurement")
    change = found.pairs[0].duration_ms.change
    assert change.ratio.low < 0 < change.ratio.high
    assert all(
        duration.ratio.high - duration.ratio.low > 0.001 and duration.verdict != "higher"
        for duration, _cost in found.by_size
    )


def test_a_tolerance_makes_small_differences_none() -> None:
    """Where the whole interval lies within the tolerance the verdict is `same`."""
    found = compare(made_sweep(), made_sweep(seed=3), Goal(tolerance_ratio=0.2))
    assert found.pairs[0].duration_ms.change.verdict == "same"


def test_architectures_are_compared_each_at_its_best() -> None:
    """The same speed at arm64's price is cheaper by the price's share, and both best sizes meet."""
    found = compare(made_sweep(), slower(1.0, architecture="arm64"))
    assert found.kind == "architectures"
    cost = found.pairs[0].cost_usd_per_million
    assert cost.change.verdict == "lower"
    assert cost.change.ratio.low < 0.0000133334 / 0.0000166667 - 1 + 0.01 < cost.change.ratio.high


def test_a_rollout_is_held_against_its_forecast() -> None:
    """A's curve says of B's size what B then measures; and now is compared with before."""
    before = made_sweep(current_mb=1024)
    after = made_sweep(current_mb=1769, sizes_mb=(1024, 1769, 2048), seed=9)
    found = compare(before, after)
    assert found.kind == "rollout"
    forecast, now = found.pair("forecast"), found.pair("now")
    assert forecast is not None
    assert now is not None
    assert (forecast.a_memory_mb, forecast.b_memory_mb) == (1769, 1769)
    assert forecast.measured
    assert forecast.duration_ms.change.ratio.low < 0 < forecast.duration_ms.change.ratio.high
    assert now.duration_ms.change.verdict == "lower"


def test_a_rollout_that_misses_its_forecast_shows() -> None:
    """Where what was measured is a third slower than forecast, that is real."""
    before = made_sweep(current_mb=1024)
    after = made_sweep(lambda mb: 1.33 * cpu_bound_ms(mb), current_mb=1769, seed=9)
    forecast = compare(before, after).pair("forecast")
    assert forecast is not None
    assert forecast.duration_ms.change.verdict == "higher"


def test_one_date_stands_for_all_prices() -> None:
    """Two regions may be priced on two days: the older one dates the answer, in words and data."""
    book = load_price_book()
    days = {name: book.lambda_prices(name, "x86_64").as_of for name in ("us-east-1", "eu-west-1")}
    assert len(set(days.values())) == 2
    found = compare(slower(1.0, region="eu-west-1"), made_sweep(), price_book=book)
    assert found.prices.as_of == min(days.values())
    [said] = [each for each in found.assumptions if each.startswith("list prices")]
    assert said == f"list prices of {min(days.values())}"


def test_a_sweep_that_went_on_from_the_other_is_named() -> None:
    """Its samples are the other's in part: the same luck on both sides."""
    before, after = made_sweep(), made_sweep(seed=3)
    after = replace(after, plan=replace(after.plan, resumed_from=before.plan.sweep_id))
    assert codes(compare(before, after)) == {"samples_shared"}


def test_what_else_differs_is_said() -> None:
    """Payloads, places, names and settings that differ are findings, so that none is overlooked."""
    other = slower(1.0, name="other", region="eu-west-1", timeout_s=9, settings=(("Layers", "x"),))
    other = replace(
        other,
        environment="local",
        plan=replace(other.plan, payloads=(PayloadClass("empty", 1.0, 2, "1" * 64),)),
    )
    found = compare(made_sweep(), other, different_functions=True)
    assert codes(found) == {
        "environments_differ",
        "different_payloads",
        "functions_differ",
        "regions_differ",
        "settings_differ",
    }
    assert "Layers, timeout_s" in next(f.message for f in found.findings if "settings" in f.code)
    assert codes(compare(made_sweep(), made_sweep(seed=4))) == set()


@pytest.mark.parametrize(("weights", "expected"), [((2.0, 6.0), False), ((3.0, 1.0), True)])
def test_the_same_shares_are_the_same_payloads(
    weights: tuple[float, float], expected: bool
) -> None:
    """Weights of 1 and 3 are those of 2 and 6: no finding says that the payloads differ."""
    before, after = made_sweep(), made_sweep(seed=4)
    [payload] = before.plan.payloads

    def mixed(sweep: Sweep, own: float, other: float) -> Sweep:
        rare = replace(payload, name="rare", sha256="1" * 64, weight=other)
        calls = [replace(each, payload="rare") for each in sweep.invocations]
        both = (replace(payload, weight=own), rare)
        plan = replace(sweep.plan, payloads=both)
        return replace(sweep, plan=plan, invocations=(*sweep.invocations, *calls))

    found = compare(mixed(before, 1.0, 3.0), mixed(after, *weights))
    assert ("different_payloads" in codes(found)) is expected


def test_sweeps_without_a_common_size_rest_on_their_curves() -> None:
    """That is said, nothing is pooled, and the pair is not called measured."""
    found = compare(made_sweep(sizes_mb=(128, 1024)), made_sweep(sizes_mb=(256, 2048), seed=2))
    assert codes(found) == {"no_common_size"}
    assert found.pooled is None
    assert not found.pairs[0].measured


def test_a_sweep_without_warm_samples_is_named() -> None:
    """The line says which of the two cannot be compared, and what to do."""
    with pytest.raises(InputError, match=r"^B has no warm sample .*`max_invocations`"):
        compare(made_sweep(), made_sweep(warm_count=0))


def test_a_sweep_that_only_failed_is_not_offered_more_invocations() -> None:
    """Neither to compare it nor to compare platforms: what failed must be fixed first."""
    sweep = made_sweep()
    failed = [
        replace(each, outcome=Outcome.FUNCTION_ERROR, error_type="ValueError")
        for each in sweep.invocations
    ]
    sweep = replace(sweep, invocations=tuple(failed))
    cause = r"no warm sample .*all \d+ invocations failed: check the function's log"
    with pytest.raises(InputError, match=cause) as of_compare:
        compare(made_sweep(), sweep)
    with pytest.raises(InputError, match=cause) as of_break_even:
        platforms_of(analyse(sweep, Goal(), price_book=load_price_book()), Terms())
    assert not any("max_invocations" in str(each.value) for each in (of_compare, of_break_even))
