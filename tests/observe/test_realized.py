"""What a change of memory saved: days before and after, and versions side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tests.observe.saving_worlds import NEW_MB, OLD_MB, World, make
from tests.observe.split_worlds import split_rows
from tuner.model.observation import Window
from tuner.observe.before_after import fit_step
from tuner.observe.realized import Realized, Reports, realize
from tuner.observe.split import fit_split
from tuner.observe.use_hours import Move, UseRows, find_move, moment

SINCE = moment(0)


def reports_of(world: World, seed: int = 1) -> tuple[Reports, float]:
    """A world's reports, and its true saving."""
    made = make(world, np.random.default_rng(seed))
    hours = made.rows
    window = Window(moment(int(hours.slot.min())), moment(int(hours.slot.max()) + 1))
    return Reports(hours, lambda _window, _slot_s: hours, window), made.saving_ratio


def realized(world: World, seed: int = 1) -> tuple[Realized, float]:
    """The comparison of a world in which there is one."""
    reports, truth = reports_of(world, seed)
    found = realize(reports, from_mb=OLD_MB, to_mb=NEW_MB, since=SINCE)
    assert isinstance(found, Realized), found
    return found, truth


@pytest.mark.slow
@pytest.mark.parametrize(
    "world",
    [
        World(),
        World(ratio=1.0),
        World(traffic_growth_per_week=0.5, cold_share=0.05),
        World(deployments=((-4.0, 0.2), (3.0, -0.2))),
        World(per_day=30, days_before=14, days_after=14, cv=1.0),
        World(waiting_ratio=1.5, share_by_hour=0.15),
    ],
    ids=["plain", "null", "growth", "deployments", "sparse", "mix"],
)
def test_the_interval_holds_the_truth(world: World) -> None:
    """In at least six of eight worlds of each kind; `make bench-verify` has the shares."""
    held = 0
    for seed in range(8):
        found, truth = realized(world, seed)
        held += found.saved.saving_ratio.low <= truth <= found.saved.saving_ratio.high
    assert held >= 6


def test_more_traffic_is_no_loss() -> None:
    """Dollars are at the later rate: three times the requests save three times the dollars."""
    plain, _ = realized(World(traffic_growth_per_week=0.0))
    grown, _ = realized(World(traffic_growth_per_week=0.6))
    assert grown.saved.saving_ratio.estimate == pytest.approx(
        plain.saved.saving_ratio.estimate, abs=0.05
    )
    assert grown.saved.after.rate_per_s > 1.3 * plain.saved.after.rate_per_s
    dollars = grown.saved.usd_per_month.estimate / plain.saved.usd_per_month.estimate
    rates = grown.saved.after.rate_per_s / plain.saved.after.rate_per_s
    assert dollars == pytest.approx(rates, rel=0.2)


def test_what_all_functions_do_is_taken_out() -> None:
    """A step that functions nobody changed have too is no doing of the memory."""
    world = World(days_before=12, days_after=12, per_day=20_000, ratio=0.8)
    shocks = np.random.default_rng(9).normal(0, 0.1, 40)

    def beside(ratio: float, seed: int) -> UseRows:
        made = make(replace(world, ratio=ratio), np.random.default_rng(seed))
        day = made.rows.slot // 24 - made.rows.slot.min() // 24
        shared = np.exp(shocks[day] + np.where(made.rows.slot >= made.change_hour, 0.25, 0.0))
        return replace(
            made.rows,
            cost_usd=made.rows.cost_usd * shared,
            cost_squares=made.rows.cost_squares * shared**2,
        )

    rows = beside(0.8, 3)
    untouched = [beside(1.0, seed) for seed in range(4, 9)]
    savings = []
    for others in ([], untouched):
        step = fit_step(rows, NEW_MB, untouched=others)
        assert step is not None
        savings.append(1 - float(np.exp(np.median(step.draws))))
    assert abs(savings[0] - 0.2) > 0.1
    assert savings[1] == pytest.approx(0.2, abs=0.04)


def test_the_change_is_found_where_the_size_changed() -> None:
    """Its hour, the sizes, and the other deployments; not one within three hours of it."""
    made = make(World(deployments=((-3.0, 0.1), (0.05, 0.1))), np.random.default_rng(1))
    move = find_move(made.rows, NEW_MB, SINCE)
    assert isinstance(move, Move)
    assert (move.from_mb, move.to_mb, move.until) == (OLD_MB, NEW_MB, None)
    assert abs(move.at - moment(made.change_hour)) < timedelta(hours=2)
    assert len(move.others) == 1


def changed(rows: UseRows, start: int, memory_mb: int) -> UseRows:
    """The same with another size from an hour on."""
    return replace(rows, memory_mb=np.where(rows.slot >= start, memory_mb, rows.memory_mb))


def test_what_cannot_be_compared_is_said_in_a_line() -> None:
    """Never changed, changed before the sweep, lately, and for a moment only."""
    reports, _ = reports_of(World())
    made = make(World(), np.random.default_rng(1))
    at = made.change_hour
    before = reports.hours.where(reports.hours.slot < at)
    later = reports.hours.where(reports.hours.slot > at + 1)
    asked = {"from_mb": OLD_MB, "to_mb": NEW_MB, "since": SINCE}
    assert "never changed" in str(realize(replace(reports, hours=before), **asked))
    assert "look back further" in str(realize(replace(reports, hours=later), **asked))
    swept_later = {**asked, "since": moment(at + 100)}
    assert "isn't applied" in str(realize(reports, **swept_later))
    few_hours = reports.hours.where(reports.hours.slot < at + 5)
    assert "a day is the least" in str(realize(replace(reports, hours=few_hours), **asked))
    back = changed(reports.hours, at + 6, OLD_MB)
    assert f"it's {OLD_MB} MB since" in str(realize(replace(reports, hours=back), **asked))


def test_versions_side_by_side_tell_the_saving() -> None:
    """The level doubles meanwhile, and the new version has more cold starts: neither counts."""
    held = 0
    for seed in range(12):
        draws = fit_split(split_rows(0.7, seed=seed), NEW_MB)
        assert draws is not None
        low, high = np.quantile(1 - np.exp(draws), [0.05, 0.95])
        held += low <= 0.3 <= high
        assert high - low < 0.15
    assert held >= 9


def test_few_invocations_of_a_version_are_no_experiment() -> None:
    """Under a hundred on one side."""
    assert fit_split(split_rows(0.7, seed=1, weight=0.003), NEW_MB) is None


def test_more_cold_starts_are_no_loss() -> None:
    """Their share triples as traffic falls, and the memory changes nothing."""
    few = make(World(cold_share=0.03, ratio=1.0), np.random.default_rng(1))
    many = make(World(cold_share=0.12, ratio=1.0), np.random.default_rng(2))
    at = few.change_hour
    before = few.rows.where(few.rows.slot < at)
    after = many.rows.where(many.rows.slot >= at)
    rows = UseRows(
        *(np.concatenate([getattr(before, each), getattr(after, each)])
          for each in before.__dataclass_fields__)
    )  # fmt: skip
    window = Window(moment(int(rows.slot.min())), moment(int(rows.slot.max()) + 1))
    reports = Reports(rows, lambda _window, _slot_s: rows, window)
    found = realize(reports, from_mb=OLD_MB, to_mb=NEW_MB, since=SINCE)
    assert isinstance(found, Realized)
    assert after.mean_usd > 1.15 * before.mean_usd
    assert found.saved.saving_ratio.low < 0 < found.saved.saving_ratio.high
    assert abs(found.saved.saving_ratio.estimate) < 0.05
