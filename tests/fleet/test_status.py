"""What a fleet's status tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fleet.fleets import items, plan_of
from tuner.model.fleet import FleetProgress, FleetStatus
from tuner.report.fleet import render_status

if TYPE_CHECKING:
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
