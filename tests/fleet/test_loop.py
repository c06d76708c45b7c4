"""The loop: everyone once, nobody stopped by another's fault, stops and windows honored."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.fleet.fleets import HERE, ManualClock, ScriptedSweeper, item, items, run
from tuner.errors import (
    AwsError,
    CredentialsError,
    FleetError,
    LeftChangedError,
    NotAgreedError,
)
from tuner.fleet.loop import (
    FleetWaits,
    InterruptedSweepError,
    ItemEnded,
    PlaceFails,
    UnreachablePlaceError,
)
from tuner.fleet.queue import FleetQueue, Outcome
from tuner.model.fleet import FleetPlace, RunWindow
from tuner.sweep.io import StopSignal

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.errors import TunerError
    from tuner.fleet.queue import Claim


def failing(names: set[str], error: TunerError) -> ScriptedSweeper:
    def outcome(claim: Claim) -> Outcome:
        if claim.item.name in names:
            raise error
        return Outcome(0.01, 8, "resize", 1024)

    return ScriptedSweeper(outcome)


def test_every_item_is_swept_once_in_the_plans_order(tmp_path: Path) -> None:
    """Each function is swept once, those that come first in the plan first."""
    sweeper = ScriptedSweeper()
    progress, events = run(tmp_path, items(7), sweeper, concurrency=1)
    assert sweeper.swept == [f"f00{n}" for n in range(7)]
    assert {each.state for each in progress} == {"done"}
    assert [each.ended_count for each in events if isinstance(each, ItemEnded)] == [*range(1, 8)]


def test_a_function_that_fails_stops_no_other(tmp_path: Path) -> None:
    """A failure is kept with its reason, and all others are swept."""
    progress, _ = run(tmp_path, items(5), failing({"f001"}, AwsError("no such thing")))
    assert [each.state for each in progress] == ["done", "failed", "done", "done", "done"]
    assert progress[1].reason == "no such thing"


def test_a_fault_of_our_own_fails_one_function_alone(tmp_path: Path) -> None:
    """Whatever is raised, the function is put right, what it spent counts, and others are swept."""

    def outcome(claim: Claim) -> Outcome:
        if claim.item.name == "f000":
            raise ZeroDivisionError("what it quotes isn't told")
        return Outcome(0.01, 8, "keep", 512)

    sweeper = ScriptedSweeper(outcome, lambda _: Outcome(0.03, 5))
    progress, _ = run(tmp_path, items(3), sweeper)
    assert [each.state for each in progress] == ["failed", "done", "done"]
    assert "unexpected ZeroDivisionError at " in str(progress[0].reason)
    assert "quotes" not in str(progress[0].reason)
    assert sweeper.put_right_of == ["f000"]
    assert (progress[0].is_leased, progress[0].cost_usd) == (False, 0.03)


def test_what_the_budget_no_longer_covers_is_told(tmp_path: Path) -> None:
    """Items that wait for money say so, and what to do."""
    sweeper = ScriptedSweeper(lambda _: Outcome(0.15, 8, "keep", 512))
    progress, _ = run(tmp_path, items(3, max_cost_usd=0.1), sweeper, budget_usd=0.3, concurrency=1)
    assert [each.state for each in progress] == ["done", "done", "pending"]
    assert "plan it again" in str(progress[2].reason)


def test_a_queue_that_cannot_be_written_ends_the_run_in_one_line(tmp_path: Path) -> None:
    """It says which file and why, and stops what still runs."""
    stop = StopSignal()

    def outcome(_: Claim) -> Outcome:
        with closing(sqlite3.connect(tmp_path / "queue.sqlite")) as other, other:
            other.execute(
                "CREATE TRIGGER full BEFORE UPDATE ON items"
                " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        return Outcome(0.01, 8, "keep", 512)

    with pytest.raises(
        FleetError, match=r"queue\.sqlite can't be written: database or disk is full"
    ):
        run(tmp_path, items(2), ScriptedSweeper(outcome), stop=stop, concurrency=1)
    assert stop.is_requested


def test_what_was_not_agreed_to_is_excluded_and_not_failed(tmp_path: Path) -> None:
    """A function with side effects that nobody agreed to is left out, with the reason."""
    progress, _ = run(tmp_path, items(2), failing({"f000"}, NotAgreedError("side effects")))
    assert [(each.state, each.reason) for each in progress] == [
        ("excluded", "side effects"),
        ("done", None),
    ]


def test_a_place_whose_credentials_fail_is_not_asked_a_thousand_times(tmp_path: Path) -> None:
    """After three failures in a row a place waits for another run, all its functions too, and it's
    told once; other places go on.
    """
    away = FleetPlace("444455556666", "us-east-1")
    fleet = [
        *(item(f"a{n}", place=away) for n in range(10)),
        *(item(f"h{n}", place=HERE) for n in range(4)),
    ]
    sweeper = failing({f"a{n}" for n in range(10)}, CredentialsError("expired"))
    progress, events = run(tmp_path, fleet, sweeper, concurrency=1)
    states = [each.state for each in progress]
    assert states == ["pending"] * 10 + ["done"] * 4
    assert len([each for each in sweeper.swept if each.startswith("a")]) == 3
    assert {each.reason for each in progress[:10]} == {"expired"}
    assert [each for each in events if isinstance(each, PlaceFails)] == [
        PlaceFails(away, "expired")
    ]
    again = ScriptedSweeper()
    progress, _ = run(tmp_path, fleet, again, concurrency=1)
    assert again.swept == [f"a{n}" for n in range(10)]


def test_an_account_that_cannot_be_reached_is_asked_once(tmp_path: Path) -> None:
    """Where a role can't be assumed, one sweep learns it, and the others aren't tried."""
    sweeper = failing({f"f00{n}" for n in range(5)}, UnreachablePlaceError("may not assume it"))
    progress, events = run(tmp_path, items(5), sweeper, concurrency=1)
    assert sweeper.swept == ["f000"]
    assert {each.state for each in progress} == {"pending"}
    assert len(events) == 1


def test_something_left_changed_is_kept_until_it_is_put_right(tmp_path: Path) -> None:
    """A function that couldn't be given back counts as leased; the next run puts it right and
    sweeps it again.
    """
    progress, _ = run(tmp_path, items(2), failing({"f000"}, LeftChangedError("still 1024 MB")))
    assert [each.is_leased for each in progress] == [True, False]
    sweeper = ScriptedSweeper()
    progress, _ = run(tmp_path, items(2), sweeper)
    assert sweeper.put_right_of == ["f000"]
    assert sweeper.swept == ["f000"]
    assert [each.is_leased for each in progress] == [False, False]


def test_what_a_killed_run_left_is_put_right_before_anything_is_swept(tmp_path: Path) -> None:
    """Items that were running go first through putting right, then on with what they may spend."""
    fleet = items(3)
    with FleetQueue(tmp_path / "queue.sqlite", fleet, 10.0) as queue:
        queue.claim(0.0)
        queue.prepared(fleet[0].key, sweep_id="s", sweep_file="x", in_flight_usd=0.01)
    sweeper = ScriptedSweeper(leaves_leased=lambda _: Outcome(0.03, 5))
    progress, _ = run(tmp_path, fleet, sweeper, concurrency=1)
    assert sweeper.put_right_of == ["f000"]
    assert sweeper.swept == ["f000", "f001", "f002"]
    assert progress[0].attempt_count == 2


def test_what_a_killed_run_left_is_put_right_at_once(tmp_path: Path) -> None:
    """Functions are restored side by side: an update takes Lambda seconds, whoever waits for it."""
    fleet = items(3)
    with FleetQueue(tmp_path / "queue.sqlite", fleet, 10.0) as queue:
        for each in fleet:
            queue.claim(0.0)
            queue.prepared(each.key, sweep_id="s", sweep_file="x", in_flight_usd=0.01)
    together = threading.Barrier(3, timeout=20)

    def put_right(_: object) -> Outcome | None:
        together.wait()
        return None

    run(tmp_path, fleet, ScriptedSweeper(leaves_leased=put_right), concurrency=3)
    assert not together.broken


def test_what_cannot_be_put_right_is_told_and_stops_no_other(tmp_path: Path) -> None:
    """An item that can't be restored stays leased and failed, with the reason."""
    fleet = items(2)
    with FleetQueue(tmp_path / "queue.sqlite", fleet, 10.0) as queue:
        queue.claim(0.0)
        queue.prepared(fleet[0].key, sweep_id="s", sweep_file="x", in_flight_usd=0.01)

    def refuse(_: object) -> Outcome | None:
        raise AwsError("access denied")

    progress, _ = run(tmp_path, fleet, ScriptedSweeper(leaves_leased=refuse))
    assert [(each.state, each.is_leased) for each in progress] == [
        ("failed", True),
        ("done", False),
    ]


def test_a_stop_starts_nothing_more_and_loses_nothing(tmp_path: Path) -> None:
    """After a stop, what was interrupted is pending again and goes on the next time."""
    stop = StopSignal()

    def outcome(claim: Claim) -> Outcome:
        if claim.item.name == "f001":
            stop.request()
            raise InterruptedSweepError
        return Outcome(0.01, 8, "keep", 512)

    progress, _ = run(tmp_path, items(4), ScriptedSweeper(outcome), concurrency=1, stop=stop)
    assert [each.state for each in progress] == ["done", "pending", "pending", "pending"]
    sweeper = ScriptedSweeper()
    progress, _ = run(tmp_path, items(4), sweeper, concurrency=1)
    assert sweeper.swept == ["f001", "f002", "f003"]


def test_another_process_may_ask_it_to_stop(tmp_path: Path) -> None:
    """The file that `tuner fleet stop` writes ends the run after what is in progress."""
    sweeper = ScriptedSweeper()
    progress, _ = run(
        tmp_path, items(4), sweeper, concurrency=1, is_to_stop=lambda: len(sweeper.swept) >= 2
    )
    assert [each.state for each in progress] == ["done", "done", "pending", "pending"]


def test_nothing_starts_outside_the_hours(tmp_path: Path) -> None:
    """A run waits for its window, and every sweep starts within it."""
    clock = ManualClock()
    seen: list[datetime] = []

    def outcome(_: Claim) -> Outcome:
        seen.append(clock.now)
        clock.sleep(2400)
        return Outcome(0.01, 8, "keep", 512)

    windows = (RunWindow("12:05", "12:50"), RunWindow("13:30", "15:00"))
    progress, events = run(
        tmp_path, items(4), ScriptedSweeper(outcome), concurrency=1, windows=windows, clock=clock
    )
    assert {each.state for each in progress} == {"done"}
    assert [f"{each:%H:%M}" for each in seen] == ["12:05", "12:45", "13:30", "14:10"]
    waits = [each.wait_s for each in events if isinstance(each, FleetWaits)]
    assert waits == [300, 300]


def test_the_audit_log_has_every_action_in_order(tmp_path: Path) -> None:
    """Each start and end is a line with its time; later runs only add."""
    run(tmp_path, items(2), failing({"f001"}, AwsError("no")), concurrency=1)
    before = (tmp_path / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in before.splitlines()]
    assert [(each["action"], each["item"][-4:]) for each in lines] == [
        ("started", "f000"), ("done", "f000"), ("started", "f001"), ("failed", "f001"),
    ]  # fmt: skip
    assert all(datetime.fromisoformat(each["at"]).tzinfo == UTC for each in lines)
    run(tmp_path, items(3), ScriptedSweeper(), concurrency=1)
    assert (tmp_path / "audit.jsonl").read_text().startswith(before)


def test_interruptions_that_used_up_a_limit_are_told(tmp_path: Path) -> None:
    """An item with nothing left to spend fails with what to do, instead of waiting forever."""
    fleet = items(1, max_cost_usd=0.02)
    with FleetQueue(tmp_path / "queue.sqlite", fleet, 10.0) as queue:
        queue.claim(0.0)
        queue.prepared(fleet[0].key, sweep_id="s", sweep_file="x", in_flight_usd=0.5)
    progress, _ = run(tmp_path, fleet, ScriptedSweeper())
    assert progress[0].state == "failed"
    assert "plan it again" in str(progress[0].reason)
