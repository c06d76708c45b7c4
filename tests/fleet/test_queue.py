"""The queue: nothing is swept twice, and the budget holds, whatever happens in which order."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fleet.fleets import item, items
from tuner.errors import FleetError
from tuner.fleet.folder import fleet_lock, is_running_in
from tuner.fleet.queue import FleetQueue, Outcome

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "done", "failed", "put_back", "kill"]),
        st.floats(0.0, 1.0),
        st.integers(0, 99),
    ),
    max_size=60,
)


@given(STEPS, st.floats(0.05, 2.0), st.lists(st.floats(0.01, 0.5), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_no_order_of_events_spends_more_than_the_budget(
    steps: list[tuple[str, float, int]], budget_usd: float, limits: list[float]
) -> None:
    """Whatever is claimed, ends, fails, is stopped or killed: what was truly spent never exceeds
    the budget, and no item that is done is claimed again.
    """
    fleet = [item(f"f{n}", max_cost_usd=limit) for n, limit in enumerate(limits)]
    truly_spent = dict.fromkeys((each.key for each in fleet), 0.0)
    done: set[str] = set()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "queue.sqlite"
        queue = FleetQueue(file, fleet, budget_usd)
        running: dict[str, float] = {}
        for what, share, pick in steps:
            if what == "claim":
                claim = queue.claim(0.0)
                if claim is not None:
                    assert claim.item.key not in done | set(running)
                    running[claim.item.key] = claim.budget_usd
                    queue.prepared(
                        claim.item.key, sweep_id="s", sweep_file="x",
                        in_flight_usd=claim.budget_usd / 2,
                    )  # fmt: skip
            elif what == "kill":
                queue._db.close()
                queue = FleetQueue(file, fleet, budget_usd)
                for each in queue.interrupted():
                    # The file has what came back; up to all that was in flight is lost besides.
                    left = max(running[each.item.key] - truly_spent[each.item.key], 0.0)
                    recorded = truly_spent[each.item.key] + left * share / 2
                    truly_spent[each.item.key] = recorded + min(
                        running[each.item.key] / 2, left - left * share / 2
                    )
                    queue.put_right(each.item.key, cost_usd=recorded, invocation_count=1)
                running.clear()
            elif running:
                key = sorted(running)[pick % len(running)]
                limit = running.pop(key)
                spent = max(limit * share, truly_spent[key])
                truly_spent[key] = min(spent, max(limit, truly_spent[key]))
                if what == "done":
                    queue.done(key, Outcome(truly_spent[key], 3, "keep", 512), 1.0)
                    done.add(key)
                elif what == "failed":
                    queue.spent(key, truly_spent[key], 3)
                    queue.failed(key, "no", 1.0, is_leased=False)
                else:
                    queue.spent(key, truly_spent[key], 3)
                    queue.put_back(key)
            assert sum(truly_spent.values()) <= budget_usd + 1e-9
        queue._db.close()


def test_an_item_waits_until_the_budget_covers_its_limit(tmp_path: Path) -> None:
    """What running items may still spend is set aside; what they didn't need comes back."""
    with FleetQueue(tmp_path / "q", items(3, max_cost_usd=0.4), 1.0) as queue:
        first, second = queue.claim(0.0), queue.claim(0.0)
        assert first is not None
        assert second is not None
        assert queue.claim(0.0) is None
        queue.done(first.item.key, Outcome(0.1, 8, "keep", 512), 1.0)
        third = queue.claim(0.0)
        assert third is not None
        assert third.item.name == "f002"


def test_what_was_in_flight_at_a_kill_counts_as_spent(tmp_path: Path) -> None:
    """After a kill an item may spend its limit less what its file lacks, and no more."""
    fleet = items(1, max_cost_usd=0.4)
    with FleetQueue(tmp_path / "q", fleet, 1.0) as queue:
        queue.claim(0.0)
        queue.prepared(fleet[0].key, sweep_id="s", sweep_file="x", in_flight_usd=0.1)
    with FleetQueue(tmp_path / "q", fleet, 1.0) as queue:
        [interrupted] = queue.interrupted()
        assert interrupted.is_leased
        queue.put_right(fleet[0].key, cost_usd=0.05, invocation_count=4)
        claim = queue.claim(0.0)
        assert claim is not None
        assert claim.budget_usd == pytest.approx(0.3)
        assert queue.progress()[0].cost_usd == pytest.approx(0.15)


def test_places_that_are_full_are_passed_over(tmp_path: Path) -> None:
    """An item of a place that can take no more doesn't hold up those of others."""
    elsewhere = item("g", place=item("g").place.__class__("444455556666", "us-east-1"))
    with FleetQueue(tmp_path / "q", [item("f"), elsewhere], 1.0) as queue:
        claim = queue.claim(0.0, except_places={"111122223333/eu-west-1"})
        assert claim is not None
        assert claim.item.name == "g"


def test_a_file_that_is_no_queue_is_refused_in_one_line(tmp_path: Path) -> None:
    """A damaged queue names its file and what to do."""
    (tmp_path / "q").write_bytes(b"not a database at all, and long enough to be looked at" * 40)
    with pytest.raises(FleetError, match="plan the fleet again"):
        FleetQueue(tmp_path / "q", items(1), 1.0)


def test_a_queue_is_read_where_it_cannot_be_written(tmp_path: Path) -> None:
    """On a disk that takes nothing, it's as it was left, or as a new one would be."""
    fleet = items(2)
    with FleetQueue(tmp_path / "q", fleet, 1.0, read_only=True) as queue:
        assert [each.state for each in queue.progress()] == ["pending", "pending"]
    assert not (tmp_path / "q").exists()
    with FleetQueue(tmp_path / "q", fleet, 1.0) as queue:
        queue.claim(0.0)
        queue.done(fleet[0].key, Outcome(0.1, 3, "keep", 512), 1.0)
    before = (tmp_path / "q").read_bytes()
    with FleetQueue(tmp_path / "q", fleet, 1.0, read_only=True) as queue:
        assert [each.state for each in queue.progress()] == ["done", "pending"]
        with pytest.raises(FleetError, match="can't be written"):
            queue.claim(0.0)
    assert (tmp_path / "q").read_bytes() == before


def test_a_queue_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """What it doesn't know of an item isn't invented."""
    fleet = items(1)
    with FleetQueue(tmp_path / "q", fleet, 1.0) as queue:
        queue.done(fleet[0].key, Outcome(0.1, 3, "resize", 1024, was_mb=512), 1.0)
        assert queue.progress()[0].was_mb == 512
        queue._db.execute("ALTER TABLE items DROP COLUMN was_mb")
    with FleetQueue(tmp_path / "q", fleet, 1.0, read_only=True) as queue:
        assert queue.progress()[0].was_mb is None
    with FleetQueue(tmp_path / "q", fleet, 1.0) as queue:
        assert (queue.progress()[0].state, queue.progress()[0].was_mb) == ("done", None)


def test_one_process_at_a_time_has_a_fleet(tmp_path: Path) -> None:
    """While a fleet is held, it's known as running and nobody else gets it."""
    assert not is_running_in(tmp_path)
    with fleet_lock(tmp_path):
        assert is_running_in(tmp_path)
        with pytest.raises(FleetError, match="running already"), fleet_lock(tmp_path):
            pass
    assert not is_running_in(tmp_path)


def test_the_queue_is_durable(tmp_path: Path) -> None:
    """Every step is on the disk when it returns: another connection sees it at once."""
    fleet = items(1)
    with FleetQueue(tmp_path / "q", fleet, 1.0) as queue:
        queue.claim(0.0)
        other = sqlite3.connect(tmp_path / "q")
        assert other.execute("SELECT state FROM items").fetchall() == [("running",)]
        other.close()


def test_the_pace_is_that_of_the_latest_run(tmp_path: Path) -> None:
    """A night between two runs doesn't make the rest look as if it took days."""
    with FleetQueue(tmp_path / "queue.sqlite", items(4), 1.0) as queue:
        queue.begin_run(0.0)
        queue.done(queue.claim(0.0).item.key, Outcome(0.01, 1), 10.0)  # type: ignore[union-attr]
        assert queue.seconds_left(10.0) == 30.0
        queue.begin_run(86_400.0)
        assert queue.seconds_left(86_401.0) is None
        queue.done(queue.claim(0.0).item.key, Outcome(0.01, 1), 86_420.0)  # type: ignore[union-attr]
        assert queue.seconds_left(86_420.0) == 40.0
