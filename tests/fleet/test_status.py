"""What a fleet's status tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fleet.fleets import ScriptedSweeper, items, plan_of, run
from tests.sweeps import made_sweep
from tuner.api.fleet_sweeper import outcome_of
from tuner.fleet.queue import Outcome
from tuner.model.fleet import FleetProgress, FleetStatus
from tuner.model.goal import Goal
from tuner.report.fleet import render_status, status_json
from tuner.report.page.functions import render_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.model.fleet import ItemState


def test_failures_of_one_reason_are_one_line() -> None:
    """Hundreds of functions that fail alike are told as such, not one by one; so is an account
    that can't be reached.
    """
    fleet = items(300)
    progress = (
        *(FleetProgress(each, "failed", "the role may not do that") for each in fleet[:200]),
        *(FleetProgress(each, "pending", "credentials have expired") for each in fleet[200:]),
    )
    text = render_status(
        FleetStatus(plan_of(fleet), "stopped", progress), width=100, encoding="utf-8"
    )
    assert "f000, f001, f002 and 197 more: the role may not do that" in text
    assert "111122223333 eu-west-1: 100 functions wait: credentials have expired" in text
    assert text.count("the role may not") == text.count("have expired") == 1


def test_no_escape_sequence_of_a_reason_reaches_the_terminal() -> None:
    """Why functions failed or wait is what AWS or a handler said: it's shown as words."""
    foreign = "no\x1b]0;title\x07\u202e"
    fleet = items(3)
    states: tuple[ItemState, ...] = ("failed", "pending", "excluded")
    progress = tuple(map(FleetProgress, fleet, states, [foreign] * 3))
    text = render_status(
        FleetStatus(plan_of(fleet), "stopped", progress), width=100, encoding="utf-8"
    )
    assert text.count("no ]0;title") == 3
    assert not set("\x1b\u202e\x07") & set(text)


def test_why_an_answer_is_inconclusive_is_told_everywhere(tmp_path: Path) -> None:
    """What a sweep that gave no answer lacks is in the text, in the JSON and on the page."""
    fleet = items(3)
    why = "more invocations would tell (`max_invocations`)"
    progress, _ = run(
        tmp_path,
        fleet,
        ScriptedSweeper(
            lambda claim: (
                Outcome(0.01, 8, "keep", 512)
                if claim.item.name == "f000"
                else Outcome(0.01, 8, "inconclusive", reason=why)
            )
        ),
    )
    status = FleetStatus(plan_of(fleet), "done", progress)
    text = render_status(status, width=100, encoding="utf-8")
    assert text.count(f"f001, f002: {why}") == 1
    assert [each["reason"] for each in status_json(status)["functions"]] == [None, why, why]
    assert render_fleet(status).count(why) == 2


def test_only_an_inconclusive_sweep_has_a_reason() -> None:
    """A sweep of one size says why it has no answer; one with an answer needs no word."""
    assert "1024 MB gave samples" in (outcome_of(made_sweep(sizes_mb=[1024]), Goal()).reason or "")
    assert outcome_of(made_sweep(), Goal()).reason is None
